"""Tiles against naive loops: what a tile touches, that every MAC runs once, that the buffer holds."""

from dataclasses import replace
from itertools import product as pairs

import numpy as np
import pytest
from array_specs import array_of
from convolutions import ROLES, shapes
from hypothesis import given, settings
from hypothesis import strategies as st
from tile_by_tile import TilingSearch

from dataflows.dataflow import find_dataflow
from dataflows.plans.budget import BufferBudget, TileTooLargeError
from dataflows.plans.placement import ALL_IN_DRAM, Operand, Placement
from dataflows.plans.planning import choose_tiling, plan_product
from dataflows.plans.tile_sequence import TileSequence, tile_sequence
from dataflows.plans.tiling import ORDERS, Tiling
from simulator.machine.spec_loading import load_accelerator
from workloads.passes import Product, Role, layer_products
from workloads.shapes import ConvShape, linear_shape
from workloads.trace import load_trace


@st.composite
def tilings(draw: st.DrawFn, shape: ConvShape, role: Role) -> Tiling:
    rows_all = shape.H if role == "dgrad" else shape.P
    rows = draw(st.integers(1, rows_all))
    inner_all, outer_all = shape.C // shape.groups, shape.K // shape.groups
    if role == "dgrad":
        inner_all, outer_all = outer_all, inner_all
    return Tiling(
        groups=draw(st.integers(1, shape.groups)),
        images=draw(st.integers(1, shape.N)) if rows == rows_all else 1,
        rows=rows,
        channels=draw(st.integers(1, inner_all)),
        filters=draw(st.integers(1, outer_all)),
        order=draw(st.sampled_from(ORDERS)),
    )


def chunks(total: int, size: int) -> list[range]:
    return [range(first, min(first + size, total)) for first in range(0, total, size)]


