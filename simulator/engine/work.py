"""What the engine is given: plans with the DRAM time of their tiles, laid end to end for the kernel."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from dataflows.actions import ActionCounts, total
from dataflows.integers import Integers
from dataflows.plans.plan import Plan
from simulator.dram.machine_channel import dram_channel
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


def merge(works: Sequence[StepWork]) -> StepWork:
    """Lay the plans of several tasks end to end."""
    return StepWork(
        first=tuple(plan for work in works for plan in work.first),
        second=tuple(plan for work in works for plan in work.second),
    )


# A tile and a plan as the step kernel reads them. Streams include what tiles wait for ports; `stores` is 0 or 1.
_TILE_FIELDS = ("load_cycles", "store_cycles", "stores", "stream_cycles", "gap_cycles")
TILE = np.dtype([(name, np.int64) for name in _TILE_FIELDS])
_NO_TILES = np.zeros((0, len(_TILE_FIELDS)), np.int64)
PLAN = np.dtype([("fill_cycles", np.int64), ("drain_cycles", np.int64)])


class PlanTable(NamedTuple):
    """A plan's tiles on a channel, and sums over them.

    Attributes
    ----------
    tiles : int64[tiles, fields of TILE]
    held_cycles, activates : int
        Of all transfers: cycles on the channel, and rows that they open.
    stream_cycles : int
        Of all tiles.
    """

    tiles: Integers
    held_cycles: int
    activates: int
    stream_cycles: int


@dataclass(frozen=True)
class FlatWork:
    """A step, laid end to end.

    Attributes
    ----------
    plan_begin : int64[arrays + 1]
        The first plan of each array, and how many plans there are.
    tile_begin : int64[plans + 1]
        The first tile of each plan, and how many tiles there are.
    plans : [plans] of PLAN
    tiles : [tiles] of TILE
    tables : list of PlanTable
        Of each plan.
    """

    plan_begin: Integers
    tile_begin: Integers
    plans: Any
    tiles: Any
    tables: list[PlanTable]


def flatten(works: Sequence[StepWork], dram: DramModel, frequency_hz: int) -> list[FlatWork]:
    """Lay the plans of steps end to end, and turn bytes into channel cycles; one entry a step."""
    channel, flats = dram_channel(dram, frequency_hz), []
    # laid out once for all steps, phases, designs and machines
    new = list(dict.fromkeys(plan for work in works for plan in work.plans if channel not in plan.tables))
    for plan, table in zip(new, plan_tables(new, dram, frequency_hz), strict=True):
        plan.tables[channel] = table
    for work in works:
        tables: list[PlanTable] = [plan.tables[channel] for plan in work.plans]
        tiles = np.concatenate([_NO_TILES, *(table.tiles for table in tables)]).view(TILE)[:, 0]
        begins = list(accumulate((len(table.tiles) for table in tables), initial=0))
        plans = np.array([(plan.fill_cycles, plan.drain_cycles) for plan in work.plans], PLAN)
        tile_begin = np.array(begins, np.int64)
        plan_begin = np.array([0, len(work.first), len(tables)], dtype=np.int64)
        flats.append(FlatWork(plan_begin, tile_begin, plans, tiles, tables))
    return flats


def plan_tables(plans: Sequence[Plan], dram: DramModel, frequency_hz: int) -> Iterator[PlanTable]:
    """Lay out the tiles of plans; the DRAM is asked once for all of their transfers."""
    costs = iter(dram.costs([one for plan in plans for one in (plan.loads, plan.stores)], frequency_hz))
    for plan in plans:
        (load_cycles, load_activates), (store_cycles, store_activates) = next(costs), next(costs)
        tiles = np.zeros((len(plan.loads), len(_TILE_FIELDS)), np.int64)
        port_loads, port_stores = plan.port_transfer_cycles
        tiles[:, 0] = np.maximum(load_cycles, port_loads)
        tiles[:, 1] = np.maximum(store_cycles, port_stores)
        tiles[:, 2] = plan.store_bytes > 0
        tiles[:, 3] = plan.stream_cycles + plan.port_wait_cycles
        tiles[:, 4] = plan.gap_cycles
        tiles.flags.writeable = False  # it is shared
        loads, stores, _, streams, _ = tiles.sum(axis=0).tolist()
        yield PlanTable(tiles, loads + stores, int(load_activates.sum() + store_activates.sum()), streams)
