"""A mapping that is given in place of the search: what it fixes, and why it may not fit."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product as combinations
from math import prod

import numpy as np

from dataflows.array import PEArray
from dataflows.dataflow import Dataflow, Spatial
from dataflows.integers import Integers
from dataflows.plans.budget import BufferBudget
from dataflows.plans.loopnest import LoopNest, extents
from dataflows.plans.loops import LOOPS, axes_of, expanded, loops_of, totals_of
from dataflows.plans.placement import Placement
from dataflows.plans.streams import from_dram
from dataflows.plans.tile_sequence import TileSequence, tile_sequence
from dataflows.plans.tiling import ORDERS, Order, Tiling
from workloads.passes import Product

MOST_TILINGS = 2000  # that are planned one by one
_SEARCHED = ("groups", "images", "rows", "channels", "filters")


class MappingError(Exception):
    """A given mapping that cannot be.

    Parameters
    ----------
    key : str
        The key of the mapping that is wrong, such as `tile.channels`.
    problem, remedy : str
        As in `InputError`.
    """

    def __init__(self, key: str, problem: str, remedy: str) -> None:
        super().__init__(f"{key}: {problem}; {remedy}")
        self.key, self.problem, self.remedy = key, problem, remedy


@dataclass(frozen=True, slots=True)
class Given:
    """What is given of the mapping of one product; the search chooses the rest.

    Attributes
    ----------
    sizes : tuple of (str, int)
        Loops of `dataflows.plans.loops` with the size of their tiles.
    order : tuple of str, optional
        Loops over tiles, or axes, from the outermost.
    spatial : tuple of (str, int), optional
        What lies on the array: by dotted key as `Dataflow.spatial` has it.
    reload_operands : bool
        Whether both operands are loaded anew for every tile.
    at_most : bool
        Whether a size above a loop's extent means the whole loop; else it is an error.
    """

    sizes: tuple[tuple[str, int], ...] = ()
    order: Order | None = None
    spatial: Spatial = ()
    reload_operands: bool = False
    at_most: bool = False

    def of(self, product: Product) -> "Given":
        """Return what is given for a product.

        Raises
        ------
        MappingError
            If a size is beyond its loop, or the order has a loop twice.
        """
        nest = LoopNest(product)
        totals = totals_of(nest)
        for loop, size in self.sizes:
            if size > totals[loop] and not self.at_most:
                problem = f"is {size}, and the {product.role} product has {totals[loop]} {words(loop)}"
                raise MappingError(f"tile.{loop}", problem, "give no more than there are")
        if self.order is not None:
            _check_order(self.order, nest)
        return replace(self, sizes=tuple((loop, min(size, totals[loop])) for loop, size in self.sizes))

    @property
    def size(self) -> dict[str, int]:
        """The sizes of tiles by loop."""
        return dict(self.sizes)


def words(loop: str) -> str:
    """Return a loop's name in words."""
    return loop.replace("_", " ")


def whole_tiling(given: Given, product: Product) -> Tiling | None:
    """Return the tiling that is given; None where the search has something to choose.

    Loops that the search never cuts, `positions` and those of kernels, are whole where they are left out.
    """
    sizes, totals = given.size, totals_of(LoopNest(product))
    free = [loop for loop in _SEARCHED if loop not in sizes and totals[loop] > 1]
    return None if free or given.order is None else _tiling(sizes, given, given.order, totals)


def is_searched(given: Given, product: Product) -> bool:
    """Whether the tilings that the search lists have any that is as given."""
    nest, sizes = LoopNest(product), given.size
    totals = totals_of(nest)
    if given.reload_operands or any(
        sizes.get(loop, totals[loop]) < totals[loop] for loop in LOOPS if loop not in _SEARCHED
    ):
        return False
    if sizes.get("rows", totals["rows"]) < totals["rows"] and sizes.get("images", 1) > 1:
        return False
    return given.order is None or searched_order(given.order, nest) is not None


def searched_order(order: Order, nest: LoopNest) -> Order | None:
    """Return the order of the three axes that an order is; None where it is none of the search's."""
    wanted = expanded(order, nest)
    return next((one for one in ORDERS if expanded(one, nest) == wanted), None)


