"""What the engine is given: plans with the DRAM time of their tiles, laid end to end for the kernel."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dataflows.actions import ActionCounts, total
from dataflows.plans.plan import Integers, Plan
from dataflows.plans.transfers import end_to_end
from simulator.dram.model import DramModel


@dataclass(frozen=True)
class StepWork:
    """The plans of one step: those of the first array in order, and those of the second."""

    first: tuple[Plan, ...]
    second: tuple[Plan, ...] = ()

    @property
    def plans(self) -> tuple[Plan, ...]:
        """All plans, the first array's before the second's."""
        return self.first + self.second

    @cached_property
    def compute_cycles(self) -> int:
        """Cycles of all plans, one after the other, if nothing stalls."""
        return sum(plan.compute_cycles for plan in self.plans)

    @cached_property
    def port_wait_cycles(self) -> int:
        """Cycles that all plans wait for the ports of banks."""
        return sum(plan.port_wait_total for plan in self.plans)

    @cached_property
    def counts(self) -> ActionCounts:
        """What all plans do."""
        return total(plan.counts for plan in self.plans)

    @cached_property
    def uses_predictor_sram(self) -> tuple[bool, bool]:
        """Whether the first, and whether the second array uses the predictor SRAM."""
        first, second = (any(plan.counts.uses_predictor_sram for plan in plans) for plans in (self.first, self.second))
        return first, second

    def check_ports(self) -> None:
        """Check that only one array uses the predictor SRAM, which has one port.

        Raises
        ------
        ValueError
            If a design lays a step out otherwise.
        """
        if all(self.uses_predictor_sram):
            raise ValueError("both arrays of a step use the predictor SRAM, which has one port")


@dataclass(frozen=True)
class FlatWork:
    """A step as flat arrays: one entry a tile, or one entry a plan. Streams include what tiles wait for ports.

    `tile_begin` has one entry more than there are plans; `plan_begin` one more than there are arrays.
    """

    plan_begin: Integers
    tile_begin: Integers
    load_cycles: Integers
    store_cycles: Integers
    load_activates: Integers
    store_activates: Integers
    stores: Integers
    stream_cycles: Integers
    gap_cycles: Integers
    fill_cycles: Integers
    drain_cycles: Integers


def flatten(works: Sequence[StepWork], dram: DramModel, frequency_hz: int) -> list[FlatWork]:
    """Lay the plans of steps end to end, and turn bytes into channel cycles; one entry a step.

    All steps are laid out at once and then cut, since most steps have few tiles.
    """
    plans = [plan for work in works for plan in work.plans]

    def joined(parts: Sequence[Integers]) -> Integers:
        return np.concatenate([np.zeros(0, dtype=np.int64), *parts])

    loads = end_to_end([plan.loads for plan in plans], write=False)
    stores = end_to_end([plan.stores for plan in plans], write=True)
    by_tile = [
        np.maximum(dram.transfer_cycles(loads, frequency_hz), joined([plan.port_transfer_cycles[0] for plan in plans])),
        np.maximum(
            dram.transfer_cycles(stores, frequency_hz), joined([plan.port_transfer_cycles[1] for plan in plans])
        ),
        dram.activates(loads),
        dram.activates(stores),
        (stores.moved_bytes > 0).astype(np.int64),
        joined([plan.stream_cycles + plan.port_wait_cycles for plan in plans]),
        joined([plan.gap_cycles for plan in plans]),
    ]
    by_plan = [
        np.array([plan.fill_cycles for plan in plans], dtype=np.int64),
        np.array([plan.drain_cycles for plan in plans], dtype=np.int64),
    ]
    tile_begin = np.zeros(len(plans) + 1, dtype=np.int64)
    np.cumsum([len(plan.loads) for plan in plans], out=tile_begin[1:])
    flats, begin = [], 0
    for work in works:
        end = begin + len(work.first) + len(work.second)
        first, last = tile_begin[begin], tile_begin[end]
        flats.append(FlatWork(
            np.array([0, len(work.first), end - begin], dtype=np.int64),
            tile_begin[begin : end + 1] - first,
            *(table[first:last] for table in by_tile),
            *(table[begin:end] for table in by_plan),
        ))  # fmt: skip
        begin = end
    return flats
