"""Tables 2 and 3: Transformer and YOLO-v3, each run beside the paper's, and what assumptions make of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from simulator.outputs.charts.chart import Chart, Dots, Lines
from simulator.reproduce.exhibit import Cell, Comparison, Exhibit
from simulator.reproduce.jobs.job import Findings, Plain
from simulator.reproduce.jobs.layer_cycles import LayerCycles
from simulator.reproduce.page import PagedExhibit, page
from simulator.reproduce.paper import DESIGNS, targets
from simulator.reproduce.run_arithmetic import BatchCycles, batch_cycles, gp_share, ideal_speedup, paper_batches

EPOCHS = 90  # of the shipped schedule
LENGTHS = range(11, 61)  # epochs among which a run nearest the paper's is sought; with ten there is no Phase GP
LISTED = (11, 12, 13, 14, 15, 16, 17, 18, 20, 25, 30, 60, EPOCHS)
DRAWN = (*range(10, 31), 35, 40, 50, 60, 75, EPOCHS)
NEAR = 0.02
BILLION = 1e9


@dataclass(frozen=True, slots=True)
class Kept:
    """A part of a batch's backward pass: some passes of all layers, and some layers, by patterns such as ``*.bmm*``."""

    name: str
    passes: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()

    def cycles(self, found: Plain) -> int:
        """Return its cycles, from those by layer and pass; updates belong to the backward pass."""
        return sum(
            cycles
            for layer, passes in found.items()
            for name, cycles in passes.items()
            if name != "forward"
            and (name in self.passes or any(fnmatchcase(layer, pattern) for pattern in self.layers))
        )


WHOLE = Kept("all of the backward pass", layers=("*",))


@dataclass(frozen=True, slots=True)
class _Run:
    """An assumption with what its job found, beside the cycles that the paper prints, in 10^9."""

    name: str
    batches: int
    found: Plain
    baseline: float
    designs: dict[str, float]

    def printed(self, design: str) -> float:
        """Return the paper's speedup by its cycles."""
        return self.baseline / self.designs[design]

    def batch(self, design: str) -> BatchCycles:
        return batch_cycles(self.found, design)

    def epoch(self) -> float:
        """Return the baseline's cycles of an epoch, in 10^9."""
        return self.batches * self.batch("max").baseline / BILLION

    def share(self, epochs: int) -> float:
        return gp_share(paper_batches(epochs, self.batches))

    def speedup(self, design: str, epochs: int = EPOCHS) -> float:
        return self.batch(design).speedup(paper_batches(epochs, self.batches))

    def off(self, epochs: int) -> float:
        """Return how far the speedups are from the printed ones; of several designs the farthest counts."""
        return max(abs(self.speedup(design, epochs) / self.printed(design) - 1) for design in self.designs)

    def nearest_length(self) -> int:
        """Return the epochs whose speedups are nearest to the printed ones."""
        return min(LENGTHS, key=self.off)

    def within(self) -> list[tuple[int, float]]:
        """Return epochs with speedups near the printed ones, each with its cycles over the paper's."""
        lengths = [epochs for epochs in sorted({self.nearest_length(), EPOCHS}) if self.off(epochs) <= NEAR]
        return [(epochs, epochs * self.epoch() / self.baseline) for epochs in lengths]


