"""Simulate the DNN training accelerator of ADA-GP (MICRO'23) from Python.

::

    import adagp_sim

    results = adagp_sim.compare("vgg13-cifar10")
    results                                    # a table in a notebook
    results.to_dataframe()                     # every pass of every layer
    machine = adagp_sim.load_accelerator("max")
    for rows in (8, 12, 16):
        results = adagp_sim.simulate("vgg13-cifar10", machine.replace("array.rows", rows))
        print(rows, results.runs[0].total_cycles)

Names are imported when they are used, so that ``import adagp_sim`` takes no time.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.api.energy import energy_table
    from simulator.api.files import describe, inspect, shipped, show
    from simulator.api.layers import Explanation, explain, step
    from simulator.api.loading import load_accelerator, load_designs, load_policy, load_trace
    from simulator.api.reproduction import reproduce
    from simulator.api.results import Results
    from simulator.api.runs import compare, pipeline, simulate
    from simulator.api.schemas import schema
    from simulator.api.studies import area, diff, memory, report, synthesize
    from simulator.api.sweeps import sweep, sweep_results
    from simulator.api.traces import export_trace, import_trace, record, record_loop, save_trace
    from simulator.api.training import train_controls, train_predictors, train_reference
    from simulator.api.validation import validate
    from simulator.api.version import model_version
    from simulator.machine.spec import Accelerator
    from simulator.run.results import LayerRow, RunResult
    from simulator.sweep.results import SweepResults
    from simulator.validation.comparison import Validation
    from workloads.foundation.errors import InputError
    from workloads.trace import Trace

_HOMES = {
    "Accelerator": "simulator.machine.spec",
    "Explanation": "simulator.api.layers",
    "InputError": "workloads.foundation.errors",
    "LayerRow": "simulator.run.results",
    "Results": "simulator.api.results",
    "RunResult": "simulator.run.results",
    "SweepResults": "simulator.sweep.results",
    "Trace": "workloads.trace",
    "Validation": "simulator.validation.comparison",
    "area": "simulator.api.studies",
    "compare": "simulator.api.runs",
    "describe": "simulator.api.files",
    "diff": "simulator.api.studies",
    "energy_table": "simulator.api.energy",
    "explain": "simulator.api.layers",
    "export_trace": "simulator.api.traces",
    "import_trace": "simulator.api.traces",
    "inspect": "simulator.api.files",
    "load_accelerator": "simulator.api.loading",
    "load_designs": "simulator.api.loading",
    "load_policy": "simulator.api.loading",
    "load_trace": "simulator.api.loading",
    "memory": "simulator.api.studies",
    "model_version": "simulator.api.version",
    "pipeline": "simulator.api.runs",
    "record": "simulator.api.traces",
    "record_loop": "simulator.api.traces",
    "report": "simulator.api.studies",
    "reproduce": "simulator.api.reproduction",
    "save_trace": "simulator.api.traces",
    "schema": "simulator.api.schemas",
    "shipped": "simulator.api.files",
    "show": "simulator.api.files",
    "simulate": "simulator.api.runs",
    "step": "simulator.api.layers",
    "sweep": "simulator.api.sweeps",
    "sweep_results": "simulator.api.sweeps",
    "synthesize": "simulator.api.studies",
    "train_controls": "simulator.api.training",
    "train_predictors": "simulator.api.training",
    "train_reference": "simulator.api.training",
    "validate": "simulator.api.validation",
}
__all__ = [
    "Accelerator", "Explanation", "InputError", "LayerRow", "Results", "RunResult", "SweepResults", "Trace",
    "Validation", "area", "compare", "describe", "diff", "energy_table", "explain", "export_trace", "import_trace",
    "inspect", "load_accelerator", "load_designs", "load_policy", "load_trace", "memory", "model_version", "pipeline",
    "record", "record_loop", "report", "reproduce", "save_trace", "schema", "shipped", "show", "simulate", "step",
    "sweep", "sweep_results", "synthesize", "train_controls", "train_predictors", "train_reference", "validate",
]  # fmt: skip


def _check_neighbours() -> None:
    """Refuse a foreign module that has the name of one of this project's packages.

    Raises
    ------
    ImportError
        With the file that hides ours.
    """
    for package, part in (("workloads", "foundation"), ("dataflows", "plans"), ("simulator", "api")):
        found = find_spec(package)
        places = found.submodule_search_locations if found is not None else None
        if not any((Path(place) / part).is_dir() for place in places or ()):
            where = "nowhere" if found is None else found.origin or ", ".join(places or ())  # a folder has no origin
            raise ImportError(
                f"adagp_sim needs its own package {package!r}, and Python finds that name at {where}; "
                "rename it, remove it if an earlier installation left it, or start Python from another folder"
            )


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("adagp-sim")
    if name not in _HOMES:
        raise AttributeError(f"module 'adagp_sim' has no attribute {name!r}")
    _check_neighbours()
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
