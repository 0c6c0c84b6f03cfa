"""What a batch asks of DRAM, burst by burst, for other DRAM simulators.

Each operand of each plan lies in a region of its own, from the start of a row; its tiles follow each other there as far
as their pieces reach. That is what a transfer's time assumes (docs/dram.md), so addresses agree with it and not with
one allocation of all tensors.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dataflows.arrays.job import ceil_div
from dataflows.integers import Integers
from dataflows.plans.transfers import Transfers
from simulator.run.simulation import Simulation
from workloads.foundation.errors import InputError
from workloads.schedule import Phase

_REGION_BYTES = 1 << 20  # the least distance between the starts of two regions


@dataclass(frozen=True, slots=True)
class BurstRequests:
    """The bursts of one transfer, in the order in which they are asked for.

    Attributes
    ----------
    addresses : int64[bursts]
        In bytes, multiples of a burst, below the capacity.
    write : bool
    cycle : int
        Of the arrays' clock, from the batch's start, in which the channel took the transfer.
    """

    addresses: Integers
    write: bool
    cycle: int


def burst_requests(simulation: Simulation, phase: Phase, capacity_bytes: int | None = None) -> Iterator[BurstRequests]:
    """Yield the transfers of one batch of a phase as the channel carried them out.

    Bursts are those of the spec's DRAM. Addresses beyond the last whole burst of the capacity, by default the spec's,
    begin again at 0.

    Raises
    ------
    InputError
        If the capacity holds no whole burst.
    """
    dram = simulation.spec.dram
    capacity = dram.capacity_bytes if capacity_bytes is None else capacity_bytes
    burst, region_unit = dram.burst_bytes, ceil_div(_REGION_BYTES, dram.row_bytes) * dram.row_bytes
    if capacity < burst:
        remedy = f"give at least {burst}"
        raise InputError("the accelerator", "dram.capacity_bytes", f"is {capacity}, less than a burst", remedy)
    kind = simulation.batches.kind(phase)
    batch = simulation.batches.run(kind)
    plans = [work.plans for step in simulation.batches.works(kind) for work in step]
    found: list[tuple[int, bool, Integers]] = []
    region = 0
    for runs, those in zip(batch.tiles, plans, strict=True):
        tile = 0
        for plan in those:
            times = runs.times[tile : tile + len(plan.loads)]
            tile += len(plan.loads)
            for transfers, column in ((plan.loads, 0), (plan.stores, 4)):
                addresses, region = _addresses(transfers, region, region_unit, burst, capacity // burst)
                found += [
                    (int(times[t, column]), transfers.write, each) for t, each in enumerate(addresses) if len(each)
                ]
    for cycle, write, each in sorted(found, key=lambda one: one[0]):
        yield BurstRequests(each, write, cycle)


def _addresses(
    transfers: Transfers, region: int, region_unit: int, burst: int, capacity_bursts: int
) -> tuple[list[Integers], int]:
    """Return the bursts of each transfer, and where the next region begins."""
    parts: list[list[Integers]] = [[] for _ in range(len(transfers))]
    for segments, sizes, strides in zip(
        transfers.segments, transfers.segment_bytes, transfers.stride_bytes, strict=True
    ):
        begin = 0
        for t in np.flatnonzero(segments * sizes > 0).tolist():
            count, size, stride = int(segments[t]), int(sizes[t]), int(strides[t])
            first = region + begin + np.arange(count, dtype=np.int64) * stride
            begins, ends = first // burst, -(-(first + size) // burst)
            lengths = ends - begins
            places = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
            bursts = np.repeat(begins, lengths) + places
            bursts = bursts[np.append(True, bursts[1:] != bursts[:-1])]  # one that two pieces share is asked for once
            parts[t].append(bursts % capacity_bursts * burst)
            begin += ceil_div((count - 1) * stride + size, region_unit) * region_unit
        region += begin
    none = np.zeros(0, np.int64)
    return [np.concatenate([none, *part]) for part in parts], region
