"""`memory`, `area` and `diff` from Python."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulator.api.inputs import Machine, Settings, as_designs, as_trace
from simulator.api.messages import pythonic
from simulator.area.datapath import as_data, datapaths_of, load_synthesis
from simulator.area.equal import equal_studies, larger_baselines
from simulator.area.report import area_data, cost_of
from simulator.area.synthesized import synthesized_arrays, synthesized_baselines
from simulator.area.yosys import synthesize_all
from simulator.outputs.difference import compare_folders
from simulator.pages.run_report import write_run_report
from simulator.studies.memory_study import StudyRow, memory_study
from workloads.trace import Trace


def _silent(_: str) -> None:
    return


@pythonic
def memory(
    trace: Trace | str | Path,
    machine: Machine | None = None,
    *,
    design: str = "max",
    dataflow: str | None = None,
    overrides: Settings | None = None,
    progress: Callable[[str], Any] = _silent,
) -> list[StudyRow]:
    """Return what a design saves of the energy of memory accesses, by counting rule (docs/memory.md).

    Parameters
    ----------
    trace, machine, dataflow, overrides, progress
        As in `adagp_sim.simulate`.
    design : str
        The design that is compared with the baseline.

    Returns
    -------
    list of StudyRow
        `rule`, `baseline_pj`, `design_pj` and `reduction`; each row counts what all rows before it count, and more.

    Raises
    ------
    InputError
        If something is wrong, before anything is simulated.
    """
    baseline, spec = as_designs(machine, ("baseline", design), dataflow, overrides)
    return memory_study(as_trace(trace, None, None), baseline, spec, progress)


@pythonic
def area(
    trace: Trace | str | Path | None = None,
    machine: Machine | None = None,
    *,
    dataflow: str | None = None,
    overrides: Settings | None = None,
    synthesis: str | Path | None = None,
    progress: Callable[[str], Any] = _silent,
) -> dict[str, Any]:
    """Return FPGA resources, ASIC area and power of the designs, and their arrays as synthesised (docs/area.md).

    Parameters
    ----------
    trace : Trace, str or Path, optional
        Also simulate baselines of as many PEs as a design's power or area allows.
    machine, dataflow, overrides, progress
        As in `adagp_sim.simulate`.
    synthesis : str or Path, optional
        A file of ``adagp-sim synthesize --out FILE``; the shipped figures if nothing is given.

    Returns
    -------
    dict
        The data of ``adagp-sim area --json``.

    Raises
    ------
    InputError
        If something is wrong.
    """
    specs = as_designs(machine, None, dataflow, overrides)
    workload = None if trace is None else as_trace(trace, None, None)
    figures = load_synthesis(None if synthesis is None else Path(synthesis))
    more = synthesized_baselines(specs, figures)
    studies = [] if workload is None else equal_studies(workload, specs, more, progress)
    dataset = None if workload is None else workload.dataset.name
    larger = [*larger_baselines(specs), *more]
    return area_data([cost_of(spec) for spec in specs], synthesized_arrays(specs, figures), larger, studies, dataset)


@pythonic
def synthesize(
    machine: Machine | None = None,
    *,
    dataflow: str | None = None,
    overrides: Settings | None = None,
    file: str | Path | None = None,
    progress: Callable[[str], Any] = _silent,
) -> list[dict[str, Any]]:
    """Return what yosys makes of the RTL of the designs' arrays (docs/area.md).

    Parameters
    ----------
    machine, dataflow, overrides, progress
        As in `adagp_sim.simulate`.
    file : str or Path, optional
        Where the figures are written for `adagp_sim.area`.

    Returns
    -------
    list of dict
        The arrays of ``adagp-sim synthesize --json``.

    Raises
    ------
    InputError
        If yosys is not installed, no array can be synthesised, or the file cannot be written.
    """
    datapaths = datapaths_of(as_designs(machine, None, dataflow, overrides))
    place = None if file is None else Path(file)
    return as_data(synthesize_all(datapaths, progress, place, "adagp_sim.synthesize"))


@pythonic
def report(folder: str | Path, file: str | Path | None = None) -> Path:
    """Write a result folder as one HTML page that needs no network, and return its file.

    Parameters
    ----------
    folder : str or Path
        What `--out` wrote.
    file : str or Path, optional
        Where the page goes; else report.html in the folder.

    Raises
    ------
    InputError
        If the folder holds no result, Plotly is not installed, or the file cannot be written.
    """
    return write_run_report(Path(folder), None if file is None else Path(file))


@pythonic
def diff(a: str | Path, b: str | Path) -> dict[str, list[dict[str, Any]]]:
    """Return what changed between two result folders: `parameters`, `totals` and `layers`.

    Raises
    ------
    InputError
        If one of them is no result.
    """
    return compare_folders(Path(a), Path(b))
