"""The default run and the long run share the examples of a property; a mutation run draws all."""

from types import SimpleNamespace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from property_depth import WHOLE, in_the_default_run, pytest_collection_modifyitems

NUMBERS = st.integers(0, 10**9)


def run(chosen: str, examples: int, derandomize: bool = False) -> tuple[int, int, list[str]]:
    """Return how many named and drawn examples a property has in a run, and the marks that it gets."""
    seen: list[int] = []

    @settings(max_examples=examples, derandomize=derandomize, database=None)
    @given(NUMBERS)
    @example(-1)
    def test(number: int) -> None:
        seen.append(number)

    marks: list[pytest.MarkDecorator] = []
    item = SimpleNamespace(obj=test, get_closest_marker=lambda name: None, add_marker=marks.append)
    config = SimpleNamespace(option=SimpleNamespace(markexpr=chosen))
    pytest_collection_modifyitems(config, [item, item])  # two parameters of one function
    test()
    return seen.count(-1), len(seen) - seen.count(-1), [mark.name for mark in marks[:1]]


def test_the_default_run_draws_a_quarter_and_the_long_run_the_rest() -> None:
    assert run("not long", 40) == (1, 10, [])
    assert run("long", 40) == (0, 30, ["long"])


def test_few_examples_are_not_shared() -> None:
    assert run("not long", 2) == (1, 2, [])
    assert run("long", 2) == (1, 2, [])  # without the mark, so that the long run leaves it out


def test_where_each_run_draws_the_same_the_long_run_draws_all() -> None:
    assert run("not long", 40, derandomize=True) == (1, 10, [])
    assert run("long", 40, derandomize=True) == (0, 40, ["long"])


def test_a_mutation_run_and_a_choice_of_ones_own_draw_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("", 40) == (1, 40, [])
    monkeypatch.setenv(WHOLE, "1")
    assert run("not long", 40) == (1, 40, [])


@pytest.fixture(autouse=True)
def no_mutation_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WHOLE, raising=False)


@pytest.mark.parametrize(("examples", "few"), [(1, 1), (3, 2), (8, 2), (20, 5), (60, 15), (1500, 375)])
def test_few_examples_are_a_quarter_and_two_at_least(examples: int, few: int) -> None:
    assert in_the_default_run(examples) == few
