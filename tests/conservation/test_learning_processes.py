"""Figure 3: when weights change, worked out by hand for eight inputs, four layers, and a backward of two forwards."""

import pytest

from simulator.reproduce.exhibits.learning_processes import EXHIBITS, Process

BY_HAND = {  # inputs of a batch, steps of all eight inputs, first update of layer 1 and of layer 4
    "(a) gradient descent": (8, 96, 96, 32 + 16),
    "(b) stochastic gradient descent": (1, 96, 12, 4 + 2),
    "(c) mini-batch gradient descent": (2, 96, 24, 8 + 4),
    "(d) ADA-GP, Phase GP": (2, 4 * 4 * 2.5, 2.5, 4 * 2.5),  # a prediction takes a quarter of a layer's two steps
}


def test_the_table_is_that_by_hand() -> None:
    (table,) = EXHIBITS[0].make({}).tables
    for name, batch, batches, steps, updates, first, last in table.rows:
        assert (batch, steps, first, last) == BY_HAND[str(name)]
        assert batches == updates == 8 / batch
    assert len(table.rows) == len(BY_HAND)


@pytest.mark.parametrize("batches", [1, 3])
def test_a_timeline_is_as_long_as_its_steps(batches: int) -> None:
    for entry in EXHIBITS[0].page.constants["processes"]:
        one = Process(**entry)
        assert one.timeline(batches).end == batches * one.steps()
