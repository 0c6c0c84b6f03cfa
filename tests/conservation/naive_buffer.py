"""A naive buffer that holds elements, with real numbers in them, and finds out by itself what a tile must move."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product as pairs
from random import Random

from dataflows.plans.placement import Operand, Placement
from dataflows.plans.tiling import Tiling
from workloads.passes import Product, Role
from workloads.shapes import ConvShape

WORD, SUM = 2, 4  # bytes
Element = tuple[int, int, int, int, int]  # image: n, group, channel, row, column; kernel: group, filter, channel, r, s
Values = dict[Element, int]


def windows(shape: ConvShape, role: Role) -> Iterator[tuple[int, int, int, int, int, int]]:
    """Yield each (row p, column q, tap r, tap s, row h, column w) of the layer that meet: X[h, w] W[r, s] -> Y[p, q].

    In a decomposed dgrad p may lie outside dY, as h may outside X in a forward pass; neither is there to be read.
    """
    for r, s in pairs(range(shape.R), range(shape.S)):
        for p, q in pairs(range(shape.P), range(shape.Q)):
            h = p * shape.stride[0] - shape.padding[0] + r * shape.dilation[0]
            w = q * shape.stride[1] - shape.padding[1] + s * shape.dilation[1]
            if 0 <= h < shape.H and 0 <= w < shape.W:
                yield p, q, r, s, h, w


@dataclass
class Tile:
    """What a tile spans: groups, images, rows of the sweep's output, channels of the swept and of the other image."""

    groups: range
    images: range
    rows: range
    inner: range
    outer: range


def chunks(total: int, size: int) -> list[range]:
    return [range(first, min(first + size, total)) for first in range(0, total, size)]


def tiles_in_order(product: Product, tiling: Tiling) -> Iterator[Tile]:
    """Yield the tiles of a product: groups outermost, then three loops in the tiling's order."""
    shape, role = product.shape, product.role
    inner, outer = shape.C // shape.groups, shape.K // shape.groups
    if role == "dgrad":
        inner, outer = outer, inner
    rows = chunks(shape.H if role == "dgrad" else shape.P, tiling.rows)
    space = list(pairs(chunks(shape.N, tiling.images), rows))
    across = chunks(inner, tiling.channels)
    loops = {"columns": chunks(outer, tiling.filters)}
    loops |= {"vectors": across, "reduction": space} if role == "wgrad" else {"vectors": space, "reduction": across}
    for groups in chunks(shape.groups, tiling.groups):
        for turn in pairs(*(loops[axis] for axis in tiling.order)):
            at = dict(zip(tiling.order, turn, strict=True))
            (images, some), part = (
                (at["reduction"], at["vectors"]) if role == "wgrad" else (at["vectors"], at["reduction"])
            )
            yield Tile(groups, images, some, part, at["columns"])


