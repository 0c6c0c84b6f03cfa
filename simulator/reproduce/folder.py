"""The output folder: the report, its pictures and its tables, written whole or not at all."""

import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

from simulator.outputs.charts.drawn import picture
from simulator.outputs.csv_text import csv_text
from simulator.outputs.drawing import save
from simulator.outputs.folder import json_text
from simulator.outputs.provenance import provenance
from simulator.reproduce.exhibit import Table
from simulator.reproduce.made import FOLDER, Report, what_made, write_kept
from simulator.reproduce.report_markdown import markdown_report
from simulator.reproduce.report_page import report_page
from workloads.foundation.atomic import atomic_folder

NAMES = ("report.html", "report.md", "figures/", "tables/", f"{FOLDER}/", "provenance.json")


def write_report(
    report: Report, folder: Path, arguments: Sequence[str], sources: str, new: Collection[str], page: bool = True
) -> None:
    """Write everything into a hidden folder first, then put it in the place of what an earlier call left.

    Parameters
    ----------
    report : dict of MadeExhibit
        By key, in order.
    folder : Path
        Where the report goes.
    arguments : sequence of str
        The command line, without the program's name.
    sources : str
        Digest of the code and files as they are now.
    new : collection of str
        Keys of exhibits that this call made; files of the others are taken from the folder.
    page : bool
        Whether to write report.html, which takes Plotly.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    with atomic_folder(folder, NAMES) as stage:
        for name in ("figures", "tables", FOLDER):
            (stage / name).mkdir()
        for key, made in report.items():
            for table in made.exhibit.tables:
                write_table(table, stage / "tables")
            for one in made.exhibit.pictures:
                old, place = (home / "figures" / f"{one.name}.png" for home in (folder, stage))
                if key not in new and old.is_file():
                    shutil.copyfile(old, place)
                else:
                    save(picture(one.chart, made.title), place)
        write_kept(report, new, folder / FOLDER, stage / FOLDER)
        record = provenance({}, arguments, stage / "tables") | {"exhibits": what_made(report)}
        (stage / "provenance.json").write_text(json_text(record), encoding="utf-8")
        (stage / "report.md").write_text(markdown_report(report), encoding="utf-8")
        if page:
            text = report_page(report, record, sources).html()
            (stage / "report.html").write_text(text, encoding="utf-8")


def write_table(table: Table, folder: Path) -> None:
    """Write a table as CSV, every number with all its digits."""
    (folder / f"{table.name}.csv").write_text(csv_text(table.columns, table.rows), encoding="utf-8", newline="")
