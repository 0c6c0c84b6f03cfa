"""Read a shipped table of numbers: CSV with `#` lines above that say where it comes from."""

import csv
from collections.abc import Sequence
from pathlib import Path

from workloads.foundation.errors import InputError
from workloads.foundation.reading import read_text


def read_csv(path: Path, texts: Sequence[str] = ()) -> list[dict[str, float | str]]:
    """Return the rows of a CSV file by column; see `parse_csv`, and `read_text` for a file that cannot be read."""
    return parse_csv(read_text(path), path, texts)


def parse_csv(text: str, path: Path, texts: Sequence[str] = ()) -> list[dict[str, float | str]]:
    """Return the rows of a CSV file's text by column; every column is a number but those named in `texts`.

    Raises
    ------
    InputError
        If a row is longer or shorter than the header, or a number is none.
    """
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    if not lines:
        raise InputError(str(path), "", "holds no table", "give a header and rows")
    header, *rows = csv.reader(lines)
    found = []
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise InputError(str(path), f"row {number}", f"has {len(row)} cells, not {len(header)}", "correct the row")
        found.append({name: cell if name in texts else _number(path, number, name, cell)
                      for name, cell in zip(header, row, strict=True)})  # fmt: skip
    return found


def _number(path: Path, row: int, column: str, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise InputError(str(path), f"row {row}, {column}", f"is {cell!r}", "give a number") from None
