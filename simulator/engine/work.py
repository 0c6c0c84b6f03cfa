"""What the engine is given: plans with the DRAM time of their tiles, laid end to end for the kernel."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dataflows.plan import Integers, Plan
from dataflows.transfers import end_to_end
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

    def check_ports(self) -> None:
        """Check that only one array uses the predictor SRAM, which has one port.

        Raises
        ------
        ValueError
            If a design lays a step out otherwise.
        """
        if all(any(plan.counts.uses_predictor_sram for plan in plans) for plans in (self.first, self.second)):
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


def flatten(work: StepWork, dram: DramModel, frequency_hz: int) -> FlatWork:
    """Lay a step's plans end to end and turn bytes into channel cycles."""
    plans = work.plans

    def joined(parts: Sequence[Integers]) -> Integers:
        return np.concatenate([np.zeros(0, dtype=np.int64), *parts])

    loads = end_to_end([plan.loads for plan in plans], write=False)
    stores = end_to_end([plan.stores for plan in plans], write=True)
    tiles = [len(plan.loads) for plan in plans]
    return FlatWork(
        plan_begin=np.array([0, len(work.first), len(plans)], dtype=np.int64),
        tile_begin=np.concatenate([[0], np.cumsum(tiles, dtype=np.int64)]).astype(np.int64),
        load_cycles=dram.transfer_cycles(loads, frequency_hz),
        store_cycles=dram.transfer_cycles(stores, frequency_hz),
        load_activates=dram.activates(loads),
        store_activates=dram.activates(stores),
        stores=(stores.moved_bytes > 0).astype(np.int64),
        stream_cycles=joined([plan.stream_cycles + plan.port_wait_cycles for plan in plans]),
        gap_cycles=joined([plan.gap_cycles for plan in plans]),
        fill_cycles=np.array([plan.fill_cycles for plan in plans], dtype=np.int64),
        drain_cycles=np.array([plan.drain_cycles for plan in plans], dtype=np.int64),
    )
