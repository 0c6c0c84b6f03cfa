"""Figure 21: energy of memory accesses, by what is counted."""

from collections.abc import Iterator
from statistics import fmean

from simulator.outputs.charts.chart import Bars, Chart, Lines
from simulator.reproduce.exhibit import Cell, Comparison, Exhibit
from simulator.reproduce.jobs.job import Findings
from simulator.reproduce.jobs.memory_rules import MemoryRules
from simulator.reproduce.page import PagedExhibit, page
from simulator.reproduce.paper import DATASETS, DESIGNS, NETWORKS, targets, trace_name
from simulator.studies.memory_study import BESIDE, COUNTED, ON_CHIP, RULES, STAY

RULE_NAMES = (*(rule.name for rule in RULES), STAY, ON_CHIP, BESIDE, COUNTED)
MASKS, LAST = 1, len(RULE_NAMES) - 1  # activations with the ReLU's masks, the likeliest for the paper's 34 %; all rules
SHORT = ("activations", "+ ReLU masks", "+ weights", "+ partial sums", "+ updates", "+ optimizer", "+ predictor",
         "outputs stay", "+ on chip", "+ DRAM's time", "without masks")  # fmt: skip
JOBS = {(dataset, network): MemoryRules(trace_name(network, dataset)) for dataset in DATASETS for network in NETWORKS}


class _Energies:
    """Every network's energy under a rule and all those before it."""

    def __init__(self, found: Findings) -> None:
        self.rows = {cell: found[job] for cell, job in JOBS.items()}

    def saved(self, cell: tuple[str, str], design: str, rule: int) -> float:
        """Return the share of the baseline's energy that a design saves on a (data set, network)."""
        _, baseline, own = self.rows[cell][design][rule]
        return 1 - own / baseline

    def average(self, dataset: str, design: str, rule: int) -> float:
        return fmean(self.saved((dataset, network), design, rule) for network in NETWORKS)

    def overall(self, design: str, rule: int) -> float:
        return fmean(self.average(dataset, design, rule) for dataset in DATASETS)

    def own_share(self, rule: int) -> tuple[float, float]:
        """Return a rule's own share of the baseline's energy with all rules, and what MAX saves of its own."""
        shares, base_sum, own_sum = [], 0.0, 0.0
        for designs in self.rows.values():
            rows = designs["max"]
            before = rows[rule - 1] if rule else ("", 0.0, 0.0)
            # networks count alike, whatever their size
            shares.append((rows[rule][1] - before[1]) / rows[-1][1])
            base_sum += shares[-1]
            own_sum += (rows[rule][2] - before[2]) / rows[-1][1]
        return fmean(shares), 1 - own_sum / base_sum if base_sum else 0.0


class MemoryEnergy(PagedExhibit):
    """Energy of memory accesses of the thirteen networks, baseline and designs, by counting rules."""

    requires = tuple(JOBS.values())

    def make(self, found: Findings) -> Exhibit:
        """Return bars under two rules, the reduction rule by rule, and every network's energy."""
        energies = _Energies(found)
        single = [energies.saved(cell, "max", MASKS) for cell in JOBS]
        worst = min(JOBS, key=lambda cell: energies.saved(cell, "max", LAST))
        text = self.page.text(
            likely=100 * energies.overall("max", MASKS), low=100 * min(single), high=100 * max(single), cell=worst,
            worst=100 * energies.saved(worst, "max", LAST), everything=100 * energies.overall("max", LAST),
        )  # fmt: skip
        headings = [f"{name} saves of all so far" for name in DESIGNS.values()]
        every = (
            (*cell, design, *row) for cell, rows in energies.rows.items() for design in DESIGNS for row in rows[design]
        )
        return Exhibit(
            text,
            tuple(self._comparisons(energies)),
            (
                self.page.picture("rules", _draw_rules(energies)),
                self.page.picture("energy-all", _draw_bars(energies)),
            ),
            (
                self.page.table("rules", _rules(energies), designs=headings),
                self.page.table("reductions", _reductions(energies), rules=list(SHORT)),
                self.page.table("energy", every),
            ),
        )

    def _comparisons(self, energies: _Energies) -> Iterator[Comparison]:
        paper = 100 * targets()["energy"]["average_reduction"]
        charged = 100 * energies.overall("max", LAST)
        yield Comparison("all that the machine charges, per cent saved", paper, charged, self.page.say("charged"), 1)
        for dataset in DATASETS:
            ours = 100 * energies.average(dataset, "max", MASKS)
            yield Comparison(
                f"activations with masks, {dataset}, per cent saved", paper, ours, digits=1, kind="reading"
            )
        for rule, name in enumerate(SHORT):
            what, ours = f"all data sets, {name}, per cent saved", 100 * energies.overall("max", rule)
            yield Comparison(what, paper, ours, self._reason(energies, rule), digits=1, kind="reading")

    def _reason(self, energies: _Energies, rule: int) -> str:
        means = [100 * energies.overall("max", one) for one in range(len(SHORT))]
        if rule == 0:
            return self.page.say("without_masks", points=means[MASKS] - means[0])
        moved = {SHORT[one].removeprefix("+ "): means[one] - means[one - 1] for one in range(MASKS + 1, rule + 1)}
        steps = [f"{name} {change:+.1f}" for name, change in moved.items() if abs(change) >= 0.05]
        return self.page.say("points", listed=", ".join(steps)) if steps else ""


def _rules(energies: _Energies) -> Iterator[tuple[Cell, ...]]:
    for rule, name in enumerate(RULE_NAMES):
        share, saved = energies.own_share(rule)
        change = 100 * (energies.overall("max", rule) - energies.overall("max", rule - 1)) if rule else None
        # the rules on outputs that stay and on masks take away from the others and have no energy of their own
        own = (None, None) if name in (STAY, COUNTED) else (100 * share, 100 * saved if share else None)
        yield name, *own, *(100 * energies.overall(design, rule) for design in DESIGNS), change


def _reductions(energies: _Energies) -> Iterator[tuple[Cell, ...]]:
    rules = range(len(SHORT))
    for cell in JOBS:
        yield *cell, *(100 * energies.saved(cell, "max", rule) for rule in rules)
    for dataset in DATASETS:
        yield dataset, "average", *(100 * energies.average(dataset, "max", rule) for rule in rules)


def _draw_bars(energies: _Energies) -> Chart:
    """Return what each network saves with every access counted; under fewer rules all save nearly the same."""
    panels = []
    for dataset in DATASETS:
        saved = {
            name: [100 * energies.saved((dataset, network), design, LAST) for network in NETWORKS]
            for design, name in DESIGNS.items()
        }
        marks = [("the paper's average", 100 * targets()["energy"]["average_reduction"])]
        panels.append(Bars(dataset, "energy saved, per cent", NETWORKS, saved, marks))
    return Chart(panels)


def _draw_rules(energies: _Energies) -> Chart:
    paper = {"the paper's average": 100 * targets()["energy"]["average_reduction"]}
    panels = []
    for dataset in DATASETS:
        means = {
            design: [100 * energies.average(dataset, design, rule) for rule in range(len(SHORT))] for design in DESIGNS
        }
        lines = {DESIGNS[design]: list(enumerate(each)) for design, each in means.items()}
        panels.append(Lines(dataset, "", "average saved, per cent (axis cut)", lines, paper, dots=True, ticks=SHORT))
    return Chart(panels, columns=3)


EXHIBITS = (MemoryEnergy(page("fig21")),)
