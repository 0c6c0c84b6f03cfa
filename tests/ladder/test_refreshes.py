"""Refreshes of a batch, as docs/machine.md says them, counted cycle by cycle.

One array works through plans of one tile each: it loads, and then it computes while the channel is idle. So the model
below needs no rule but those of refreshes. It counts cycles one at a time, in fractions, and shares no code with the
kernel.
"""

from fractions import Fraction
from math import floor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kernel_functions import called_by_a_kernel
from test_step_engine import HZ, RefreshingDram, plan

from simulator.dram.models.commands import CommandDram
from simulator.dram.refresh import Refresh
from simulator.engine.batch import run_batch
from simulator.engine.step_kernel import RefreshRules, refreshes_due
from simulator.engine.work import StepWork
from simulator.phases.design import Step, Task

kernel_refreshes_due = called_by_a_kernel(refreshes_due)
COMMAND = 2  # cycles that a load of the test's DRAM takes beside one a byte


def naive_batch(work: list[tuple[int, int]], interval: Fraction, held: int) -> tuple[list[int], int]:
    """Return when each load's data are there, and how long the batch takes.

    Parameters
    ----------
    work : list of (cycles of the load, cycles of compute after it)
    interval : Fraction
        From one refresh to the next.
    held : int
        Cycles for which a refresh holds the channel.
    """
    now = made = 0
    free = 0  # since when the channel has been idle
    loaded = []

    def owed(cycle: int) -> int:
        return sum(1 for n in range(made + 1, floor(cycle / interval) + 1) if n * interval <= cycle)

    def use_idle_time(cycle: int) -> None:
        """Make owed refreshes in the time since the channel was free, as many as fit."""
        nonlocal made, free
        while owed(cycle) and cycle - free >= held:
            free += held
            made += 1

    for load, compute in work:
        if load:
            now = max(now, free)
            use_idle_time(now)
            carried = since = 0
            while carried < load:  # one cycle after the other
                if since == floor(8 * interval):
                    late = owed(now)
                    made += late
                    now += late * held
                    since = 0
                now, carried, since = now + 1, carried + 1, since + 1
            late = owed(now)
            made += late
            free = now + late * held
        loaded.append(now)
        now += compute
    now = max(now, free)
    use_idle_time(now)
    late = owed(now)
    return loaded, now + late * held


def engine_batch(work: list[tuple[int, int]], rules: Refresh) -> tuple[list[int], int]:
    plans = tuple(plan([(max(0, load - COMMAND), 0, compute, 0)], fill=0, drain=0) for load, compute in work)
    batch = run_batch([Step((Task(0, "forward"),))], [[StepWork(plans)]], RefreshingDram(rules), HZ)
    work_counts = [op.counts for op in batch.ops]
    states = [
        sum(getattr(one, f"dram_{state}_rank_cycles") for one in (*work_counts, batch.idle_counts))
        for state in ("active", "standby", "power_down", "self_refresh")
    ]
    assert sum(states) == batch.cycles  # the one rank is in one state in each cycle
    assert min(states) >= 0
    return batch.tiles[0].times[:, 1].tolist(), batch.cycles


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0, *range(3, 60), *range(700, 1000, 7)]), st.integers(0, 400)),
        min_size=1,
        max_size=6,
    ),
    st.fractions(20, 90, max_denominator=7),
    st.integers(1, 9),
)
@example([(400, 0)], Fraction(50), 3)  # exactly eight intervals: no pause
@example([(401, 0)], Fraction(50), 3)  # one cycle longer: a pause
@example([(700, 10)], Fraction(349, 5), 9)  # eight intervals of 69.8 are 558.4
@example([(3, 49)], Fraction(50), 3)
@example([(3, 47)], Fraction(50), 3)  # due at the barrier itself
@example([(3, 99), (3, 0)], Fraction(50), 9)
def test_batch_is_that_of_the_page(work: list[tuple[int, int]], interval: Fraction, held: int) -> None:
    rules = Refresh(interval.numerator, interval.denominator, held)
    assert engine_batch(work, rules) == naive_batch(work, interval, held)


