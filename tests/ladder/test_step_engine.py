"""A step three times: the numba kernel, SimPy processes, and a naive model that goes cycle by cycle."""

import itertools
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

import numpy as np
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_step import run_step

from dataflows.actions import ActionCounts
from dataflows.plans.memory_ports import UNLIMITED, MemoryPorts
from dataflows.plans.plan import Plan
from dataflows.plans.transfers import Transfers, contiguous
from simulator.dram.idle_kernel import NEVER, IdleRules
from simulator.dram.machine_channel import dram_channel
from simulator.dram.models.bandwidth import BandwidthDram
from simulator.dram.models.ideal import IdealDram
from simulator.dram.refresh import Refresh
from simulator.engine.batch import run_batch
from simulator.engine.components.dram_channel import DramChannel
from simulator.engine.components.global_buffer import BufferShare
from simulator.engine.components.pe_array import PEArrayComponent
from simulator.engine.components.predictor_sram import PredictorSram
from simulator.engine.exact import run_batches_exactly
from simulator.engine.step_kernel import CHANNEL, PlanTimes, RefreshRules, TileTimes, run_step_kernel
from simulator.engine.step_processes import Machine, run_step_processes
from simulator.engine.work import FlatWork, StepWork, flatten, plan_tables
from simulator.phases.design import Step, Task

# One byte a cycle and a latency of two cycles, so that bytes are cycles less two.
DRAM = BandwidthDram(model="bandwidth", capacity_bytes=1, peak_bytes_per_second=1_000_000_000, latency_ns=2)
HZ = 1_000_000_000


def transfer_cycles(size: int) -> int:
    return size + 2 if size else 0


def plan(
    tiles: list[tuple[int, int, int, int]], fill: int, drain: int, array_bytes: int = 0, sram_bytes: int = 0,
    ports: MemoryPorts = UNLIMITED,
) -> Plan:  # fmt: skip
    """Make a plan of tiles (load bytes, store bytes, stream cycles, gap before it); the array reads the other bytes."""
    columns = [np.array([tile[i] for tile in tiles], dtype=np.int64) for i in range(4)]
    loads, stores = contiguous(columns[0], write=False), contiguous(columns[1], write=True)
    loaded, stored = int(columns[0].sum()), int(columns[1].sum())
    counts = ActionCounts(
        buffer_read_bytes=array_bytes + stored, buffer_write_bytes=loaded, predictor_sram_read_bytes=sram_bytes,
        dram_read_bytes=loaded, dram_write_bytes=stored,
    )  # fmt: skip
    return Plan(loads, stores, columns[2], columns[3], fill, drain, counts, ports)


@st.composite
def plans(draw: st.DrawFn, predictor: bool = False) -> Plan:
    """Draw a plan; that of `predictor` may use the predictor SRAM, which serves one array in a step."""
    size = st.integers(0, 12)
    tiles = []
    for _ in range(draw(st.integers(0, 5))):
        tiles.append((draw(size), draw(size), draw(size), draw(st.integers(0, 6)) if tiles else 0))
    widths = st.none() | st.integers(1, 9)
    return plan(
        tiles, draw(st.integers(0, 6)), draw(st.integers(0, 4)), draw(st.integers(0, 150)),
        draw(st.integers(0, 60)) if predictor else 0, MemoryPorts(draw(widths), draw(widths)),
    )  # fmt: skip


@dataclass(frozen=True)
class RefreshingDram:
    """As DRAM above, with refreshes, in one rank that powers down after 5 idle cycles."""

    rules: Refresh
    ranks = active_ranks = 1
    bytes_per_second = DRAM.peak_bytes_per_second

    def idle_rules(self, frequency_hz: int) -> IdleRules:
        numerator, denominator = self.rules.interval_numerator, self.rules.interval_denominator
        return IdleRules(numerator, denominator, self.rules.cycles, True, 5, 2, 1, NEVER, 0, 0)

    def rate(self, frequency_hz: int) -> tuple[int, int, int] | None:
        return DRAM.rate(frequency_hz)

    def least_transfer_cycles(self, frequency_hz: int) -> int:
        return DRAM.least_transfer_cycles(frequency_hz)

    def transfer_cycles(self, transfers: Transfers, frequency_hz: int) -> np.ndarray:
        return DRAM.transfer_cycles(transfers, frequency_hz)

    def costs(self, asked: list[Transfers], frequency_hz: int) -> list[tuple[np.ndarray, np.ndarray]]:
        return DRAM.costs(asked, frequency_hz)

    def refresh(self, frequency_hz: int) -> Refresh:
        return self.rules