class OtherNetwork(PagedExhibit):
    """The run beside the paper's table, and what would make it the paper's; the first assumption is the shipped one."""

    def jobs(self) -> list[LayerCycles]:
        """Return one job for each assumption."""
        return [job for _, job, _ in self._assumptions()]

    def make(self, found: Findings) -> Exhibit:
        """Return cycles and speedups beside the paper's, by epochs and by assumption."""
        runs = self._runs(found)
        own = runs[0]
        return Exhibit(
            self.page.text(**self.figures(runs), epochs=EPOCHS, epoch=own.epoch()),
            tuple(self._comparisons(own)),
            (
                self.page.picture("epochs", self._draw_lengths(runs)),
                self.page.picture("assumptions", _draw_assumptions(runs)),
            ),
            (
                self.page.table("epochs", (_length_row(own, epochs) for epochs in LISTED)),
                self.page.table("assumptions", map(_assumption_row, runs)),
                self.page.table("kept", self._kept_rows(own)),
            ),
        )

    def figures(self, runs: list[_Run]) -> dict[str, object]:
        """Return the figures of the page's text."""
        raise NotImplementedError

    def _assumptions(self) -> Iterator[tuple[str, LayerCycles, int]]:
        """Yield every assumption: its name, its job, and the batches of an epoch."""
        constants = self.page.constants
        for entry in constants["assumptions"]:
            changes = {name: value for name, value in entry.items() if name != "name"}
            batches = -(-constants["samples"] // changes.get("batch_size", constants["batch_size"]))
            yield entry["name"], LayerCycles(constants["trace"], **changes), batches

    def _runs(self, found: Findings) -> list[_Run]:
        paper = targets()[self.page.constants["printed"]]
        designs = {design: paper[name]["cycles_e9"] for design, name in self.page.constants["designs"].items()}
        baseline = paper["baseline"]["cycles_e9"]
        return [_Run(name, batches, found[job], baseline, designs) for name, job, batches in self._assumptions()]

    def _comparisons(self, own: _Run) -> Iterator[Comparison]:
        per_epoch, shortest = own.epoch(), own.nearest_length()
        reason = self.page.say("length", epochs=EPOCHS, epoch=per_epoch, needed=own.baseline / per_epoch)
        yield Comparison("cycles of the baseline, 10^9", own.baseline, EPOCHS * per_epoch, reason, digits=1)
        for design, cycles in own.designs.items():
            ours = EPOCHS * per_epoch / own.speedup(design)
            yield Comparison(f"cycles of {DESIGNS[design]}, 10^9", cycles, ours, reason, digits=1)
        shares = ", ".join(f"{own.share(epochs):.1%}" for epochs in range(shortest - 1, shortest + 2))
        for design in own.designs:
            reason = self.page.say(
                "share", wanted=own.batch(design).gp_share_for(own.printed(design)), epochs=EPOCHS,
                share=own.share(EPOCHS), first=shortest - 1, last=shortest + 1, shares=shares,
            )  # fmt: skip
            constant, what = ideal_speedup(own.share(EPOCHS)), f"speedup of {DESIGNS[design]}"
            yield Comparison(what, own.printed(design), own.speedup(design), reason, constant=constant)
        paper, reason = targets()[self.page.constants["printed"]], self.page.say("not_ours")
        for key, whose in self.page.constants["trained"].items():
            for number in self.page.constants["accuracies"]:
                what = f"{number['what']}, {whose}"
                yield Comparison(what, paper[key][number["name"]], None, reason, number["digits"])

    def _kept_rows(self, own: _Run) -> Iterator[tuple[Cell, ...]]:
        """Yield Efficient's speedup if Phase GP kept a part of the backward pass."""
        layers, cycles = own.found["baseline"]["phases"]["bp"]["layers"], own.batch("efficient")
        for one in (Kept(**entry) for entry in self.page.constants["kept"]):
            kept = one.cycles(layers)
            longer = BatchCycles(cycles.baseline, cycles.bp, cycles.gp + kept)
            yield one.name, 100 * kept / WHOLE.cycles(layers), longer.speedup(paper_batches(EPOCHS, own.batches))

    def _draw_lengths(self, runs: list[_Run]) -> Chart:
        series = [
            {name: [(n, one.speedup(design, n)) for n in DRAWN] for design, name in DESIGNS.items()} for one in runs
        ]
        return Chart([
            Lines(one.name, "epochs of the run", "speedup (axis cut)", lines, _marks(one), dots=True)
            for one, lines in zip(runs, series, strict=True) if one.name in self.page.constants["drawn"]
        ], columns=2)  # fmt: skip


def _draw_assumptions(runs: list[_Run]) -> Chart:
    series = {name: [(one.name, one.speedup(design), "") for one in runs] for design, name in DESIGNS.items()}
    names = [one.name for one in runs]
    return Chart([Dots(f"{EPOCHS} epochs", "speedup (axis cut)", names, series, _marks(runs[0]))])


def _marks(run: _Run) -> dict[str, float]:
    return {f"the paper's {DESIGNS[design]}": run.printed(design) for design in run.designs}


def _length_row(own: _Run, epochs: int) -> tuple[Cell, ...]:
    speedups = (own.speedup(design, epochs) for design in DESIGNS)
    return epochs, 100 * own.share(epochs), epochs * own.epoch(), *speedups


def _assumption_row(one: _Run) -> tuple[Cell, ...]:
    length = one.nearest_length()
    speedups, nearest = map(one.speedup, DESIGNS), (one.speedup(design, length) for design in one.designs)
    return one.name, one.epoch(), *speedups, length, *nearest, length * one.epoch()


class Transformer(OtherNetwork):
    """Table 2. It does not say which design it is; MAX is the one that the paper's averages are of."""

    def figures(self, runs: list[_Run]) -> dict[str, object]:
        """Return where the paper's run lies, and which assumptions come near it."""
        own = runs[0]
        paper = own.printed("max")
        lower = max(n for n in range(11, EPOCHS) if n * own.epoch() <= own.baseline)
        lengths = [
            self.page.say("epochs", n=n, cycles=n * own.epoch(),
                          speedups=", ".join(f"{name} {own.speedup(one, n):.3f}" for one, name in DESIGNS.items()))
            for n in (lower, lower + 1)
        ]  # fmt: skip
        alone = [
            self.page.say("alone", name=one.name, design=DESIGNS[design], speedup=one.speedup(design),
                          times=EPOCHS * one.epoch() / own.baseline)
            for one in runs for design in DESIGNS if abs(one.speedup(design) / paper - 1) <= NEAR
        ]  # fmt: skip
        near = [(one, *found) for one in runs for found in one.within()]
        both = [
            self.page.say("both", name=one.name, n=n, speedup=one.speedup("max", n), ratio=ratio)
            for one, n, ratio in near if abs(ratio - 1) <= NEAR
        ]  # fmt: skip
        between = own.speedup("max", lower) <= paper <= own.speedup("max", lower + 1)
        return {
            "paper_speedup": paper, "lengths": "; ".join(lengths), "lies": "lies" if between else "does not lie",
            "near": len(near), "assumptions": len(runs), "least": min(one.speedup("max") for one in runs),
            "verdict": self.page.say("verdict" if both else "no_verdict", both="; ".join(both)),
            "alone": "; ".join(alone) or "none",
        }  # fmt: skip


class Yolo(OtherNetwork):
    """Table 3."""

    def figures(self, runs: list[_Run]) -> dict[str, object]:
        """Return why the two speedups and the cycles do not belong together."""
        own = runs[0]
        ratios = {one.name: one.speedup("max") / one.speedup("efficient") for one in runs}
        best = max(ratios, key=lambda name: ratios[name])
        macs = own.batches * own.found["baseline"]["phases"]["bp"]["macs"] / 1e9
        near = [
            self.page.say("near", name=one.name, n=n, efficient=one.speedup("efficient", n), max=one.speedup("max", n),
                          part=1 / ratio)
            for one in runs for n, ratio in one.within()
        ]  # fmt: skip
        share, frozen = self._frozen_backbone(own)
        printed = {design: own.printed(design) for design in own.designs}
        shares = {f"{design}_share": own.batch(design).gp_share_for(speedup) for design, speedup in printed.items()}
        return printed | shares | {
            "ratio": printed["max"] / printed["efficient"], "ours": ratios[own.name], "best": best,
            "best_ratio": ratios[best], "near": "; ".join(near) or "none", "longest": max(LENGTHS),
            "baseline": own.baseline, "needed": own.baseline / own.epoch(), "nearest": own.nearest_length(),
            "one_multiplier": own.baseline / macs, "share": share, "frozen": frozen,
        }  # fmt: skip

    def _frozen_backbone(self, own: _Run) -> tuple[float, float]:
        """Return the backbone's share of the backward pass, and Efficient's speedup if no run trained it."""
        backbone = Kept("backbone", layers=self.page.constants["backbone"])
        base, phases = own.found["baseline"]["phases"]["bp"]["layers"], own.found["efficient"]["phases"]
        spared = {phase: backbone.cycles(one["layers"]) for phase, one in phases.items()}
        frozen = backbone.cycles(base)
        cycles = BatchCycles(
            sum(sum(passes.values()) for passes in base.values()) - frozen,
            phases["bp"]["cycles"] - spared["bp"],
            phases["gp"]["cycles"] - spared["gp"],
        )
        return frozen / WHOLE.cycles(base), cycles.speedup(paper_batches(EPOCHS, own.batches))


EXHIBITS = (Transformer(page("table2")), Yolo(page("table3")))
