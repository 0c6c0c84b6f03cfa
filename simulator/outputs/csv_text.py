"""The one writer of CSV: any text in a cell comes back equal, line breaks of every kind included."""

import csv
from collections.abc import Iterable, Sequence
from typing import Any


class _Lines(list[str]):
    """Takes rows as the csv module ends them and ends them with a line feed."""

    def write(self, row: str) -> None:
        self.append(row.removesuffix("\r\n") + "\n")


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table as CSV; None is an empty cell, and a cell that holds a line break stands in quotes."""
    lines = _Lines()
    writer = csv.writer(lines)  # its own end of a line, or it would put no quotes around a carriage return
    writer.writerow(columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return "".join(lines)
