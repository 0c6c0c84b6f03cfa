"""Transfers of tiles: equal to the command kernel to the cycle, whatever short cut was taken; cut for refresh."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kernel_functions import called_by_a_kernel
from naive_dram import odd_part

from dataflows.plans.transfers import Transfers
from dataflows.plans.transfers import contiguous as in_one_piece
from simulator.dram import transfer_time
from simulator.dram.models.commands import CommandDram
from simulator.dram.part import DramPart, load_part
from simulator.dram.refresh import Refresh
from simulator.dram.transfer_periods import Pattern, period_of
from simulator.dram.transfer_time import (
    TransferPattern,
    contiguous,
    cut_memory_cycles,
    cut_times,
    cut_transfer,
    transfer_memory_cycles,
    transfer_times,
)
from simulator.testing.transfers import bursts_of, by_kernel, check_transfer, from_scratch
from workloads.foundation.errors import InputError
from workloads.foundation.shipped import shipped_names

DDR3, DDR4, LPDDR4 = (load_part(name) for name in ("ddr3-1600", "ddr4-2400", "lpddr4-3200"))


def variant(part: DramPart, ranks: int, order: tuple[str, ...]) -> DramPart:
    data = part.model_dump()
    data["organization"]["ranks"] = ranks
    data["address_order"] = order
    return DramPart.model_validate(data)


def with_times(part: DramPart, **cycles: int) -> DramPart:
    data = part.model_dump()
    data["timing_cycles"] |= cycles
    return DramPart.model_validate(data)


PARTS = [
    *map(load_part, shipped_names("configs/dram")), variant(DDR3, 2, DDR3.address_order),
    variant(DDR4, 1, ("row", "bank", "bank_group", "rank", "column")),
]  # fmt: skip


PARTS += [odd_part(seed) for seed in range(40)]


@st.composite
def patterns(draw: st.DrawFn, most: int = 12_000) -> tuple[DramPart, TransferPattern, int]:
    part, write, depth = draw(st.sampled_from(PARTS)), draw(st.booleans()), draw(st.sampled_from([32, 32, 32, 1, 2, 5]))
    row, burst = part.row_bytes, part.burst_bytes
    kind = draw(st.sampled_from(["run", "short", "rows", "same bank", "aligned"]))
    if kind == "run":
        pattern = contiguous(draw(st.integers(1, 40 * row)), write)
    elif kind == "short":
        size = draw(st.integers(1, 500))
        pattern = TransferPattern(draw(st.integers(1, 400)), size, size + draw(st.integers(0, 2000)), write)
    elif kind == "rows":
        size = draw(st.integers(1, 2 * row))
        pattern = TransferPattern(draw(st.integers(1, 100)), size, size + draw(st.integers(0, row)), write)
    elif kind == "same bank":
        stride = row * draw(st.integers(1, 20))
        pattern = TransferPattern(draw(st.integers(1, 400)), draw(st.integers(1, min(stride, 2000))), stride, write)
    else:
        stride = burst * 2 ** draw(st.integers(0, 8))
        pattern = TransferPattern(draw(st.integers(1, 1500)), draw(st.integers(1, stride)), stride, write)
    bursts = pattern.segments * (pattern.segment_bytes // burst + 2)
    if bursts > most:
        keep = max(1, most // (pattern.segment_bytes // burst + 2))
        pattern = TransferPattern(keep, min(pattern.segment_bytes, most * burst), pattern.stride_bytes, write)
    return part, pattern, depth


@given(patterns())
@settings(max_examples=300, deadline=None)
@example((DDR3, contiguous(4 << 20), 32))
@example((DDR4, contiguous((4 << 20) - 1, True), 32))
@example((LPDDR4, contiguous(2 << 20), 32))
@example((DDR3, TransferPattern(512, 112, 224 * 3), 32))
@example((DDR4, TransferPattern(2048, 64, 128 * 1024), 32))
@example((DDR4, TransferPattern(2, 33 * 64, 32 * 1024), 5))  # who waits, and in which order, after a long run
@example((with_times(DDR3, CL=40), contiguous(40 * 16_384), 1))  # the last word comes after all rows are closed
@example((load_part("hbm2e-3200"), TransferPattern(23, 1378, 1638), 2))  # a queue of fewer bursts than bank groups
@example((load_part("hbm2e-3200"), TransferPattern(2, 200, 712), 2))  # a run is over before its row may close
@example((with_times(DDR4, RAS=400), contiguous(16 * 64), 5))
def test_equal_to_the_command_kernel(case: tuple[DramPart, TransferPattern, int]) -> None:
    check_transfer(*case)


@pytest.mark.long
@given(patterns(60_000))
@settings(max_examples=10_000, deadline=None)
def test_equal_to_the_command_kernel_long(case: tuple[DramPart, TransferPattern, int]) -> None:
    check_transfer(*case)


def test_by_hand() -> None:
    """One row: RCD, bursts 4 apart, RTP, RP. Rows after each other in other banks: as one run of bursts."""
    for rows in (1, 2, 8, 9, 256):
        cycles, activates = transfer_memory_cycles(DDR3, contiguous(rows * 16_384))
        assert (cycles, activates) == (11 + (rows * 256 - 1) * 4 + 6 + 11, rows)
    # written: the last word 8 + 4 after the last write, then WR and RP
    assert transfer_memory_cycles(DDR3, contiguous(16_384, True)) == (11 + 255 * 4 + 8 + 4 + 12 + 11, 1)
    # a burst a row of one bank: tRC = 39 from activate to activate
    assert transfer_memory_cycles(DDR3, TransferPattern(100, 64, 131_072)) == (100 * 39, 100)
    # a burst a row, bank after bank: four activates in 32; the last group starts at 24 x 32, its fourth 18 later
    assert transfer_memory_cycles(DDR3, TransferPattern(100, 64, 16_384)) == (24 * 32 + 18 + 28 + 11, 100)
    assert transfer_memory_cycles(DDR3, TransferPattern(0, 64, 64)) == (0, 0)
    assert transfer_memory_cycles(DDR3, contiguous(0)) == (0, 0)


def test_segments_that_touch_are_one() -> None:
    assert transfer_memory_cycles(DDR3, TransferPattern(100, 1000, 1000)) == transfer_memory_cycles(
        DDR3, contiguous(100_000)
    )


def test_one_segment_needs_no_stride() -> None:
    """A read: RCD, RAS and RP; a burst of 64 bytes. Nothing is moved twice or left out."""
    assert TransferPattern(1, 64, 0).contiguous
    assert transfer_memory_cycles(DDR3, TransferPattern(1, 64, 0)) == (28 + 11, 1)
    times = transfer_times(DDR3, [1, 0], 64, 0, False)
    assert (times.cycles.tolist(), times.activates.tolist(), times.bursts.tolist()) == ([39, 0], [1, 0], [1, 0])


@given(st.lists(patterns(500), min_size=1, max_size=20), st.sampled_from([1 << 18, 4, 16]))
@settings(max_examples=20, deadline=None)
def test_many_at_once(cases: list[tuple[DramPart, TransferPattern, int]], places: int) -> None:
    """Each as by itself, from scratch, in whatever order they come and however soon the table is full."""
    some = [pattern for _, pattern, _ in cases] * 2
    columns = [
        np.array([getattr(pattern, name) for pattern in some])
        for name in ("segments", "segment_bytes", "stride_bytes", "write")
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer_time, "TABLE_PLACES", places)
        transfer_time.memory_of.cache_clear()
        times = transfer_times(DDR4, *columns)
    transfer_time.memory_of.cache_clear()
    for i, pattern in enumerate(some):
        assert (times.cycles[i], times.activates[i], times.bursts[i]) == from_scratch(DDR4, pattern, 32, True)
        assert times.bursts[i] == len(bursts_of(DDR4, pattern))


LIMIT = 8 * 6240


@pytest.mark.parametrize(
    "pattern",
    [
        contiguous(4 << 20), contiguous((1 << 24) + 5, True), TransferPattern(3000, 64, 131_072, True),
        TransferPattern(3, 2 << 20, 3 << 20), TransferPattern(7, 700_000, 800_000),
    ],
)  # fmt: skip
def test_cut_pieces_fit_and_move_all(pattern: TransferPattern) -> None:
    pieces = cut_transfer(DDR3, pattern)
    times = [by_kernel(DDR3, piece) for piece in pieces]
    assert len(pieces) > 1
    assert max(cycles for cycles, _, _ in times) <= LIMIT
    assert sum(piece.moved_bytes for piece in pieces) == pattern.moved_bytes
    assert {piece.write for piece in pieces} == {pattern.write}
    cycles, activates, _ = (sum(each) for each in zip(*times, strict=True))
    assert cut_memory_cycles(DDR3, pattern) == (cycles, activates, len(pieces))
    batch = cut_times(DDR3, [pattern.segments], pattern.segment_bytes, pattern.stride_bytes, pattern.write)
    assert (batch.cycles[0], batch.activates[0]) == (cycles, activates)


def test_cut_by_hand() -> None:
    """256 rows take 262,168 cycles, more than five times 49,920: six pieces of 43 rows, the last of 41."""
    rows = 16_384
    assert cut_transfer(DDR3, contiguous(256 * rows)) == (*[contiguous(43 * rows)] * 5, contiguous(41 * rows))
    assert cut_memory_cycles(DDR3, contiguous(256 * rows)) == (256 * 1024 + 6 * 24, 256, 6)
    assert cut_transfer(DDR3, contiguous(48 * rows)) == (contiguous(48 * rows),)  # 49,176 cycles


def test_cut_at_rows_of_all_bank_groups_by_hand() -> None:
    """DDR4: a row of 8 KiB in each of four groups, 512 bursts of 4 cycles; a piece takes at most 8 x 9,360 cycles.

    250 such rows take 16 + 127,999 x 4 + 9 + 16 = 512,037 cycles, more than six times 74,880: seven pieces of 36 rows,
    73,728 cycles and some, the last of 34.
    """
    rows = 4 * 8_192
    assert cut_transfer(DDR4, contiguous(250 * rows)) == (*[contiguous(36 * rows)] * 6, contiguous(34 * rows))


def commands(part: str = "ddr3-1600") -> CommandDram:
    return CommandDram(model="commands", part=part, capacity_bytes=2**30, queue_depth=32)


def as_transfers(pattern: TransferPattern) -> Transfers:
    """One transfer of one pattern, as plans hold them."""
    columns = (pattern.segments, pattern.segment_bytes, pattern.stride_bytes)
    return Transfers(*(np.array([[number]]) for number in columns), pattern.write)


def test_in_cycles_of_the_arrays() -> None:
    """800 MHz to 200 MHz: a quarter, rounded up once a transfer. A row takes 1048 cycles: 24 beyond its bursts."""
    dram = commands()
    reads = in_one_piece(np.array([0, 1, 64, 16_384, 256 * 16_384]), write=False)
    assert dram.transfer_cycles(reads, 200_000_000).tolist() == [0, 10, 10, 262, (256 * 1024 + 6 * 24) // 4]
    one_bank = as_transfers(TransferPattern(100, 64, 131_072))
    assert dram.transfer_cycles(one_bank, 200_000_000).tolist() == [975]
    assert dram.costs([one_bank], 10**9)[0][1].tolist() == [100]
    assert dram.refresh(200_000_000) == Refresh(1560, 1, 70)
    assert commands("ddr4-2400").refresh(700_000_000) == Refresh(5460, 1, 245)
    assert dram.refresh(333_000_000) == Refresh(12_987, 5, 117)  # 6240 x 333 / 800; 280 x 333 / 800 = 116.55


@pytest.mark.parametrize("frequency_hz", [10**12 - 11, 10**11 - 23])
def test_cycles_of_a_fast_clock_are_exact(frequency_hz: int) -> None:
    """A prime frequency and 4 GiB: cycles times hertz are beyond 64 bits, though the result is not."""
    dram, size = commands(), 1 << 32
    memory_cycles, _, _ = cut_memory_cycles(DDR3, contiguous(size))
    assert memory_cycles * frequency_hz > 2**64
    expected = -(-memory_cycles * frequency_hz // 800_000_000)
    assert dram.transfer_cycles(in_one_piece(np.array([0, size]), write=False), frequency_hz).tolist() == [0, expected]


@given(patterns(2000))
@settings(max_examples=60, deadline=None)
def test_bound_from_above(case: tuple[DramPart, TransferPattern, int]) -> None:
    _, pattern, _ = case
    dram = commands()
    cycles = int(dram.transfer_cycles(as_transfers(pattern), 200_000_000)[0])
    assert cycles <= dram.bound_cycles(pattern.moved_bytes, 1, 200_000_000)


def test_channels_share_every_segment(tmp_path: Path) -> None:
    """Two channels take as long for twice the bytes as one."""
    data = DDR3.model_dump(mode="json")
    data["organization"]["channels"] = 2
    path = tmp_path / "two.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    one, two = commands(), commands(str(path))
    assert (two.memory.capacity_bytes, two.memory.peak_bytes_per_second) == (2**34, 25_600_000_000)
    pattern, double = as_transfers(TransferPattern(9, 500, 1001)), as_transfers(TransferPattern(9, 1000, 2002))
    assert two.transfer_cycles(double, 800_000_000) == one.transfer_cycles(pattern, 800_000_000)
    assert two.costs([double], 10**9)[0][1] == 2 * one.costs([pattern], 10**9)[0][1]
    assert two.transfer_cycles(in_one_piece(np.array([99_999]), write=False), 10**9) == one.transfer_cycles(
        in_one_piece(np.array([50_000]), write=False), 10**9
    )


@pytest.mark.parametrize(
    "bad",
    [
        lambda: TransferPattern(-1, 64, 64),
        lambda: TransferPattern(2, 65, 64),
        lambda: transfer_memory_cycles(LPDDR4, contiguous(2**30 + 1)),
        lambda: transfer_times(LPDDR4, 2, 1, 2**30, False),
        lambda: transfer_times(LPDDR4, 2, 65, 64, False),
        lambda: transfer_times(LPDDR4, -1, 65, 64, False),
    ],
)
def test_bad_patterns(bad: object) -> None:
    with pytest.raises(InputError):
        bad()  # type: ignore[operator]


def test_no_period_where_its_segments_reach_beyond_64_bits() -> None:
    """Rows of 2^20 bursts in 16 groups, 64 banks and 8 ranks, and an odd stride: only 2^39 segments come to a row."""
    names = ("column_extent", "bank_groups", "banks", "ranks")
    channel = np.array((2**20, 16, 64, 8), dtype=[(name, np.int64) for name in names])[()]
    found = called_by_a_kernel(period_of)(
        Pattern(1000, 64, 2**50 + 1, 6), channel, True
    )  # 2^39 (2^50 + 1) bytes are 2^39 modulo 2^64
    assert (found.segments, found.bursts) == (0, 0)