def listed_tilings(given: Given, product: Product) -> list[Tiling]:
    """Return the tilings beyond those of the search: all equal cuts of each loop whose size is left out.

    Raises
    ------
    MappingError
        If there are too many.
    """
    totals = totals_of(LoopNest(product))
    options = [[given.size[loop]] if loop in given.size else _cuts(totals[loop]) for loop in _SEARCHED]
    orders = ORDERS if given.order is None else (given.order,)
    count = prod(map(len, options)) * len(orders)
    if count > MOST_TILINGS:
        free = [words(loop) for loop, sizes in zip(_SEARCHED, options, strict=True) if len(sizes) > 1]
        problem = f"is beyond the search's tilings and leaves {count} to try, by {', '.join(free)}"
        raise MappingError("tile", problem, f"give more of the sizes, so that at most {MOST_TILINGS} are left")
    fixed = {loop: size for loop, size in given.sizes if loop not in _SEARCHED}
    return [
        _tiling({**fixed, **dict(zip(_SEARCHED, sizes, strict=True))}, given, order, totals)
        for sizes in combinations(*options)
        for order in orders
    ]


def check_fits(
    tiling: Tiling, product: Product, placement: Placement, dataflow: Dataflow, budget: BufferBudget
) -> TileSequence:
    """Return the tiles of a tiling that the buffer holds and whose psums come back in time.

    Raises
    ------
    MappingError
        With the loop that is too large, the bytes that it needs and those that there are, or with what is wrong.
    """
    nest = LoopNest(product)
    if dataflow.way == "rows stay":
        cut = [loop for loop in ("positions", "kernel_rows", "kernel_columns") if getattr(tiling, loop) is not None]
        if cut:
            raise MappingError(f"tile.{cut[0]}", f"{dataflow.name} lays whole rows on the array", "leave it out")
    totals, named = totals_of(nest), expanded(tiling.order, nest)[-_named(tiling.order, nest) :]
    for loop in LOOPS[1:]:
        if loop not in named and (getattr(tiling, loop) or totals[loop]) < totals[loop]:
            problem = f"leaves out {words(loop)}, which the tile cuts"
            raise MappingError("loop_order", problem, f"say where the loop over {words(loop)} goes")
    needed = _needed_bytes(tiling, nest, placement, budget)
    if needed > budget.capacity_bytes:
        raise _too_large(tiling, nest, placement, budget, needed)
    tiles = tile_sequence(product, tiling)
    if (tiles.psums_loaded | tiles.psums_stored).any():
        if placement.result != "dram":
            problem = "lets psums leave for DRAM, and this result stays on the chip"
            raise MappingError("loop_order", problem, f"put the loops of the reduction inside: {_inside(nest)}")
        apart = _return_distance(tiles, nest, tiling)
        if apart < 4:
            problem = f"brings psums back {apart} tiles after they leave, before they are stored"
            raise MappingError(
                "loop_order", problem, f"at least 4 tiles must lie between, or put inside {_inside(nest)}"
            )
    return tiles


def smallest_misfit(
    given: Given, product: Product, placement: Placement, dataflow: Dataflow, budget: BufferBudget
) -> MappingError:
    """Return why no tiling as given fits, though each size that is left out may be 1."""
    smallest = {loop: given.size.get(loop, 1) for loop in _SEARCHED}
    tiling = _tiling(smallest, given, given.order or ORDERS[0], totals_of(LoopNest(product)))
    try:
        check_fits(tiling, product, placement, dataflow, budget)
    except MappingError as error:
        return error
    return MappingError("loop_order", "leaves no tiling whose psums come back in time", "leave it out")


def _named(order: Order, nest: LoopNest) -> int:
    """Return how many loops an order names."""
    return sum(len(axes_of(nest).get(name, (name,))) for name in order)


def _inside(nest: LoopNest) -> str:
    return ", ".join(axes_of(nest)["reduction"])


