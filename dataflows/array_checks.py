"""Whether an array and a dataflow suit each other: what is refused, and lines on narrow ports."""

from collections.abc import Callable

from dataflows.array import PEArray
from dataflows.dataflow import Dataflow, dataflows
from workloads.foundation.errors import InputError


def check_array(array: PEArray, flow: Dataflow, where: str, name: str) -> None:
    """Refuse an array that says what the reduction does on its rows, or is several, under a dataflow that cannot.

    Parameters
    ----------
    name : str
        The array's key.

    Raises
    ------
    InputError
        With the dataflows that can.
    """
    if array.reduction_on_rows != "channels_and_taps" and flow.way != "operand stays":
        fitting = _others(array, lambda one: one.way == "operand stays")
        problem = f"is {array.reduction_on_rows}, but {flow.name} has no reduction on the rows"
        raise InputError(where, f"{name}.reduction_on_rows", problem, f"leave it out, or take {fitting}")
    if array.count > 1 and flow.way == "rows stay":
        fitting = _others(array, lambda one: one.way != "rows stay")
        problem = f"is {array.count}, but {flow.name} runs on one array"
        raise InputError(where, f"{name}.count", problem, f"give 1, or take {fitting}")


def _others(array: PEArray, fits: Callable[[Dataflow], bool]) -> str:
    return " or ".join(sorted(name for (kind, name), flow in dataflows().items() if kind == array.kind and fits(flow)))


def narrow_ports(array: PEArray, flow: Dataflow) -> list[str]:
    """Return a line for each port that is narrower than its side, and what that costs."""
    sides = flow.sides(type(array))
    needed = flow.port_intervals(array.model_copy(update={port: getattr(array, side) for port, side in sides.items()}))
    lines = []
    for port, (what, cycles) in flow.port_intervals(array).items():
        if cycles > needed[port].cycles:
            name, side = port.removesuffix("_words_per_cycle").replace("_", " "), sides[port]
            words = f"{name} of {getattr(array, port)} words for {getattr(array, side)} {side}"
            lines.append(f"{words}: {flow.name} takes {cycles} cycles {what}, not {needed[port].cycles}")
    return lines
