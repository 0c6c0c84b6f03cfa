"""The sequence of batches of a training run, as repeat counts, and named schedules.

A sequence is written as epochs that repeat, each made of batches that repeat, so that the
35,190 batches of the paper's CIFAR10 run take a dozen lines and still have their exact order.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, repeat
from typing import Annotated, Literal, get_args

from pydantic import Discriminator, Field, Tag, model_validator

from workloads.foundation.errors import InputError
from workloads.foundation.validation import StrictModel, VersionOne

Phase = Literal["warm_up", "bp", "gp", "dni", "inference"]
PHASES: tuple[Phase, ...] = get_args(Phase)


MOST_COUNT = 10**15  # of batches, of repeats and of samples
Count = Annotated[int, Field(ge=1, le=MOST_COUNT)]


class Batches(StrictModel):
    """`count` batches in a row in one phase."""

    phase: Phase
    count: Count = 1

    @property
    def size(self) -> int:
        """Number of batches."""
        return self.count

    def phases(self, first: int) -> Iterator[Phase]:
        """Give the phase of every batch from number `first` on."""
        yield from repeat(self.phase, self.count - first)


class Repeat(StrictModel):
    """A pattern of batches, `repeat` times."""

    repeat: Count
    batches: Annotated[tuple[Batches, ...], Field(min_length=1)]

    @property
    def size(self) -> int:
        """Number of batches."""
        return self.repeat * _size(self.batches)

    def phases(self, first: int) -> Iterator[Phase]:
        """Give the phase of every batch from number `first` on."""
        return _repeated(self.batches, self.repeat, first)


def _which_item(item: object) -> str:
    repeats = "repeat" in item if isinstance(item, dict) else isinstance(item, Repeat)
    return "a pattern" if repeats else "a run"


Item = Annotated[Annotated[Batches, Tag("a run")] | Annotated[Repeat, Tag("a pattern")], Discriminator(_which_item)]


class Epochs(StrictModel):
    """`repeat` equal epochs."""

    repeat: Count = 1
    batches: Annotated[tuple[Item, ...], Field(min_length=1)]

    @property
    def size(self) -> int:
        """Number of batches."""
        return self.repeat * _size(self.batches)

    def phases(self, first: int) -> Iterator[Phase]:
        """Give the phase of every batch from number `first` on."""
        return _repeated(self.batches, self.repeat, first)

    def one_epoch(self) -> Iterator[Phase]:
        """Give the phase of every batch of one of these epochs."""
        return _repeated(self.batches, 1, 0)

    def counts(self) -> dict[Phase, int]:
        """Return the batches of each phase in one of these epochs, without walking through them."""
        counts: dict[Phase, int] = {}
        for item in self.batches:
            times, inner = (1, (item,)) if isinstance(item, Batches) else (item.repeat, item.batches)
            for run in inner:
                counts[run.phase] = counts.get(run.phase, 0) + times * run.count
        return counts


def _size(parts: Sequence[Batches | Repeat | Epochs]) -> int:
    return sum(part.size for part in parts)


def _repeated(parts: Sequence[Batches | Repeat | Epochs], times: int, first: int) -> Iterator[Phase]:
    """Give the phases of some parts, again and again, from batch `first` on; what lies before takes no time."""
    skipped, first = divmod(first, _size(parts))
    for _ in range(times - skipped):
        for part in parts:
            if first < part.size:
                yield from part.phases(first)
            first = max(0, first - part.size)


class Schedule(StrictModel):
    """Every batch of a training run, in order; `name` is the policy that made it."""

    name: str
    epochs: Annotated[tuple[Epochs, ...], Field(min_length=1)]

    def counts(self) -> dict[Phase, int]:
        """Return the number of batches of each phase that occurs, in the order of `PHASES`."""
        return self.counts_until(self.epoch_count)

    def counts_until(self, epoch: int) -> dict[Phase, int]:
        """Return the batches of each phase that occurs in the first `epoch` epochs, in the order of `PHASES`."""
        totals, left = dict.fromkeys(PHASES, 0), epoch
        for epochs in self.epochs:
            taken = min(left, epochs.repeat)
            left -= taken
            for phase, count in epochs.counts().items():
                totals[phase] += taken * count
        return {phase: count for phase, count in totals.items() if count}

    @property
    def batches(self) -> int:
        """Number of batches of the whole run."""
        return sum(self.counts().values())

    @property
    def epoch_count(self) -> int:
        """Number of epochs of the whole run."""
        return sum(epochs.repeat for epochs in self.epochs)

    def phases(self, first: int = 0) -> Iterator[Phase]:
        """Give the phase of every batch from number `first` on, one by one."""
        return _repeated(self.epochs, 1, first)


def compress(name: str, epochs: Sequence[Sequence[Phase]]) -> Schedule:
    """Write a sequence of batches, given epoch by epoch as it ran, in repeat counts."""
    rows = []
    for phases in epochs:
        runs = [Batches(phase=phase, count=len(list(equal))) for phase, equal in groupby(phases)]
        rows.append(Epochs(batches=_in_pairs(runs)) if runs else None)
    return _joined(name, rows)


def _joined(name: str, rows: Sequence[Epochs | None]) -> Schedule:
    """Return a schedule of epochs, where equal ones that follow each other are one entry."""
    if not rows:
        raise InputError("schedule", "epochs", "empty", "give at least one epoch")
    joined: list[Epochs] = []
    for row in rows:
        if row is None:
            raise InputError("schedule", "epochs", "an epoch without batches", "give every epoch a batch")
        if joined and joined[-1].batches == row.batches:
            row = Epochs(repeat=joined.pop().repeat + row.repeat, batches=row.batches)
        joined.append(row)
    return Schedule(name=name, epochs=tuple(joined))


def _in_pairs(runs: Sequence[Batches]) -> tuple[Batches | Repeat, ...]:
    """Return runs of batches, where a pair of runs that follows itself is one entry."""
    items: list[Batches | Repeat] = []
    start = 0
    while start < len(runs):
        pair = runs[start : start + 2]
        times = 1
        while len(pair) == 2 and runs[start + 2 * times : start + 2 * times + 2] == pair:
            times += 1
        items.append(Repeat(repeat=times, batches=tuple(pair)) if times > 1 else pair[0])
        start += 2 * times if times > 1 else 1
    return tuple(items)


class PlannedEpochs(StrictModel):
    """`epochs` epochs (or the rest of them) that go through `pattern` again and again."""

    epochs: Count | Literal["rest"]
    pattern: Annotated[tuple[Batches, ...], Field(min_length=1)]


class Policy(StrictModel):
    """A named schedule: what each epoch does, whatever the number of batches.

    The pattern starts anew with every epoch, so an epoch of 391 batches at 4:1 has 78 whole
    patterns and one more GP batch.

    Attributes
    ----------
    batches_per_epoch : int, optional
        Batches of an epoch, whatever the size of the data set; else the data set's.
    """

    version: VersionOne
    name: str
    description: str
    source: str
    epochs: Count
    batches_per_epoch: Count | None = None
    stages: Annotated[tuple[PlannedEpochs, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _stages_fit(self) -> "Policy":
        planned = sum(stage.epochs for stage in self.stages if stage.epochs != "rest")
        if planned > self.epochs:
            raise InputError(
                "", "stages", f"plan {planned} of {self.epochs} epochs", "give more epochs or shorter stages"
            )
        for index, stage in enumerate(self.stages[:-1]):
            if stage.epochs == "rest":
                raise InputError("", f"stages[{index}].epochs", "is rest, and stages follow", "give it a number")
        return self

    def expand(self, batches_per_epoch: int, epochs: int | None = None) -> Schedule:
        """Return the sequence for a data set's number of batches an epoch (and of epochs, if not its own)."""
        batches_per_epoch = self.batches_per_epoch or batches_per_epoch
        if batches_per_epoch < 1:
            raise InputError("schedule", "batches_per_epoch", f"is {batches_per_epoch}", "give at least one batch")
        rows = []
        left = all_epochs = self.epochs if epochs is None else epochs
        for stage in self.stages:
            taken = left if stage.epochs == "rest" else min(left, stage.epochs)
            if taken:
                rows.append(Epochs(repeat=taken, batches=_again_and_again(stage.pattern, batches_per_epoch)))
            left -= taken
        if left:
            raise InputError(
                "schedule",
                "epochs",
                f"{self.name} plans {all_epochs - left} epochs of {all_epochs}",
                "ask for fewer epochs or let its last stage be 'rest'",
            )
        return _joined(self.name, rows)

    def epoch_phases(self, batches_per_epoch: int, epochs: int | None = None) -> list[list[Phase]]:
        """Return the phase of every batch, epoch by epoch."""
        schedule = self.expand(batches_per_epoch, epochs)
        return [row for part in schedule.epochs for row in [list(part.one_epoch())] * part.repeat]


def _again_and_again(pattern: Sequence[Batches], batches: int) -> tuple[Batches | Repeat, ...]:
    """Return so many batches that go through a pattern, which at the end may break off."""
    runs = [Batches(phase=phase, count=sum(run.count for run in equal)) for phase, equal in
            groupby(pattern, key=lambda run: run.phase)]  # fmt: skip
    if len(runs) == 1:
        return (Batches(phase=runs[0].phase, count=batches),)
    whole, left = divmod(batches, _size(runs))
    items: list[Batches | Repeat] = [Repeat(repeat=whole, batches=tuple(runs))] if whole > 1 else [*runs * whole]
    for run in runs:
        if left > 0:
            items.append(Batches(phase=run.phase, count=min(run.count, left)))
        left -= run.count
    return tuple(items)
