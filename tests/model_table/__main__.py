"""Count hundreds of models' multiply-accumulates with the recorder and with torch, and write a table.

    python -m tests.model_table --out tests/data/models.csv

Needs torchvision, timm and transformers. One process counts, and is replaced when a model takes too long. A run that
was stopped goes on where it was. `--docs` writes what came out into docs/networks.md, and counts nothing.
"""

import argparse
import csv
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from page_tables import write_tables  # noqa: E402

from model_table import page  # noqa: E402
from model_table.rows import COLUMNS, Row, read_rows  # noqa: E402
from model_table.worker import Worker  # noqa: E402


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.model_table", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the table, which also tells what is done already")
    parser.add_argument("--source", action="append", help="of these packages only (default: all that are installed)")
    parser.add_argument("--models", type=int, default=None, help="at most so many of a package")
    parser.add_argument("--seconds", type=float, default=60.0, help="a model may take so long (default: 60)")
    parser.add_argument("--again", action="store_true", help="count those again that were not exact")
    parser.add_argument("--docs", action="store_true", help="count nothing; write docs/networks.md from the table")
    arguments = parser.parse_args()
    rows = read_rows(arguments.out) if arguments.out.exists() else {}
    if arguments.docs:
        write_tables("networks", {page.NAME: page.block(rows.values())})
        return
    worker = Worker()
    for source in arguments.source or ("torchvision", "timm", "transformers"):
        listed = worker.ask((source, None), 300)
        if listed is None:
            sys.exit(f"{source}: its models cannot be listed; is it installed?")
        known = {name for of, name in rows if of == source}
        if arguments.again:
            known = {name for name in known if rows[source, name].verdict == "exact"}
        todo = [name for name in listed[: arguments.models] if name not in known]
        for index, name in enumerate(todo, 1):
            began = time.monotonic()
            row = worker.ask((source, name), arguments.seconds)
            seconds = time.monotonic() - began
            if row is None:
                row, worker = Row(source, name, reason=f"more than {arguments.seconds:.0f} s, or no memory"), Worker()
            row.seconds = round(seconds, 1)
            rows[source, name] = row
            write_rows(arguments.out, rows)
            print(f"{source} {index}/{len(todo)} {name}: {row.verdict} {row.reason} ({seconds:.1f} s)", flush=True)


def write_rows(path: Path, rows: dict[tuple[str, str], Row]) -> None:
    """Write the whole table, so that a run that is stopped leaves none behind that ends in a half row."""
    beside = path.with_suffix(".part")
    with beside.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(row.cells() for row in rows.values())
    beside.replace(path)


if __name__ == "__main__":
    main()
