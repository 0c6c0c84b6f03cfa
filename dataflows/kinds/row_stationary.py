"""Row stationary (Chen et al., Eyeriss, ISCA 2016): rows of filters stay, image rows slide."""

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from dataflows.array import MOST_WORDS, PEArray, Side, Way
from dataflows.arrays.broadcast.row_stationary import (
    RowMapping,
    intervals,
    row_formula,
    row_timing,
    row_traffic,
)
from dataflows.arrays.job import JobTiming, PortInterval, ceil_div, folds
from dataflows.convolution import ConvolutionTiles, whole_convolution
from dataflows.dataflow import PORTS, Dataflow, Spatial, flat
from dataflows.formula import FilledFormula
from dataflows.granularity import Granularity
from dataflows.integers import Integers
from dataflows.operands import ConvolutionOperands, SteppedProduct
from dataflows.traffic import ArrayTraffic
from workloads.passes import Product

if TYPE_CHECKING:
    from dataflows.arrays.first_folds import FirstFolds


@dataclass(frozen=True)
class RowStationary:
    """The dataflow; each op gets one mapping for all its tiles: `fixed`, or the best for the tiles that are given."""

    name: str = "rs"
    description: str = "filter rows stay, image rows slide, sums go down a column (Eyeriss)"
    way: Way = "rows stay"
    fixed: RowMapping | None = None

    def sides(self, kind: type[PEArray]) -> dict[str, Side]:
        """Return the side that each port of a kind of array feeds."""
        return dict(zip(PORTS, kind.ways[self.way], strict=True))

    def port_intervals(self, array: PEArray) -> dict[str, PortInterval]:
        """Return what each port of an array needs."""
        return dict(zip(PORTS, array.row_array().port_intervals, strict=True))

    def mapped(self, array: PEArray, product: Product) -> tuple[Dataflow, ...]:
        """Return the dataflow with the best mapping of the whole product, and those of its parts."""
        return _mapped(self, array, product)

    def laid(self, array: PEArray, product: Product, spatial: Spatial) -> tuple[Dataflow, ...]:
        """Return the dataflow with the search's mappings that have the given letters, or with all letters given."""
        wanted = set(spatial)
        found = tuple(one for one in self.mapped(array, product) if wanted <= set(flat(one.spatial(array, product))))
        if found:
            return found
        letters = {key.rpartition(".")[2]: value for key, value in spatial if key != "time"}
        missing = [name for name in RowMapping.__slots__ if name not in letters]
        unknown = [key for key, _ in spatial if key not in dict(flat(self.spatial(array, product)))]
        if unknown:
            raise ValueError(f"has {unknown[0]}, which rs does not know")
        if missing:
            given = ", ".join(f"{name} {value}" for name, value in letters.items())
            raise ValueError(f"has {given}, as no mapping of the search has; {', '.join(missing)} are left out")
        return (replace(self, fixed=self._checked(array, RowMapping(**{k: int(v) for k, v in letters.items()}))),)

    @staticmethod
    def _checked(array: PEArray, m: RowMapping) -> RowMapping:
        """Return a mapping that fits on the array."""
        rows = array.row_array()
        chains = rows.rows // (m.h * m.r) * rows.columns
        for what, needed, there in (
            ("PEs in a chain (h r)", m.h * m.r, rows.rows), ("chains (e t d)", m.e * m.t * m.d, chains),
            ("filter words (p q w)", m.p * m.q * m.w, rows.filter_words),
            ("input words (q w)", m.q * m.w, rows.input_words), ("psums (p)", m.p, rows.sum_words),
        ):  # fmt: skip
            if needed > there:
                raise ValueError(f"needs {needed} {what}, and the array has {there}")
        return m

    def granularity(self, array: PEArray, product: Product) -> Granularity:
        """Return the extents that fill the array under the mapping, and what its folds take."""
        tiles, s = whole_convolution(product), product.shape
        m = self.mapping(array, tiles)
        cycles = intervals(array.row_array(), m, tiles.sliding)
        runs = min(tiles.sliding.classes, tiles.columns)
        strip = runs * cycles.first + (tiles.columns - runs) * cycles.next
        ifmap_words = row_traffic(array.row_array(), m, tiles, 0).ifmap_words // int(folds(tiles.filters, m.t * m.p)[0])
        widths = ceil_div(tiles.filter_columns, m.w)
        if product.role == "wgrad":  # an image of the convolution is a channel of the layer's, with all its strips
            vectors, reduction, space = s.R * s.S, 1, (m.r * m.q, m.h)
            step, blocks = strip * ceil_div(s.R, m.e), widths
        else:
            vectors, reduction, space = 1, m.r * m.q * s.R * s.S, (1, m.e)
            step, blocks = strip, widths * ceil_div(s.R, m.h)
        return Granularity(
            vectors, reduction, m.t * m.p, step_cycles=step, overhead_cycles=cycles.fold - cycles.first, folds=blocks,
            ifmap_words=ifmap_words, groups=m.d, space=space, gap_cycles=cycles.fold - 1,
        )  # fmt: skip

    def mapping(self, array: PEArray, tiles: ConvolutionTiles) -> RowMapping:
        """Return how tiles lie on the array: as fixed, or of the mappings that suit one of them the best for all."""
        from dataflows.arrays.broadcast.row_stationary_mapping import choose_mapping  # needs numba

        if self.fixed is not None:
            return self.fixed
        rows = array.row_array()
        options = dict.fromkeys(choose_mapping(rows, kind) for kind in tiles.kinds())
        if len(options) == 1:
            return next(iter(options))
        return min(options, key=lambda mapping: int(row_timing(rows, mapping, tiles).stream_cycles.sum()))

    def least_cycles(self, array: PEArray, product: Product) -> int:
        """Return what no tiling of a product streams in less."""
        return _least_cycles(self, array, product)

    def timing(self, array: PEArray, tiles: ConvolutionTiles) -> JobTiming:
        """Return the cycles of each tile."""
        return row_timing(array.row_array(), self.mapping(array, tiles), tiles)

    def spatial(self, array: PEArray, product: Product) -> dict[str, dict[str, int] | str | int]:
        """Return the mapping's letters: what a chain of PEs, the sets of chains, and a PE hold."""
        m = self.mapping(array, whole_convolution(product))
        return {"chain": {"h": m.h, "r": m.r}, "sets": {"e": m.e, "t": m.t, "d": m.d},
                "pe": {"w": m.w, "q": m.q, "p": m.p}, "time": "positions"}  # fmt: skip

    def formula(self, array: PEArray, tiles: ConvolutionTiles) -> FilledFormula:
        """Return the closed form of `timing` in words, with its numbers."""
        return row_formula(array.row_array(), self.mapping(array, tiles), tiles)

    def traffic(
        self, array: PEArray, tiles: ConvolutionTiles, finished_words: int, times: Integers | int = 1
    ) -> ArrayTraffic:
        """Return what so many of each tile read and write."""
        return row_traffic(array.row_array(), self.mapping(array, tiles), tiles, finished_words, times)

    def first_folds(self, array: PEArray, tiles: ConvolutionTiles, folds: int) -> "FirstFolds":
        """Return the first folds of the first tile, to be stepped with small numbers."""
        from dataflows.arrays.broadcast.row_stationary_folds import RowFolds

        return RowFolds(array.row_array(), self.mapping(array, tiles), tiles, folds)

    def step(self, array: PEArray, operands: ConvolutionOperands, dump_cycles: int = 0) -> SteppedProduct:
        """Compute a convolution cycle by cycle."""
        from dataflows.arrays.broadcast.row_stationary_stepped import step_rows

        return step_rows(array.row_array(), self.mapping(array, operands.tiles), operands, dump_cycles)


