"""Count hundreds of models' multiply-accumulates with the recorder and with torch, and write a table.

    python -m tests.model_table --out tests/data/models.csv

Needs torchvision, timm and transformers. A process on each core counts one model at a time, and is replaced when its
model takes too long. A run that was stopped can resume. `--docs` writes what came out into docs/networks.md,
and counts nothing.
"""

import argparse
import csv
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from page_tables import write_tables  # noqa: E402

from model_table import page  # noqa: E402
from model_table.rows import COLUMNS, Row, read_rows  # noqa: E402
from model_table.worker import counted, listed  # noqa: E402


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.model_table", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the table, which also tells what is done already")
    parser.add_argument("--source", action="append", help="of these packages only (default: all that are installed)")
    parser.add_argument("--models", type=int, default=None, help="at most so many of a package")
    parser.add_argument("--seconds", type=float, default=60.0, help="a model may take so long (default: 60)")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="processes (default: cores)")
    parser.add_argument("--again", action="store_true", help="count those again that were not exact")
    parser.add_argument("--docs", action="store_true", help="count nothing; write docs/networks.md from the table")
    arguments = parser.parse_args()
    if arguments.workers < 1:
        parser.error(f"--workers {arguments.workers}: give at least 1")
    rows = read_rows(arguments.out) if arguments.out.exists() else {}
    if arguments.docs:
        write_tables("networks", {page.NAME: page.block(rows.values())})
        return
    names = {source: listed(source) for source in arguments.source or ("torchvision", "timm", "transformers")}
    order = [(source, name) for source, found in names.items() for name in found]
    for source, found in names.items():
        done = {name for of, name in rows if of == source}
        if arguments.again:
            done = {name for name in done if rows[source, name].verdict == "exact"}
        todo = [name for name in found[: arguments.models] if name not in done]
        for index, row in enumerate(counted(source, todo, arguments.seconds, arguments.workers), 1):
            rows[source, row.model] = row
            write_rows(arguments.out, rows, order)
            told = f"{row.verdict} {row.reason} ({row.seconds:.1f} s)"
            print(f"{source} {index}/{len(todo)} {row.model}: {told}", flush=True)


def write_rows(path: Path, rows: Mapping[tuple[str, str], Row], order: Sequence[tuple[str, str]]) -> None:
    """Write the whole table, so that a run that is stopped leaves none behind that ends in a half row.

    Rows stand as their packages list the models, whichever was counted first; those of other packages come before.
    """
    places = {key: place for place, key in enumerate(order)}
    beside = path.with_suffix(".part")
    with beside.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows[key].cells() for key in sorted(rows, key=lambda key: places.get(key, -1)))
    beside.replace(path)


if __name__ == "__main__":
    main()
