"""What enters the buffer is what left DRAM, tensor by tensor: plans against a naive buffer of elements.

The naive buffer knows the order of the tiles (`Tiling`) and the elements by their places in their tensors. What a tile
moves for each tensor it finds out by itself; only then is the plan looked at.
"""

import pytest
from array_specs import RUN_NAMES, RUNS, array_of
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from naive_buffer import SUM, WORD, Convolution, NaiveBuffer, tiles_in_order

from dataflows.dataflow import Dataflow, dataflows
from dataflows.integers import Integers
from dataflows.plans.budget import BufferBudget, TileTooLargeError
from dataflows.plans.channel import INSTANT
from dataflows.plans.given_plan import plan_tiled
from dataflows.plans.placement import Operand, Placement
from dataflows.plans.plan import Plan
from dataflows.plans.planning import (
    choose_tiling,
    plan_elementwise,
    plan_product,
    plan_transfer,
    plan_vector,
)
from dataflows.plans.tiling import ORDERS, Tiling
from dataflows.plans.transfers import LoadPattern, StorePattern, Transfers
from simulator.dram.machine_channel import dram_channel
from simulator.dram.models.bandwidth import BandwidthDram
from workloads.passes import Product, Role, decomposed_dgrad
from workloads.shapes import ConvShape, linear_shape, output_extent

ROLES: tuple[Role, ...] = ("forward", "dgrad", "wgrad")
ARRAY = array_of("broadcast", accumulator_sums=16)
SLOW = BandwidthDram(model="bandwidth", capacity_bytes=1, peak_bytes_per_second=1_000_000_000, latency_ns=8)
CHANNELS = (INSTANT, dram_channel(SLOW, 1_000_000_000))


@st.composite
def shapes(draw: st.DrawFn) -> ConvShape:
    small = st.integers(1, 2)
    stride, dilation, padding = ((draw(small), draw(small)) for _ in range(3))
    padding = (padding[0] - 1, padding[1] - 1)
    R, S, H, W = (draw(st.integers(1, most)) for most in (3, 3, 6, 5))
    P = output_extent(H, R, stride[0], padding[0], dilation[0])
    Q = output_extent(W, S, stride[1], padding[1], dilation[1])
    assume(P >= 1 and Q >= 1)
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    most = 5 if groups == 1 else 2
    return ConvShape(
        N=draw(st.integers(1, 3)), C=groups * draw(st.integers(1, most)), H=H, W=W,
        K=groups * draw(st.integers(1, most)), R=R, S=S, P=P, Q=Q, stride=stride, padding=padding, dilation=dilation,
        groups=groups,
    )  # fmt: skip


@st.composite
def products(draw: st.DrawFn, role: Role) -> Product:
    shape = draw(shapes())
    if role == "dgrad" and draw(st.booleans()):
        parts = decomposed_dgrad(shape)
        assume(parts)
        return draw(st.sampled_from(parts))
    return Product(shape, role)


def budgets() -> st.SearchStrategy[BufferBudget]:
    return st.builds(
        BufferBudget, st.one_of(st.integers(40, 400), st.integers(400, 3000)), st.just(WORD), st.just(SUM),
        st.sampled_from(CHANNELS), st.sampled_from([None, 0, 2]),
    )  # fmt: skip


PLACEMENTS = {
    "all in DRAM": Placement(),
    "filter in the predictor SRAM": Placement(filter=Operand("predictor_sram")),
    "image in the buffer": Placement(ifmap=Operand("buffer")),
    "difference of two gradients": Placement(filter=Operand("dram", tensors=2)),
    "result stays": Placement(result="buffer"),
    "image and result stay": Placement(Operand("buffer"), Operand("dram"), "buffer"),
}


def bytes_of(transfers: Transfers, pattern: int) -> Integers:
    """Return what each tile moves by one pattern."""
    moved: Integers = transfers.segments[pattern] * transfers.segment_bytes[pattern]
    return moved


