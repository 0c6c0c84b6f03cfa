"""Comparisons as Markdown, CSV and pictures."""

from collections.abc import Sequence
from pathlib import Path

from simulator.outputs.csv_text import csv_text
from simulator.validation.comparison import Row, Validation
from workloads.foundation.atomic import atomic_folder
from workloads.foundation.markdown import table_head, table_row, wrapped

_EQUAL = 1e-12  # of an error; below, all rows agree
_COLUMNS = ("what", "series", "measured", "simulated", "error", "cause")
MOST_ROWS = 20  # of a table on the page; CSV has all


def number(value: float) -> str:
    """Return a value as tables print it: whole, or with one digit behind the point."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 10_000 else f"{value:,.2f}"


def signed(error: float) -> str:
    """Return an error in per cent."""
    return f"{100 * error:+.1f} %"


def markdown(found: Validation, picture: str | None = None) -> str:
    """Return a comparison as a section of a page."""
    one = found.comparison
    lines = [
        f"## {one.title}\n",
        one.text + "\n",
        f"Measured: {one.source}. Unit: {one.unit}.\n",
        summary(found) + "\n",
    ]
    if picture is not None:
        lines.append(f"![measured against simulated]({picture})\n")
    equal = max(abs(row.error) for row in found.rows) <= _EQUAL
    if not equal:
        few = len(found.rows) <= MOST_ROWS
        title = "" if few else "The five rows with the largest errors:\n\n"
        lines.append(title + _table(found.rows if few else found.worst))
    if found.effects:
        lines.append("What nobody published, or is ours, and the mean absolute error with it:\n\n" + _ranges(found))
    lines.append(f"Again: `adagp-sim validate {one.name}`\n")
    return "\n".join(lines)


def summary(found: Validation) -> str:
    """Return one line: number of rows, mean and median of the errors."""
    beyond = [row for row in found.rows if row.shown_cause]
    text = f"{len(found.rows)} rows. Mean absolute error {100 * found.mean_absolute_error:.2f} %, "
    text += f"median {100 * found.median_absolute_error:.2f} %."
    if beyond:
        unexplained = sum(1 for row in beyond if not row.cause)
        text += f" Rows beyond 10 %: {len(beyond)}, of these unexplained: {unexplained}."
    return text


def _table(rows: Sequence[Row]) -> str:
    head = table_head(("what", "measured", "simulated", "error", "cause"))
    return head + "".join(
        table_row((row.what, number(row.measured), number(row.simulated), signed(row.error), row.shown_cause))
        for row in rows
    )


def _ranges(found: Validation) -> str:
    rows = [("as shipped", "", found.mean_absolute_error, "")]
    rows += [(f"`{one.key}`", shown(one.value), one.mean_absolute_error, one.why) for one in found.effects]
    head = table_head(("key", "value", "mean absolute error", "what it is"))
    return head + "".join(table_row((key, value, f"{100 * error:.1f} %", why)) for key, value, error, why in rows)


def shown(value: object) -> str:
    """Return a value of a key as tables print it."""
    return f"{value:,}" if isinstance(value, int) else "null" if value is None else str(value)


def page(all_found: Sequence[Validation], pictures: bool, command: str = "adagp-sim validate") -> str:
    """Return all comparisons as a page."""
    head = f"# Validation\n\nMade by `{command}`.\n"
    sections = [markdown(found, f"{found.comparison.name}.png" if pictures else None) for found in all_found]
    return wrapped("\n".join([head, overview(all_found), *sections]))


def overview(all_found: Sequence[Validation]) -> str:
    """Return a table with a line for each comparison."""
    head = table_head(("comparison", "rows", "mean absolute error", "median", "largest"))
    return head + "".join(
        table_row((
            f"{found.comparison.title} (`{found.comparison.name}`)", str(len(found.rows)),
            f"{100 * found.mean_absolute_error:.2f} %", f"{100 * found.median_absolute_error:.2f} %",
            signed(found.worst[0].error),
        ))
        for found in all_found
    )  # fmt: skip


def write_validation(all_found: Sequence[Validation], folder: Path) -> None:
    """Write validation.md, and for each comparison NAME.csv and NAME.png, whole or not at all.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    from simulator.outputs.drawing import save
    from simulator.validation.picture import scatter

    names = [f"{found.comparison.name}{end}" for found in all_found for end in (".csv", ".png")]
    with atomic_folder(folder, ("validation.md", *names)) as place:
        for found in all_found:
            cells = [
                (row.what, row.series, row.measured, row.simulated, row.error, row.shown_cause) for row in found.rows
            ]
            text = csv_text(_COLUMNS, cells)
            (place / f"{found.comparison.name}.csv").write_text(text, encoding="utf-8", newline="")
            save(scatter(found), place / f"{found.comparison.name}.png")
        (place / "validation.md").write_text(page(all_found, pictures=True), encoding="utf-8")
