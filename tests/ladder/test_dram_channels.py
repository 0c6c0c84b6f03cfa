"""Several channels with interleaved addresses: against channels that are dealt their segments one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_dram import dealt, naive_transfer

from dataflows.plans.transfers import TransferChoices, Transfers, contiguous, together
from simulator.dram.models.bandwidth import BandwidthDram
from simulator.dram.models.commands import CommandDram
from simulator.dram.part import load_part
from simulator.machine.spec_loading import load_accelerator
from workloads.foundation.errors import InputError

HBM = ("hbm2e-3200", "hbm3-6400")


def memory(part: str, channels: int, block: int | None) -> CommandDram:
    keys = {"channels": channels} | ({} if block is None else {"interleave_bytes": block})
    return CommandDram(model="commands", part=part, queue_depth=32, capacity_bytes=1 << 20, organization=keys)


def one(segments: int, size: int, stride: int, write: bool) -> Transfers:
    return Transfers(*(np.array([[number]]) for number in (segments, size, stride)), write)


@given(
    st.sampled_from(HBM), st.integers(1, 7), st.sampled_from([32, 64, 256]), st.integers(1, 12), st.integers(1, 700),
    st.integers(0, 2000), st.booleans(),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_a_transfer_takes_as_long_as_its_busiest_channel(
    part: str, channels: int, block: int, segments: int, size: int, gap: int, write: bool
) -> None:
    dram = memory(part, channels, block)
    found = dram._times(one(segments, size, size + gap, write))[0].cycles
    assert int(found[0, 0]) == naive_transfer(dram.memory, segments, size, size + gap, write)


@given(st.integers(1, 3), st.lists(st.tuples(st.integers(0, 6), st.integers(1, 400)), min_size=4, max_size=4))
@settings(max_examples=25, deadline=None)
def test_a_choice_of_patterns_takes_what_they_take(channels: int, patterns: list[tuple[int, int]]) -> None:
    """Two loads of two patterns, and as many stores, on an array at the memory's clock: nothing, each, and both."""
    dram = memory("hbm2e-3200", channels, 64)
    choices, asked, expected = np.array([[0, 1, 0, 1], [0, 0, 1, 1]]) > 0, [], []
    for write in (False, True):
        segments, size = (np.array(column).reshape(2, 2) for column in zip(*patterns, strict=True))
        asked.append(TransferChoices(Transfers(segments, size, size + 64, write), choices))
        times = [naive_transfer(dram.memory, count, each, each + 64, write) if count else 0 for count, each in patterns]
        expected.append([cycles for a, b in zip(times[:2], times[2:], strict=True) for cycles in (0, a, b, a + b)])
    found = dram.costs_of_choices(asked, dram.memory.clock_hz)
    assert [cycles.tolist() for cycles, _ in found] == expected
    each_alone = [dram.transfer_cycles(one.one_by_one(), dram.memory.clock_hz).tolist() for one in asked]
    assert each_alone == expected


@given(st.sampled_from([1, 2, 4]), st.none() | st.sampled_from([64, 256]), st.booleans(), st.data())
@settings(max_examples=30, deadline=None)
def test_transfers_asked_together_cost_what_each_does(
    channels: int, block: int | None, known: bool, data: st.DataObject
) -> None:
    """Of a bandwidth: with other choices and numbers of patterns beside it, a transfer takes what it takes alone."""
    part = {"part": "ddr4-3200"} if known else {}
    dram = BandwidthDram.model_validate({
        "model": "bandwidth", "capacity_bytes": 1 << 30, "peak_bytes_per_second": 10**9, "latency_ns": 7,
        "channels": channels, "interleave_bytes": block, **part,
    })  # fmt: skip
    all_choices = (np.array([[True]]), np.array([[False, True, False, True], [False, False, True, True]]))
    pattern, asked = st.tuples(st.integers(0, 5), st.integers(1, 20_000), st.sampled_from([0, 64, 9_000])), []
    for at in data.draw(st.lists(st.integers(0, 1), min_size=1, max_size=5)):
        count, choices = data.draw(st.integers(1, 3)), all_choices[at]
        columns = np.array([data.draw(pattern) for _ in range(len(choices) * count)]).T.reshape(3, -1, count)
        asked.append(TransferChoices(Transfers(columns[0], columns[1], columns[1] + columns[2], False), choices))
    for one, (cycles, rows) in zip(asked, dram.costs_of_choices(asked, 10**9), strict=True):
        expected = []
        for transfer in range(len(one.transfers)):
            for choice in one.choices.T:
                columns = (one.transfers.segments, one.transfers.segment_bytes, one.transfers.stride_bytes)
                own = [Transfers(*(c[p : p + 1, transfer : transfer + 1] for c in columns), False)
                       for p in np.flatnonzero(choice)]  # fmt: skip
                taken = dram.transfer_cycles(together(own, False), 10**9).tolist() if own else [0]
                expected.append((*taken, sum(int(dram.costs([each], 10**9)[0][1][0]) for each in own)))
        assert list(zip(cycles.tolist(), rows.tolist(), strict=True)) == expected


