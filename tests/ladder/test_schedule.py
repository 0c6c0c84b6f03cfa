"""Schedules: repeat counts against the sequence written out."""

from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workloads.foundation.errors import InputError
from workloads.schedule import PHASES, Policy, compress
from workloads.trace import load_policy

phases = st.sampled_from(PHASES)
epochs = st.lists(st.lists(phases, min_size=1, max_size=25), min_size=1, max_size=8)


@settings(max_examples=500, deadline=None)
@given(epochs)
def test_compression_keeps_every_batch_in_order(rows: list[list]) -> None:
    schedule = compress("any", rows)
    assert list(schedule.phases()) == list(chain.from_iterable(rows))
    assert schedule.epoch_count == len(rows)
    assert schedule.batches == sum(map(len, rows))
    assert schedule.counts() == {p: n for p in PHASES if (n := sum(row.count(p) for row in rows))}
    for epoch in range(len(rows) + 2):
        until = {p: n for p in PHASES if (n := sum(row.count(p) for row in rows[:epoch]))}
        assert schedule.counts_until(epoch) == until


def test_papers_schedule_by_hand() -> None:
    # 391 = 78 * 5 + 1 = 97 * 4 + 3 = 130 * 3 + 1 = 195 * 2 + 1: every epoch begins with GP anew.
    rows = load_policy("paper").epoch_phases(391)
    gp = [row.count("gp") for row in rows]
    assert gp == [0] * 10 + [4 * 78 + 1] * 4 + [3 * 97 + 3] * 4 + [2 * 130 + 1] * 4 + [195 + 1] * 68
    assert rows[10][:10] == ["gp"] * 4 + ["bp"] + ["gp"] * 4 + ["bp"]
    counts = load_policy("paper").expand(60).counts()
    assert counts["gp"] / sum(counts.values()) == pytest.approx(0.4763, abs=5e-5)


def test_fewer_epochs_stop_inside_the_plan() -> None:
    assert load_policy("paper").expand(60, epochs=12).counts() == {"warm_up": 600, "bp": 24, "gp": 96}


def test_a_policy_that_ends_too_early_is_refused() -> None:
    policy = Policy.model_validate({
        "version": 1, "name": "short", "description": "", "source": "", "epochs": 3,
        "stages": ({"epochs": 2, "pattern": ({"phase": "bp"},)},),
    })  # fmt: skip
    with pytest.raises(InputError, match="plans 2 epochs of 3"):
        policy.expand(10)
