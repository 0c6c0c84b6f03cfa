"""What a DRAM's ranks do between transfers (docs/dram.md), against a model that looks at each cycle.

The model labels every cycle of a batch, in fractions where time is one, and shares no code with the kernel.
"""

from fractions import Fraction
from itertools import groupby
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.dram.idle import idle_counts
from simulator.dram.idle_kernel import NEVER, IdleCycles, IdleRules, run_idle_kernel
from simulator.dram.models.bandwidth import BandwidthDram
from simulator.dram.part import load_part
from simulator.dram.power import command_energies

DDR3 = {"model": "bandwidth", "part": "ddr3-1600", "capacity_bytes": 1 << 33,
        "peak_bytes_per_second": 12_800_000_000, "latency_ns": 28, "power_down_after_ns": 100}  # fmt: skip
HZ = 200_000_000  # a cycle of 5 ns: a refresh holds 70 cycles, and one comes due each 1,560


class NaiveBatch:
    """A batch with its transfers at chosen gaps; `labels` has one letter a cycle, `unmade` and `made` are refreshes."""

    def __init__(self, transfers: list[tuple[int, int]], tail: int, rules: IdleRules) -> None:
        self.rules, self.labels = rules, ""
        self.interval = Fraction(rules.interval_numerator, rules.interval_denominator)
        self.made = self.unmade = self.since = 0
        self.starts: list[int] = []
        self.ends: list[int] = []
        for gap, length in transfers:
            self.idle(gap)
            self.starts.append(len(self.labels))
            self.labels += "t" * length
            self.ends.append(len(self.labels))
            self.since = len(self.labels)
            if rules.refreshes_hold:
                owed = self.due(len(self.labels)) - self.made
                self.labels += "r" * (owed * rules.refresh_cycles)
                self.made += owed
        self.idle(tail)

    def due(self, cycle: int) -> int:
        return floor(cycle / self.interval)

    def idle(self, gap: int) -> None:
        begin, end = len(self.labels), len(self.labels) + gap
        enter = max(begin, self.since + self.rules.self_refresh_after)
        leave = end - self.rules.self_refresh_exit
        if leave - enter < self.rules.self_refresh_least:
            self.wait(end)
            return
        self.wait(enter)
        self.labels += "s" * (leave - enter) + "i" * (end - leave)
        self.unmade += self.due(end) - self.made
        self.made = self.due(end)

    def wait(self, end: int) -> None:
        """Label idle cycles: refreshes one cycle after the other, and then sleep within what is left."""
        begin, held = len(self.labels), self.rules.refresh_cycles
        left = min(self.due(end) - self.made, (end - begin) // held)
        cycle = begin
        while cycle < end:
            if left and (self.due(cycle) > self.made or end - cycle == left * held):
                self.labels += "r" * held
                cycle, left, self.made = cycle + held, left - 1, self.made + 1
            else:
                self.labels += "i"
                cycle += 1
        at, told = begin, self.labels[:begin]
        for letter, run in groupby(self.labels[begin:]):
            stretch = "".join(run)
            first, last = (
                max(at, self.since + self.rules.power_down_after),
                at + len(stretch) - self.rules.power_down_exit,
            )
            if letter == "i" and last - first >= self.rules.power_down_least:
                stretch = "i" * (first - at) + "p" * (last - first) + "i" * self.rules.power_down_exit
            told, at = told + stretch, at + len(stretch)
        self.labels = told


def kernel(starts: list[int], ends: list[int], cycles: int, refreshes: int, rules: IdleRules) -> IdleCycles:
    sums = np.zeros(5, np.int64)
    begin, end = np.array(starts, np.int64), np.array(ends, np.int64)
    run_idle_kernel(begin, end, end - begin, cycles, refreshes, rules, sums)
    return IdleCycles(*sums.tolist())


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_every_cycle_equals_the_naive_model(data: st.DataObject) -> None:
    held = data.draw(st.integers(1, 6))
    interval = data.draw(st.fractions(held + 1, 40, max_denominator=9))
    sleeps = data.draw(st.sampled_from([NEVER, 0, 3, 30]))
    rules = IdleRules(
        interval.numerator, interval.denominator, held, data.draw(st.booleans()),
        data.draw(st.sampled_from([NEVER, 0, 1, 5, 60])), data.draw(st.integers(0, 4)), data.draw(st.integers(1, 4)),
        sleeps, held + data.draw(st.integers(0, 4)), data.draw(st.integers(1, 5)),
    )  # fmt: skip
    transfers = data.draw(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), max_size=6))
    naive = NaiveBatch(transfers, data.draw(st.integers(0, 300)), rules)
    refreshes = naive.due(len(naive.labels))
    if rules.refreshes_hold:
        refreshes = naive.made
    found = kernel(naive.starts, naive.ends, len(naive.labels), refreshes, rules)
    counted = [naive.labels.count(letter) for letter in "irps"]
    assert found == (*counted, naive.unmade)


