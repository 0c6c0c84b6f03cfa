"""What tables 2 and 3 share: one network, its run held against the paper's, and what assumptions make of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.reproduce.composed import BatchCycles, batch_cycles, gp_share, paper_batches
from simulator.reproduce.exhibit import Cell, Comparison, Picture, Table
from simulator.reproduce.job import Findings, Plain
from simulator.reproduce.jobs.layer_cycles import LayerCycles
from simulator.reproduce.paper import DESIGNS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EPOCHS = 90  # of the shipped schedule
LENGTHS = range(11, 61)  # epochs among which a run nearest the paper's is sought; with ten there is no Phase GP
LISTED = (11, 12, 13, 14, 15, 16, 17, 18, 20, 25, 30, 60, EPOCHS)
BILLION = 1e9


@dataclass(frozen=True, slots=True)
class Assumption:
    """One other assumption: its job, and the batches of an epoch under it."""

    name: str
    job: LayerCycles
    batches: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A part of the backward pass that Phase GP would not save: which (layer, pass) belong to it."""

    name: str
    keeps: Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Printed:
    """What the paper's table has: the baseline's cycles in 10^9, and by design those of ADA-GP."""

    baseline: float
    designs: Mapping[str, float]

    def speedup(self, design: str) -> float:
        """Return the speedup by the printed cycles."""
        return self.baseline / self.designs[design]


