"""The report of a run: one file, its numbers are the result's, and a browser sorts and filters them."""

import csv
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from browser import as_wide_as, check_charts, opened, texts
from command_line import good, run_here

pytest.importorskip("plotly", reason="the extra report is not installed")
EVIL = "</script><img src=x onerror=document.title='run'>"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison whose network has a name that is HTML."""
    folder = tmp_path_factory.mktemp("report")
    good(run_here("trace", "inspect", "digits-cnn", cwd=folder))
    trace = yaml.safe_load((Path(__file__).parents[2] / "traces" / "digits-cnn.yaml").read_text(encoding="utf-8"))
    trace["network"] = EVIL
    (folder / "evil.yaml").write_text(yaml.safe_dump(trace), encoding="utf-8")
    good(run_here("compare", "evil.yaml", "--out", "results", "--report", cwd=folder))
    return folder / "results"


@pytest.fixture(scope="module")
def rows(result: Path) -> list[dict[str, str]]:
    with (result / "layers.csv").open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["layer"] != "(batch)"]


class Elements(HTMLParser):
    """Collect the elements of a page and where they load something from."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_it_is_one_file_that_needs_no_network(result: Path) -> None:
    page = Elements()
    page.feed((result / "report.html").read_text(encoding="utf-8"))
    tags = [tag for tag, _ in page.found]
    assert "img" not in tags
    assert "link" not in tags
    assert "iframe" not in tags
    assert not [attributes for _, attributes in page.found if "src" in attributes]
    assert tags.count("section") == 7


@pytest.fixture(scope="module")
def browser(result: Path) -> Iterator[Any]:
    with opened(result / "report.html") as browser:
        yield browser


def table_of(browser: Any, section: str, number: int = 0) -> Any:
    return browser.find_elements("css selector", f"#{section} .table")[number]


def test_a_browser_runs_it_without_a_fault_and_draws_every_chart(browser: Any) -> None:
    check_charts(browser)
    assert len(browser.find_elements("css selector", ".chart")) == 6


def test_a_name_is_shown_and_not_run(browser: Any) -> None:
    assert EVIL in browser.find_element("css selector", "h1").text
    assert browser.title.startswith(EVIL)
    assert not browser.find_elements("css selector", "img")


@pytest.mark.long
def test_a_column_is_sorted_and_filtered(browser: Any, rows: list[dict[str, str]]) -> None:
    table = table_of(browser, "layers")
    heads = [head.text.split(" ")[0] for head in table.find_elements("css selector", "thead th")]
    cycles = heads.index("cycles") + 1
    button = table.find_elements("css selector", "thead button")[cycles - 1]
    button.click()
    largest = sorted((int(row["cycles"]) for row in rows), reverse=True)
    shown = [int(text.replace(",", "")) for text in texts(table, cycles)]
    assert shown == largest[: len(shown)]
    button.click()
    assert int(texts(table, cycles)[0].replace(",", "")) == min(largest)
    (chooser,) = [
        one for one in table.find_elements("css selector", "label") if one.text.startswith("pass")
    ]  # fmt: skip
    chooser.find_element("css selector", "option[value=forward]").click()
    assert set(texts(table, heads.index("pass") + 1)) == {"forward"}
    said = table.find_element("css selector", ".tools span").text
    forwards = sum(row["pass"] == "forward" for row in rows)
    assert said == f"{forwards} of {len(rows)} rows"
    chooser.find_element("css selector", "option[value='']").click()
    assert len(texts(table, 1)) < len(rows)
    table.find_element("css selector", ".tools button").click()
    assert len(texts(table, 1)) == len(rows)


def test_speedups_are_the_summary_s(browser: Any, result: Path) -> None:
    import json

    runs = json.loads((result / "summary.json").read_text(encoding="utf-8"))["runs"]
    shown = [one.text for one in browser.find_elements("css selector", ".number b")]
    assert shown == [f"{run['speedup']:.4f}" for run in runs if run["design"] != "baseline"]


@pytest.mark.parametrize("width", [390, 1300])
def test_nothing_is_wider_than_the_window(browser: Any, width: int) -> None:
    """In a phone's width, tables scroll in their own box."""
    with as_wide_as(browser, width):
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_a_folder_without_a_result_is_refused(tmp_path: Path) -> None:
    said = run_here("report", str(tmp_path))
    assert said.code == 2
    assert "summary.json: missing, so this is no result folder; give a folder that --out made" in said.err
    assert run_here("simulate", "digits-cnn", "--report").code == 2


def test_the_command_writes_the_page_where_it_is_told(result: Path, tmp_path: Path) -> None:
    good(run_here("report", str(result), "--out", str(tmp_path / "page.html")))
    assert (tmp_path / "page.html").read_bytes() == (result / "report.html").read_bytes()


def test_without_plotly_it_says_what_to_install(result: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "plotly.offline", None)
    said = run_here("report", str(result))
    assert said.code == 2
    assert re.search(r"Plotly, which is not installed; pip install '.\[report\]'", said.err)
