"""Pieces of updates, plain transfers and vector work that fit in the buffer; by docs/machine.md, "Updates and plain
transfers" and "The vector unit".

Transfers take no time here, so all cuts are equally fast and the one with the fewest pieces is taken.
"""

import pytest

from dataflows.plans.budget import BufferBudget, TileTooLargeError
from dataflows.plans.placement import Operand
from dataflows.plans.planning import plan_elementwise, plan_transfer, plan_vector
from simulator.testing.arrays import array_of


def room(capacity: int) -> BufferBudget:
    return BufferBudget(capacity, word_bytes=2, partial_sum_bytes=4)


@pytest.mark.parametrize(
    ("loaded", "stored", "loads", "stores"),
    [
        (32, 0, [32], []),
        (33, 0, [17, 16], []),  # half of 64 is 32
        (100, 0, [25] * 4, []),
        (0, 128, [], [32] * 4),
        (0, 129, [], [17] * 7 + [10]),  # five pieces at least: eight, of 129 / 8 rounded up
        (64, 64, [32, 32], [32, 32]),
        (40, 65, [10] * 4, [17, 17, 17, 14]),  # the larger one needs three, so both are four
    ],
)
def test_a_piece_of_a_plain_transfer_fills_half_of_the_room(
    loaded: int, stored: int, loads: list[int], stores: list[int]
) -> None:
    plan = plan_transfer(loaded, stored, room(64))
    assert plan.load_bytes.tolist() == loads + [0] * len(stores)
    assert plan.store_bytes.tolist() == [0] * len(loads) + stores


@pytest.mark.parametrize(
    ("capacity", "words"),
    [(80, [10]), (79, [5, 5]), (40, [5, 5]), (39, [3, 3, 3, 1]), (24, [3, 3, 3, 1]), (23, [2] * 5), (15, [1] * 10)],
)
def test_a_piece_of_an_update_holds_what_it_moves_twice(capacity: int, words: list[int]) -> None:
    """10 words are read and written: 8 bytes a word. Two that are on the chip already take no room."""
    dram, chip = Operand("dram"), Operand("buffer", 2)
    plan = plan_elementwise(10, 1, (dram, chip), (dram,), array_of("broadcast"), room(capacity))
    assert plan.load_bytes.tolist() == plan.store_bytes.tolist() == [2 * size for size in words]
    with pytest.raises(TileTooLargeError, match="needs 8 bytes of buffer, 7 are there"):
        plan_elementwise(10, 1, (dram, chip), (dram,), array_of("broadcast"), room(7))


@pytest.mark.parametrize(("capacity", "pieces"), [(64, 1), (63, 2), (34, 2), (33, 4), (19, 4), (18, 8), (8, 16)])
def test_a_piece_of_vector_work_fits_twice(capacity: int, pieces: int) -> None:
    """10 words in, 5 out: ceil(60 / (room - 4)) pieces at least, of 1, 2, 4, 8, ... or of the 20 operations."""
    plan = plan_vector(20, 10, 5, 3, room(capacity))
    assert plan.load_bytes.tolist() == [2 * (10 * (i + 1) // pieces - 10 * i // pieces) for i in range(pieces)]
    assert plan.store_bytes.tolist() == [2 * (5 * (i + 1) // pieces - 5 * i // pieces) for i in range(pieces)]
