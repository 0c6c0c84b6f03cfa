"""Row stationary in the search of tilings: which mappings compete, and what a tile takes by its granularity."""

from dataclasses import replace
from math import ceil

import numpy as np
import pytest
from array_specs import array_of
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.array import PEArray
from dataflows.arrays.broadcast.row_stationary import RowMapping
from dataflows.arrays.broadcast.row_stationary_mapping import choose_mapping
from dataflows.arrays.broadcast.row_stationary_stepped import step_rows
from dataflows.convolution import whole_convolution
from dataflows.kinds.row_stationary import RowStationary
from dataflows.operands import ConvolutionOperands
from workloads.passes import Product, Role
from workloads.shapes import ConvShape

RS = RowStationary()
NO_LIMIT = (1 << 40,) * 3


def convolution(N: int, C: int, K: int, R: int, S: int, P: int, Q: int, groups: int = 1) -> ConvShape:
    """Return a convolution of stride 1 without padding; channels and filters are those of a group."""
    height, width = P + R - 1, Q + S - 1
    return ConvShape(N, groups * C, height, width, groups * K, R, S, P, Q, (1, 1), (0, 0), (1, 1), groups)


def best(array: PEArray, ports: tuple[int, int, int], shape: ConvShape, role: Role) -> RowMapping:
    """Return the best mapping on an array of other ports; test_row_stationary.py compares it with all there are."""
    filter_port, image_port, output_port = ports
    rows = replace(array.row_array(), filter_port=filter_port, image_port=image_port, output_port=output_port)
    return choose_mapping(rows, whole_convolution(Product(shape, role)))