def kernel_times(work: StepWork) -> tuple[np.ndarray, np.ndarray, FlatWork]:
    flat = flatten([work], DRAM, HZ)[0]
    plans, tiles, _ = run_step_kernel(
        flat.plan_begin, flat.tile_begin, flat.plans, flat.tiles, RefreshRules.of(None), np.zeros(1, CHANNEL)[0]
    )
    return columns(plans, PlanTimes._fields), columns(tiles, TileTimes._fields[:6]), flat


def columns(records: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    return np.stack([records[name] for name in names], axis=1)


def process_times(work: StepWork) -> list[tuple[int, int]]:
    env = simpy.Environment()
    machine = Machine(
        DramChannel(env, DRAM, HZ),
        (PEArrayComponent(env), PEArrayComponent(env)),
        (BufferShare(env), BufferShare(env)),
        PredictorSram(env),
    )
    return env.run(env.process(run_step_processes(env, machine, work)))


def window(current: Plan, tile: int) -> int:
    """Return the cycles in which a tile's bytes pass the ports: its stream, and the gap or the fill before it."""
    return int(current.stream_cycles[tile]) + (int(current.gap_cycles[tile]) if tile else current.fill_cycles)


def naive_stream(current: Plan, tile: int) -> int:
    """Stream a tile cycle by cycle: until the array has had its cycles and all bytes have passed both ports."""
    least = window(current, tile)
    if least == 0:
        return 0
    counts, share = current.counts, Fraction(least, sum(window(current, t) for t in range(len(current.load_bytes))))
    on_dram_side = int(current.load_bytes.sum() + current.store_bytes.sum())
    array_side = counts.buffer_read_bytes + counts.buffer_write_bytes - on_dram_side
    own = int(current.load_bytes[tile] + current.store_bytes[tile])
    buffer, sram = ceil(array_side * share) + own, ceil(counts.predictor_sram_read_bytes * share)
    cycles = 0
    while cycles < least or buffer > 0 or sram > 0:
        cycles += 1
        buffer = 0 if current.ports.buffer_bytes is None else buffer - current.ports.buffer_bytes
        sram = 0 if current.ports.predictor_sram_bytes is None else sram - current.ports.predictor_sram_bytes
    return cycles - least + int(current.stream_cycles[tile])


@dataclass
class NaiveArray:
    """One array in the naive model: everything it knows, as lists of what happened when."""

    plans: list[Plan]
    position: int = 0
    started: int = 0
    loaded: list[int] = field(default_factory=list)
    stream_start: list[int] = field(default_factory=list)
    streamed: list[int] = field(default_factory=list)
    stored: list[int] = field(default_factory=list)
    loading: bool = False
    storing: bool = False


def naive_times(work: StepWork) -> list[tuple[int, int]]:
    """Go through a step cycle by cycle and at each cycle do whatever the rules of docs/machine.md allow."""
    arrays = [NaiveArray(list(work.first)), NaiveArray(list(work.second))]
    times: list[list[tuple[int, int]]] = [[], []]
    waiting: list[tuple[int, int, int]] = []  # (asked at, store 0 or load 1, array)
    channel: tuple[int, int, int] | None = None  # (ends at, kind, array)
    now = 0
    while any(array.position < len(array.plans) for array in arrays):
        if channel is not None and channel[0] == now:
            _, kind, index = channel
            (arrays[index].stored if kind == 0 else arrays[index].loaded).append(now)
            if kind == 0:
                arrays[index].storing = False
            else:
                arrays[index].loading = False
            channel = None
        changed = True
        while changed:
            changed = any(naive_advance(array, index, now, waiting, times[index]) for index, array in enumerate(arrays))
        if channel is None and waiting:
            waiting.sort()
            _, kind, index = waiting.pop(0)
            array = arrays[index]
            current = array.plans[array.position]
            if kind == 0:
                size = int(current.store_bytes[store_tiles(current)[len(array.stored)]])
            else:
                size = int(current.load_bytes[len(array.loaded)])
            tile = store_tiles(current)[len(array.stored)] if kind == 0 else len(array.loaded)
            port = None if window(current, tile) else current.ports.buffer_bytes
            channel = (now + max(transfer_cycles(size), 0 if port is None else ceil(size / port)), kind, index)
        now += 1
    return times[0] + times[1]


def store_tiles(current: Plan) -> list[int]:
    return [t for t in range(len(current.store_bytes)) if current.store_bytes[t] > 0]


def naive_advance(
    array: NaiveArray, index: int, now: int, waiting: list[tuple[int, int, int]], times: list[tuple[int, int]]
) -> bool:
    """Do one thing that an array may do in this cycle; tell whether there was one."""
    if array.position == len(array.plans):
        return False
    current = array.plans[array.position]
    tiles, stores = len(current.load_bytes), store_tiles(current)
    t = len(array.loaded)
    half_free = t < 2 or (len(array.streamed) > t - 2 and array.streamed[t - 2] <= now)
    if t < tiles and not array.loading and half_free:
        if current.load_bytes[t] == 0:
            array.loaded.append(now)
        else:
            array.loading = True
            waiting.append((now, 1, index))
        return True
    t = len(array.stream_start)
    if t < len(array.loaded):
        filled = array.loaded[t] + current.fill_cycles
        if t > 0:
            filled = max(filled, array.streamed[t - 1] + int(current.gap_cycles[t]))
        before = sum(1 for s in stores if s < t)
        room = before < 2 or len(array.stored) >= before - 1
        array_free = t == 0 or array.streamed[t - 1] <= now
        if filled <= now and room and array_free:
            array.stream_start.append(now)
            array.streamed.append(now + naive_stream(current, t))
            return True
    s = len(array.stored)
    may_store = s < len(stores) and not array.storing and stores[s] < len(array.streamed)
    if may_store and array.streamed[stores[s]] + current.drain_cycles <= now:
        array.storing = True
        waiting.append((now, 0, index))
        return True
    drained = tiles == 0 or (len(array.streamed) == tiles and array.streamed[-1] + current.drain_cycles <= now)
    if drained and len(array.stored) == len(stores):
        times.append((array.started, now))
        arrays_next = NaiveArray(array.plans, array.position + 1, started=now)
        array.__dict__.update(arrays_next.__dict__)
        return True
    return False


@settings(max_examples=400, deadline=None)
@given(st.lists(plans(), max_size=3), st.lists(plans(predictor=True), max_size=3))
def test_kernel_equals_processes_and_naive_model(first: list[Plan], second: list[Plan]) -> None:
    work = StepWork(tuple(first), tuple(second))
    times, _, _ = kernel_times(work)
    found = [(int(start), int(end)) for start, end in times[:, :2]]
    assert found == naive_times(work)
    assert found == process_times(work)


@settings(max_examples=400, deadline=None)
@given(st.lists(plans(), max_size=3), st.lists(plans(predictor=True), max_size=3))
def test_time_is_compute_plus_stalls_and_the_channel_carries_one_transfer(
    first: list[Plan], second: list[Plan]
) -> None:
    work = StepWork(tuple(first), tuple(second))
    times, tiles, flat = kernel_times(work)
    for one, (start, end, *stalls) in zip(work.plans, times.tolist(), strict=True):
        assert end - start == one.compute_cycles + int(one.port_wait_cycles.sum()) + sum(stalls)
        assert min(stalls) >= 0
        if not (first and second):
            assert stalls[2] == 0  # nobody to wait for
    busy = [(s, e) for s, e in [*tiles[:, 0:2].tolist(), *tiles[:, 4:6].tolist()] if e > s]
    busy.sort()
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(busy))
    assert sum(e - s for s, e in busy) == flat.tiles["load_cycles"].sum() + flat.tiles["store_cycles"].sum()


