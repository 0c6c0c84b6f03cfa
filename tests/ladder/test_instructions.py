"""A controller that issues folds as instructions: stepped, in closed form, and by the rule as the page writes it."""

import math

import numpy as np
from array_specs import array_of
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.arrays.job import Geometry, JobTiles, Ports
from dataflows.arrays.stepped import step_job
from dataflows.arrays.systolic_overlapped.instructions import Instructions
from dataflows.arrays.systolic_overlapped.stationary import OverlappedStationary
from dataflows.convolution import whole_convolution
from dataflows.dataflow import find_dataflow
from dataflows.formula import used
from dataflows.plans.tile_sequence import tile_sequence
from dataflows.plans.tiling import Tiling
from workloads.passes import Product
from workloads.shapes import ConvShape, linear_shape

small = st.integers(1, 7)
controllers = st.builds(
    Instructions, vectors=small, least_cycles=small, in_flight=small, result_cycles=st.integers(1, 30)
)
geometries = st.builds(
    Geometry, small, small, st.builds(Ports, st.integers(1, 60), st.integers(1, 9), st.integers(1, 60)),
    st.integers(1, 12),
)  # fmt: skip
GEMMINI = Instructions(vectors=16, least_cycles=4, in_flight=5, result_cycles=33)


def by_the_rule(
    folds: int, V: int, W: int, II: int, LC: int, vectors: int, least: int, in_flight: int, results: int
) -> tuple[list[int], int]:
    """Return t of each fold's first instruction, and t + v II of the last one, as the page has them."""
    ends: list[int] = []
    firsts = []
    for fold in range(folds):
        rows = [min(W, V - first) for first in range(0, V, W)]
        sizes = [min(vectors, row - first) for row in rows for first in range(0, row, vectors)]
        for place, size in enumerate(sizes):
            begin = ends[-1] if ends else 0
            if len(ends) >= in_flight:
                begin = max(begin, ends[-in_flight] + results)
            if place == 0:
                firsts.append(begin)
            brings = place == len(sizes) - 1 and fold < folds - 1
            ends.append(begin + max(size * II, least, LC if brings else 0))
            last = begin + size * II
    return firsts, last


