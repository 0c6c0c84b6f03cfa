"""Row stationary on the broadcast array (Chen et al., Eyeriss, ISCA 2016): rows of filters stay, image rows slide."""

from dataclasses import dataclass, replace
from functools import lru_cache

from dataflows.array import Interconnect, PEArray
from dataflows.arrays.job import JobTiming, ceil_div
from dataflows.arrays.row_stationary import RowArray, RowMapping, intervals, row_timing, row_traffic
from dataflows.convolution import ConvolutionTiles, whole_convolution
from dataflows.dataflow import Granularity
from dataflows.operands import ConvolutionOperands, SteppedProduct
from dataflows.traffic import ArrayTraffic
from workloads.passes import Product


@dataclass(frozen=True)
class RowStationary:
    """The dataflow; each op gets one mapping for all its tiles."""

    name: str = "rs"
    interconnect: Interconnect = "broadcast"
    description: str = "filter rows stay, image rows slide, sums go down a column (Eyeriss)"

    def granularity(self, array: PEArray, product: Product) -> Granularity:
        """Return the extents that fill the array under the whole product's mapping."""
        return _granularity(self, array, product)

    def further_granularities(self, array: PEArray, product: Product) -> tuple[Granularity, ...]:
        """Return the granularity for one image, whose mapping need not serve several at once."""
        if product.shape.N == 1:
            return ()
        return (self.granularity(array, replace(product, shape=replace(product.shape, N=1))),)

    def mapping(self, array: PEArray, tiles: ConvolutionTiles) -> RowMapping:
        """Return how tiles lie on the array: of the mappings that suit one of them the best for all together."""
        from dataflows.arrays.row_stationary_mapping import choose_mapping  # needs numba

        rows, whole = row_array(array), array.row_stationary_sets == "whole"
        kinds = tiles.kinds()
        options = dict.fromkeys(choose_mapping(rows, kind, whole) for kind in kinds)
        if len(options) == 1:
            return next(iter(options))
        return min(options, key=lambda mapping: int(row_timing(rows, mapping, tiles).stream_cycles.sum()))

    def timing(self, array: PEArray, tiles: ConvolutionTiles) -> JobTiming:
        """Return the cycles of each tile."""
        return row_timing(row_array(array), self.mapping(array, tiles), tiles)

    def traffic(self, array: PEArray, tiles: ConvolutionTiles, finished_words: int) -> ArrayTraffic:
        """Return what the tiles read and write."""
        return row_traffic(self.mapping(array, tiles), tiles, finished_words)

    def step(self, array: PEArray, operands: ConvolutionOperands, dump_cycles: int = 0) -> SteppedProduct:
        """Compute a convolution cycle by cycle."""
        from dataflows.arrays.row_stationary_stepped import step_rows

        return step_rows(row_array(array), self.mapping(array, operands.tiles), operands, dump_cycles)


@lru_cache(maxsize=4096)
def _granularity(flow: RowStationary, array: PEArray, product: Product) -> Granularity:
    tiles, s = whole_convolution(product), product.shape
    m = flow.mapping(array, tiles)
    cycles = intervals(row_array(array), m, tiles.sliding)
    runs = min(tiles.sliding.classes, tiles.columns)
    strip = runs * cycles.first + (tiles.columns - runs) * cycles.next
    if product.role == "wgrad":  # the moving axis is the image's channels, each of all its strips
        overhead = ceil_div(cycles.load, strip * ceil_div(s.R, m.e))
        return Granularity(
            1,
            1,
            m.t * m.p,
            overhead=overhead,
            groups=m.d,
            space=(m.r * m.q, m.h),
            step_cycles=strip * ceil_div(s.R, m.e),
        )
    overhead = ceil_div(cycles.load, strip)
    return Granularity(
        1, m.r * m.q * s.R * s.S, m.t * m.p, overhead=overhead, groups=m.d, space=(1, m.e), step_cycles=strip
    )


def row_array(array: PEArray) -> RowArray:
    """Return an array as row stationary uses it."""
    ports = (
        array.weight_port_words_per_cycle,
        array.input_port_words_per_cycle,
        array.output_port_words_per_cycle,
    )
    pads = array.scratchpads
    return RowArray(array.rows, array.columns, *ports, pads.filter_words, pads.input_words, pads.partial_sum_words)


DATAFLOW = RowStationary()