def test_one_tile_by_hand() -> None:
    # load 10 + 2, fill 3, stream 20, drain 4, store 5 + 2
    work = StepWork((plan([(10, 5, 20, 0)], fill=3, drain=4),))
    times, tiles, _ = kernel_times(work)
    assert times.tolist() == [[0, 12 + 3 + 20 + 4 + 7, 12, 7, 0]]
    assert tiles.tolist() == [[0, 12, 15, 35, 39, 46]]


def test_double_buffer_by_hand() -> None:
    # Loads take 12, tiles stream for 20: the second and third load hide behind streaming, fills too.
    work = StepWork((plan([(10, 0, 20, 0)] * 3, fill=3, drain=4),))
    times, tiles, _ = kernel_times(work)
    assert tiles[:, 1].tolist() == [12, 24, 47]  # the third waits for the first to have streamed at 35
    assert tiles[:, 3].tolist() == [35, 55, 75]
    assert times[0, 1] == 79


def test_first_asked_first_served_by_hand() -> None:
    # Both arrays ask at 0: the first is served first; its store, asked for at 3 + 1 + 6, comes after
    # the second array's load, asked for at 0.
    first = plan([(1, 4, 1, 0)], fill=0, drain=0)
    second = plan([(6, 0, 1, 0)], fill=0, drain=0)
    times, tiles, _ = kernel_times(StepWork((first,), (second,)))
    assert tiles[0].tolist() == [0, 3, 3, 4, 11, 17]
    assert tiles[1, :4].tolist() == [3, 11, 11, 12]
    assert times[:, 1].tolist() == [17, 12]
    # the first array's store waited for the load from 4, when it was asked for, to 11; then it took 6 itself. The
    # second array's load waited for the first's for 3 of its 11 cycles.
    assert times[:, 2:].tolist() == [[3, 6, 7], [8, 0, 3]]