def naive_tiles(shape: ConvShape, role: Role, tiling: Tiling) -> list[tuple[int, int, int, int]]:
    """Return (MACs, image words, filter words, result words) of each tile, by visiting its elements.

    Forward and wgrad sweep the output; dgrad sweeps dX. A tile holds whole rows of the swept image, those that any of
    its positions reads.
    """
    dgrad = role == "dgrad"
    g_size, k_size = shape.groups, shape.R * shape.S
    inner_all = (shape.K if dgrad else shape.C) // g_size
    outer_all = (shape.C if dgrad else shape.K) // g_size
    sweep_rows, row = (shape.H, shape.W) if dgrad else (shape.P, shape.Q)
    image_rows, image_row = (shape.P, shape.Q) if dgrad else (shape.H, shape.W)
    spaces = list(pairs(chunks(shape.N, tiling.images), chunks(sweep_rows, tiling.rows)))
    inners, outers = chunks(inner_all, tiling.channels), chunks(outer_all, tiling.filters)
    moving, reduction = (inners, spaces) if role == "wgrad" else (spaces, inners)
    loops = {"vectors": moving, "reduction": reduction, "columns": outers}
    found = []
    for groups in chunks(g_size, tiling.groups):
        for tile in pairs(*(loops[axis] for axis in tiling.order)):
            m, r, outer = (tile[tiling.order.index(axis)] for axis in ("vectors", "reduction", "columns"))
            (images, rows), inner = (r, m) if role == "wgrad" else (m, r)
            touched = set()
            for position in rows:
                for kernel_row in range(shape.R):
                    if dgrad:  # position = p * stride - padding + r * dilation
                        numerator = position + shape.padding[0] - kernel_row * shape.dilation[0]
                        if numerator % shape.stride[0] == 0:  # else it meets a zero between two rows of dY
                            touched.add(numerator // shape.stride[0])
                    else:
                        touched.add(position * shape.stride[0] - shape.padding[0] + kernel_row * shape.dilation[0])
            inside = touched & set(range(image_rows))
            swept = len(images) * len(inside) * image_row * len(inner) * len(groups)
            made = len(images) * len(rows) * row * len(outer) * len(groups)
            window = len(inner) * len(outer) * k_size * len(groups)
            macs = len(images) * len(rows) * row * len(inner) * len(outer) * k_size * len(groups)
            found.append((macs, swept, *((made, window) if role == "wgrad" else (window, made))))
    return found


@settings(max_examples=400, deadline=None)
@given(st.data(), shapes(), st.sampled_from(ROLES))
def test_tiles_equal_naive_loops(data: st.DataObject, shape: ConvShape, role: Role) -> None:
    tiling = data.draw(tilings(shape, role))
    tiles = tile_sequence(Product(shape, role), tiling)
    naive = naive_tiles(shape, role, tiling)
    macs = tiles.parts.macs.tolist()
    assert macs == [tile[0] for tile in naive]
    assert tiles.tensors.filter.words.tolist() == [tile[2] for tile in naive]
    assert tiles.tensors.result.words.tolist() == [tile[3] for tile in naive]
    assert tiles.tensors.ifmap.words.tolist() == [tile[1] for tile in naive]


@settings(max_examples=300, deadline=None)
@given(st.data(), shapes(), st.sampled_from(ROLES))
def test_every_mac_runs_once_and_every_result_is_stored_once(data: st.DataObject, shape: ConvShape, role: Role) -> None:
    product = Product(shape, role)
    tiles = tile_sequence(product, data.draw(tilings(shape, role)))
    assert int(tiles.parts.macs.sum()) == product.macs
    results = {"forward": shape.output_words, "dgrad": shape.input_words, "wgrad": shape.weight_words}[role]
    assert int((tiles.tensors.result.words * tiles.finished).sum()) == results


def traffic_bytes(tiles: TileSequence) -> int:
    """Bytes that cross DRAM's edge, results stored, with words of 2 bytes and sums of 4."""
    held = tiles.tensors
    words = held.ifmap.words * tiles.ifmap_new + held.filter.words * tiles.filter_new
    results = held.result.words * (2 * tiles.finished + 4 * (tiles.psums_loaded + tiles.psums_stored))
    return int((2 * words + results).sum())


def held_bytes(tiles: TileSequence) -> int:
    held = tiles.tensors
    return 2 * int(2 * held.ifmap.words.max() + 2 * held.filter.words.max() + 4 * held.result.words.max())


def asks_too_early(tiles: TileSequence) -> bool:
    """Whether partial sums come back within three tiles of leaving, when their store may not have been made."""
    leaves, comes = np.flatnonzero(tiles.psums_stored), np.flatnonzero(tiles.psums_loaded)
    return len(comes) > 0 and int((comes - leaves).min()) < 4


PE = array_of("broadcast", accumulator_sums=16)
WS = find_dataflow("ws", "broadcast", "", "")


@settings(max_examples=60, deadline=None)
@given(shapes(), st.sampled_from(ROLES), st.integers(40, 1200))
def test_no_cut_moves_fewer_bytes(shape: ConvShape, role: Role, capacity: int) -> None:
    """Brute force: every tile size, every order of loops, each laid out tile by tile."""
    product, budget = Product(shape, role), BufferBudget(capacity, 2, 4)
    rows_all = shape.H if role == "dgrad" else shape.P
    inner_all, outer_all = shape.C // shape.groups, shape.K // shape.groups
    if role == "dgrad":
        inner_all, outer_all = outer_all, inner_all
    spaces = [(images, rows_all) for images in range(1, shape.N + 1)] + [(1, rows) for rows in range(1, rows_all)]
    fewest = None
    for (images, rows), inner, outer, order in pairs(spaces, range(1, inner_all + 1), range(1, outer_all + 1), ORDERS):
        tiles = tile_sequence(product, Tiling(1, images, rows, inner, outer, order))
        if held_bytes(tiles) > capacity or asks_too_early(tiles):
            continue
        moved = traffic_bytes(tiles)
        fewest = moved if fewest is None else min(fewest, moved)
    try:
        chosen = tile_sequence(product, choose_tiling(product, ALL_IN_DRAM, WS, PE, budget).tiling)
    except TileTooLargeError as error:
        assert fewest is None and error.needed_bytes > capacity
        return
    assert held_bytes(chosen) <= capacity
    assert not asks_too_early(chosen)
    assert traffic_bytes(chosen) == fewest


def test_sums_come_back_four_tiles_later_at_the_earliest() -> None:
    """A linear layer of eight images, all its tilings: with three tiles or fewer between, none spills sums."""
    product = Product(linear_shape(8, 8, 8), "forward")
    search = TilingSearch(product, ALL_IN_DRAM, WS, PE, BufferBudget(10**6, 2, 4))
    listed = {search.tiling(row) for _, row in search.candidates((1, 2, 0))}
    sizes = [-(-8 // pieces) for pieces in (1, 2, 3, 4, 8)]
    spills = 0
    for images, inner, outer, order in pairs(sizes, sizes, sizes, ORDERS):
        tiling = Tiling(1, images, 1, inner, outer, order)
        tiles = tile_sequence(product, tiling)
        if tiles.psums_loaded.any():
            assert (tiling in listed) == (not asks_too_early(tiles))
            spills += tiling in listed
    assert spills > 20


def test_what_is_on_chip_is_not_loaded() -> None:
    product = Product(linear_shape(64, 100, 100), "forward")
    for place in ("predictor_sram", "buffer"):
        tiling = choose_tiling(product, Placement(filter=Operand(place)), WS, PE, BufferBudget(2000, 2, 4)).tiling
        tiles = tile_sequence(product, tiling)
        held = 2 * (2 * tiles.tensors.ifmap.words.max() + 4 * tiles.tensors.result.words.max())
        assert held <= 2000
    with pytest.raises(TileTooLargeError):
        choose_tiling(product, ALL_IN_DRAM, WS, PE, BufferBudget(10, 2, 4))


@pytest.mark.parametrize("name", ["ws", "is", "os"])
def test_systolic_tiles_are_not_cut_into_slivers(name: str) -> None:
    """A systolic fold has a price of its own; the cut must not multiply it where other cuts move as little."""
    flow = find_dataflow(name, "systolic", "", "")
    spec = load_accelerator(design="baseline", overrides=["array.interconnect=systolic"])
    trace = load_trace("vgg13-cifar10")
    roomy = replace(spec.budget(0), capacity_bytes=1 << 45)
    cycles = {"cut": 0, "whole": 0}
    for layer in trace.mac_layers:
        product = layer_products(layer, "forward", trace.batch_size)[0]
        cycles["cut"] += plan_product(product, ALL_IN_DRAM, flow, spec.array, spec.budget(0)).compute_cycles
        cycles["whole"] += plan_product(product, ALL_IN_DRAM, flow, spec.array, roomy).compute_cycles
    assert cycles["cut"] <= 1.6 * cycles["whole"]  # bytes still come first, so some price is paid
