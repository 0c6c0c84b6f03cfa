"""The machine: specs, engine, designs, energy, results and the command line.

The same as the commands, from Python::

    from simulator import compare, load_accelerator, load_trace, simulate

    trace = load_trace("vgg13-cifar10")
    results = simulate(trace, load_accelerator(design="max"))
    results.to_dataframe()

Names are imported when they are used, so that ``adagp-sim --help`` is instant.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.machine.spec_loading import load_accelerator, load_designs
    from simulator.run.simulation import compare, simulate
    from workloads.foundation.errors import InputError
    from workloads.trace import load_policy, load_trace

__all__ = ["InputError", "compare", "load_accelerator", "load_designs", "load_policy", "load_trace", "simulate"]

_HOMES = {
    "InputError": "workloads.foundation.errors",
    "compare": "simulator.run.simulation",
    "load_accelerator": "simulator.machine.spec_loading",
    "load_designs": "simulator.machine.spec_loading",
    "load_policy": "workloads.trace",
    "load_trace": "workloads.trace",
    "simulate": "simulator.run.simulation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'simulator' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