def test_ties_go_to_stores_then_to_the_first_array() -> None:
    # At cycle 7 the first array asks to store (3 + 4) and the second to load its second tile (loads 0..3 and 3..6
    # on the channel); the store goes first.
    first = plan([(1, 4, 4, 0)], fill=0, drain=0)
    second = plan([(1, 0, 1, 0), (0, 0, 0, 0), (1, 0, 1, 0)], fill=0, drain=0)
    _, tiles, _ = kernel_times(StepWork((first,), (second,)))
    assert tiles[0, 4:].tolist() == [7, 13]
    assert tiles[3, :2].tolist() == [13, 16]


def test_an_empty_load_waits_for_nobody_by_hand() -> None:
    # At 0 the first array asks to load 5 bytes. The second loads and streams nothing, so it asks to store at 0 too: its
    # store goes first, and takes 4 + 2. The naive model of a batch agrees.
    first, second = plan([(5, 0, 1, 0)], fill=0, drain=0), plan([(0, 4, 0, 0)], fill=0, drain=0)
    _, tiles, _ = kernel_times(StepWork((first,), (second,)))
    assert tiles[0, :2].tolist() == [6, 13]
    assert tiles[1, 4:].tolist() == [0, 6]
    machine = {"banks": 1, "port": 100, "bandwidth": 1, "latency": 2}
    loads = {"fill": 0, "drain": 0, "array": 0, "sram": 0, "tiles": [{"stream": 1, "gap": 0, "load": 5, "store": 0}]}
    stores = loads | {"tiles": [{"stream": 0, "gap": 0, "load": 0, "store": 4}]}
    (((_, end, _),), ((_, other_end, _),)) = run_step([machine, machine], [[[loads]], [[stores]]])
    assert (end, other_end) == (14, 6)


def test_arrays_with_nothing_to_do() -> None:
    times, tiles, _ = kernel_times(StepWork((), ()))
    assert times.shape == (0, 5) and tiles.shape == (0, 6)
    assert process_times(StepWork((), ())) == []


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.lists(plans(predictor=True), min_size=1, max_size=2),
                       st.lists(plans(), min_size=1, max_size=2)), min_size=1, max_size=3),
    st.integers(1, 200), st.integers(1, 7), st.integers(1, 9), st.integers(0, 300),
)  # fmt: skip
def test_batches_with_refreshes_equal_processes(
    steps: list[tuple[list[Plan], list[Plan]]], numerator: int, denominator: int, cycles: int, launch: int
) -> None:
    """Steps with barriers between them, twice in a row on one machine, against the kernel's batch."""
    dram = RefreshingDram(Refresh(numerator + 9 * cycles * denominator, denominator, cycles))
    works = [StepWork(tuple(first), tuple(second)) for first, second in steps]
    task = Task(0, "forward")
    batch = run_batch(
        [Step((task,), (task,)) for _ in works],
        [[StepWork(work.first), StepWork((), work.second)] for work in works],
        dram, HZ, launch,
    )  # fmt: skip
    assert run_batches_exactly(["bp", "bp"], lambda _: works, dram, HZ, launch) == [batch.cycles] * 2