CASES: dict[Role, tuple[PEArray, dict[str, int], list[tuple[int, int, int]], list[dict[str, int]]]] = {
    "forward": (
        array_of("broadcast", 8, 6, row_stationary_sets="free",
                 scratchpads={"input_words": 9, "filter_words": 16, "partial_sum_words": 4}),
        {"N": 2, "C": 5, "K": 7, "R": 5, "S": 1, "P": 7, "Q": 6},
        [NO_LIMIT, (8, 8, 6), (2, 2, 1), (1, 1, 1)],
        [{"C": 3}, {"C": 2}, {"C": 1}, {"K": 4}, {"K": 2}, {"K": 1}, {"P": 4}, {"P": 2}, {"P": 1}],
    ),
    # images instead of channels, and the filter that slides is as tall as the output
    "wgrad": (
        array_of("broadcast", 12, 14, row_stationary_sets="whole",
                 scratchpads={"input_words": 4, "filter_words": 33, "partial_sum_words": 8}),
        {"N": 3, "C": 3, "K": 11, "R": 4, "S": 1, "P": 9, "Q": 5},
        [NO_LIMIT, (12, 12, 14), (3, 3, 3), (1, 1, 1)],
        [{"N": 2}, {"K": 6}, {"K": 3}, {"K": 2}, {"K": 1}, {"P": 5}, {"P": 3}, {"P": 2}, {"P": 1}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("role", CASES)
def test_the_mappings_that_compete_are_those_of_the_page(role: Role) -> None:
    """docs/machine.md, "Mappings of rs": the best of each part, listed here by hand, for each width of the ports.

    Without any one of the widths, or of the halved parts, a mapping would be missing.
    """
    array, whole, widths, halved = CASES[role]
    parts = [whole, whole | {"N": 1}, *(whole | {"N": 1} | part for part in halved)]
    table = {
        (part, width): best(array, ports, convolution(**sizes), role)
        for part, sizes in enumerate(parts) for width, ports in enumerate(widths)
    }  # fmt: skip
    mapped = RS.mapped(array, Product(convolution(**whole), role))
    assert {one.fixed for one in mapped if isinstance(one, RowStationary)} == {*table.values()}
    assert len(mapped) == len({*table.values()})
    needed = [{one for (part, _), one in table.items() if part != left_out} for left_out in range(2, len(parts))]
    needed += [{one for (_, width), one in table.items() if width != left_out} for left_out in range(len(widths))]
    assert all(len(some) < len(mapped) for some in needed)


@pytest.mark.parametrize(
    ("filters", "wins"),
    [
        ([1, 6], {"e": 2, "t": 1, "p": 1}),  # 7 x 192 against 2 x 720
        ([1, 6, 6], {"e": 1, "t": 3, "p": 2}),  # 13 x 192 against 3 x 720
        ([6, 1, 1], {"e": 2, "t": 1, "p": 1}),
    ],
)
def test_all_tiles_have_the_mapping_that_is_the_best_of_them_in_all(filters: list[int], wins: dict[str, int]) -> None:
    """Tiles of 2 images of 4 rows of 5 positions, of 3 channels and 3 x 3 taps; ports of 4, 3 and 2 words.

    For one filter, two rows at a time: 4 image rows a tap, 4 cycles a row's first position and 3 for its 3 steps at the
    others; 2 x 2 x 3 rows of 16 cycles. For six, one row at a time: 6 steps a position, 2 x 4 x 3 rows of 30 cycles.
    """
    one, count = whole_convolution(Product(convolution(2, 3, 1, 3, 3, 4, 5), "forward")), len(filters)
    sizes = {name: getattr(one, name).repeat(count) for name in ("groups", "images", "channels", "filter_rows", "rows")}
    mapping = RS.mapping(array_of("broadcast", 4, 3, (4, 3, 2)), replace(one, **sizes, filters=np.array(filters)))
    assert mapping == RowMapping(**({"h": 3, "w": 3, "q": 1, "r": 1, "d": 1} | wins))


@st.composite
def small_arrays(draw: st.DrawFn) -> PEArray:
    """Draw an array of a few PEs with small ports and scratchpads."""
    side, width = st.integers(1, 5), st.integers(1, 9)
    pads = {"input_words": draw(side), "filter_words": draw(st.integers(1, 20)), "partial_sum_words": draw(side)}
    return array_of("broadcast", draw(side), draw(side), (draw(width), draw(width), draw(width)), scratchpads=pads)


@st.composite
def mappings(draw: st.DrawFn, array: PEArray) -> RowMapping:
    """Draw any mapping that fits, good or bad."""
    rows = array.row_array()

    def up_to(most: int) -> int:
        return draw(st.integers(1, most))

    h = up_to(rows.rows)
    r = up_to(rows.rows // h)
    w = up_to(min(rows.input_words, rows.filter_words))
    q = up_to(min(rows.input_words, rows.filter_words) // w)
    p = up_to(min(rows.sum_words, rows.filter_words // (q * w)))
    chains = rows.rows // (h * r) * rows.columns
    e = up_to(chains)
    t = up_to(chains // e)
    return RowMapping(h, w, q, p, r, e, t, up_to(chains // (e * t)))


def stepped(array: PEArray, mapping: RowMapping, product: Product) -> tuple[int, int]:
    """Return the cycles of a product and the ifmap's words, both counted by the array that is stepped."""
    tiles = whole_convolution(product)
    sizes = (tiles.groups, tiles.images, tiles.channels, tiles.filters, tiles.filter_rows, tiles.rows)
    groups, images, channels, filters, filter_rows, rows = (int(size[0]) for size in sizes)
    (sy, sx), (dy, dx) = tiles.sliding
    height = (rows - 1) * sy + (filter_rows - 1) * dy + 1
    width = (tiles.columns - 1) * sx + (tiles.filter_columns - 1) * dx + 1
    operands = ConvolutionOperands(
        np.zeros((groups, images, channels, height, width), np.int64),
        np.zeros((groups, filters, channels, filter_rows, tiles.filter_columns), np.int64),
        rows, tiles.columns, tiles.sliding, product.role,
    )  # fmt: skip
    found = step_rows(array.row_array(), mapping, operands)
    return found.cycles, found.traffic.ifmap_words


def by_granularity(array: PEArray, mapping: RowMapping, product: Product) -> tuple[int, int]:
    """Return what all folds take, and the ifmap's words, by the words of `Granularity`."""
    grain, tiles, shape = (
        replace(RS, fixed=mapping).granularity(array, product),
        whole_convolution(product),
        product.shape,
    )
    assert grain.space is not None and grain.ifmap_words is not None
    images, channels, filters, groups = (
        int(size[0]) for size in (tiles.images, tiles.channels, tiles.filters, tiles.groups)
    )
    passes = ceil(filters / grain.columns)
    folds = ceil(groups / grain.groups) * passes * grain.folds
    beside, rows = grain.space
    if product.role == "wgrad":
        assert grain.reduction == 1
        # the reduction is the sweep over images and rows; a channel is a vector of all taps
        folds, steps = (
            folds * ceil(channels / beside) * ceil(int(tiles.filter_rows[0]) / rows),
            images * shape.R * shape.S // grain.vectors,
        )
    else:
        steps = ceil(images / beside) * ceil(int(tiles.rows[0]) / rows)
        folds *= ceil(channels * shape.R * shape.S / grain.reduction)
    return folds * (steps * grain.step_cycles + grain.overhead_cycles), passes * grain.ifmap_words


def check_folds(array: PEArray, mapping: RowMapping, one: Product, other: Product) -> None:
    """Two products that differ in images, channels, filters and groups: they differ by the cycles of their folds.

    What comes before the first fold and after the last one does not depend on these.
    """
    found, said = ([count(array, mapping, each) for each in (one, other)] for count in (stepped, by_granularity))
    assert found[1][0] - found[0][0] == said[1][0] - said[0][0]
    assert [words for _, words in found] == [words for _, words in said]
    flow, tiles = replace(RS, fixed=mapping), whole_convolution(one)
    sizes = ("groups", "images", "channels", "filters", "filter_rows", "rows")
    gap = flow.timing(array, replace(tiles, **{name: getattr(tiles, name).repeat(2) for name in sizes})).gap_cycles
    assert gap[1] == flow.granularity(array, one).gap_cycles


@settings(max_examples=40, deadline=None)
@given(st.data(), small_arrays(), st.sampled_from(["forward", "dgrad", "wgrad"]))
def test_folds_take_what_the_granularity_says(data: st.DataObject, array: PEArray, role: Role) -> None:
    mapping, small = data.draw(mappings(array)), st.integers(1, 4)
    window = [data.draw(st.integers(1, 3)) for _ in range(4)]
    N, C, K, groups, *others = (data.draw(small) for _ in range(8))
    one, other = convolution(N, C, K, *window, groups), convolution(*others[:3], *window, others[3])
    check_folds(array, mapping, Product(one, role), Product(other, role))


@pytest.mark.parametrize("role", ["forward", "dgrad", "wgrad"])
@pytest.mark.parametrize("sizes", [(7, 1, 1, 1), (1, 13, 1, 1), (1, 1, 9, 1), (1, 1, 1, 5)])
def test_folds_of_a_mapping_that_fills_every_place(role: Role, sizes: tuple[int, int, int, int]) -> None:
    """No letter is 1, so that each axis needs fewer folds than it has words: more images, channels, filters, groups."""
    pads = {"input_words": 6, "filter_words": 12, "partial_sum_words": 2}
    array, (N, C, K, groups) = array_of("broadcast", 4, 12, (5, 4, 3), scratchpads=pads), sizes
    one, other = convolution(1, 1, 1, 4, 3, 5, 3), convolution(N, C, K, 4, 3, 5, 3, groups)
    mapping = RowMapping(h=2, w=2, q=3, p=2, r=2, e=3, t=2, d=2)
    check_folds(array, mapping, Product(one, role), Product(other, role))


def test_granularity_without_a_mapping_is_that_of_the_best_one() -> None:
    array, product = array_of("broadcast", 4, 3), Product(convolution(2, 3, 6, 3, 2, 4, 5), "forward")
    mapping = best(array, (4, 3, 2), product.shape, "forward")
    assert RS.granularity(array, product) == replace(RS, fixed=mapping).granularity(array, product)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"h": 2, "r": 3}, r"6 PEs in a chain \(h r\), and the array has 5"),
        # 5 rows hold one chain of 3 PEs: 4 chains in 4 columns
        ({"h": 3, "e": 5}, r"5 chains \(e t d\), and the array has 4"),
        ({"r": 3, "t": 5}, r"5 chains \(e t d\), and the array has 4"),
        ({"h": 3, "d": 5}, r"5 chains \(e t d\), and the array has 4"),
        # and two chains of 2
        ({"h": 2, "e": 3, "t": 3}, r"9 chains \(e t d\), and the array has 8"),
        ({"h": 2, "t": 3, "d": 3}, r"9 chains \(e t d\), and the array has 8"),
        ({"w": 4, "q": 2, "p": 4}, r"32 filter words \(p q w\), and the array has 24"),
        ({"w": 3, "q": 4}, r"12 input words \(q w\), and the array has 9"),
        ({"p": 6}, r"6 psums \(p\), and the array has 5"),
        ({"h": 5, "e": 2, "t": 2}, None),
        ({"w": 3, "q": 3, "p": 2, "h": 2, "r": 2, "d": 4}, None),
        ({"w": 4, "q": 2, "p": 3}, None),
        ({"p": 5, "e": 20}, None),
    ],
)  # fmt: skip
def test_a_mapping_that_is_given_fits_the_array(changed: dict[str, int], told: str | None) -> None:
    """5 x 4 PEs with 9, 24 and 5 words; letters that are not changed are 1."""
    pads = {"input_words": 9, "filter_words": 24, "partial_sum_words": 5}
    array, letters = array_of("broadcast", 5, 4, scratchpads=pads), dict.fromkeys(RowMapping.__slots__, 1) | changed
    product = Product(convolution(2, 11, 13, 6, 7, 3, 3), "forward")
    places = {"h": "chain", "r": "chain", "e": "sets", "t": "sets", "d": "sets"}
    spatial = tuple((f"{places.get(letter, 'pe')}.{letter}", value) for letter, value in letters.items())
    if told is None:
        assert RS.laid(array, product, spatial) == (replace(RS, fixed=RowMapping(**letters)),)
    else:
        with pytest.raises(ValueError, match=told):
            RS.laid(array, product, spatial)
