"""The sequence of batches of a training run, as repeat counts, and named schedules.

A sequence is written as epochs that repeat, each made of batches that repeat, so that the
35,190 batches of the paper's CIFAR10 run take a dozen lines and still stand in their exact order.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Annotated, Literal, get_args

from pydantic import Discriminator, Field, PositiveInt, Tag, model_validator

from workloads.foundation.errors import InputError
from workloads.foundation.validation import StrictModel, VersionOne

Phase = Literal["warm_up", "bp", "gp", "dni", "inference"]
PHASES: tuple[Phase, ...] = get_args(Phase)


class Batches(StrictModel):
    """`count` batches in a row in one phase."""

    phase: Phase
    count: PositiveInt = 1


class Repeat(StrictModel):
    """A pattern of batches, `repeat` times."""

    repeat: PositiveInt
    batches: Annotated[tuple[Batches, ...], Field(min_length=1)]


def _which_item(item: object) -> str:
    repeats = "repeat" in item if isinstance(item, dict) else isinstance(item, Repeat)
    return "a pattern" if repeats else "a run"


Item = Annotated[Annotated[Batches, Tag("a run")] | Annotated[Repeat, Tag("a pattern")], Discriminator(_which_item)]


class Epochs(StrictModel):
    """`repeat` equal epochs."""

    repeat: PositiveInt = 1
    batches: Annotated[tuple[Item, ...], Field(min_length=1)]

    def runs(self) -> Iterator[Batches]:
        """Give the runs of equal batches of one of these epochs, in order."""
        for item in self.batches:
            if isinstance(item, Batches):
                yield item
            else:
                for _ in range(item.repeat):
                    yield from item.batches

    def counts(self) -> dict[Phase, int]:
        """Return the batches of each phase in one of these epochs, without walking through them."""
        counts: dict[Phase, int] = {}
        for item in self.batches:
            times, inner = (1, (item,)) if isinstance(item, Batches) else (item.repeat, item.batches)
            for run in inner:
                counts[run.phase] = counts.get(run.phase, 0) + times * run.count
        return counts


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

    def phases(self) -> Iterator[Phase]:
        """Give the phase of every batch, one by one."""
        for epochs in self.epochs:
            for _ in range(epochs.repeat):
                for run in epochs.runs():
                    for _ in range(run.count):
                        yield run.phase


def compress(name: str, epochs: Sequence[Sequence[Phase]]) -> Schedule:
    """Write a sequence of batches, given epoch by epoch as it ran, in repeat counts."""
    grouped = []
    for pattern, equal in groupby(tuple(epoch) for epoch in epochs):
        if not pattern:
            raise InputError("schedule", "epochs", "an epoch without batches", "give every epoch a batch")
        grouped.append(Epochs(repeat=len(list(equal)), batches=_compress_epoch(pattern)))
    if not grouped:
        raise InputError("schedule", "epochs", "empty", "give at least one epoch")
    return Schedule(name=name, epochs=tuple(grouped))


def _compress_epoch(phases: tuple[Phase, ...]) -> tuple[Batches | Repeat, ...]:
    runs = [(phase, len(list(equal))) for phase, equal in groupby(phases)]
    items: list[Batches | Repeat] = []
    start = 0
    while start < len(runs):
        pair = runs[start : start + 2]
        times = 1
        while len(pair) == 2 and runs[start + 2 * times : start + 2 * times + 2] == pair:
            times += 1
        batches = tuple(Batches(phase=phase, count=count) for phase, count in pair)
        if times > 1:
            items.append(Repeat(repeat=times, batches=batches))
            start += 2 * times
        else:
            items.append(batches[0])
            start += 1
    return tuple(items)


class PlannedEpochs(StrictModel):
    """`epochs` epochs (or the rest of them) that go through `pattern` again and again."""

    epochs: PositiveInt | Literal["rest"]
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
    epochs: PositiveInt
    batches_per_epoch: PositiveInt | None = None
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
        return compress(self.name, self.epoch_phases(batches_per_epoch, epochs))

    def counts(self, batches_per_epoch: int, epochs: int) -> dict[Phase, int]:
        """Return the batches of each phase, as ``expand(batches_per_epoch, epochs).counts()`` does, at once."""
        counts: Counter[Phase] = Counter()
        batches = self.batches_per_epoch or batches_per_epoch
        for cycle, taken in self._plan(batches, epochs):
            whole, rest = divmod(batches, len(cycle))
            for position, phase in enumerate(cycle):
                counts[phase] += taken * (whole + (position < rest))
        return {phase: count for phase, count in counts.items() if count}

    def epoch_phases(self, batches_per_epoch: int, epochs: int | None = None) -> list[list[Phase]]:
        """Return the phase of every batch, epoch by epoch."""
        rows: list[list[Phase]] = []
        batches = self.batches_per_epoch or batches_per_epoch
        for cycle, taken in self._plan(batches, self.epochs if epochs is None else epochs):
            rows += [[cycle[i % len(cycle)] for i in range(batches)]] * taken
        return rows

    def _plan(self, batches_per_epoch: int, epochs: int) -> list[tuple[list[Phase], int]]:
        """Return every stage's pattern, batch by batch, and its epochs."""
        if batches_per_epoch < 1:
            raise InputError("schedule", "batches_per_epoch", f"is {batches_per_epoch}", "give at least one batch")
        plan: list[tuple[list[Phase], int]] = []
        left = epochs
        for stage in self.stages:
            taken = left if stage.epochs == "rest" else min(left, stage.epochs)
            plan.append(([run.phase for run in stage.pattern for _ in range(run.count)], taken))
            left -= taken
        if left:
            raise InputError(
                "schedule",
                "epochs",
                f"{self.name} plans {epochs - left} epochs of {epochs}",
                "ask for fewer epochs or let its last stage be 'rest'",
            )
        return plan
