"""What a user gives from Python, made into traces, specs and stretches."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from simulator.machine.importers import check_no_machine
from simulator.machine.settings import Layer
from simulator.machine.spec import Accelerator
from simulator.machine.spec_layers import dataflow_layers, override_layer
from simulator.machine.spec_loading import load_accelerator, load_designs
from simulator.phases.design import designs, find_design
from simulator.pipelines.schedule import check_batch_schedule
from workloads.foundation.errors import InputError, nearest
from workloads.schedule import Policy
from workloads.trace import Trace, load_policy, load_trace

Machine = Accelerator | str | Path
"""A machine: a spec, a shipped name, or a YAML file."""
Settings = Mapping[str, Any]
"""Values by dotted key, such as ``{"array.rows": 32}``."""


def check_whole(name: str, value: object, least: int = 1) -> None:
    """Refuse what is no whole number, or too small; None is left out.

    Raises
    ------
    InputError
        With the argument's name.
    """
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
        raise InputError(name, "", f"is {value!r}", f"give a whole number of at least {least}")


def check_name(argument: str, value: object, known: Iterable[str]) -> None:
    """Refuse what is none of the known names.

    Raises
    ------
    InputError
        With the argument's name and the nearest known one.
    """
    if not isinstance(value, str) or value not in known:
        raise InputError(argument, "", f"is {value!r}", nearest(str(value), known))


def as_names(given: str | Sequence[str]) -> Sequence[str]:
    """Return names; one name is a list of one."""
    return [given] if isinstance(given, str) else given


def as_trace(trace: Trace | str | Path, batch_size: int | None, schedule: Policy | str | Path | None) -> Trace:
    """Return the trace that is meant, with another batch size and schedule where they are given.

    Raises
    ------
    InputError
        If there is no such trace, or it cannot be changed so.
    """
    if not isinstance(trace, Trace | str | Path):
        raise InputError("trace", "", f"is {trace!r}", "give a shipped name, a path, or what load_trace returns")
    check_whole("batch_size", batch_size)
    check_batch_schedule(schedule)
    if not isinstance(trace, Trace):
        check_no_machine(Path(trace))
        trace = load_trace(trace)
    found = trace
    if batch_size is not None:
        found = found.with_batch_size(batch_size)
    if schedule is None:
        return found
    return found.with_schedule(schedule if isinstance(schedule, Policy) else load_policy(schedule))


def as_spec(
    machine: Machine | None, design: str | None, dataflow: str | None, overrides: Settings | None
) -> Accelerator:
    """Return one design's spec on the machine that is meant.

    Raises
    ------
    InputError
        If there is no such machine, design or key.
    """
    _check(machine)
    if not isinstance(machine, Accelerator):
        return load_accelerator(machine, design, dataflow, overrides or {})
    chosen = [] if design is None else [Layer("design", {"design": design})]
    return Accelerator.of_layers([machine.as_layer()], [*chosen, *_options(dataflow, overrides)])


def as_designs(
    machine: Machine | None, names: Sequence[str] | None, dataflow: str | None, overrides: Settings | None
) -> list[Accelerator]:
    """Return the specs of some designs on the machine that is meant; of all by default.

    Raises
    ------
    InputError
        If there is no such machine, design or key.
    """
    _check(machine)
    wanted = list(designs()) if names is None else [find_design(name, "designs").name for name in as_names(names)]
    if not isinstance(machine, Accelerator):
        found = {spec.design: spec for spec in load_designs(machine, dataflow, overrides or {}, wanted)}
        return [found[name] for name in wanted]
    options = _options(dataflow, overrides)
    return [
        Accelerator.of_layers([machine.as_layer()], [*options, Layer(f"design {name}", {"design": name}, shipped=True)])
        for name in wanted
    ]


def with_mapping(overrides: Settings | None, mapping: str | Path | None) -> Settings | None:
    """Return settings with that of a mapping's file, which is the machine's key `mapping`.

    Raises
    ------
    InputError
        If it is no path, or the settings have another.
    """
    if mapping is None:
        return overrides
    if not isinstance(mapping, str | Path):
        raise InputError("mapping", "", f"is {mapping!r}", "give the path of a mapping's file")
    if overrides and "mapping" in overrides:
        raise InputError("mapping", "", "is given in overrides, too", "keep one of the two")
    return {**(overrides or {}), "mapping": str(mapping)}


def as_stretch(exact: int | tuple[int, int] | None, trace: Trace) -> tuple[int, int] | None:
    """Return (first batch, batches) of a number of batches, which start at the last Warm Up batch, or of both."""
    if exact is None or isinstance(exact, tuple):
        return exact
    check_whole("exact", exact)
    return max(0, trace.schedule.counts().get("warm_up", 0) - 1), exact


def _options(dataflow: str | None, overrides: Settings | None) -> list[Layer]:
    return [*dataflow_layers(dataflow), override_layer(overrides or {})]


def _check(machine: object) -> None:
    if machine is not None and not isinstance(machine, Accelerator | str | Path):
        remedy = "give a shipped name, a path, or what load_accelerator returns"
        raise InputError("machine", "", f"is {machine!r}", remedy)
