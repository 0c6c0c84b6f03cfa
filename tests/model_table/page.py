"""What docs/networks.md tells of the table, between its marks."""

from collections.abc import Iterable, Iterator
from statistics import median
from textwrap import fill

from page_tables import table

from model_table.rows import Row

NAME = "other models"
WORST = 20
VERDICTS = ("exact", "explained", "unexplained", "not counted")


def block(rows: Iterable[Row]) -> list[str]:
    """Return the lines."""
    rows = list(rows)
    counted = [row for row in rows if not row.reason]
    exact = sum(row.verdict == "exact" for row in counted)
    text = (
        f"Of {len(counted)} models {exact} ({exact / len(counted):.1%}) are exact in both directions. The others "
        "differ by operators with a name. "
        f"One process needs {sum(row.seconds for row in rows) / 60:.0f} minutes for all, "
        f"{median(row.seconds for row in counted):.1f} s a model."
    )
    worst = sorted((row for row in counted if row.operators), key=lambda row: max(row.off), reverse=True)[:WORST]
    return [
        *fill(text, 100).splitlines(),
        "",
        *table(["package", "exact", "differ by named operators", "not explained", "not counted"], _by_source(rows)),
        "",
        f"The {len(worst)} with the largest share of MACs that the trace lacks, or has too many:",
        "",
        *table(["model", "MACs a sample in the trace", "forward", "backward", "by"], map(_off, worst)),
        *(line for row in counted if row.verdict == "unexplained" for line in ("", _told(row))),
    ]


def _by_source(rows: list[Row]) -> Iterator[list[str]]:
    for source in dict.fromkeys(row.source for row in rows):
        verdicts = [row.verdict for row in rows if row.source == source]
        yield [source, *(str(verdicts.count(one)) for one in VERDICTS)]


def _off(row: Row) -> list[str]:
    return [
        f"{row.model} ({row.source})", f"{row.forward // 2:,}", *(f"{share:.1%}" for share in row.off),
        ", ".join(row.operators),
    ]  # fmt: skip


def _told(row: Row) -> str:
    forward, backward = row.unexplained
    return f"{row.model}: torch counts {forward // 2:,} MACs a sample more forward and {backward // 2:,} backward."
