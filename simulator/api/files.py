"""What is shipped, and what is in a trace or a machine."""

from pathlib import Path
from typing import Any

from simulator.api.catalogue import GROUPS, chosen_groups, described
from simulator.api.inputs import Machine, as_spec, as_trace
from simulator.api.messages import pythonic
from simulator.outputs.resolved import spec_data, to_yaml
from workloads.inspection import inspection
from workloads.trace import Trace


def shipped() -> dict[str, list[str]]:
    """Return the names that functions take, by what they name: ``shipped()["traces"]``; as ``adagp-sim list``."""
    return {kind: list(group.names()) for kind, group in GROUPS.items()}


@pythonic
def describe(kind: str) -> dict[str, str]:
    """Return every name of a kind with what it means.

    Parameters
    ----------
    kind : str
        A key of `shipped`, such as ``designs``.

    Raises
    ------
    InputError
        If there is no such kind.
    """
    return {name: text for group in chosen_groups(kind) for name, text in described(group).items()}


@pythonic
def show(machine: Machine) -> str:
    """Return every parameter of a machine as YAML, which `load_accelerator` reads from a file.

    Raises
    ------
    InputError
        If there is no such machine.
    """
    return to_yaml(spec_data(as_spec(machine, None, None, None)))


@pythonic
def inspect(trace: Trace | str | Path) -> dict[str, Any]:
    """Return what is in a trace: layers, weights, MACs, schedule.

    Raises
    ------
    InputError
        If there is no such trace.
    """
    return inspection(as_trace(trace, None, None))
