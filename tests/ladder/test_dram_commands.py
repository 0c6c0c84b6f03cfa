"""The DRAM command kernel against other simulators, arithmetic by hand, and a model that goes cycle by cycle."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive_dram import KINDS, NaiveChannel, odd_part

from simulator.dram.command_kernel import ISSUED, StreamResult, simulate_stream
from simulator.dram.part import DramPart, load_part
from simulator.dram.power import command_energies, stream_energy
from simulator.dram.request_trace import write_dramsim3_trace, write_ramulator2_trace
from workloads.foundation.errors import InputError
from workloads.foundation.shipped import shipped_names

DDR3, DDR4, LPDDR4 = (load_part(name) for name in ("ddr3-1600", "ddr4-2400", "lpddr4-3200"))
DDR4_3200 = load_part("ddr4-3200")
GIB = 2**30

# Memory cycles of DRAMsim3 and of Ramulator 2.1, and energy in pJ a bit; docs/dram.md has the part and the streams.
SEQUENTIAL_CYCLES, SEQUENTIAL_ENERGY = (841_311, 840_653), 14.4
RANDOM_CYCLES, RANDOM_ENERGY = (422_128, 420_517), 41.8


def changed(part: DramPart, **changes: dict[str, Any]) -> DramPart:
    """Return a part with some numbers changed, checked again."""
    data = part.model_dump()
    for section, values in changes.items():
        data[section] = {**data[section], **values} if isinstance(values, dict) else values
    return DramPart.model_validate(data)


def sequential() -> StreamResult:
    return simulate_stream(DDR3, np.arange(200_000) * 64)


def random_reads(seed: int) -> StreamResult:
    return simulate_stream(DDR3, np.random.default_rng(seed).integers(0, 8 * GIB // 64, 50_000) * 64)


def picojoules_a_bit(result: StreamResult) -> float:
    return stream_energy(DDR3, result).total_pj / (result.reads * 512)


def test_part_of_the_oracle() -> None:
    parts, t = DDR3.organization, DDR3.timing_cycles
    assert (parts.banks, parts.rows, parts.columns, parts.device_width_bits, parts.ranks) == (8, 65_536, 2_048, 8, 1)
    assert (DDR3.row_bytes, DDR3.capacity_bytes, DDR3.burst_bytes) == (16_384, 8 * GIB, 64)
    assert (t.CL, t.CWL, t.RCD, t.RP, t.RAS, t.RFC, t.REFI) == (11, 8, 11, 11, 28, 280, 6240)
    assert (t.RRD_S, t.WTR_S, t.FAW, t.WR, t.RTP, t.CCD_S) == (6, 6, 32, 12, 6, 4)


@pytest.mark.parametrize("oracle", SEQUENTIAL_CYCLES)
def test_sequential_reads_against_other_simulators(oracle: int) -> None:
    assert sequential().cycles == pytest.approx(oracle, rel=0.02)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("oracle", RANDOM_CYCLES)
def test_random_reads_against_other_simulators(oracle: int, seed: int) -> None:
    assert random_reads(seed).cycles == pytest.approx(oracle, rel=0.02)


def test_energy_against_the_oracle() -> None:
    assert picojoules_a_bit(sequential()) == pytest.approx(SEQUENTIAL_ENERGY, rel=0.1)
    assert picojoules_a_bit(random_reads(0)) == pytest.approx(RANDOM_ENERGY, rel=0.1)


# DRAMsim3 at commit 29817593 (DDR3_8Gb_x8_1600.ini with tREFI 6240, 8192 MB, 32 transactions), 10,000
# requests from cycle 0 on; cycles until all but 9 are issued (it keeps up to 8 writes back for good).
DRAMSIM3 = {
    "sequential writes": (np.arange(10_000) * 64, True, 41_930),
    "every second burst": (np.arange(10_000) * 128, False, 41_838),
    "a burst a KiB": (np.arange(10_000) * 1024, False, 41_857),
    "a burst a row, bank after bank": (np.arange(10_000) * 16_384, False, 84_082),
    "a burst a row, one bank": (np.arange(10_000) * 131_072, False, 408_544),
    "writes, a burst each 4 KiB": (np.arange(10_000) * 4096, True, 43_029),
}


@pytest.mark.parametrize("name", DRAMSIM3)
def test_other_streams_against_dramsim3(name: str) -> None:
    addresses, write, oracle = DRAMSIM3[name]
    assert simulate_stream(DDR3, addresses, write).cycles == pytest.approx(oracle, rel=0.03)


ROW = 8 * 16_384  # the same bank's next row
RANK = 8 * 16_384  # of two ranks: the first bank of the second
# Two ranks, and gaps of 5 between ranks and 7 from read to write, so that none hides another.
TWO_RANKS = changed(DDR3, organization={"ranks": 2}, timing_cycles={"RANK_SWITCH_GAP": 5, "READ_TO_WRITE_GAP": 2})
WIDE_TURN = changed(TWO_RANKS, timing_cycles={"RANK_SWITCH_GAP": 1, "READ_TO_WRITE_GAP": 7})
BY_HAND = [
    # part, (address, write, arrival)..., cycles
    ("read: ACT 0, RD 11, words 22 to 26", DDR3, [(0, 0, 0)], 26),
    ("write: ACT 0, WR 11, words 19 to 23", DDR3, [(0, 1, 0)], 23),
    ("second read of the row after CCD", DDR3, [(0, 0, 0), (64, 0, 0)], 30),
    ("other row: PRE 28 after RAS, ACT 39, RD 50", DDR3, [(0, 0, 0), (ROW, 0, 0)], 65),
    ("other row after a write: PRE 11 + 8 + 4 + 12 = 35, ACT 46, WR 57", DDR3, [(0, 1, 0), (ROW, 1, 0)], 69),
    ("write then read: RD 11 + 8 + 4 + 6 = 29", DDR3, [(0, 1, 0), (64, 0, 20)], 44),
    ("read then write: WR 11 + 11 + 4 + 2 - 8 = 20", DDR3, [(0, 0, 0), (64, 1, 12)], 32),
    ("other bank: ACT 6", DDR3, [(0, 0, 0), (16_384, 0, 0)], 32),
    ("fifth bank: ACT 32 after FAW", DDR3, [(bank * 16_384, 0, 0) for bank in range(5)], 58),
    ("refresh 6240, ACT 6520, RD 6531", DDR3, [(0, 0, 6240)], 6546),
    ("open row at a refresh: PREA 6240, REF 6251, ACT 6531", DDR3, [(0, 0, 0), (64, 0, 6240)], 6557),
    ("groups alternate: ACT 0 4 8 12, RD 16 to 44 after CCD_S", DDR4, [(i * 64, 0, 0) for i in range(8)], 64),
    ("one group: RD 16, 22 after CCD_L", DDR4, [(0, 0, 0), (256, 0, 0)], 42),
    ("groups alternate: ACT 0 4 8 12, RD 22 to 50", DDR4_3200, [(i * 64, 0, 0) for i in range(8)], 76),
    ("one group: RD 22, 30 after CCD_L", DDR4_3200, [(0, 0, 0), (256, 0, 0)], 56),
    (
        "fifth bank: FAW 34, but the fourth RD goes first, so ACT 35, RD 57",
        DDR4_3200,
        [(at, 0, 0) for at in (0, 64, 128, 192, 32_768)],
        83,
    ),
    ("read, read of another rank: ACT 0 and 1, RD 11 and 11 + 4 + 5 = 20", TWO_RANKS, [(0, 0, 0), (RANK, 0, 0)], 35),
    ("write, write to another rank: ACT 0 and 1, WR 11 and 20", TWO_RANKS, [(0, 1, 0), (RANK, 1, 0)], 32),
    (
        "read, write to another rank, read again: RD 11, WR 23, RD 23 + 8 + 4 + 5 - 11 = 29",
        TWO_RANKS,
        [(RANK, 0, 0), (0, 1, 1), (RANK + 64, 0, 24)],
        44,
    ),
    (
        "reads of both ranks, write to the first: RD 11 and 20, WR 20 + 11 + 4 + 5 - 8 = 32",
        TWO_RANKS,
        [(RANK, 0, 0), (0, 0, 0), (RANK + 64, 1, 1)],
        44,
    ),
    ("read, write to the same rank: WR 11 + 11 + 4 + 2 - 8 = 20", TWO_RANKS, [(0, 0, 0), (64, 1, 1)], 32),
    (
        "the turn is longer: RD 11 and 16, WR 16 + 11 + 4 + 7 - 8 = 30",
        WIDE_TURN,
        [(RANK, 0, 0), (0, 0, 0), (RANK + 64, 1, 1)],
        42,
    ),
    ("words of a read: ACT 0, RD 29, words 57 to 65", LPDDR4, [(0, 0, 0)], 65),
]


@pytest.mark.parametrize(("_name", "part", "requests", "cycles"), BY_HAND, ids=[case[0] for case in BY_HAND])
def test_by_hand(_name: str, part: DramPart, requests: list[tuple[int, int, int]], cycles: int) -> None:
    addresses, writes, arrivals = zip(*requests, strict=True)
    assert simulate_stream(part, addresses, [bool(write) for write in writes], arrivals).cycles == cycles


def test_counts_by_hand() -> None:
    """Two reads of a row, one of another, then a write to the first: three activates, two precharges, one hit."""
    result = simulate_stream(DDR3, [0, 64, ROW, 0], [False, False, False, True], [0, 0, 0, 200])
    # ACT 0, RD 11 and 15, PRE 28, ACT 39, RD 50; the write at 200: PRE 200, ACT 211, WR 222, last word 234
    assert result == StreamResult(
        234, activates=3, precharges=2, reads=3, writes=1, refreshes=0, row_hits=1,
        active_rank_cycles=28 + (200 - 39) + (234 - 211),
    )  # fmt: skip


def test_a_transfer_ends_precharged() -> None:
    """One read: PREA 28 after RAS, RP 11. One write: PREA 35, RP 11. Four rows: ACT 18, PREA 46, RP 11."""
    alone = {"refresh": False, "close": True}
    assert simulate_stream(DDR3, [0], False, **alone).cycles == 39
    assert simulate_stream(DDR3, [0], True, **alone).cycles == 46
    assert simulate_stream(DDR3, np.arange(4) * 16_384, False, **alone).cycles == 57
    assert simulate_stream(LPDDR4, [0], False, **alone).cycles == 68 + 34


def test_nothing_takes_no_time() -> None:
    assert simulate_stream(DDR3, []).cycles == 0


OTHER_ORDER = ("row", "bank", "bank_group", "rank", "column")
VARIANTS = [
    *map(load_part, shipped_names("configs/dram")),
    changed(DDR3, organization={"ranks": 2}),
    changed(DDR4, organization={"ranks": 3, "rows": 999}, address_order=OTHER_ORDER),
    changed(DDR3, timing_cycles={"REFI": 400}),
    changed(DDR4, timing_cycles={"REFI": 500}, organization={"ranks": 2}),
    changed(LPDDR4, timing_cycles={"REFI": 600}),
    *(changed(odd_part(seed), timing_cycles={"REFI": 300}, organization={"ranks": 1 + seed % 3}) for seed in range(16)),
]  # fmt: skip


@st.composite
def streams(draw: st.DrawFn) -> tuple[DramPart, list[int], list[bool], list[int], int, bool, bool]:
    part = draw(st.sampled_from(VARIANTS))
    count = draw(st.integers(1, 60))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 4, count) * part.row_bytes * part.organization.banks
    addresses = draw(
        st.sampled_from(
            [
                rng.integers(0, part.channel_bytes, count),
                np.arange(count) * part.burst_bytes * int(rng.integers(1, 5)),
                rows + rng.integers(0, 4, count) * part.burst_bytes,
                np.cumsum(rng.integers(0, part.row_bytes, count)),
            ]
        )
    )
    writes = rng.integers(0, 2, count) < draw(st.sampled_from([0, 1, 2]))
    late = draw(st.booleans())
    arrivals = np.sort(rng.integers(0, 1500, count)) if late else np.zeros(count, int)
    depth = draw(st.sampled_from([1, 2, 7, 32]))
    return part, addresses.tolist(), writes.tolist(), arrivals.tolist(), depth, draw(st.booleans()), draw(st.booleans())


def check_against_naive(stream: tuple[DramPart, list[int], list[bool], list[int], int, bool, bool]) -> None:
    part, addresses, writes, arrivals, depth, refresh, close = stream
    log = np.zeros(4000, ISSUED)
    log["cycle"] = -1
    result = simulate_stream(part, addresses, writes, arrivals, depth, refresh=refresh, close=close, log=log)
    naive = NaiveChannel(part, depth, refresh, close)
    cycles = naive.run(addresses, writes, arrivals)
    issued = log[log["cycle"] >= 0]
    assert [(int(one["cycle"]), KINDS[one["command"]], int(one["rank"])) for one in issued] == [
        (command.cycle, command.kind, command.rank) for command in naive.commands
    ]
    assert result.cycles == cycles
    counts = {kind: sum(command.kind == kind for command in naive.commands) for kind in KINDS}
    assert (result.activates, result.reads, result.writes, result.refreshes) == (
        counts["ACT"], counts["RD"], counts["WR"], counts["REF"],
    )  # fmt: skip


@given(streams())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_command_as_cycle_by_cycle(stream: Any) -> None:
    check_against_naive(stream)


@pytest.mark.long
@given(streams())
@settings(max_examples=5_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_command_as_cycle_by_cycle_long(stream: Any) -> None:
    check_against_naive(stream)


def test_energies_by_hand() -> None:
    """8 devices x 1.35 V x 1.25 ns = 13.5; times mA and cycles gives pJ."""
    each = command_energies(DDR3)
    assert each.activate_pj == pytest.approx(13.5 * (67 * 39 - 51 * 28 - 36 * 11))
    assert each.read_pj == each.write_pj == pytest.approx(13.5 * (125 - 51) * 4)
    assert each.refresh_pj == pytest.approx(13.5 * (245 - 51) * 280)
    assert (each.active_cycle_pj, each.precharged_cycle_pj) == pytest.approx((13.5 * 51, 13.5 * 36))


def test_energy_of_a_stream_by_hand() -> None:
    """One read, 26 cycles, a bank open in all of them."""
    energy = stream_energy(DDR3, simulate_stream(DDR3, [0]))
    assert energy.total_pj == pytest.approx(13.5 * (789 + 74 * 4 + 51 * 26))


ADDRESSES, WRITES, CYCLES = [0, 64, 8 * GIB - 64], [False, True, False], [0, 3, 70]


def test_dramsim3_trace_reads_back(tmp_path: Path) -> None:
    write_dramsim3_trace(tmp_path / "a.trace", ADDRESSES, WRITES, CYCLES)
    read = [line.split() for line in (tmp_path / "a.trace").read_text(encoding="utf-8").splitlines()]
    # as its operator>> does: hexadecimal address, a word, decimal cycle
    assert [(int(a, 16), word == "WRITE", int(c)) for a, word, c in read] == list(
        zip(ADDRESSES, WRITES, CYCLES, strict=True)
    )
    assert {word for _, word, _ in read} == {"READ", "WRITE"}


def test_ramulator_trace_reads_back(tmp_path: Path) -> None:
    write_ramulator2_trace(tmp_path / "a.trace", ADDRESSES, WRITES, [0, 0, 0])
    read = [line.split(" ") for line in (tmp_path / "a.trace").read_text(encoding="utf-8").splitlines()]
    # as LoadStoreTrace does: LD or ST, one space, 0x and a hexadecimal address
    assert [(int(a[2:], 16), word == "ST") for word, a in read] == list(zip(ADDRESSES, WRITES, strict=True))
    assert {word for word, _ in read} == {"LD", "ST"}


def test_ramulator_trace_has_no_cycles(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no cycles"):
        write_ramulator2_trace(tmp_path / "a.trace", ADDRESSES, WRITES, CYCLES)
    assert not (tmp_path / "a.trace").exists()


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"addresses": [0, 64], "is_write": [True]}, "is_write"),
        ({"addresses": [-64]}, "addresses"),
        ({"addresses": [0, 64], "arrival_cycles": [5, 4]}, "arrival_cycles"),
        ({"addresses": [0], "queue_depth": 0}, "queue_depth"),
    ],
)
def test_bad_streams(arguments: dict[str, Any], key: str) -> None:
    with pytest.raises(InputError, match=key):
        simulate_stream(DDR3, **arguments)