@dataclass(frozen=True)
class NetworkTable:
    """One of the tables: a network under the shipped assumption, the first, and under others.

    Attributes
    ----------
    cut : sequence of Kept
        Parts of the backward pass for the table of what Phase GP would not save.
    """

    key: str
    printed: Printed
    assumptions: Sequence[Assumption]
    cut: Sequence[Kept]

    @property
    def own(self) -> Assumption:
        """The shipped assumption."""
        return self.assumptions[0]

    def jobs(self) -> list[LayerCycles]:
        """Return one job for each assumption."""
        return [one.job for one in self.assumptions]

    def batch(self, found: Findings, design: str, assumption: Assumption | None = None) -> BatchCycles:
        """Return cycles a batch under an assumption, the shipped one by default."""
        return batch_cycles(found[(assumption or self.own).job], design)

    def epoch_cycles(self, found: Findings, assumption: Assumption | None = None) -> float:
        """Return the baseline's cycles of an epoch, in 10^9."""
        one = assumption or self.own
        return one.batches * self.batch(found, "max", one).baseline / BILLION

    def speedup(
        self, found: Findings, design: str, epochs: int = EPOCHS, assumption: Assumption | None = None
    ) -> float:
        """Return a design's speedup in a run of some epochs."""
        one = assumption or self.own
        return self.batch(found, design, one).speedup(paper_batches(epochs, one.batches))

    def nearest_length(self, found: Findings, assumption: Assumption | None = None) -> int:
        """Return the epochs whose speedups are nearest to the printed ones; of several designs the farthest counts."""

        def distance(epochs: int) -> float:
            return max(
                abs(self.speedup(found, design, epochs, assumption) / self.printed.speedup(design) - 1)
                for design in self.printed.designs
            )

        return min(LENGTHS, key=distance)

    def cycles(self, found: Findings) -> Iterator[Comparison]:
        """Yield the run's cycles and speedups beside the paper's."""
        per_epoch, shortest = self.epoch_cycles(found), self.nearest_length(found)
        batches = self.own.batches
        share = gp_share(paper_batches(EPOCHS, batches))
        length = (
            f"a run of {EPOCHS} epochs; an epoch takes {per_epoch:,.1f} x 10^9 here, so the paper's cycles would be "
            f"{self.printed.baseline / per_epoch:,.1f} epochs"
        )
        yield Comparison("cycles of the baseline, 10^9", self.printed.baseline, EPOCHS * per_epoch, length, digits=1)
        for design, cycles in self.printed.designs.items():
            ours = EPOCHS * per_epoch / self.speedup(found, design)
            yield Comparison(f"cycles of {DESIGNS[design]}, 10^9", cycles, ours, length, digits=1)
        for design in self.printed.designs:
            wanted = self.batch(found, design).gp_share_for(self.printed.speedup(design))
            reason = (
                f"with these cycles a batch {wanted:.1%} of the batches would have to be GP; {EPOCHS} epochs of the "
                f"paper's schedule have {share:.1%}, {shortest - 1} to {shortest + 1} have "
                + ", ".join(f"{gp_share(paper_batches(n, batches)):.1%}" for n in range(shortest - 1, shortest + 2))
            )
            ours = self.speedup(found, design)
            yield Comparison(f"speedup of {DESIGNS[design]}", self.printed.speedup(design), ours, reason)

    def lengths_table(self, found: Findings) -> Table:
        """Return what the number of epochs makes of the run."""
        rows = [
            (epochs, 100 * gp_share(paper_batches(epochs, self.own.batches)), epochs * self.epoch_cycles(found),
             *(self.speedup(found, design, epochs) for design in DESIGNS))
            for epochs in LISTED
        ]  # fmt: skip
        return Table(
            f"{self.key}-epochs", "The same batches in shorter runs, ten epochs of Warm Up in each",
            ("epochs", "GP batches, per cent", "baseline, 10^9 cycles", *DESIGNS.values()), tuple(rows),
        )  # fmt: skip

    def assumptions_table(self, found: Findings) -> Table:
        """Return what other assumptions make of the run, and which length of it comes nearest to the paper."""
        rows: list[tuple[Cell, ...]] = []
        for one in self.assumptions:
            length = self.nearest_length(found, one)
            rows.append((
                one.name, self.epoch_cycles(found, one),
                *(self.speedup(found, design, EPOCHS, one) for design in DESIGNS), length,
                *(self.speedup(found, design, length, one) for design in self.printed.designs),
                length * self.epoch_cycles(found, one),
            ))  # fmt: skip
        return Table(
            f"{self.key}-assumptions", "Other assumptions, one at a time",
            ("assumption", "baseline, 10^9 cycles an epoch", *(f"{one}, {EPOCHS} epochs" for one in DESIGNS.values()),
             "epochs nearest the paper's speedups", *(f"{DESIGNS[one]} then" for one in self.printed.designs),
             "baseline then, 10^9 cycles"),
            tuple(rows),
        )  # fmt: skip

    def kept_table(self, found: Findings) -> Table:
        """Return Efficient's speedup if Phase GP kept a part of the backward pass."""
        layers: Plain = found[self.own.job]["baseline"]["phases"]["bp"]["layers"]
        cycles = self.batch(found, "efficient")
        batches = paper_batches(EPOCHS, self.own.batches)
        backward = backward_cycles(layers, lambda layer, name: True)
        rows = []
        for one in self.cut:
            kept = backward_cycles(layers, one.keeps)
            longer = BatchCycles(cycles.baseline, cycles.bp, cycles.gp + kept)
            rows.append((one.name, 100 * kept / backward, longer.speedup(batches)))
        return Table(
            f"{self.key}-kept", f"Efficient in {EPOCHS} epochs, if Phase GP kept a part of the backward pass",
            ("kept", "of the backward pass, per cent", "speedup"), tuple(rows),
        )  # fmt: skip

    def within(self, found: Findings, tolerance: float) -> Iterator[tuple[Assumption, int, float]]:
        """Yield assumptions that come so near the printed speedups, with epochs and cycles over the paper's."""
        for one in self.assumptions:
            for epochs in sorted({self.nearest_length(found, one), EPOCHS}):
                near = all(
                    abs(self.speedup(found, design, epochs, one) / self.printed.speedup(design) - 1) <= tolerance
                    for design in self.printed.designs
                )
                if near:
                    yield one, epochs, epochs * self.epoch_cycles(found, one) / self.printed.baseline

    def pictures(self, found: Findings, panels: Sequence[Assumption]) -> tuple[Picture, ...]:
        """Return speedups by epochs under some assumptions, and those of 90 epochs under all."""
        return (
            Picture(
                f"{self.key}-epochs", "Speedup of LOW, Efficient and MAX by the number of epochs, beside the paper's",
                lambda: self._draw_lengths(found, panels),
            ),
            Picture(
                f"{self.key}-assumptions", f"Speedups of {EPOCHS} epochs under each assumption, beside the paper's",
                lambda: self._draw_assumptions(found),
            ),
        )  # fmt: skip

    def _marks(self) -> dict[str, float]:
        return {f"the paper's {DESIGNS[one]}": self.printed.speedup(one) for one in self.printed.designs}

    def _draw_lengths(self, found: Findings, panels: Sequence[Assumption]) -> "Figure":
        from simulator.reproduce.other_networks_charts import by_epochs

        epochs = [*range(10, 31), 35, 40, 50, 60, 75, EPOCHS]
        series = {
            one.name: {
                name: [(n, self.speedup(found, design, n, one)) for n in epochs] for design, name in DESIGNS.items()
            }
            for one in panels
        }
        return by_epochs(series, self._marks())

    def _draw_assumptions(self, found: Findings) -> "Figure":
        from simulator.reproduce.other_networks_charts import by_assumption

        series = {
            name: [self.speedup(found, design, EPOCHS, one) for one in self.assumptions]
            for design, name in DESIGNS.items()
        }
        return by_assumption([one.name for one in self.assumptions], series, self._marks(), f"{EPOCHS} epochs")


def not_ours(rows: Mapping[str, tuple[float, int]], why: str) -> list[Comparison]:
    """Return numbers of the paper that have none of ours beside them, each with its digits."""
    return [Comparison(what, paper, None, why, digits) for what, (paper, digits) in rows.items()]


def backward_cycles(layers: Plain, keeps: Callable[[str, str], bool]) -> int:
    """Return the cycles of a batch's backward pass (updates among it) that belong to chosen (layer, pass)."""
    return sum(
        cycles
        for layer, passes in layers.items()
        for name, cycles in passes.items()
        if name != "forward" and keeps(layer, name)
    )