@pytest.mark.parametrize(("part", "stacks", "published"), [("hbm3-6400", 2, 1.638e12), ("hbm2e-3200", 1, 409.6e9)])
def test_a_long_run_comes_near_the_published_bandwidth(part: str, stacks: int, published: float) -> None:
    """Two stacks of HBM3 have the 1,638 GB/s of TPU v6e; 64 MB take what they need at the peak, and some 100 ns."""
    dram = memory(part, stacks * load_part(part).organization.channels, None)
    assert dram.bytes_per_second == pytest.approx(published, rel=1e-3)
    bytes_moved = 64 << 20
    cycles = int(dram.transfer_cycles(contiguous(np.array([bytes_moved]), False), 1_000_000_000)[0])
    assert bytes_moved / published * 1e9 <= cycles <= bytes_moved / published * 1e9 * 1.01 + 100


def test_short_segments_are_moved_side_by_side() -> None:
    """64 segments of a block: one on each of 64 channels, as long as one; 65 segments are two on a channel."""
    dram = memory("hbm3-6400", 64, 256)
    single, all_, more = (int(dram._times(one(n, 256, 8192, False))[0].cycles[0, 0]) for n in (1, 64, 65))
    assert single == all_ < more


@pytest.mark.parametrize("channels", [1, 3])
def test_every_channel_opens_its_own_rows(channels: int) -> None:
    """Transfers of two rows of 16,384 bytes a channel, and of one; each is left out, then moved."""
    dram, bytes_moved = memory("ddr3-1600", channels, 64), np.array([[channels * 32_768, channels * 16_384]])
    moved = Transfers(np.array([[1, 1]]), bytes_moved, bytes_moved, False)
    ((_, rows),) = dram.costs_of_choices([TransferChoices(moved, np.array([[False, True]]))], 10**9)
    assert rows.tolist() == [0, 2 * channels, 0, channels]


def test_a_block_is_whole_bursts() -> None:
    given_keys = {"dram.model": "commands", "dram.part": "hbm3-6400", "dram.organization.interleave_bytes": 48}
    with pytest.raises(InputError, match="interleave_bytes: is 48 for bursts of 32 bytes"):
        load_accelerator(overrides=given_keys)


@given(
    st.integers(1, 9), st.sampled_from([64, 256]), st.integers(0, 40), st.integers(1, 5000), st.integers(0, 9000),
    st.integers(0, 200),
)  # fmt: skip
def test_the_bandwidth_model_moves_what_its_busiest_channel_holds(
    channels: int, block: int, segments: int, size: int, gap: int, latency: int
) -> None:
    """Bytes are dealt out as naively; a channel has its share of the peak."""
    keys = {"dram.peak_bytes_per_second": 1_000_000_000, "dram.latency_ns": latency,
            "dram.channels": channels, "dram.interleave_bytes": block}  # fmt: skip
    dram = load_accelerator(overrides=keys).dram
    part = memory("hbm3-6400", channels, block).memory
    pieces = dealt(part, segments, size, size + gap) if channels > 1 else [[(0, size)] * segments]
    busiest = max(sum(count for _, count in one) for one in pieces)
    moved = one(segments, size, size + gap, False)
    expected = busiest * channels + latency if busiest else 0
    assert int(dram.transfer_cycles(moved, 1_000_000_000)[0]) == expected
    assert expected <= dram.bound_cycles(segments * size, 1, 1_000_000_000)
    assert (dram.rate(10**9) is None) == (channels > 1)


@pytest.mark.parametrize("keys", [["dram.part=null"], ["dram.model=bandwidth"], ["dram.model=commands"]])
def test_a_batch_whose_plans_are_all_known_asks_for_nothing(keys: list[str]) -> None:
    assert load_accelerator(overrides=keys).dram.costs([], 10**9) == []
