"""The cycles of a whole training run in a pipeline, exact, without a simulation of each batch.

A device starts an operation when several others have ended. So its end is a maximum of earlier ends plus its cycles,
which is linear in the (max, +) algebra. A batch is a matrix, batches in a row are the product of their matrices, and a
pattern that repeats n times is a power, found by squaring. All numbers are integers, so the result equals the engine's
(`simulator.pipelines.engine`); a test compares them.

The matrix acts on a state of times: when each device and link is free, when the weights of each group of stages are
ready, and for when the operations wait that have not been taken yet. Which operations these are is the context. It
depends on the kinds of the last batches, and not on time.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.pipelines.merging import Layout, lay_out, shift
from simulator.pipelines.work import BatchWork
from workloads.foundation.errors import InputError
from workloads.schedule import Batches, Epochs, Phase, Repeat, Schedule

Matrix = npt.NDArray[np.int64]
Key = tuple[Any, ...]
NEVER = -(1 << 60)
MOST_CYCLES = 1 << 58  # of a run: sums of two such numbers, and of two NEVER, fit in 64 bits


@dataclass(frozen=True, slots=True, order=True)
class Pending:
    """An operation that has not been taken yet: steps from the last batch's entry, batches before it, kind, index."""

    start: int
    batch: int
    kind: Phase
    index: int


@dataclass(frozen=True)
class Context:
    """What the batches so far leave: the last batch's kind, the operations not taken yet, the keys of the state."""

    kind: Phase | None
    pending: tuple[Pending, ...]
    keys: tuple[Key, ...]