def _return_distance(tiles: TileSequence, nest: LoopNest, tiling: Tiling) -> int:
    """Return the fewest tiles from one that stores psums to the one that loads them."""
    totals, loops = totals_of(nest), expanded(tiling.order, nest)
    sizes = {loop: getattr(tiling, loop) or totals[loop] for loop in loops}
    counts = [-(-totals[loop] // sizes[loop]) for loop in loops]
    spans = loops_of(nest)["result"]
    result = np.zeros(counts, dtype=np.int64)
    for axis, (loop, count) in enumerate(zip(loops, counts, strict=True)):
        if loop in spans:
            result = result * count + np.arange(count).reshape([-1 if i == axis else 1 for i in range(len(loops))])
    result = np.broadcast_to(result, counts).ravel()
    order = np.argsort(result, kind="stable")
    same = np.diff(result[order]) == 0
    apart = np.diff(order)[same]
    loaded = tiles.psums_loaded[order[1:][same]] > 0
    return int(apart[loaded].min())


def _needed_bytes(tiling: Tiling, nest: LoopNest, placement: Placement, budget: BufferBudget) -> int:
    """Return the bytes of buffer that the largest tile needs, twice."""
    totals = totals_of(nest)
    size = {loop: getattr(tiling, loop) or totals[loop] for loop in LOOPS}
    across = size["positions"] < totals["positions"] or size["kernel_columns"] < totals["kernel_columns"]
    # Which tile is the largest depends on what it reads: one of few taps may read more of the ifmap.
    rows = _sides(nest.ifmap_rows(size["rows"], size["kernel_rows"]), totals, size, "rows", "kernel_rows")
    whole_rows = (nest.ifmap_row_words, totals["positions"], totals["kernel_columns"])
    columns = [np.array([words], np.int64) for words in whole_rows]
    if across:
        read = nest.ifmap_columns(size["positions"], size["kernel_columns"])
        columns = _sides(read, totals, size, "positions", "kernel_columns")
    ifmap, positions, kernel = (np.multiply.outer(along, across_) for along, across_ in zip(rows, columns, strict=True))
    ifmap = size["images"] * size["channels"] * ifmap
    ofmap = size["images"] * size["filters"] * positions
    weights = size["channels"] * size["filters"] * kernel
    filter_, result = (ofmap, weights) if nest.reduces_space else (weights, ofmap)
    word = budget.word_bytes
    held = ifmap * word * from_dram(placement.ifmap) + filter_ * word * from_dram(placement.filter)
    return 2 * size["groups"] * int((held + result * budget.partial_sum_bytes).max())


def _sides(read: Integers, totals: dict[str, int], size: dict[str, int], moved: str, kernel: str) -> list[Integers]:
    """Return what kinds of tiles read along one side of a map, and how many results and taps they have there."""
    results, taps = (extents(totals[loop], size[loop]) for loop in (moved, kernel))
    kinds = np.stack([read, *np.meshgrid(results, taps, indexing="ij")]).reshape(3, -1)
    return list(np.unique(kinds, axis=1))


def _too_large(tiling: Tiling, nest: LoopNest, placement: Placement, budget: BufferBudget, needed: int) -> MappingError:
    """Return the error of a tile that does not fit: the loop that needs the least cut, so that it would."""
    fitting: list[tuple[float, str, int]] = []
    totals = totals_of(nest)
    sizes = {loop: getattr(tiling, loop) or totals[loop] for loop in LOOPS}
    for loop, size in sizes.items():
        least, most = 0, size - 1  # bisection: more of a loop never needs less
        while least < most:
            middle = -(-(least + most) // 2)
            smaller = replace(tiling, **{loop: middle})  # type: ignore[arg-type]  # every loop is an int
            fits = _needed_bytes(smaller, nest, placement, budget) <= budget.capacity_bytes
            least, most = (middle, most) if fits else (least, middle - 1)
        if least:
            fitting.append((least / size, loop, least))
    there = f"needs {needed} bytes of buffer, {budget.capacity_bytes} are there"
    if not fitting:
        loop = max(sizes, key=lambda name: sizes[name])
        return MappingError(f"tile.{loop}", f"is {sizes[loop]}, and the tile {there}", "give smaller sizes")
    _, loop, most = max(fitting)
    problem = f"is {sizes[loop]}, with which a tile {there}"
    return MappingError(f"tile.{loop}", problem, f"at most {most} fit beside the other sizes")


def _check_order(order: Iterable[str], nest: LoopNest) -> None:
    seen: dict[str, str] = {}
    for name in order:
        for loop in axes_of(nest).get(name, (name,)):
            if loop in seen:
                problem = f"has {loop} twice, in {seen[loop]} and in {name}"
                raise MappingError("loop_order", problem, "name each loop once")
            seen[loop] = name


def _tiling(sizes: dict[str, int], given: Given, order: Order, totals: dict[str, int]) -> Tiling:
    parts = {loop: sizes[loop] for loop in LOOPS if loop not in _SEARCHED and sizes.get(loop, 1 << 60) < totals[loop]}
    return Tiling(
        **{loop: sizes.get(loop, totals[loop]) for loop in _SEARCHED},
        order=order,
        **parts,
        reload_operands=given.reload_operands,
    )


@lru_cache(maxsize=4096)
def _cuts(total: int) -> list[int]:
    """Return the sizes of equal cuts."""
    return sorted({-(-total // pieces) for pieces in range(1, total + 1)}, reverse=True)


def fixed_mappings(given: Given, dataflow: Dataflow, array: PEArray, product: Product) -> Iterator[Dataflow]:
    """Yield the dataflow under each mapping that lies on the array as given.

    Raises
    ------
    MappingError
        If none does.
    """
    try:
        yield from dataflow.laid(array, product, given.spatial) if given.spatial else dataflow.mapped(array, product)
    except ValueError as error:
        raise MappingError("spatial", str(error), "leave it out, or give what the array does") from None
