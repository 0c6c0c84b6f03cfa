"""Row stationary: numbers against naive loops, cycles and counts against the closed form, mappings against Eyeriss."""

from dataclasses import replace
from itertools import product as every
from math import ceil, gcd

import numpy as np
import pytest
from array_specs import array_of
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.arrays.broadcast.row_stationary import RowArray, RowMapping, row_timing, row_traffic, seen_rows
from dataflows.arrays.broadcast.row_stationary_mapping import choose_mapping
from dataflows.arrays.broadcast.row_stationary_stepped import step_rows
from dataflows.convolution import Sliding, whole_convolution
from dataflows.dataflow import find_dataflow
from dataflows.operands import ConvolutionOperands
from workloads.passes import Product
from workloads.shapes import ConvShape

arrays = st.builds(
    RowArray, st.integers(1, 6), st.integers(1, 5), *[st.integers(1, 20)] * 3,
    st.integers(1, 20), st.integers(1, 6), st.integers(1, 5),
)  # fmt: skip


@st.composite
def convolutions(draw: st.DrawFn) -> ConvolutionOperands:
    groups, images, channels, filters = (draw(st.integers(1, 3)) for _ in range(4))
    channels, filters = channels * draw(st.integers(1, 2)), filters * draw(st.integers(1, 2))
    filter_rows, filter_columns, rows, columns = (draw(st.integers(1, 4)) for _ in range(4))
    stride, dilation = ((draw(st.integers(1, 3)), draw(st.integers(1, 4))) for _ in range(2))
    height = (rows - 1) * stride[0] + (filter_rows - 1) * dilation[0] + 1 + draw(st.integers(0, 1))
    width = (columns - 1) * stride[1] + (filter_columns - 1) * dilation[1] + 1 + draw(st.integers(0, 1))
    numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return ConvolutionOperands(
        numbers.integers(-99, 100, (groups, images, channels, height, width)),
        numbers.integers(-99, 100, (groups, filters, channels, filter_rows, filter_columns)),
        rows, columns, Sliding(stride, dilation), draw(st.sampled_from(["forward", "wgrad"])),
    )  # fmt: skip