def test_an_idle_minute_by_hand() -> None:
    """The first 100 ns stand by; then power-down, which ends 24 ns before each refresh of 350 ns and before the end.

    In cycles of 5 ns: 20 until power-down, 5 of its exit, 70 of a refresh. A minute has 12 10^9 cycles, and
    60 s / 7.8 us = 7,692,307.7 refreshes.
    """
    cycles, none = 60 * HZ, np.zeros(0, np.int64)
    dram = BandwidthDram.model_validate(DDR3)
    counts = idle_counts(dram, HZ, none, none, none, batch_cycles=cycles, made=None)
    refreshes = 7_692_307
    assert counts.dram_refreshes == refreshes
    assert counts.dram_active_rank_cycles == 70 * refreshes
    assert counts.dram_standby_rank_cycles == 20 + 5 * (refreshes + 1)
    assert counts.dram_power_down_rank_cycles == cycles - 70 * refreshes - 20 - 5 * (refreshes + 1)
    # eight devices of 1.35 V: 119 mW in power-down, 94 mW for refreshes and 25 mW (51 mA for 350 ns of 7.8 us)
    watts = {
        "power_down": 8 * 1.35 * 0.011, "standby": 8 * 1.35 * 0.036, "active": 8 * 1.35 * 0.051,
    }  # fmt: skip
    for state, power in watts.items():
        each = dram.energy_pj(f"{state}_rank_cycle", HZ)  # type: ignore[arg-type]
        assert each == pytest.approx(power * 5e-9 * 1e12)
    each = dram.energy_pj("refresh", HZ)
    assert each is not None
    assert refreshes * each * 1e-12 / 60 == pytest.approx(0.094, rel=0.01)


@pytest.mark.parametrize(("gap", "asleep"), [(20, 0), (28, 0), (29, 4), (100, 75), (1000, 975)])
def test_a_transfer_each_so_many_cycles(gap: int, asleep: int) -> None:
    """Power-down begins after 20 cycles, lasts at least 4 here, and its exit takes 5: a gap of 29 is the shortest."""
    rules = BandwidthDram.model_validate(DDR3).idle_rules(HZ)
    assert rules is not None
    assert (rules.power_down_after, rules.power_down_exit, rules.power_down_least) == (20, 5, 1)
    patient = rules._replace(power_down_least=4, interval_numerator=10**9)
    starts = [n * (gap + 10) for n in range(1, 11)]
    found = kernel(starts, [start + 10 for start in starts], starts[-1] + 10, 0, patient)
    # the first gap is 10 longer: it has no transfer before it
    first = gap + 10 - 25 if gap + 10 - 25 >= 4 else 0
    assert found.power_down == first + 9 * asleep
    assert found.standby == gap + 10 + 9 * gap - found.power_down


def test_a_busy_channel_refreshes_in_the_time_of_transfers() -> None:
    """A transfer of 1 ms leaves no idle cycle: 128 refreshes come due, and none of them has a cycle of its own."""
    dram = BandwidthDram.model_validate(DDR3)
    whole = np.array([HZ // 1000], np.int64)
    counts = idle_counts(dram, HZ, whole * 0, whole, whole, batch_cycles=HZ // 1000, made=None)
    assert counts.dram_refreshes == 128
    assert (counts.dram_active_rank_cycles, counts.dram_standby_rank_cycles) == (0, 0)


def test_self_refresh_makes_its_own_refreshes() -> None:
    """After 1 us a gap of 1 ms is in self-refresh, but for its exit, 360 ns or 72 cycles; no refresh is a command."""
    dram = BandwidthDram.model_validate(DDR3 | {"self_refresh_after_ns": 1000})
    none = np.zeros(0, np.int64)
    counts = idle_counts(dram, HZ, none, none, none, batch_cycles=HZ // 1000, made=None)
    assert counts.dram_refreshes == 0
    assert counts.dram_self_refresh_rank_cycles == 200_000 - 200 - 72
    assert counts.dram_power_down_rank_cycles == 200 - 20 - 5
    assert dram.energy_pj("self_refresh_rank_cycle", HZ) == pytest.approx(8 * 1.35 * 0.024 * 5e-9 * 1e12)


def test_parts_side_by_side() -> None:
    """Twice the peak needs two channels of DDR3-1600, three times the capacity three ranks' worth: the larger wins."""
    one = BandwidthDram.model_validate(DDR3)
    wide = BandwidthDram.model_validate(DDR3 | {"peak_bytes_per_second": 25_600_000_000})
    large = BandwidthDram.model_validate(DDR3 | {"capacity_bytes": 3 << 33})
    assert [dram.ranks for dram in (one, wide, large)] == [1, 2, 3]
    refresh = [dram.energy_pj("refresh", HZ) for dram in (one, wide, large)]
    each = command_energies(load_part("ddr3-1600")).refresh_pj
    assert refresh == pytest.approx([each, 2 * each, 3 * each])
    assert wide.energy_pj("read", HZ) == one.energy_pj("read", HZ)
