"""The output folder: the report, its pictures and its tables, written whole or not at all."""

from collections.abc import Sequence
from pathlib import Path

from simulator.outputs.csv_text import csv_text
from simulator.outputs.folder import json_text
from simulator.outputs.provenance import provenance
from simulator.reproduce.exhibit import Exhibit, ExhibitMaker, Table
from simulator.reproduce.report import html_report, markdown_report
from workloads.foundation.atomic import atomic_folder

NAMES = ("report.html", "report.md", "figures/", "tables/", "provenance.json")


def write_report(
    made: Sequence[tuple[ExhibitMaker, Exhibit]], folder: Path, arguments: Sequence[str], head: str
) -> None:
    """Write everything into a hidden folder first, then put it in the place of what an earlier call left.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    with atomic_folder(folder, NAMES) as stage:
        (stage / "figures").mkdir()
        (stage / "tables").mkdir()
        pictures = {}
        for _, exhibit in made:
            for table in exhibit.tables:
                write_table(table, stage / "tables")
            for picture in exhibit.pictures:
                figure, pictures[picture.name] = picture.draw(), stage / "figures" / f"{picture.name}.png"
                figure.savefig(pictures[picture.name], dpi=120)
        text = markdown_report(made, head)
        (stage / "report.md").write_text(text, encoding="utf-8")
        (stage / "report.html").write_text(html_report(text, pictures, made), encoding="utf-8")
        record = provenance({}, arguments, stage / "tables")
        (stage / "provenance.json").write_text(json_text(record), encoding="utf-8")


def write_table(table: Table, folder: Path) -> None:
    """Write a table as CSV, every number with all its digits."""
    (folder / f"{table.name}.csv").write_text(csv_text(table.columns, table.rows), encoding="utf-8", newline="")