@st.composite
def mappings(draw: st.DrawFn, array: RowArray, operands: ConvolutionOperands) -> RowMapping:
    """Draw any mapping that fits, good or bad."""
    h = draw(st.integers(1, array.rows))
    r = draw(st.integers(1, array.rows // h))
    w = draw(st.integers(1, min(array.input_words, array.filter_words)))
    q = draw(st.integers(1, min(array.input_words, array.filter_words) // w))
    p = draw(st.integers(1, min(array.sum_words, array.filter_words // (q * w))))
    chains = array.rows // (h * r) * array.columns
    e = draw(st.integers(1, chains))
    t = draw(st.integers(1, chains // e))
    return RowMapping(h, w, q, p, r, e, t, draw(st.integers(1, chains // (e * t))))


def naive(operands: ConvolutionOperands) -> np.ndarray:
    (sy, sx), (dy, dx) = operands.sliding
    image, filters = operands.image, operands.filters
    result = np.zeros((len(image), image.shape[1], filters.shape[1], operands.rows, operands.columns), image.dtype)
    for y, x, i, j in every(range(operands.rows), range(operands.columns), *(range(n) for n in filters.shape[3:])):
        words = image[:, :, :, y * sy + i * dy, x * sx + j * dx]
        result[..., y, x] += np.einsum("gab,gmb->gam", words, filters[:, :, :, i, j])
    return result


def closed_cycles(array: RowArray, mapping: RowMapping, operands: ConvolutionOperands) -> int:
    timing = row_timing(array, mapping, operands.tiles)
    return timing.fill_cycles + int(timing.stream_cycles[0]) + timing.drain_cycles


def streaming(array: RowArray, m: RowMapping, operands: ConvolutionOperands) -> int:
    """Cycles from each position's entering to the next, added up position by position (docs/microarchitecture.md)."""
    (sy, sx), (dy, dx) = operands.sliding
    groups, filters, channels, filter_rows, filter_columns = operands.filters.shape
    seen = len({y * sy + i * dy for y in range(m.e) for i in range(m.h)}) * m.r * m.q * m.d
    leave = ceil(m.e * m.t * m.d * m.p / array.output_port)
    row, grids = 0, set()
    for x in range(operands.columns):
        words = m.w if (x * sx) % dx not in grids else min(m.w, sx // gcd(sx, dx))
        grids.add((x * sx) % dx)
        row += max(m.w * m.q * m.p, ceil(seen * words / array.image_port), leave)
    folds = (
        ceil(groups / m.d) * ceil(filters / (m.t * m.p)) * ceil(channels / (m.r * m.q))
        * ceil(filter_rows / m.h) * ceil(filter_columns / m.w)
    )  # fmt: skip
    return folds * operands.image.shape[1] * ceil(operands.rows / m.e) * row


@settings(max_examples=1500, deadline=None)
@given(st.data(), arrays, convolutions())
def test_stepped_equals_closed_form_and_naive(
    data: st.DataObject, array: RowArray, operands: ConvolutionOperands
) -> None:
    mapping = data.draw(mappings(array, operands))
    stepped = step_rows(array, mapping, operands)
    assert np.array_equal(stepped.result, naive(operands))
    assert stepped.cycles == closed_cycles(array, mapping, operands)
    assert stepped.macs == int(operands.tiles.macs[0])
    assert stepped.traffic == row_traffic(array, mapping, operands.tiles, stepped.result.size)


@settings(max_examples=150, deadline=None)
@given(st.data(), arrays, convolutions(), st.booleans())
def test_the_chosen_mapping_fits_and_its_positions_take_the_least_cycles(
    data: st.DataObject, array: RowArray, operands: ConvolutionOperands, whole: bool
) -> None:
    """Against every mapping of a small array (p drawn), its positions one by one."""
    tiles = operands.tiles
    chosen = choose_mapping(replace(array, whole_sets=whole), tiles)
    best = streaming(array, chosen, operands)
    step_rows(array, chosen, operands)  # refuses what does not fit
    filters, groups = int(tiles.filters[0]), int(tiles.groups[0])
    filter_rows, rows = int(tiles.filter_rows[0]), int(tiles.rows[0])
    fits_whole = whole and operands.role != "wgrad"
    for h in range(1, min(array.rows, filter_rows) + 1):
        if fits_whole and h < min(array.rows, filter_rows):
            continue
        for r, w in every(range(1, array.rows // h + 1), range(1, array.input_words + 1)):
            widest = min(array.input_words, array.filter_words)
            if w > min(widest, tiles.filter_columns) or (widest >= tiles.filter_columns and w < tiles.filter_columns):
                continue
            chains = array.rows // (h * r) * array.columns
            for q, e in every(range(1, widest // w + 1), range(1, min(chains, rows) + 1)):
                if fits_whole and rows <= array.columns and e < rows:
                    continue
                for t in range(1, min(chains // e, filters) + 1):
                    p = data.draw(st.integers(1, min(array.sum_words, array.filter_words // (q * w))))
                    mapping = RowMapping(h, w, q, p, r, e, t, min(groups, chains // (e * t)))
                    assert best <= streaming(array, mapping, operands)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 6), st.integers(1, 6))
def test_seen_rows(rows: int, filter_rows: int, stride: int, dilation: int) -> None:
    seen = {y * stride + i * dilation for y in range(rows) for i in range(filter_rows)}
    assert seen_rows(rows, filter_rows, Sliding((stride, 1), (dilation, 1))) == len(seen)


EYERISS = {  # layer: C H K R, P, stride, padding, groups; working PEs of Chen et al., JSSC 2017, table IV
    "CONV1": ((3, 227, 96, 11, 55, 4, 0, 1), 154),
    "CONV2": ((96, 27, 256, 5, 27, 1, 2, 2), 135),
    "CONV3": ((256, 13, 384, 3, 13, 1, 1, 1), 156),
    "CONV4": ((384, 13, 384, 3, 13, 1, 1, 2), 156),
    "CONV5": ((384, 13, 256, 3, 13, 1, 1, 2), 156),
}


@pytest.mark.parametrize("layer", EYERISS)
def test_working_pes_of_alexnet_equal_eyeriss(layer: str) -> None:
    (C, H, K, R, P, stride, padding, groups), pes = EYERISS[layer]
    shape = ConvShape(4, C, H, H, K, R, R, P, P, (stride,) * 2, (padding,) * 2, (1, 1), groups)
    array = RowArray(12, 14, 12, 12, 14, filter_words=224, input_words=12, sum_words=24)
    mapping = choose_mapping(array, whole_convolution(Product(shape, "forward")))
    assert mapping.pes == pes


def test_a_first_layer_by_hand() -> None:
    """One 3 x 3 filter on a 4 x 5 image, 3 x 2 PEs, ports of one word."""
    array = RowArray(3, 2, 1, 1, 1, filter_words=3, input_words=3, sum_words=1)
    image, filters = np.arange(20).reshape(1, 1, 1, 4, 5), np.ones((1, 1, 1, 3, 3), np.int64)
    operands = ConvolutionOperands(image, filters, 2, 3, Sliding((1, 1), (1, 1)), "forward")
    mapping = choose_mapping(array, operands.tiles)
    assert mapping == RowMapping(h=3, w=3, q=1, p=1, r=1, e=2, t=1, d=1)
    stepped = step_rows(array, mapping, operands)
    # the set sees 4 image rows: a first window is 12 words, 12 cycles; a next one 4. Filters: 9 words, 9 cycles.
    # Positions enter in cycles 11, 15, 19; the last has 3 steps: its product stands after 22, chains after 23, 24,
    # 25, the sum after 26.
    assert stepped.cycles == 27
    # windows: 12 + 4 + 4; filters 9; 54 MACs, 18 row sums of 3 terms (3 PEs, 2 chains, 3 positions)
    assert (stepped.traffic.ifmap_words, stepped.traffic.filter_words) == (20, 9)
    assert stepped.macs == 54
    inside = stepped.traffic.inside
    assert (inside.scratchpad_reads, inside.scratchpad_sum_reads) == (54 + 54, 36)
    # each of 9 filter words goes to 2 chains; each PE takes 3 + 1 + 1 words, 6 PEs; partial sums
    assert (inside.scratchpad_writes, inside.scratchpad_sum_writes) == (18 + 30, 36)


@settings(max_examples=100, deadline=None)
@given(st.data(), arrays, convolutions())
def test_tiles_follow_each_other_like_folds_of_one_job(
    data: st.DataObject, array: RowArray, operands: ConvolutionOperands
) -> None:
    """A tile a group, one after the other, takes what the stepped array takes for all groups in one job."""
    mapping = replace(data.draw(mappings(array, operands)), d=1)
    whole, groups = operands.tiles, len(operands.image)
    sizes = ("groups", "images", "channels", "filters", "filter_rows", "rows")
    tiles = replace(whole, **{size: np.repeat(getattr(whole, size), groups) for size in sizes})
    timing = row_timing(array, mapping, replace(tiles, groups=np.ones(groups, np.int64)))
    cycles = timing.fill_cycles + timing.stream_cycles.sum() + timing.gap_cycles.sum() + timing.drain_cycles
    assert cycles == step_rows(array, mapping, operands).cycles


def test_what_does_not_fit_is_refused() -> None:
    array = RowArray(3, 2, 1, 1, 1, filter_words=3, input_words=3, sum_words=1)
    operands = ConvolutionOperands(
        np.zeros((1, 1, 1, 4, 5)), np.zeros((1, 1, 1, 3, 3)), 2, 3, Sliding((1, 1), (1, 1)), "forward"
    )
    for wrong in ((2, 3, 1, 1, 2, 1, 1, 1), (3, 3, 1, 2, 1, 1, 1, 1), (3, 3, 1, 1, 1, 3, 1, 1),
                  (3, 3, 0, 1, 1, 1, 1, 1), (3, 3, 2, 1, 1, 1, 1, 1)):  # fmt: skip
        with pytest.raises(ValueError, match="RowMapping"):
            step_rows(array, RowMapping(*wrong), operands)
    cases = (((1, 1, 1, 3, 5), (1, 1, 1, 3, 3), "windows"), ((1, 1, 2, 4, 5), (1, 1, 1, 3, 3), "operands"),
             ((2, 1, 1, 4, 5), (1, 1, 1, 3, 3), "operands"), ((1, 1, 1, 4, 5), (1, 1, 1, 3, 3, 1), "operands"),
             ((1, 1, 1, 4, 5, 1), (1, 1, 1, 3, 3), "operands"))  # fmt: skip
    for image, filters, problem in cases:
        one = ConvolutionOperands(np.zeros(image), np.zeros(filters), 2, 3, Sliding((1, 1), (1, 1)), "forward")
        with pytest.raises(ValueError, match=problem):
            step_rows(array, RowMapping(3, 3, 1, 1, 1, 1, 1, 1), one)


def test_free_sets_are_never_slower() -> None:
    pads = {"input_words": 12, "filter_words": 224, "partial_sum_words": 24}
    whole = array_of("broadcast", 12, 15, (12, 12, 15), scratchpads=pads)
    free = whole.model_copy(update={"row_stationary_sets": "free"})
    flow = find_dataflow("rs", "broadcast", "", "")
    faster = 0
    for (C, H, K, R, P, stride, padding, groups), _ in EYERISS.values():
        shape = ConvShape(4, C, H, H, K, R, R, P, P, (stride,) * 2, (padding,) * 2, (1, 1), groups)
        tiles = whole_convolution(Product(shape, "forward"))
        kept, folded = (int(flow.timing(array, tiles).stream_cycles[0]) for array in (whole, free))
        assert folded <= kept
        faster += folded < kept
    assert faster == len(EYERISS)