@dataclass
class Composer:
    """Composes runs of batches of some kinds.

    Parameters
    ----------
    works : mapping of str to BatchWork
        The kinds of batches, such as ``bp`` and ``gp``, on the same devices.
    """

    works: Mapping[Phase, BatchWork]
    _entries: dict[tuple[Context, Phase], tuple[Context, Matrix]] = field(default_factory=dict)
    _whole: dict[tuple[Hashable, Context], tuple[Context, Matrix]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._layouts: dict[Phase, Layout] = {kind: lay_out(work.programme) for kind, work in self.works.items()}
        first = next(iter(self.works.values())).programme
        links = sorted({link for work in self.works.values() for link in work.programme.messages})
        self._base: tuple[Key, ...] = (
            *(("device", device) for device in range(first.devices)),
            *(("link", *link) for link in links),
            *(("weights", group) for group in range(first.groups)),
        )

    def cycles(self, schedule: Schedule, kind_of: Callable[[Phase], Phase] = lambda phase: phase) -> int:
        """Return the cycles of a whole schedule; `kind_of` tells as which kind a phase is carried out.

        Raises
        ------
        InputError
            If there are more than 64-bit integers count.
        """
        self._whole.clear()  # what was kept is for the phases of another schedule
        total = sum(count * self.works[kind_of(phase)].most_cycles for phase, count in schedule.counts().items())
        if total > MOST_CYCLES:
            raise InputError("the trace", "schedule", f"its batches take up to {total} cycles in a pipeline",
                             "give fewer or smaller batches")  # fmt: skip

        def enter(phase: Phase) -> Callable[[Context], tuple[Context, Matrix]]:
            return lambda context: self._enter(context, kind_of(phase))

        def batches(item: Batches, context: Context) -> tuple[Context, Matrix]:
            return self._repeat((item, "run"), enter(item.phase), item.count, context)

        def item_of(item: Batches | Repeat, context: Context) -> tuple[Context, Matrix]:
            if isinstance(item, Batches):
                return batches(item, context)
            return self._repeat(item, lambda at: self._row([(batches, one) for one in item.batches], at),
                                item.repeat, context)  # fmt: skip

        def epoch(epochs: Epochs, context: Context) -> tuple[Context, Matrix]:
            parts = [(item_of, item) for item in epochs.batches]
            return self._repeat(epochs, lambda at: self._row(parts, at), epochs.repeat, context)

        context = Context(None, (), self._base)
        context, matrix = self._row([(epoch, epochs) for epochs in schedule.epochs], context)
        return self._finish(context, matrix)

    def cycles_of(self, kinds: Sequence[Phase]) -> int:
        """Return the cycles of a row of batches given one by one."""
        context = Context(None, (), self._base)
        matrix = _identity(len(context.keys))
        for kind in kinds:
            context, entered = self._enter(context, kind)
            matrix = _product(entered, matrix)
        return self._finish(context, matrix)

    def cycles_in_a_row(self, kinds: Sequence[Phase], times: int = 64) -> float:
        """Return the cycles that one more pattern of batches takes in a long row of them."""
        return (self.cycles_of([*kinds] * 2 * times) - self.cycles_of([*kinds] * times)) / times

    def _finish(self, context: Context, matrix: Matrix) -> int:
        """Take all that is pending and return when the last operation ends and the last weights are ready."""
        _, rest = self._take(context, None)
        ends = _product(rest, matrix)
        return max(0, int(ends.max()))

    def _row(self, parts: Sequence[tuple[Any, Any]], context: Context) -> tuple[Context, Matrix]:
        matrix = _identity(len(context.keys))
        for apply, part in parts:
            context, step = apply(part, context)
            matrix = _product(step, matrix)
        return context, matrix

    def _repeat(
        self, name: Hashable, once: Callable[[Context], tuple[Context, Matrix]], times: int, context: Context
    ) -> tuple[Context, Matrix]:
        """Return what `times` of a pattern do; once its contexts go in a circle, by a power of the circle's matrix."""
        key = (name, context)
        if key in self._whole:
            return self._whole[key]
        seen: dict[Context, int] = {}
        path: list[tuple[Context, Matrix]] = []
        at = context
        while at not in seen and len(path) < times:
            seen[at] = len(path)
            after, matrix = once(at)
            path.append((at, matrix))
            at = after
        result = _identity(len(context.keys))
        if len(path) == times:
            for _, matrix in path:
                result = _product(matrix, result)
        else:
            begin, end = seen[at], len(path)
            for _, matrix in path[:begin]:
                result = _product(matrix, result)
            circle = _identity(len(at.keys))
            for _, matrix in path[begin:]:
                circle = _product(matrix, circle)
            rounds, rest = divmod(times - begin, end - begin)
            result = _product(_power(circle, rounds), result)
            for _, matrix in path[begin : begin + rest]:
                result = _product(matrix, result)
            at = path[begin + rest][0]
        self._whole[key] = (at, result)
        return at, result

    def _enter(self, context: Context, kind: Phase) -> tuple[Context, Matrix]:
        """Take what comes before a new batch's entry, and let it enter."""
        if (context, kind) not in self._entries:
            self._entries[context, kind] = self._take(context, kind)
        return self._entries[context, kind]

    def _take(self, context: Context, kind: Phase | None) -> tuple[Context, Matrix]:
        layouts = self._layouts
        by = 0 if kind is None or context.kind is None else shift(layouts[context.kind], layouts[kind])
        times: dict[Key, Matrix] = dict(zip(context.keys, _identity(len(context.keys)), strict=True))
        left: list[Pending] = []
        for pending in context.pending:  # sorted by (start, batch), as on the devices
            if kind is None or pending.start < by:
                self._run(pending, times)
            else:
                left.append(pending)
        if kind is None:
            return context, np.array([times[key] for key in self._base])
        new_batch = [Pending(start, 0, kind, index) for index, start in enumerate(layouts[kind].starts)]
        pending_now = sorted([*(Pending(p.start - by, p.batch - 1, p.kind, p.index) for p in left), *new_batch])
        open_groups = {(p.batch - 1, layouts[p.kind].programme.group(p.index)) for p in left}
        rows: dict[Key, Matrix] = {}
        for key, row in times.items():
            if key[0] == "arrived":
                rows[("arrived", key[1] - 1, key[2])] = row
            elif key[0] == "ready":
                if (key[1] - 1, key[2]) in open_groups:
                    rows[("ready", key[1] - 1, key[2])] = row
            else:
                rows[key] = row
        keys = tuple(sorted(rows))
        return Context(kind, tuple(pending_now), keys), np.array([rows[key] for key in keys])

    def _run(self, pending: Pending, times: dict[Key, Matrix]) -> None:
        """Take one operation: the engine's rules, with rows of the matrix for times."""
        work, batch, index = self.works[pending.kind], pending.batch, pending.index
        programme = work.programme
        placed, group = programme.placed[index], programme.group(index)
        device, weights = ("device", placed.device), ("weights", group)
        waits = [times[device]]
        arrived = times.pop(("arrived", batch, index), None)
        if arrived is not None:
            waits.append(arrived)
        if placed.operation.kind == "forward":
            # The first forward of a group sees its weights before any operation of its own batch has touched them.
            waits.append(times.setdefault(("ready", batch, group), times[weights]))
        end = np.max(waits, axis=0) + work.cycles[index]
        times[device] = end
        times[weights] = np.maximum(times[weights], end + work.ready_delay(index))
        for consumer in programme.consumers[index]:
            arrival = end
            if programme.travels(index, consumer):
                link = ("link", placed.device, programme.placed[consumer].device)
                times[link] = np.maximum(times[link], end) + work.message_cycles[index]
                arrival = times[link] + work.latency_cycles
            key = ("arrived", batch, consumer)
            times[key] = np.maximum(times[key], arrival) if key in times else arrival


def _identity(size: int) -> Matrix:
    matrix = np.full((size, size), NEVER, dtype=np.int64)
    np.fill_diagonal(matrix, 0)
    return matrix


def _product(left: Matrix, right: Matrix) -> Matrix:
    """Return what `right` and then `left` does."""
    result = np.full((left.shape[0], right.shape[1]), NEVER, dtype=np.int64)
    for middle in range(right.shape[0]):
        np.maximum(result, left[:, middle, None] + right[middle], out=result)
    result[result < NEVER // 2] = NEVER
    return result


def _power(matrix: Matrix, times: int) -> Matrix:
    result = _identity(matrix.shape[0])
    while times:
        if times & 1:
            result = _product(matrix, result)
        matrix = _product(matrix, matrix)
        times >>= 1
    return result
