"""The one writer and reader of a result's CSV: any text in a cell comes back equal, any kind of line break included."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any


class _Lines(list[str]):
    """Takes rows as the csv module ends them and ends them with a line feed."""

    def write(self, row: str) -> None:
        self.append(row.removesuffix("\r\n") + "\n")


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table as CSV; None is an empty cell, and a cell that holds a line break is in quotes."""
    lines = _Lines()
    writer = csv.writer(lines)  # its own end of a line, or it would put no quotes around a carriage return
    writer.writerow(columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return "".join(lines)


def csv_rows(text: str) -> tuple[list[str], list[dict[str, str]]]:
    """Return the columns and the rows of a table in CSV; a cell may be as long as the text.

    Raises
    ------
    csv.Error
        If the text is no CSV.
    """
    usual = csv.field_size_limit(max(len(text), csv.field_size_limit()))  # of the whole process
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""))
        rows = list(reader)
    finally:
        csv.field_size_limit(usual)
    return list(reader.fieldnames or ()), rows
