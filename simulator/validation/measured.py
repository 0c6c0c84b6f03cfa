"""Measured rows in CSV: those that are shipped in `configs/validation`, and those of a user's file."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from workloads.foundation.errors import InputError
from workloads.foundation.reading import read_text
from workloads.foundation.shipped import shipped_folder

MOST = 1 << 40  # of a number in such a table


class MeasuredRow:
    """A row of a table, which gives its cells as what they must be."""

    def __init__(self, path: str, line: int, cells: Mapping[str, str]) -> None:
        self._path, self._line, self._cells = path, line, cells

    def has(self, column: str) -> bool:
        """Whether the table has a column."""
        return column in self._cells

    def text(self, column: str) -> str:
        """Return a cell."""
        return self._cells[column]

    def number(self, column: str) -> int:
        """Return a whole number from 1 on.

        Raises
        ------
        InputError
            With the file, line and column of what is none.
        """
        text = self._cells[column]
        try:
            value = int(text)
        except ValueError:
            value = 0
        if not 1 <= value <= MOST:
            raise self.wrong(column, f"is {text[:40]!r}", f"give a whole number from 1 to {MOST}")
        return value

    def wrong(self, column: str, problem: str, remedy: str) -> InputError:
        """Return the error of a cell."""
        return InputError(self._path, f"line {self._line}, {column}", problem, remedy)


def measured_rows(data: Path | None, shipped: str, columns: Sequence[str]) -> list[MeasuredRow]:
    """Return the rows of a user's file, or of a shipped table if there is none; lines that begin with # are notes.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column or has no rows.
    """
    path = shipped_folder("configs/validation") / shipped if data is None else data
    numbered = [
        (number, line)
        for number, line in enumerate(read_text(path).removeprefix("\ufeff").splitlines(), 1)
        if line.strip() and not line.startswith("#")
    ]
    try:
        cells = list(csv.reader((line for _, line in numbered), strict=True))
    except csv.Error as error:
        raise InputError(str(path), "", f"is no CSV: {error}", "give a table whose columns a comma parts") from None
    head = [name.strip() for name in cells[0]] if cells else []
    missing = [name for name in columns if name not in head]
    if missing:
        raise InputError(str(path), ", ".join(missing), "missing in the first line", f"give {','.join(columns)}")
    if len(cells) == 1:
        raise InputError(str(path), "", "has no rows", "give one a line")
    rows = []
    for (line, _), row in zip(numbered[1:], cells[1:], strict=True):
        if len(row) != len(head):
            raise InputError(str(path), f"line {line}", f"has {len(row)} cells, and the first line {len(head)}",
                             "give one for each column")  # fmt: skip
        rows.append(MeasuredRow(str(path), line, dict(zip(head, (cell.strip() for cell in row), strict=True))))
    return rows
