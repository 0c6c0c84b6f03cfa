"""Plan a product by a mapping that is given, or given in part; the search chooses the rest, by the same rule."""

from collections.abc import Sequence
from functools import lru_cache

from dataflows.array import PEArray
from dataflows.dataflow import Dataflow
from dataflows.plans.choice import FEWEST_BYTES, NO_LIMIT, Measured
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
from dataflows.plans.placement import Placement
from dataflows.plans.plan import BufferBudget, Plan, TileTooLargeError
from dataflows.plans.planning import best_of, plan_tiled
from dataflows.plans.tiling import TilingSearch
from workloads.passes import Product


@lru_cache(maxsize=16384)
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
        searches = [TilingSearch(product, placement, one, array, budget, given.sizes, order) for one in mapped]
        try:
            found = best_of(searches)
        except TileTooLargeError:
            raise smallest_misfit(given, product, placement, dataflow, budget) from None
        check_fits(found.tiling, product, placement, dataflow, budget)
        return found.plan
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


def _first_by_the_rule(plans: Sequence[Plan], budget: BufferBudget) -> Plan:
    """Return the plan that the rule of `dataflows.plans.choice` takes, of plans that are measured one by one."""
    measured = [Measured.of(plan, plan.cycles_alone(budget.channel)) for plan in plans]
    limit = NO_LIMIT
    if budget.slack_percent is not None:
        fastest = min(one.values[0] for one in measured)
        limit = fastest + fastest * budget.slack_percent // 100
    allowed = [(one.key(FEWEST_BYTES), i) for i, one in enumerate(measured) if one.values[0] <= limit]
    return plans[min(allowed)[1]]