def walk(work: Convolution, placement: Placement, plan: Plan, tiling: Tiling) -> NaiveBuffer:
    """Go through a plan tile by tile and hold what it moves for each tensor against the naive buffer."""
    buffer, tiles = NaiveBuffer(work, placement), list(tiles_in_order(work.product, tiling))
    assert len(tiles) == len(plan.loads) == len(plan.stores)
    moved = dict.fromkeys(("image", "filter", "sums in", "results", "sums out"), 0)
    for index, tile in enumerate(tiles):
        space, results = (tile.groups, tile.images, tile.rows), work.result_of(tile)
        filters = space if work.product.role == "wgrad" else (tile.groups, tile.inner)
        following = work.result_of(tiles[index + 1]) if index + 1 < len(tiles) else None
        entered = {
            "image": buffer.enter("image", (*space, tile.inner), work.image_of(tile)),
            "filter": buffer.enter("filter", (*filters, tile.outer), work.filter_of(tile)),
            "sums in": buffer.bring_sums(results),
        }
        buffer.stream(tile)
        entered["results"], entered["sums out"] = buffer.leave(following)
        told = {
            "image": int(bytes_of(plan.loads, LoadPattern.IFMAP)[index]),
            "filter": int(bytes_of(plan.loads, LoadPattern.FILTER)[index]),
            "sums in": int(bytes_of(plan.loads, LoadPattern.PSUMS)[index]),
            "results": int(bytes_of(plan.stores, StorePattern.RESULT)[index]),
            "sums out": int(bytes_of(plan.stores, StorePattern.PSUMS)[index]),
        }
        assert entered == told, f"tile {index} of {len(tiles)}"
        moved = {name: moved[name] + size for name, size in entered.items()}
    assert moved["sums in"] == moved["sums out"], "sums that left came back"
    assert not buffer.spilled and not buffer.sums
    assert moved["image"] + moved["filter"] + moved["sums in"] == plan.counts.dram_read_bytes
    assert moved["results"] + moved["sums out"] == plan.counts.dram_write_bytes
    assert plan.counts.buffer_write_bytes >= plan.counts.dram_read_bytes
    assert plan.counts.buffer_read_bytes >= plan.counts.dram_write_bytes
    return buffer


def check(product: Product, placement: Placement, plan: Plan, tiling: Tiling) -> NaiveBuffer:
    work = Convolution(product)
    buffer = walk(work, placement, plan, tiling)
    expected = dict.fromkeys(work.result_of(work.whole()), 0)
    for result, image, kernel in work.multiplications(work.whole()):
        expected[result] += buffer.dram["image"][image] * buffer.dram["filter"][kernel]
    assert buffer.results == expected
    return buffer


def plan_of(product: Product, placement: Placement, flow: Dataflow, tiling: Tiling) -> Plan:
    """Plan a product with a cut that is not the chosen one."""
    return plan_tiled(product, placement, flow, ARRAY, BufferBudget(1, WORD, SUM), tiling)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
@settings(max_examples=40, deadline=None)
@given(st.data(), st.sampled_from(sorted(PLACEMENTS)), budgets())
def test_each_tensor_is_conserved(
    flow: Dataflow, kind: str, role: Role, data: st.DataObject, placement: str, budget: BufferBudget
) -> None:
    """With the tiles that are chosen for a small buffer."""
    product, places = data.draw(products(role)), PLACEMENTS[placement]
    pe = array_of(kind, accumulator_sums=16)
    try:
        plan = plan_product(product, places, flow, pe, budget)
    except TileTooLargeError:
        return
    check(product, places, plan, choose_tiling(product, places, flow, pe, budget).tiling)


