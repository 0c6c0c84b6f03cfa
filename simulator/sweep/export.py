"""Write the rows of a sweep for other programs."""

from pathlib import Path

from simulator.outputs.csv_text import csv_text
from simulator.sweep.results import SweepResults
from workloads.foundation.atomic import atomic_file
from workloads.foundation.errors import InputError


def write_csv(results: SweepResults, path: Path) -> None:
    """Write a row for each point as CSV.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    rows = results.table()
    columns = list(rows[0]) if rows else []
    with atomic_file(path) as written:
        written.write(csv_text(columns, ([row[name] for name in columns] for row in rows)))


def write_parquet(results: SweepResults, path: Path) -> None:
    """Write a row for each point as Parquet.

    Raises
    ------
    InputError
        If pandas or pyarrow is not installed, or the file cannot be written.
    """
    try:
        import pyarrow  # noqa: F401

        frame = results.to_dataframe()
    except ImportError:
        problem = "takes pandas and pyarrow, which are not installed"
        raise InputError("--parquet", "", problem, "pip install '.[sweep]' in a clone, or write --csv") from None
    with atomic_file(path, binary=True) as written:
        written.write(frame.to_parquet())
