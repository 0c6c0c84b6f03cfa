"""What a user asks for: a layer, a phase and passes of a trace, by name."""

from collections.abc import Sequence

from simulator.phases.stages import PHASE_RULES
from workloads.foundation.errors import InputError, nearest, spelt
from workloads.schedule import Phase
from workloads.trace import Trace
from workloads.vectors import vectors_behind


def chosen_layer(trace: Trace, name: str) -> int:
    """Return the place of a layer among those with MACs.

    Raises
    ------
    InputError
        If there is none of that name; a layer without MACs is explained with the layer that it belongs to.
    """
    names = [layer.id for layer in trace.mac_layers]
    name = spelt(name, names)
    if name in names:
        return names.index(name)
    for owner in names:
        if any(layer.id == name for layer in vectors_behind(trace.layers, owner)):
            problem = f"{name!r} has no multiply-accumulates and takes no time of its own"
            raise InputError("--layer", "", problem, f"it belongs to {owner}: give --layer {owner}")
    raise InputError("--layer", "", f"{trace.network} has no layer {name!r}", nearest(name, names))


def chosen_phase(trace: Trace, name: str | None) -> Phase:
    """Return a phase of the trace's run; by default bp, or its first.

    Raises
    ------
    InputError
        If the run has no batch of it.
    """
    counts = trace.schedule.counts()
    if name is None:
        return "bp" if "bp" in counts else next(iter(counts))
    found = next((phase for phase in PHASE_RULES if phase in counts and phase == spelt(name, counts)), None)
    if found is None:
        raise InputError("--phase", "", f"the run has no {name!r} batches", nearest(name, counts))
    return found


def check_passes(wanted: Sequence[str], known: Sequence[str], layer: str) -> None:
    """Refuse a pass that the layer does not have.

    Raises
    ------
    InputError
        With the passes that it has.
    """
    for name in wanted:
        if name not in known:
            problem = f"layer {layer} has no pass {name!r} in this batch"
            raise InputError("--pass", "", problem, nearest(name, known))
