"""A wider port, a faster DRAM, a larger buffer: what they may cost, and where arbitration makes them cost something."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.actions import ActionCounts
from dataflows.plans.plan import Plan
from dataflows.plans.transfers import contiguous
from simulator.dram.models.bandwidth import BandwidthDram
from simulator.engine.batch import run_batch
from simulator.engine.work import StepWork
from simulator.machine.spec_loading import load_accelerator
from simulator.phases.design import Step, Task
from simulator.run.simulation import simulate
from workloads.trace import load_trace

GROWING = {
    "dram.peak_bytes_per_second": ["3200000000", "12800000000", "25600000000"],
    "dram.latency_ns": ["100", "28", "5"],
    "global_buffer.bank_bytes": ["20000", "57024", "228096"],
    "global_buffer.bank_port_bytes": ["1", "8", "64"],
    "array.weight_port_words_per_cycle": ["6", "12", "180"],
    "array.input_port_words_per_cycle": ["6", "12", "24"],
    "array.output_port_words_per_cycle": ["8", "15", "30"],
}


@pytest.mark.parametrize("dataflow", ["ws", "is", "os", "rs"])
@pytest.mark.parametrize("key", GROWING)
def test_a_better_machine_is_not_slower(key: str, dataflow: str) -> None:
    """Within the slack that tiles of fewer bytes may take (tiling_slack_percent: 2)."""
    trace = load_trace("digits-cnn")
    for design in ("baseline", "max"):
        cycles = [
            simulate(trace, load_accelerator(design=design, dataflow=dataflow, overrides=[f"{key}={value}"]))
            .runs[0].total_cycles for value in GROWING[key]
        ]  # fmt: skip
        for worse, better in pairwise(cycles):
            assert better <= worse * 1.02


def one_array(tiles: list[tuple[int, int, int]], bytes_per_cycle: int) -> int:
    """Return the cycles of one plan, tiles given as load bytes, store bytes and streaming cycles."""
    loads, stores, stream = (np.array(column, np.int64) for column in zip(*tiles, strict=True))
    plan = Plan(
        contiguous(loads, write=False), contiguous(stores, write=True), stream, stream * 0, 2, 3, ActionCounts()
    )
    dram = BandwidthDram(
        model="bandwidth", capacity_bytes=1, peak_bytes_per_second=bytes_per_cycle * 10**9, latency_ns=0
    )
    return run_batch([Step((Task(0, "forward"),))], [[StepWork((plan,))]], dram, 10**9).cycles


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.just(0), st.integers(0, 20)), min_size=1, max_size=8), st.integers(1, 4)
)
def test_tiles_that_only_load_are_not_slower_on_a_faster_channel(tiles: list[tuple[int, int, int]], rate: int) -> None:
    assert one_array(tiles, rate + 1) <= one_array(tiles, rate)


# Found by a search over small plans: tiles of (load bytes, store bytes, streaming cycles).
ANOMALY = [(0, 1, 3), (4, 1, 2), (0, 0, 7), (3, 0, 2)]


def test_a_faster_channel_may_be_slower_where_a_store_comes_first() -> None:
    """The channel serves whoever asked first: a store that is ready sooner delays a load that more depends on."""
    slower, faster = one_array(ANOMALY, 1), one_array(ANOMALY, 2)
    assert (slower, faster) == (21, 22)