@dataclass
class Convolution:
    """A product's multiplications: which element of the image times which of the filter goes to which result."""

    product: Product
    met: list[tuple[int, int, int, int, int, int]] = field(init=False)

    def __post_init__(self) -> None:
        self.met = list(windows(self.product.shape, self.product.role))

    def whole(self) -> Tile:
        s = self.product.shape
        inner, outer = range(s.C // s.groups), range(s.K // s.groups)
        if self.product.role == "dgrad":
            inner, outer = outer, inner
        rows = range(s.H if self.product.role == "dgrad" else s.P)
        return Tile(range(s.groups), range(s.N), rows, inner, outer)

    def multiplications(self, tile: Tile) -> Iterator[tuple[Element, Element, Element]]:
        """Yield (result, image, filter) of each multiplication that is not one of padding."""
        role = self.product.role
        for g, n, i, o in pairs(tile.groups, tile.images, tile.inner, tile.outer):
            for p, q, r, s, h, w in self.met:
                if (h if role == "dgrad" else p) not in tile.rows:
                    continue
                if role == "forward":
                    yield (n, g, o, p, q), (n, g, i, h, w), (g, o, i, r, s)
                elif role == "dgrad":
                    yield (n, g, o, h, w), (n, g, i, p, q), (g, i, o, r, s)
                else:
                    yield (g, o, i, r, s), (n, g, i, h, w), (n, g, o, p, q)

    def image_of(self, tile: Tile) -> set[Element]:
        """Return what a tile loads of the image: whole rows, those that one of its windows touches."""
        shape, role = self.product.shape, self.product.role
        if role == "dgrad":
            touched = {
                (h + shape.padding[0] - r * shape.dilation[0]) // shape.stride[0]
                for h, r in pairs(tile.rows, range(shape.R))
                if (h + shape.padding[0] - r * shape.dilation[0]) % shape.stride[0] == 0
            } & set(range(shape.P))
            width = shape.Q
        else:
            touched = {
                p * shape.stride[0] - shape.padding[0] + r * shape.dilation[0]
                for p, r in pairs(tile.rows, range(shape.R))
            } & set(range(shape.H))
            width = shape.W
        return set(pairs(tile.images, tile.groups, tile.inner, touched, range(width)))

    def kernel_of(self, tile: Tile) -> set[Element]:
        shape, role = self.product.shape, self.product.role
        filters, channels = (tile.inner, tile.outer) if role == "dgrad" else (tile.outer, tile.inner)
        return set(pairs(tile.groups, filters, channels, range(shape.R), range(shape.S)))

    def other_image_of(self, tile: Tile) -> set[Element]:
        shape, role = self.product.shape, self.product.role
        return set(pairs(tile.images, tile.groups, tile.outer, tile.rows,
                         range(shape.W if role == "dgrad" else shape.Q)))  # fmt: skip

    def filter_of(self, tile: Tile) -> set[Element]:
        return self.other_image_of(tile) if self.product.role == "wgrad" else self.kernel_of(tile)

    def result_of(self, tile: Tile) -> set[Element]:
        return self.kernel_of(tile) if self.product.role == "wgrad" else self.other_image_of(tile)

    def reduced_by(self, tile: Tile) -> int:
        """Return how much of each result's dot product a tile does, padding included."""
        shape = self.product.shape
        if self.product.role == "wgrad":
            return len(tile.images) * len(tile.rows) * shape.Q
        return len(tile.inner) * shape.R * shape.S


class NaiveBuffer:
    """A buffer and a DRAM beside it, as values by element; it decides by itself what each tile moves."""

    def __init__(self, work: Convolution, placement: Placement) -> None:
        self.work, self.placement = work, placement
        random, whole = Random(7), work.whole()
        self.dram = {
            name: {element: random.randint(-9, 9) for element in sorted(elements)}
            for name, elements in (("image", work.image_of(whole)), ("filter", work.filter_of(whole)))
        }
        self.held: dict[str, Values] = {
            name: dict(values) if self.operand(name).place != "dram" else {} for name, values in self.dram.items()
        }
        self.parts: dict[str, tuple[range, ...]] = {}
        self.sums: dict[Element, tuple[int, int]] = {}  # value, and how much of the dot product is in it
        self.spilled: dict[Element, tuple[int, int]] = {}
        self.results: Values = {}

    def operand(self, name: str) -> Operand:
        return self.placement.ifmap if name == "image" else self.placement.filter

    def enter(self, name: str, part: tuple[range, ...], elements: set[Element]) -> int:
        """Load a part of a tensor in the place of the one before, unless that is the same; return the bytes.

        Parts that overlap, or even read the same rows, are loaded each for itself.
        """
        if self.operand(name).place != "dram" or self.parts.get(name) == part:
            return 0
        self.parts[name] = part
        self.held[name] = {element: self.dram[name][element] for element in elements}
        return WORD * len(elements) * self.operand(name).tensors

    def bring_sums(self, results: set[Element]) -> int:
        """Bring the sums of a tile's results; return the bytes of those that were begun and left."""
        assert self.sums.keys() in (set(), results), "sums of other results would be lost"
        if self.sums or not results & self.spilled.keys():
            self.sums = self.sums or dict.fromkeys(results, (0, 0))
            return 0
        self.sums = {element: self.spilled.pop(element) for element in results}  # KeyError: never stored
        return SUM * len(results)

    def stream(self, tile: Tile) -> None:
        """Multiply and add; an element that is not in the buffer is a KeyError."""
        for result, image, kernel in self.work.multiplications(tile):
            value, done = self.sums[result]
            self.sums[result] = (value + self.held["image"][image] * self.held["filter"][kernel], done)
        done_now = self.work.reduced_by(tile)
        self.sums = {element: (value, done + done_now) for element, (value, done) in self.sums.items()}

    def leave(self, next_results: set[Element] | None) -> tuple[int, int]:
        """Let results go that are finished, and sums that the next tile has no use for; return the bytes of both."""
        reduction = self.work.product.reduction
        assert len({done for _, done in self.sums.values()}) == 1
        finished = all(done == reduction for _, done in self.sums.values())
        if not finished and self.sums.keys() == next_results:
            return 0, 0
        leaving, self.sums = self.sums, {}
        if not finished:
            assert not leaving.keys() & self.spilled.keys()
            self.spilled |= leaving
            return 0, SUM * len(leaving)
        assert not leaving.keys() & self.results.keys(), "a result is stored twice"
        self.results |= {element: value for element, (value, _) in leaving.items()}
        return WORD * len(leaving) * (self.placement.result == "dram"), 0