def test_a_launch_by_hand() -> None:
    """A load of 92 (90 + 2), a cycle, a store of 6 (4 + 2), all 50 cycles later.

    Refreshes of 10 every 40 cycles: that of 40 ends with the launch, those of 80 and 120 delay the store until 162, and
    that of 160 is owed at the end.
    """
    work = StepWork((plan([(90, 4, 1, 0)], fill=0, drain=0),))
    for dram, end, cycles in ((DRAM, 149, 149), (RefreshingDram(Refresh(40, 1, 10)), 168, 178)):
        batch = run_batch([Step((Task(0, "forward"),))], [[work]], dram, HZ, 50)
        assert (batch.ops[0].start_cycle, batch.ops[0].end_cycle, batch.cycles) == (50, end, cycles)
        assert run_batches_exactly(["bp"], lambda _: [work], dram, HZ, 50) == [cycles]


def test_refreshes_by_hand() -> None:
    """An interval of 100 cycles, refreshes of 10; loads of 92 (90 + 2) that the array streams in no time."""
    dram = RefreshingDram(Refresh(100, 1, 10))
    work = StepWork((plan([(90, 0, 0, 0)] * 3, fill=0, drain=0),))
    # load 0 to 92; 92 to 184, then the refresh of cycle 100 until 194; 194 to 286, then the refresh of 200 until 296.
    # At the barrier nothing more is owed: 300 has not come.
    batch = run_batch([Step((Task(0, "forward"),))], [[work]], dram, HZ)
    assert batch.tiles[0].times[:, 1].tolist() == [92, 184, 286]
    assert batch.cycles == 296
    # An array that computes for 1,000 cycles after a load of 12 gives the channel time for ten refreshes.
    idle = StepWork((plan([(10, 0, 1000, 0)], fill=0, drain=0),))
    assert run_batch([Step((Task(0, "forward"),))], [[idle]], dram, HZ).cycles == 1012
    # A load of 2,002 cycles is interrupted after 800 for eight refreshes, and again after 800 more.
    long = StepWork((plan([(2000, 0, 0, 0)], fill=0, drain=0),))
    batch = run_batch([Step((Task(0, "forward"),))], [[long]], dram, HZ)
    # 800 -> 880 (8 made); 1,680: 16 due, 8 owed -> 1,760; the rest of 402 -> 2,162: 21 due, 5 owed -> 2,212
    assert batch.tiles[0].times[0, 1] == 2162
    assert batch.cycles == 2212 + 10  # at 2,212 the 22nd came due


@settings(max_examples=400, deadline=None)
@given(plans(predictor=True), st.booleans())
def test_a_plan_alone_takes_what_the_planner_says(one: Plan, instant: bool) -> None:
    """By which plans compete: the planner's own clock against the engine, with the channel to itself."""
    dram = IdealDram(model="ideal", capacity_bytes=1) if instant else DRAM
    batch = run_batch([Step((Task(0, "forward"),))], [[StepWork((one,))]], dram, HZ)
    assert one.cycles_alone(dram_channel(dram, HZ)) == batch.cycles


def test_bound_by_the_other_array_by_hand() -> None:
    """Two arrays with loads of 102 and nothing to compute: each waits for the load of the other, counted by itself."""
    one = plan([(100, 0, 0, 0)], fill=0, drain=0)
    times, _, _ = kernel_times(StepWork((one,), (one,)))
    assert times.tolist() == [[0, 102, 102, 0, 0], [0, 204, 102, 0, 102]]


@given(st.lists(plans(), min_size=1, max_size=6), st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_a_plan_that_is_shared_has_the_tiles_that_it_has_by_itself(some: list[Plan], nanoseconds: int) -> None:
    """On each of two channels in turn, however often: what is remembered of one is not used for the other."""
    for dram in (DRAM, DRAM.model_copy(update={"latency_ns": nanoseconds + 2})) * 2:
        flat = flatten([StepWork(tuple(some + some))], dram, HZ)[0]
        expected = [tuple(row) for table in [*plan_tables(some, dram, HZ)] * 2 for row in table.tiles.tolist()]
        assert flat.tiles.tolist() == expected
        assert np.diff(flat.tile_begin).tolist() == [len(one.loads) for one in some + some]
