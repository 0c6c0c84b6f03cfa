"""A section of the report of a run: it is made of a small result, and what it shows is text, table, chart or code."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

from simulator.machine.spec_loading import load_designs
from simulator.outputs.folder import write_results
from simulator.pages.page import Part
from simulator.pages.result import ResultFolder
from simulator.pages.run_report import sections
from simulator.run.simulation import compare
from simulator.testing.ladder import Ladder, hold
from workloads.trace import load_trace


@cache
def _result() -> ResultFolder:
    with TemporaryDirectory() as folder:
        write_results(compare(load_trace("digits-cnn"), load_designs()), Path(folder), {})
        return ResultFolder.read(Path(folder))


def check(name: str) -> None:
    """Check a section on a small comparison."""
    section = sections()[name]
    for part in section.parts(_result()):
        hold(isinstance(part, get_args(Part)), f"{part!r} is no text, table, chart or code")


LADDER = Ladder("report_sections", "made of a small result", sections, check)
