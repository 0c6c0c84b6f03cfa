"""The report of a run: a page of sections, one file each in `simulator/pages/sections`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from pathlib import Path

from simulator.pages.page import Number, Page, Part, Section
from simulator.pages.result import ResultFolder, name_of
from workloads.foundation.atomic import atomic_file
from workloads.foundation.registry import registry


@dataclass(frozen=True, slots=True)
class ReportSection:
    """A section of the report, found as `SECTION` in a file of `simulator/pages/sections`.

    Attributes
    ----------
    key, title : str
        Its place in links, and its heading.
    rank : int
        Its place in the report.
    parts : callable
        Returns what it shows of a result; nothing where it has nothing to say.
    """

    key: str
    title: str
    rank: int
    parts: Callable[[ResultFolder], Sequence[Part]]


@cache
def sections() -> dict[str, ReportSection]:
    """Return the sections by key, in their order."""
    return registry("simulator.pages.sections", "SECTION", "report_sections", ReportSection, attrgetter("key"))


def report_page(folder: Path) -> Page:
    """Return the report of a result folder.

    Raises
    ------
    InputError
        If the folder holds no result.
    """
    result = ResultFolder.read(folder)
    made = [Section(one.key, one.title, one.parts(result)) for one in sections().values()]
    trace = result.summary["trace"]
    lead = (
        f"Batch {trace['batch_size']:,}, {trace['epochs']:,} epochs, {trace['batches']:,} batches "
        f"(schedule {trace['schedule']}); the trace is {trace['origin']}."
    )
    return Page(result.network, lead, _numbers(result), [one for one in made if one.parts])


def write_run_report(folder: Path, file: Path | None = None) -> Path:
    """Write the report of a result folder, of a run or of a sweep, whole or not at all, and return its file.

    Parameters
    ----------
    folder : Path
        What `--out` wrote.
    file : Path, optional
        Where the report goes; else report.html in the folder.

    Raises
    ------
    InputError
        If the folder holds no result, Plotly is not installed, or the file cannot be written.
    """
    from simulator.pages.sweep_report import sweep_page  # most reports are of a run
    from simulator.sweep.run import SWEEP_NAME

    place = folder / "report.html" if file is None else file
    text = (sweep_page(folder) if (folder / SWEEP_NAME).exists() else report_page(folder)).html()
    with atomic_file(place) as written:
        written.write(text)
    return place


def _numbers(result: ResultFolder) -> list[Number]:
    found = []
    for run in result.runs:
        speedup = run["speedup"]
        if speedup is None or len(result.runs) == 1:
            found.append(Number(f"cycles, {name_of(run)}", f"{run['total_cycles']:,}", f"{run['seconds']:,.4g} s"))
            found.append(Number("energy", f"{run['energy_pj'] * 1e-12:,.4g} J"))
        elif run["design"] != "baseline":
            saved = f"energy {run['energy_reduction']:+.1%} saved"
            found.append(Number(f"speedup, {name_of(run)}", f"{speedup:.4f}", saved.replace("+", "")))
    return found
