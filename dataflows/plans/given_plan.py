"""Plan a product by a mapping that is given, or given in part; the search chooses the rest, by the same rule."""

from collections.abc import Sequence
from functools import lru_cache

from dataflows.array import PEArray
from dataflows.dataflow import Dataflow
from dataflows.plans.budget import BufferBudget, TileTooLargeError
from dataflows.plans.choice import NO_LIMIT, Allowed, choose
from dataflows.plans.given import (
    Given,
    MappingError,
    check_fits,
    fixed_mappings,
    is_searched,
    listed_tilings,
    searched_order,
    smallest_misfit,
    whole_tiling,
)
from dataflows.plans.loopnest import LoopNest
from dataflows.plans.origin import ProductOrigin
from dataflows.plans.placement import Placement
from dataflows.plans.plan import Plan
from dataflows.plans.planning import plan_of, product_counts
from dataflows.plans.streams import load_transfers, store_transfers
from dataflows.plans.tile_sequence import tile_sequence
from dataflows.plans.tiling import Tiling
from dataflows.plans.weighing import weighed
from workloads.passes import Product


@lru_cache(maxsize=4096)
def plan_given(
    product: Product, placement: Placement, dataflow: Dataflow, array: PEArray, budget: BufferBudget, given: Given
) -> Plan:
    """Plan one product by a given mapping; the search chooses what is left out, by the same rule.

    Raises
    ------
    MappingError
        If no tiling is as given.
    """
    given = given.of(product)
    mapped = list(fixed_mappings(given, dataflow, array, product))
    tiling = whole_tiling(given, product)
    if tiling is None and is_searched(given, product):
        order = None if given.order is None else searched_order(given.order, LoopNest(product))
        try:
            chosen = choose(product, placement, mapped, array, budget, Allowed(given.sizes, order))
        except TileTooLargeError:
            raise smallest_misfit(given, product, placement, dataflow, budget) from None
        check_fits(chosen.tiling, product, placement, dataflow, budget)
        return plan_of(product, placement, array, budget, chosen).plan
    tilings = listed_tilings(given, product) if tiling is None else [tiling]
    plans, refused = [], None
    for one in tilings:
        try:
            check_fits(one, product, placement, dataflow, budget)
        except MappingError as error:
            refused = refused or error
            continue
        plans += [plan_tiled(product, placement, flow, array, budget, one) for flow in mapped]
    if not plans:
        assert refused is not None
        raise refused
    return _first_by_the_rule(plans, budget) if len(plans) > 1 else plans[0]


def plan_tiled(
    product: Product, placement: Placement, dataflow: Dataflow, array: PEArray, budget: BufferBudget, tiling: Tiling
) -> Plan:
    """Plan one product on an array by a given tiling, tile by tile."""
    tiles = tile_sequence(product, tiling)
    timing = dataflow.timing(array, tiles.parts)
    results = tiles.tensors.result.words
    finished, waiting = int((results * tiles.finished).sum()), int((results * (1 - tiles.finished)).sum())
    loads = load_transfers(
        tiles.tensors, placement, budget.widths, tiles.ifmap_new, tiles.filter_new, tiles.psums_loaded
    )
    stores = store_transfers(tiles.tensors, placement, budget.widths, tiles.finished, tiles.psums_stored)
    moved = int(loads.moved_bytes.sum()), int(stores.moved_bytes.sum())
    traffic = dataflow.traffic(array, tiles.parts, finished)
    return Plan(
        loads, stores, timing.stream_cycles, timing.gap_cycles, timing.fill_cycles, timing.drain_cycles,
        product_counts(product, placement, budget, traffic, finished, waiting, moved), budget.ports,
        ProductOrigin(product, placement, dataflow, array, budget, tiling),
    )  # fmt: skip


def _first_by_the_rule(plans: Sequence[Plan], budget: BufferBudget) -> Plan:
    """Return the plan that the rule of `dataflows.plans.contest` takes, of plans that are measured one by one."""
    times = [plan.cycles_alone(budget.channel) for plan in plans]
    moved = [plan.counts.dram_read_bytes + plan.counts.dram_write_bytes for plan in plans]

    def key(at: int) -> tuple[int, ...]:
        c = plans[at].counts
        return moved[at], c.buffer_read_bytes + c.buffer_write_bytes, times[at], len(plans[at].loads), at

    def first(allowed: BufferBudget) -> int:
        limit = NO_LIMIT
        if allowed.slack_percent is not None:
            limit = min(times) + min(times) * allowed.slack_percent // 100
        return min(key(at) for at, time in enumerate(times) if time <= limit)[-1]

    return plans[weighed(budget, first, lambda at: (times[at], moved[at])) if budget.weighed else first(budget)]
