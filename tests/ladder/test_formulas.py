"""The formula that `explain` prints, evaluated from the numbers that it prints, gives the cycles of the array."""

import math

import numpy as np
import pytest
from array_specs import RUN_NAMES, RUNS, array_of, choices, specs
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.convolution import ConvolutionTiles, Sliding
from dataflows.dataflow import Dataflow
from dataflows.formula import FilledFormula, used

MATHS = {"ceil": math.ceil, "log2": math.log2, "gcd": math.gcd}


@st.composite
def tiles(draw: st.DrawFn) -> ConvolutionTiles:
    count = draw(st.integers(1, 4))
    sizes = [np.array(draw(st.lists(st.integers(1, 9), min_size=count, max_size=count))) for _ in range(6)]
    two = st.tuples(st.integers(1, 3), st.integers(1, 3))
    width = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    return ConvolutionTiles(*sizes, *width, Sliding(draw(two), draw(two)), "forward")


def printed(filled: FilledFormula) -> int:
    """Add up what is printed: each part is text of numbers alone, which Python evaluates by itself."""

    def number(part: str, names: dict[str, int]) -> int:
        text = filled.filled(part, names)
        assert not used(text), text
        return eval(text, MATHS)

    formula = filled.formula
    total = number(formula.fill, {}) + number(formula.drain, {})
    total += sum(kind.count * number(formula.stream, kind.names) for kind in filled.kinds)
    return total + sum(kind.count * number(formula.gap, kind.names) for kind in filled.gaps)


@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_printed_formula_is_the_cycles(flow: Dataflow, kind: str, data: st.DataObject) -> None:
    array, parts = data.draw(specs(kind)), data.draw(tiles())
    timing, filled = flow.timing(array, parts), flow.formula(array, parts)
    cycles = timing.fill_cycles + int(timing.stream_cycles.sum() + timing.gap_cycles.sum()) + timing.drain_cycles
    assert printed(filled) == filled.total == cycles
    assert filled.value(filled.formula.fill, {}) == timing.fill_cycles
    assert filled.value(filled.formula.drain, {}) == timing.drain_cycles
    assert filled.folds >= len(parts.rows)


@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
def test_every_name_of_a_formula_is_explained(flow: Dataflow, kind: str) -> None:
    one = np.array([2])
    parts = ConvolutionTiles(one, one, one, one, one, one, 2, 2, Sliding((1, 1), (1, 1)), "forward")
    for own in choices(kind, flow):
        filled = flow.formula(array_of(kind, **own), parts)
        known = {*filled.fixed, *filled.pieces, *filled.formula.where}
        parts_of = (filled.formula.stream, filled.formula.fill, filled.formula.drain)
        assert all(used(part) <= known for part in (*parts_of, *filled.formula.where.values()))
        assert used(filled.formula.begin) <= known | {"f"}
        assert "F" in filled.formula.where


@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
def test_gaps_between_long_and_short_tiles(flow: Dataflow, kind: str) -> None:
    """Ports of one word make loads and drains longer than short tiles, which follow long ones and come before them."""
    sizes, one = np.array([1, 30, 1, 1, 30, 30, 2]), np.ones(7, np.int64)
    for own in choices(kind, flow):
        array = array_of(kind, 4, 3, (1, 1, 1), **own)
        for parts in ((sizes, one), (one, sizes)):
            convolution = ConvolutionTiles(one, *parts, one, one, one, 1, 1, Sliding((1, 1), (1, 1)), "forward")
            timing, filled = flow.timing(array, convolution), flow.formula(array, convolution)
            gaps = [kind.count * filled.value(filled.formula.gap, kind.names) for kind in filled.gaps]
            assert sum(gaps) == int(timing.gap_cycles.sum())
            assert filled.total == printed(filled)


def test_by_hand() -> None:
    """The example of docs/microarchitecture.md: 4 x 3 PEs, a stationary port of 4 words, 5 vectors, 2 x 2 folds."""
    flow, kind = next(run for run, name in zip(RUNS, RUN_NAMES, strict=True) if name == "ws-broadcast")
    one = np.array([1])
    parts = ConvolutionTiles(one, one * 5, one * 8, one * 6, one, one, 1, 1, Sliding((1, 1), (1, 1)), "forward")
    filled = flow.formula(array_of(kind, 4, 3, (4, 4, 3)), parts)
    (piece,) = filled.kinds
    assert filled.filled(filled.formula.stream, piece.names) == "(4 - 1) * max(5 * 1, 3 + 1) + 5 * 1"
    assert filled.total == 3 + 1 + 3 * 5 + 5 + 2 + 2