@settings(max_examples=150, deadline=None)
@given(geometries, controllers, st.integers(1, 3), *[st.integers(1, 25)] * 3)
def test_stepped_equals_the_rule_and_numpy(
    geometry: Geometry, controller: Instructions, groups: int, V: int, D: int, N: int
) -> None:
    numbers = np.random.default_rng(V)
    moving, stationary = numbers.integers(-9, 10, (groups, V, D)), numbers.integers(-9, 10, (groups, D, N))
    array = OverlappedStationary(controller)
    stepped = step_job(array, geometry, moving, stationary)
    assert np.array_equal(stepped.result, moving @ stationary)
    R, C, ports = geometry.rows, geometry.columns, geometry.ports
    LC, II = R * -(-C // ports.stationary), max(-(-R // ports.moving), -(-C // ports.output))
    folds = groups * -(-D // R) * -(-N // C)
    assert geometry.row_vectors is not None
    own = (controller.vectors, controller.least_cycles, controller.in_flight, controller.result_cycles)
    _, last = by_the_rule(folds, V, geometry.row_vectors, II, LC, *own)
    assert stepped.cycles == LC + last + R + C - 1
    tiles = JobTiles(*(np.array([size]) for size in (groups, V, D, N)), np.array([geometry.row_vectors]))  # type: ignore[arg-type]
    timing = array.timing(geometry, tiles)
    assert (timing.fill_cycles, timing.stream_cycles.tolist()) == (LC, [last])
    assert stepped.traffic == array.traffic(geometry, tiles)


def test_five_in_flight_by_hand() -> None:
    """Of rows of 4 vectors, five instructions take 4 + 33 cycles in the long run; the last one of a fold 16."""
    geometry = Geometry(16, 16, Ports(256, 16, 16))

    def stream(rows: int, folds: int, width: int) -> int:
        sizes = (np.array([size]) for size in (1, rows * width, 16 * folds, 16))
        return int(OverlappedStationary(GEMMINI).timing(geometry, JobTiles(*sizes, np.array([width]))).stream_cycles[0])  # type: ignore[arg-type]

    # begins of ten rows of 4 in one fold: 0 4 8 12 16, then 37 41 45 49 53; the last vector enters at 57
    assert stream(10, 1, 4) == 57
    # rows of 16 are not delayed, nor are rows of 20, which are 16 and 4
    assert (stream(10, 1, 16), stream(10, 3, 16), stream(10, 1, 20)) == (160, 480, 200)
    # two folds of one row of 4: the first instruction brings the other fold's words, in 16 cycles
    assert stream(1, 2, 4) == 16 + 4
    # nothing in flight counts for long folds: 1000 rows of 4 take 200 x 37 cycles but for the ends
    assert stream(1000, 1, 4) == 199 * 37 + 20


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_the_formula_that_is_printed(data: st.DataObject) -> None:
    controller = data.draw(controllers)
    array = array_of("systolic_overlapped", instructions=controller)
    flow = find_dataflow("ws", "systolic_overlapped", "", "")
    P, Q = data.draw(st.tuples(small, small))
    product = Product(ConvShape(2, 3, P + 1, Q + 1, 5, 2, 2, P, Q, (1, 1), (0, 0), (1, 1), 1), "forward")
    tiles = tile_sequence(product, Tiling(1, 1, min(2, P), 3, 5, ("vectors", "reduction", "columns"))).parts
    timing, filled = flow.timing(array, tiles), flow.formula(array, tiles)

    def number(expression: str, names: dict[str, int]) -> int:
        text = filled.filled(expression, names)
        assert not used(text)
        return int(eval(text, {"ceil": math.ceil, "issue": lambda *numbers: by_the_rule(*numbers)[1]}))

    formula = filled.formula
    stream = sum(kind.count * number(formula.stream, dict(kind.names)) for kind in filled.kinds)
    gaps = sum(kind.count * number(formula.gap, dict(kind.names)) for kind in filled.gaps)
    assert (stream, gaps) == (int(timing.stream_cycles.sum()), int(timing.gap_cycles.sum()))
    assert filled.total == timing.fill_cycles + stream + gaps + timing.drain_cycles


def test_a_part_of_a_row_is_what_an_instruction_may_take() -> None:
    """Rows of 24 are 16 and 8; cut in tiles of 12 they are 12 and 12, and in tiles of 20 they are 16, 4 and 4."""
    array = array_of("systolic_overlapped", 16, 16, (256, 16, 16), instructions=GEMMINI.model_copy(
        update={"in_flight": 100, "least_cycles": 8}))  # fmt: skip
    flow = find_dataflow("ws", "systolic_overlapped", "", "")
    product = Product(ConvShape(1, 16, 1, 24, 16, 1, 1, 1, 24, (1, 1), (0, 0), (1, 1), 1), "forward")
    order = ("positions", "rows")
    whole = flow.timing(array, whole_convolution(product)).stream_cycles
    assert whole.tolist() == [24]
    for positions, stream, gaps in ((12, [12, 12], [0, 4]), (20, [20, 4], [0, 12])):
        tiles = tile_sequence(product, Tiling(1, 1, 1, 16, 16, order, positions=positions)).parts
        timing = flow.timing(array, tiles)
        assert (timing.stream_cycles.tolist(), timing.gap_cycles.tolist()) == (stream, gaps)


def test_what_a_cycle_does_is_what_registers_show() -> None:
    """The words of `in` change in the cycles in which the activity says that the first PE works."""
    array = array_of("systolic_overlapped", 3, 2, (2, 3, 2), instructions=GEMMINI.model_copy(
        update={"vectors": 2, "in_flight": 2, "result_cycles": 6}))  # fmt: skip
    flow = find_dataflow("ws", "systolic_overlapped", "", "")
    parts = whole_convolution(Product(linear_shape(5, 7, 3), "forward"))
    run = flow.first_folds(array, parts, 3)
    stepped = run.step(run.cycles)
    psum = stepped.registers["psum"]
    works = np.array([stepped.activity_of(cycle).works for cycle in range(stepped.cycles)])
    changes = np.diff(psum, axis=0, prepend=0) != 0
    assert not (changes & ~works).any()
    assert works[:, 0, 0].sum() >= 5 * 2
    words = [stepped.activity_of(cycle).ports["moving"].size for cycle in range(stepped.cycles)]
    entered = np.flatnonzero(works[:, 0, 0])
    assert np.flatnonzero(words).tolist() == entered.tolist()
