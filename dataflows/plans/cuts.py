"""The cuts of a product's axes into tiles, and what the kernels of the search need of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dataflows.array import PEArray
from dataflows.convolution import whole_convolution
from dataflows.dataflow import Dataflow
from dataflows.integers import Integers
from dataflows.plans.cut_tables import Axes, Bounds, Extents, Folds, Tables
from dataflows.plans.loopnest import LoopNest
from workloads.passes import Product

AXES = ("vectors", "reduction", "columns")
SEARCHED = ("groups", "channels", "filters", "images", "rows")


@dataclass(frozen=True, slots=True)
class Cuts:
    """The cuts of a product along each axis under some mappings, and what the planner's kernels need of them."""

    tables: Tables
    extents: Extents


@lru_cache(maxsize=4096)
def cuts_of(
    product: Product, dataflow: Dataflow, array: PEArray, given: tuple[tuple[str, int], ...] = ()
) -> Cuts:  # fmt: skip
    """Return the cuts of a product, for a given size of a loop that one alone; designs and buffers share them."""
    from dataflows.plans.cut_building import build_cuts  # needs numba

    nest, grain = LoopNest(product), dataflow.granularity(array, product)
    # Along images and rows run the vectors, or the reduction of a wgrad; along channels the other of the two.
    space_quantum, channel_quantum = grain.vectors, grain.reduction
    if nest.reduces_space:
        space_quantum, channel_quantum = channel_quantum, space_quantum
    timing = dataflow.timing(array, whole_convolution(product))
    folds = Folds(
        AXES.index(grain.streamed), grain.folds, grain.step_cycles, grain.least_cycles, grain.overhead_cycles,
        grain.gap_cycles, grain.waits_when_short, grain.most or 0, grain.accumulated, timing.fill_cycles,
        timing.drain_cycles, grain.groups, space_quantum, *(grain.space or (0, 0)), channel_quantum, grain.columns,
    )  # fmt: skip
    folds = Folds(*map(int, folds))
    extents, (read, tile_rows) = Extents.of(nest), rows_read_of(product)
    sizes = dict(given)
    only = np.array([sizes.get(loop, 0) for loop in SEARCHED], np.int64)
    cuts, more, counts = build_cuts(extents, folds, read, only)
    whole_pass = nest.groups * product.vectors * product.reduction
    if grain.ifmap_words is None:
        more[-1] = whole_pass
    groupings, channelings, filterings, spaces, _ = counts.tolist()
    axes = Axes(
        0, spaces, spaces, groupings, spaces + groupings, channelings, spaces + groupings + channelings, filterings, 0
    )
    bounds = Bounds(
        dataflow.least_cycles(array, product), whole_pass if grain.ifmap_words is None else grain.ifmap_words
    )
    mappings = np.array([[*axes, *bounds, *folds]], dtype=np.int64)
    return Cuts(Tables(cuts, more, mappings, read, tile_rows), extents)


def together(all_cuts: Sequence[Cuts]) -> Cuts:
    """Return the cuts of a product under several mappings as one."""
    if len(all_cuts) == 1:
        return all_cuts[0]
    tables = [one.tables for one in all_cuts]
    mappings = np.concatenate([table.mappings for table in tables])
    cuts, more = (np.cumsum([0] + [part.shape[1] for part in parts])[:-1]
                  for parts in ([table.cuts for table in tables], [table.more for table in tables]))  # fmt: skip
    for place, begins in enumerate((cuts, None, cuts, None, cuts, None, cuts, None, more)):
        if begins is not None:
            mappings[:, place] += begins
    return Cuts(
        tables[0]._replace(
            cuts=np.concatenate([table.cuts for table in tables], axis=1),
            more=np.concatenate([table.more for table in tables], axis=1), mappings=mappings,
        ), all_cuts[0].extents,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def rows_read_of(product: Product) -> tuple[Integers, Integers]:
    """Return what cuts into 1, 2, ... rows read."""
    from dataflows.plans.cut_kernels import rows_read  # needs numba

    found: tuple[Integers, Integers] = rows_read(*LoopNest(product).meetings(), LoopNest(product).rows)
    return found