@pytest.mark.parametrize(
    ("now", "free", "made", "waits"),
    [
        (99, 0, 0, 0),  # the first comes due at 100
        (100, 0, 0, 10),  # due, and the channel has had no time for it
        (100, -9, 0, 10),  # idle for 9 cycles: too few for one
        (100, -10, 0, 0),  # made while idle
        (350, -25, 0, 10),  # three due, two made while idle
        (350, -25, 2, 0),
        (350, 0, 1, 20),
        (350, -1000, 0, 0),  # nothing is made that is not due
        (95, 5, 0, 15),  # the channel is free at 100, when one comes due
        (95, 4, 0, 4),
        (190, 20, 1, 30),  # free at 210: the second came due at 200
    ],
)
def test_barrier_by_hand(now: int, free: int, made: int, waits: int) -> None:
    """An interval of 100 cycles, refreshes of 10."""
    assert Refresh(100, 1, 10).cycles_at_barrier(now, free, made) == waits


def test_eight_intervals_by_hand() -> None:
    assert Refresh(100, 1, 10).longest_cycles == 800
    assert Refresh(349, 5, 9).longest_cycles == 558  # 8 x 69.8 = 558.4, not 8 x 69


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_kernel_counts_what_is_due_beyond_64_bits(data: st.DataObject) -> None:
    """Cycles times the denominator need up to 98 bits: Python's integers say how many are due."""
    denominator = data.draw(st.integers(1, 10**11))
    numerator = data.draw(st.integers(denominator + 1, 10**18))
    cycle = data.draw(st.integers(0, 1 << 61) | st.integers(-2, 2).map(lambda off: (1 << 63) // denominator + off))
    rules = RefreshRules.of(Refresh(numerator, denominator, 1))
    cycle = min(cycle, 1 << 61)
    assert kernel_refreshes_due(cycle, rules) == cycle * denominator // numerator


def test_long_batch_at_an_odd_frequency() -> None:
    """DDR3-1600 beside arrays at a prime frequency: an hour into a batch cycles x 5,000,000 is beyond 64 bits.

    A load, 2,000,000,000,000 cycles of compute in which every refresh is made, and a load that pauses once.
    """
    hz = 499_999_993
    rules = CommandDram(model="commands", capacity_bytes=1, part="ddr3-1600", queue_depth=32).refresh(hz)
    # 6,240 cycles of 800 MHz: a gcd of 160
    assert (rules.interval_numerator, rules.interval_denominator) == (39 * hz, 5_000_000)
    began = 5 + 2_000_000_000_000
    pause = 31_199  # 8 x 3,899.99995 cycles
    assert began * 5_000_000 > 1 << 63
    late = (began + pause) * 5_000_000 // (39 * hz) - began * 5_000_000 // (39 * hz)
    assert late == 8
    loaded, _ = engine_batch([(5, 2_000_000_000_000), (50_000, 0)], rules)
    assert loaded == [5, began + 50_000 + late * rules.cycles]


def test_bound_with_refreshes_by_hand() -> None:
    """An interval of 100 cycles, refreshes of 10: 910 cycles of work end by (910 + 10) x 100 / 90, rounded up."""
    assert Refresh(100, 1, 10).bound_cycles(910) == 1023


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 400)), min_size=1, max_size=4),
    st.integers(11, 60), st.integers(1, 10),
)  # fmt: skip
def test_no_batch_takes_longer_than_the_bound(work: list[tuple[int, int]], interval: int, held: int) -> None:
    rules = Refresh(interval, 1, held)
    _, cycles = engine_batch(work, rules)
    assert cycles <= rules.bound_cycles(sum(load + compute for load, compute in work) + COMMAND * len(work))