@lru_cache(maxsize=4096)
def _mapped(flow: RowStationary, array: PEArray, product: Product) -> tuple[Dataflow, ...]:
    """Return the best mappings of the product, of one of its images, and of that cut ever further in halves.

    Each is listed for ports of many widths. Which they are depends on the product and on the array without its ports,
    so a larger buffer or wider ports never leave fewer to choose from.
    """
    from dataflows.arrays.broadcast.row_stationary_mapping import choose_mappings  # needs numba

    whole = whole_convolution(product)
    wgrad = product.role == "wgrad"
    single = whole.groups * 0 + 1
    one = replace(whole, channels=single) if wgrad else replace(whole, images=single)
    parts = [whole, one]
    for axis in ("channels", "filters", "filter_rows" if wgrad else "rows"):
        size = getattr(whole, axis)
        while size[0] > 1:
            size = -(-size // 2)
            parts.append(replace(one, **{axis: size}))
    ports = _port_widths(array.rows, array.columns)
    found = dict.fromkeys(chain.from_iterable(choose_mappings(array.row_array(), ports, part) for part in parts))
    return tuple(replace(flow, fixed=mapping) for mapping in found)


@lru_cache(maxsize=65536)
def _least_cycles(flow: RowStationary, array: PEArray, product: Product) -> int:
    return int(flow.timing(array, whole_convolution(product)).stream_cycles.sum())


@cache
def _port_widths(rows: int, columns: int) -> tuple[tuple[int, int, int], ...]:
    """Return the widths of ports that mappings are listed for: no limit, the sides, and these quartered to a word."""
    widths = [(MOST_WORDS, MOST_WORDS, MOST_WORDS)]
    while max(widths[-1]) > 1:
        widths.append((rows, rows, columns))
        rows, columns = max(1, rows // 4), max(1, columns // 4)
    return tuple(widths)


DATAFLOW = RowStationary()
