"""Row stationary (Chen et al., Eyeriss, ISCA 2016): rows of filters stay, image rows slide."""

from dataclasses import dataclass, replace
from functools import lru_cache

from dataflows.array import PEArray, Side, Way
from dataflows.arrays.broadcast.row_stationary import RowMapping, intervals, row_timing, row_traffic
from dataflows.arrays.job import JobTiming, PortInterval, ceil_div
from dataflows.convolution import ConvolutionTiles, whole_convolution
from dataflows.dataflow import PORTS, Granularity
from dataflows.operands import ConvolutionOperands, SteppedProduct
from dataflows.traffic import ArrayTraffic
from workloads.passes import Product


@dataclass(frozen=True)
class RowStationary:
    """The dataflow; each op gets one mapping for all its tiles."""

    name: str = "rs"
    description: str = "filter rows stay, image rows slide, sums go down a column (Eyeriss)"
    way: Way = "rows stay"

    def sides(self, kind: type[PEArray]) -> dict[str, Side]:
        """Return the side that each port of a kind of array feeds."""
        return dict(zip(PORTS, kind.ways[self.way], strict=True))

    def port_intervals(self, array: PEArray) -> dict[str, PortInterval]:
        """Return what each port of an array needs."""
        return dict(zip(PORTS, array.row_array().port_intervals, strict=True))

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
        from dataflows.arrays.broadcast.row_stationary_mapping import choose_mapping  # needs numba

        rows = array.row_array()
        options = dict.fromkeys(choose_mapping(rows, kind) for kind in tiles.kinds())
        if len(options) == 1:
            return next(iter(options))
        return min(options, key=lambda mapping: int(row_timing(rows, mapping, tiles).stream_cycles.sum()))

    def timing(self, array: PEArray, tiles: ConvolutionTiles) -> JobTiming:
        """Return the cycles of each tile."""
        return row_timing(array.row_array(), self.mapping(array, tiles), tiles)

    def traffic(self, array: PEArray, tiles: ConvolutionTiles, finished_words: int) -> ArrayTraffic:
        """Return what the tiles read and write."""
        return row_traffic(self.mapping(array, tiles), tiles, finished_words)

    def step(self, array: PEArray, operands: ConvolutionOperands, dump_cycles: int = 0) -> SteppedProduct:
        """Compute a convolution cycle by cycle."""
        from dataflows.arrays.broadcast.row_stationary_stepped import step_rows

        return step_rows(array.row_array(), self.mapping(array, operands.tiles), operands, dump_cycles)


@lru_cache(maxsize=4096)
def _granularity(flow: RowStationary, array: PEArray, product: Product) -> Granularity:
    tiles, s = whole_convolution(product), product.shape
    m = flow.mapping(array, tiles)
    cycles = intervals(array.row_array(), m, tiles.sliding)
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


DATAFLOW = RowStationary()
