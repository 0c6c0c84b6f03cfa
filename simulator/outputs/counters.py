"""Counters of a batch over time: DRAM bandwidth, bytes in the double buffer, active PEs.

docs/results.md says what each one counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dataflows.integers import Integers
from simulator.run.results import RunResult
from workloads.schedule import Phase

if TYPE_CHECKING:
    from simulator.engine.batch import TileRuns

MOST_STEPS = 10_000  # of a counter: more than a screen has columns, and about 1 MB
Numbers = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Counter:
    """A step function of time, zero after its last step.

    Attributes
    ----------
    name, unit : str
    starts : int64[steps]
        The cycle, from the batch's start, from which each value holds; the first is 0.
    values : int64 or float64[steps]
    """

    name: str
    unit: str
    starts: Integers
    values: Numbers

    def averaged(self, borders: Integers) -> "Counter":
        """Return the counter with its mean between each two borders, which begin at 0 and end with the batch."""
        sums = np.append(0, np.cumsum(self.values[:-1] * np.diff(self.starts)))
        means = np.diff(np.interp(borders, self.starts, sums)) / np.diff(borders)
        return Counter(self.name, self.unit, *_changes(borders, np.append(means, 0)))


def counters(run: RunResult, phase: Phase, arrays: Sequence[str]) -> Iterator[Counter]:
    """Yield the counters of a phase's batch on arrays of these names, one for each that the machine has.

    One of more than `MOST_STEPS` steps has its means instead: between each start and end of an op, and between as many
    of its own steps as that leaves. There is no bandwidth to show where bytes move in no time (`dram.model: ideal`).
    """
    batch = run.batch_runs[phase]
    ops = np.unique([0, batch.cycles, *(cycle for op in batch.ops for cycle in (op.start_cycle, op.end_cycle))])
    for counter in _of_tiles(run, phase, arrays):
        steps = len(counter.starts)
        few = counter.starts[:: -(-steps // MOST_STEPS)]
        yield counter if steps <= MOST_STEPS else counter.averaged(np.union1d(ops, few))


def _of_tiles(run: RunResult, phase: Phase, arrays: Sequence[str]) -> Iterator[Counter]:
    batch = run.batch_runs[phase]
    times = np.concatenate([runs.times for runs in batch.tiles])
    loads = np.concatenate([runs.load_bytes for runs in batch.tiles])
    stores = np.concatenate([runs.store_bytes for runs in batch.tiles])
    for name, begin, moved in (("DRAM read", 0, loads), ("DRAM write", 4, stores)):
        cycles = times[:, begin + 1] - times[:, begin]
        if not moved[cycles == 0].any():
            rates = moved / np.maximum(cycles, 1)
            yield Counter(name, "bytes per cycle", *_one_by_one(times[:, begin], times[:, begin + 1], rates))
    done = [(op, runs) for op, runs in zip(batch.ops, batch.tiles, strict=True) if len(runs.records)]
    tiles_of_op = np.array([len(runs.records) for _, runs in done])
    array_of_tile = np.repeat([op.array for op, _ in done], tiles_of_op)
    begins = times[:, 2] - np.concatenate([plan.gap_cycles for _, runs in done for plan in runs.plans])
    ends = times[:, 3] + np.concatenate([_drains(runs) for _, runs in done])
    cycles = np.add.reduceat(ends - begins, np.cumsum(tiles_of_op) - tiles_of_op)
    macs_per_cycle = np.repeat([op.counts.macs for op, _ in done] / np.maximum(1, cycles), tiles_of_op)
    for array, name in enumerate(arrays[: len(run.spec.arrays)]):
        mine = array_of_tile == array
        yield Counter(f"{name}: buffer fill", "bytes", *_held(times[mine], loads[mine], stores[mine]))
        yield Counter(f"{name}: active", "PEs", *_one_by_one(begins[mine], ends[mine], macs_per_cycle[mine]))


def _drains(runs: "TileRuns") -> Integers:
    """Return for each tile of an op how long PEs work on behind its stream: a plan's drain, behind its last tile."""
    drains = np.zeros(len(runs.records), np.int64)
    drains[np.cumsum([len(plan.loads) for plan in runs.plans]) - 1] = [plan.drain_cycles for plan in runs.plans]
    return drains


def _one_by_one(begins: Integers, ends: Integers, rates: Numbers) -> tuple[Integers, Numbers]:
    """Return rates that hold each for a stretch of its own; no two stretches overlap, and zero is between them."""
    some = np.flatnonzero(ends > begins)
    some = some[np.argsort(begins[some], kind="stable")]
    at, values = np.column_stack((begins[some], ends[some])), np.column_stack((rates[some], rates[some] * 0))
    return _changes(at.ravel(), values.ravel())


def _held(times: Integers, loads: Integers, stores: Integers) -> tuple[Integers, Integers]:
    """Return the bytes held: of a load from its start to the end of its tile's stream, of a result from there on."""
    stored = np.flatnonzero(stores)
    at = np.concatenate([times[:, 0], times[:, 3], times[stored, 3], times[stored, 5]])
    more = np.concatenate([loads, -loads, stores[stored], -stores[stored]])
    order = np.argsort(at, kind="stable")
    return _changes(at[order], np.cumsum(more[order]))


def _changes(at: Integers, values: Numbers) -> tuple[Integers, Numbers]:
    """Return the last value of each cycle, without those that change nothing; from cycle 0 on."""
    at, values = np.append(0, at), np.append(0, values)
    last = np.append(at[1:] != at[:-1], True)
    at, values = at[last], values[last]
    change = np.append(True, values[1:] != values[:-1])
    return at[change], values[change]
