"""Step a job on an array: real numbers, every PE, every cycle."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from dataflows.arrays.broadcast_output import BROADCAST_OUTPUT
from dataflows.arrays.broadcast_stationary import BROADCAST_STATIONARY
from dataflows.arrays.job import ArrayModel, Geometry, JobTraffic
from dataflows.arrays.systolic import SYSTOLIC_OUTPUT, SYSTOLIC_STATIONARY
from dataflows.plans.plan import Integers

ArrayName = Literal["broadcast_stationary", "broadcast_output", "systolic_stationary", "systolic_output"]
ARRAYS: tuple[ArrayName, ...] = get_args(ArrayName)
MODELS: dict[ArrayName, ArrayModel] = {
    "broadcast_stationary": BROADCAST_STATIONARY,
    "broadcast_output": BROADCAST_OUTPUT,
    "systolic_stationary": SYSTOLIC_STATIONARY,
    "systolic_output": SYSTOLIC_OUTPUT,
}
Operand = NDArray[Any]


@dataclass(frozen=True)
class SteppedJob:
    """What a stepped job came to.

    Attributes
    ----------
    result : [groups, V, N]
        The products.
    cycles, macs : int
        Of the job; MACs of real rows, columns and vectors.
    partial_sums_read : int
        Sums that came back to be added to.
    traffic : JobTraffic
        Words across the array's edge and register accesses.
    registers : dict of str to [cycles, elements], or None
        Every register after each cycle, where a dump was asked for.
    """

    result: Operand
    cycles: int
    macs: int
    partial_sums_read: int
    traffic: JobTraffic
    registers: dict[str, Operand] | None


def step_job(
    array: ArrayName, geometry: Geometry, moving: Operand, stationary: Operand, dump_cycles: int = 0
) -> SteppedJob:
    """Step a job.

    Parameters
    ----------
    array : str
        Which array (docs/microarchitecture.md).
    geometry : Geometry
        Its PEs and ports.
    moving, stationary : [groups, V, D] and [groups, D, N]
        Operands; integers are computed in 64 bits and wrap, other types as float64 unless they are float32.
    dump_cycles : int
        How many cycles of registers to keep, from the first on; 0 for none.

    Raises
    ------
    ValueError
        If the operands' shapes do not fit each other.
    """
    if moving.ndim != 3 or stationary.ndim != 3 or moving.shape[::2] != stationary.shape[:2] or moving.size == 0:
        raise ValueError(f"operands {moving.shape} and {stationary.shape} are no [groups, V, D] and [groups, D, N]")
    if stationary.shape[2] == 0:
        raise ValueError("the stationary operand has no columns")
    both = np.result_type(moving, stationary)
    dtype = np.int64 if np.issubdtype(both, np.integer) else np.float32 if both == np.float32 else np.float64
    layout = register_layout(array, geometry)
    width = sum(elements for _, elements in layout)
    dump = np.zeros((dump_cycles, width), dtype)
    ports = geometry.ports
    arguments = (geometry.rows, geometry.columns, ports.stationary, ports.moving, ports.output)
    drain = (geometry.serial_drain,) if array == "systolic_output" else ()
    result, numbers = _kernel(array)(
        np.ascontiguousarray(moving, dtype), np.ascontiguousarray(stationary, dtype), *arguments, *drain, dump
    )
    cycles, macs, moving_words, stationary_words, sums, read_back, register_writes = numbers.tolist()
    traffic = JobTraffic(moving_words, stationary_words, sums, register_reads=macs, register_writes=register_writes)
    registers = None
    if dump_cycles:
        ends = np.cumsum([elements for _, elements in layout])
        parts = np.split(dump[: min(cycles, dump_cycles)], ends[:-1], axis=1)
        registers = {name: part for (name, _), part in zip(layout, parts, strict=True)}
    return SteppedJob(result, cycles, macs, read_back, traffic, registers)


def register_layout(array: ArrayName, geometry: Geometry) -> list[tuple[str, int]]:
    """Return the registers of an array by name, with their number of elements, as a dump holds them."""
    rows, columns = geometry.rows, geometry.columns
    plane = rows * columns
    if array == "broadcast_stationary":
        layout = [("shadow", plane), ("weight", plane), ("in", rows), ("product", plane)]
        nodes, level = rows, 0
        while nodes > 1:
            nodes, level = (nodes + 1) // 2, level + 1
            layout.append((f"tree_{level}", nodes * columns))
        return [*layout, ("sum", columns)]
    if array == "broadcast_output":
        return [("a", rows), ("b", columns), ("product", plane), ("acc", plane), ("out", plane)]
    if array == "systolic_stationary":
        return [("weight", plane), ("in", plane), ("psum", plane)]
    return [("in", plane), ("filter", plane), ("acc", plane)]


def _kernel(array: ArrayName) -> Callable[..., tuple[Operand, Integers]]:
    # imported when used: numba takes a third of a second
    from dataflows.arrays.broadcast_output_steps import run_broadcast_output
    from dataflows.arrays.broadcast_stationary_steps import run_broadcast_stationary
    from dataflows.arrays.systolic_steps import run_systolic_output, run_systolic_stationary

    kernels: dict[ArrayName, Callable[..., tuple[Operand, Integers]]] = {
        "broadcast_stationary": run_broadcast_stationary,
        "broadcast_output": run_broadcast_output,
        "systolic_stationary": run_systolic_stationary,
        "systolic_output": run_systolic_output,
    }
    return kernels[array]
