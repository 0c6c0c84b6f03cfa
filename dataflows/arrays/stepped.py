"""Step a job on an array: real numbers, every PE, every cycle."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataflows.arrays.job import Geometry, JobArray, JobTraffic, Register, inside_counts

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
        Words across the array's edge, writes of registers, and words and sums by the wires that they were driven over.
    writes : tuple of int
        Words written to each register, or to all of its name, in the order of the layout; edges' zeros among them.
    registers : dict of str to [cycles, ...], or None
        Every register after each cycle, where a dump was asked for.
    """

    result: Operand
    cycles: int
    macs: int
    partial_sums_read: int
    traffic: JobTraffic
    writes: tuple[int, ...]
    registers: dict[str, Operand] | None


def step_job(
    array: JobArray, geometry: Geometry, moving: Operand, stationary: Operand, dump_cycles: int = 0
) -> SteppedJob:
    """Step a job.

    Parameters
    ----------
    array : JobArray
        What does the job (docs/microarchitecture.md).
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
    layout = array.registers(geometry)
    dump = new_dump(layout, dump_cycles, dtype)
    operands = (np.ascontiguousarray(moving, dtype), np.ascontiguousarray(stationary, dtype))
    result, numbers = array.run(geometry, *operands, dump)
    cycles, macs, moving_words, stationary_words, sums, read_back, word_pitches, sum_pitches, *writes = numbers.tolist()
    inside = inside_counts(layout, writes, macs, word_pitches, sum_pitches)
    traffic = JobTraffic(moving_words, stationary_words, sums, inside)
    registers = registers_by_name(layout, dump[:cycles]) if dump_cycles else None
    return SteppedJob(result, cycles, macs, read_back, traffic, tuple(writes), registers)


def new_dump(layout: list[Register], cycles: int, dtype: type[np.generic]) -> Operand:
    """Return room for the registers of a layout in each of some cycles."""
    return np.zeros((cycles, sum(prod(register.shape) for register in layout)), dtype)


def registers_by_name(layout: list[Register], dump: Operand) -> dict[str, Operand]:
    """Return a dump cut into the registers of its layout, each [cycles, *shape]."""
    ends = np.cumsum([prod(register.shape) for register in layout])
    parts = zip(layout, np.split(dump, ends[:-1], axis=1), strict=True)
    return {one.name: part.reshape(len(dump), *one.shape) for one, part in parts}