@pytest.mark.parametrize("role", ROLES)
@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(sorted(PLACEMENTS)))
def test_with_any_cut_in_any_order(role: Role, data: st.DataObject, placement: str) -> None:
    """Also those in which partial sums leave for DRAM and come back, which is seldom the best for small shapes."""
    product, places = data.draw(products(role)), PLACEMENTS[placement]
    s, whole = product.shape, Convolution(product).whole()
    rows = data.draw(st.integers(1, len(whole.rows)))
    images, *others = (data.draw(st.integers(1, most)) for most in (s.N, s.groups, len(whole.inner), len(whole.outer)))
    tiling = Tiling(
        groups=others[0], images=images if rows == len(whole.rows) else 1, rows=rows, channels=others[1],
        filters=others[2],
        order=data.draw(st.sampled_from(ORDERS if places.result == "dram" else ORDERS[:2])),
    )  # fmt: skip
    check(product, places, plan_of(product, places, dataflows()["broadcast", "ws"], tiling), tiling)


def test_sums_that_leave_by_hand() -> None:
    """A linear layer, 2 x 4 x 2, in halves of the reduction with the reduction outermost, an image a tile.

    Four tiles: sums of 1 x 2 results leave after the first two and come back before the last two, which store them.
    """
    product = Product(linear_shape(2, 4, 2), "forward")
    tiling = Tiling(groups=1, images=1, rows=1, channels=2, filters=2, order=("reduction", "vectors", "columns"))
    plan = plan_of(product, PLACEMENTS["all in DRAM"], dataflows()["broadcast", "ws"], tiling)
    check(product, PLACEMENTS["all in DRAM"], plan, tiling)
    image, kernel, back = (bytes_of(plan.loads, pattern).tolist() for pattern in LoadPattern)
    assert image == [2 * WORD] * 4  # each tile other words of another image
    assert kernel == [4 * WORD, 0, 4 * WORD, 0]  # the same half of the weights for both images
    assert back == [0, 0, 2 * SUM, 2 * SUM]
    results, away = (bytes_of(plan.stores, pattern).tolist() for pattern in StorePattern)
    assert (results, away) == ([0, 0, 2 * WORD, 2 * WORD], [2 * SUM, 2 * SUM, 0, 0])
    assert plan.counts.dram_read_bytes == 8 * WORD + 8 * WORD + 4 * SUM
    assert plan.counts.dram_write_bytes == 4 * WORD + 4 * SUM


PLACES = st.sampled_from(["dram", "buffer", "predictor_sram"])
OPERANDS = st.lists(st.builds(Operand, PLACES, st.integers(1, 3)), min_size=1, max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 500), OPERANDS, OPERANDS, st.integers(200, 3000))
def test_each_operand_of_an_update_is_conserved(
    words: int, reads: list[Operand], writes: list[Operand], capacity: int
) -> None:
    """Every word of an operand in DRAM passes once, and of one on the chip none."""
    plan = plan_elementwise(words, 2, tuple(reads), tuple(writes), ARRAY, BufferBudget(capacity, WORD, SUM))
    for operands, transfers in ((reads, plan.loads), (writes, plan.stores)):
        for index, operand in enumerate(operands):
            expected = words * WORD * operand.tensors if operand.place == "dram" else 0
            assert int(bytes_of(transfers, index).sum()) == expected
    assert int(plan.load_bytes.sum()) == plan.counts.dram_read_bytes
    assert int(plan.store_bytes.sum()) == plan.counts.dram_write_bytes


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(1, 900), st.integers(8, 3000))
def test_a_transfer_and_a_vector_layer_move_all_their_bytes(read: int, written: int, work: int, capacity: int) -> None:
    budget = BufferBudget(capacity, WORD, SUM)
    for plan, size in ((plan_transfer(read, written, budget), 1), (plan_vector(work, read, written, 3, budget), WORD)):
        counts = plan.counts
        assert int(plan.load_bytes.sum()) == counts.dram_read_bytes == read * size
        assert int(plan.store_bytes.sum()) == counts.dram_write_bytes == written * size
        assert counts.buffer_write_bytes >= counts.dram_read_bytes
        assert counts.buffer_read_bytes >= counts.dram_write_bytes
