"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const PAPER = 980; // pixels across a landscape sheet
const FIRST = 60; // rows that a table shows before a reader asks for all

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function shown(value, digits) {
  if (value === null) return "";
  if (typeof value !== "number") return value;
  if (digits === null) return value.toLocaleString("en", { maximumSignificantDigits: Math.abs(value) < 1e5 ? 5 : 9 });
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function labelled(words, control) {
  const label = element("label", words);
  label.append(control);
  return label;
}

function fillTable(place, table) {
  const state = { column: -1, down: false, words: "", chosen: new Map(), all: false };
  const numeric = table.columns.map((_, i) => table.rows.every((row) => row[i] === null || typeof row[i] === "number"));
  const digits = table.columns.map((column, i) =>
    table.rows.every((row) => row[i] === null || Number.isInteger(row[i])) ? 0 : column.digits);
  const kinds = table.columns.map((column, i) => (numeric[i] ? "n" : column.long ? "long" : ""));
  const tools = element("div", undefined, "tools");
  const search = element("input");
  search.type = "search";
  search.addEventListener("input", () => { state.words = search.value.toLowerCase(); draw(); });
  if (table.rows.length > 8) tools.append(labelled("search", search));
  table.columns.forEach((column, i) => {
    if (!column.filtered) return;
    const select = element("select");
    select.append(new Option("all", ""));
    for (const value of new Set(table.rows.map((row) => String(row[i])))) select.append(new Option(value, value));
    select.addEventListener("change", () => { state.chosen.set(i, select.value); draw(); });
    tools.append(labelled(column.name, select));
  });
  const said = element("span");
  const more = element("button", "show all rows");
  more.addEventListener("click", () => { state.all = true; draw(); });
  const box = element("div", undefined, "wide");
  const drawn = element("table");
  const head = element("tr");
  const buttons = table.columns.map((column, i) => {
    const cell = element("th", undefined, kinds[i]);
    const button = element("button", column.name.replace(/, (\S{1,2})$/, ",\u00a0$1")); // a unit stays with its name
    button.addEventListener("click", () => {
      state.down = state.column === i ? !state.down : numeric[i];
      state.column = i;
      draw();
    });
    cell.append(button);
    head.append(cell);
    return cell;
  });
  const thead = element("thead");
  thead.append(head);
  const body = element("tbody");
  drawn.append(thead, body);
  box.append(drawn);
  tools.append(said, more);
  place.append(tools, box);

  function compared(a, b) {
    const [x, y] = [a[state.column], b[state.column]];
    if (x === null || y === null) return (x === null) - (y === null);
    const order = numeric[state.column] ? x - y : String(x).localeCompare(String(y));
    return state.down ? -order : order;
  }

  function draw() {
    let rows = table.rows.map((row, i) => ({ row, link: table.links[i] })).filter(({ row }) =>
      [...state.chosen].every(([i, value]) => value === "" || String(row[i]) === value) &&
      (state.words === "" || row.some((cell) => String(cell).toLowerCase().includes(state.words))));
    if (state.column >= 0) rows.sort((a, b) => compared(a.row, b.row));
    buttons.forEach((cell, i) => {
      if (i === state.column) cell.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    const visible = state.all ? rows : rows.slice(0, FIRST);
    body.replaceChildren(...visible.map(({ row, link }) => {
      const line = element("tr");
      row.forEach((cell, i) => line.append(element("td", shown(cell, digits[i]), kinds[i])));
      if (link) {
        const to = element("a", line.firstChild.textContent);
        to.href = `#${link}`;
        line.firstChild.replaceChildren(to);
      }
      return line;
    }));
    more.hidden = visible.length === rows.length;
    said.textContent = table.rows.length > 8 ? `${rows.length} of ${table.rows.length} rows` : "";
  }
  draw();
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  const axis = { gridcolor: of("--line"), zerolinecolor: of("--line"), linecolor: of("--line"), automargin: true,
    exponentformat: "power" };
  return { ink: of("--ink"), paper: of("--paper"), axis };
}

function fillChart(place, chart) {
  const names = Object.keys(chart.figures);
  const box = element("div");
  let name = chart.first;
  if (names.length > 1) {
    const select = element("select");
    for (const one of names) select.append(new Option(one, one, one === name, one === name));
    select.addEventListener("change", () => { name = select.value; draw(); });
    const tools = element("div", undefined, "tools");
    tools.append(labelled("show", select));
    place.append(tools);
  }
  place.append(box);

  function draw(width) {
    const { ink, paper, axis } = colours();
    const figure = chart.figures[name];
    const layout = structuredClone(figure.layout ?? {});
    const narrow = place.clientWidth < 600;
    if (width) layout.width = width;
    for (const key of ["xaxis", "yaxis"]) layout[key] = { ...axis, ...layout[key] };
    Object.assign(layout, {
      height: chart.height, paper_bgcolor: paper, plot_bgcolor: paper, hovermode: layout.hovermode ?? "closest",
      font: { color: ink, size: narrow ? 10 : 12 }, margin: { l: 60, r: 10, t: 10, b: 50 },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
    });
    Plotly.react(box, structuredClone(figure.data), layout, { responsive: true, displayModeBar: false });
  }
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
  const columns = place.closest(".columns3") ? 3 : place.closest(".columns2") ? 2 : 1;
  addEventListener("beforeprint", () => draw(PAPER / columns - (columns > 1 ? 16 : 0)));
  addEventListener("afterprint", () => draw());
}

for (const place of document.querySelectorAll("[data-table]")) fillTable(place, data.tables[place.dataset.table]);
for (const place of document.querySelectorAll("[data-chart]")) fillChart(place, data.charts[place.dataset.chart]);

// The contents show where the reader is.
const links = new Map([...document.querySelectorAll("nav a")].map((one) => [one.hash.slice(1), one]));
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const link = links.get(target.id);
    if (isIntersecting) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    if (isIntersecting) link.parentElement.scrollTo({ left: link.offsetLeft - 16, top: link.offsetTop - 200 });
  }
}, { rootMargin: "-10% 0px -80% 0px" });
for (const section of document.querySelectorAll("section")) if (links.has(section.id)) seen.observe(section);
