"""Figure 21: energy of memory accesses, by what is counted."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from simulator.reproduce.exhibit import Cell, Comparison, Exhibit, Picture, Table
from simulator.reproduce.job import Findings
from simulator.reproduce.jobs.memory_rules import MemoryRules
from simulator.reproduce.paper import DATASETS, DESIGNS, NETWORKS, targets, trace_name
from simulator.studies.memory_study import ON_CHIP, RULES, STAY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RULE_NAMES = (*(rule.name for rule in RULES), STAY, ON_CHIP)
MASKS = 1  # the rule that the paper's 34 % is likest to: activations, with the ReLU's masks
SHORT = ("activations", "+ ReLU masks", "+ weights", "+ partial sums", "+ updates", "+ optimizer", "+ predictor",
         "outputs stay", "+ on chip")  # fmt: skip


@dataclass(frozen=True)
class MemoryEnergy:
    """Energy of memory accesses of the thirteen networks, baseline and designs, by counting rules."""

    key: str = "fig21"
    rank: int = 210
    title: str = "Figure 21: energy of memory accesses"

    def jobs(self) -> list[MemoryRules]:
        """Return one study for each network and data set."""
        return [_job(network, dataset) for dataset in DATASETS for network in NETWORKS]

    def make(self, found: Findings) -> Exhibit:
        """Return bars under two rules, the reduction rule by rule, and every network's energy."""
        return Exhibit(
            text=_text(found),
            comparisons=tuple(_comparisons(found)),
            pictures=(
                Picture(
                    "fig21-energy",
                    "Bars of the energy of memory accesses against the baseline's 1.0, activations with ReLU masks",
                    lambda: _draw_bars(found, MASKS),
                ),
                Picture(
                    "fig21-energy-all",
                    "The same bars with every access to DRAM and on the chip",
                    lambda: _draw_bars(found, len(RULE_NAMES) - 1),
                ),
                Picture(
                    "fig21-rules",
                    "The average reduction of each design as kinds of accesses are added, and the paper's 34 %",
                    lambda: _draw_steps(found),
                ),
            ),
            tables=(_rules(found), _reductions(found), _energies(found)),
        )


def reduction(found: Findings, network: str, dataset: str, design: str, rule: int) -> float:
    """Return the share of the baseline's energy that a design saves under a rule and all those before it."""
    _, baseline, own = found[_job(network, dataset)][design][rule]
    return 1 - own / baseline


def average(found: Findings, dataset: str, design: str, rule: int) -> float:
    """Return the mean reduction of the thirteen networks on a data set."""
    return fmean(reduction(found, network, dataset, design, rule) for network in NETWORKS)


def _job(network: str, dataset: str) -> MemoryRules:
    return MemoryRules(trace_name(network, dataset))


def _overall(found: Findings, design: str, rule: int) -> float:
    return fmean(average(found, dataset, design, rule) for dataset in DATASETS)


def _own_share(found: Findings, rule: int, design: str) -> tuple[float, float]:
    """Return a rule's own share of the baseline's energy with all rules, and what a design saves of its own."""
    shares, base_sum, own_sum = [], 0.0, 0.0
    for dataset in DATASETS:
        for network in NETWORKS:
            rows = found[_job(network, dataset)][design]
            before = rows[rule - 1] if rule else ("", 0.0, 0.0)
            base, own = rows[rule][1] - before[1], rows[rule][2] - before[2]
            shares.append(base / rows[-1][1])
            # networks count alike, whatever their size
            base_sum += base / rows[-1][1]
            own_sum += own / rows[-1][1]
    return fmean(shares), 1 - own_sum / base_sum if base_sum else 0.0


def _reason(found: Findings, rule: int) -> str:
    if rule == 0:
        worth = _overall(found, "max", MASKS) - _overall(found, "max", 0)
        return f"without the outputs read again for the mask, which a GP batch saves whole: {100 * worth:+.1f} points"
    steps = [
        (SHORT[one].removeprefix("+ "), 100 * (_overall(found, "max", one) - _overall(found, "max", one - 1)))
        for one in range(MASKS + 1, rule + 1)
    ]
    listed = ", ".join(f"{name} {change:+.1f}" for name, change in steps if abs(change) >= 0.05)
    return f"points against activations with masks: {listed}" if listed else ""


def _comparisons(found: Findings) -> Iterator[Comparison]:
    paper = 100 * targets()["energy"]["average_reduction"]
    for dataset in DATASETS:
        ours = 100 * average(found, dataset, "max", MASKS)
        yield Comparison(f"activations with masks, {dataset}, per cent saved", paper, ours, digits=1)
    for rule, name in enumerate(SHORT):
        ours = 100 * _overall(found, "max", rule)
        what = f"all data sets, {name}, per cent saved"
        yield Comparison(what, paper, ours, _reason(found, rule), digits=1)


def _text(found: Findings) -> str:
    low, high = (
        choose(100 * reduction(found, network, dataset, "max", MASKS) for network in NETWORKS for dataset in DATASETS)
        for choose in (min, max)
    )
    network, dataset = min(
        ((network, dataset) for network in NETWORKS for dataset in DATASETS),
        key=lambda one: reduction(found, one[0], one[1], "max", len(RULE_NAMES) - 1),
    )
    worst = 100 * reduction(found, network, dataset, "max", len(RULE_NAMES) - 1)
    likely, everything = (100 * _overall(found, "max", rule) for rule in (MASKS, len(RULE_NAMES) - 1))
    return (
        "The paper has an average reduction of 34 % for memory accesses and does not say which it counts; its bars "
        "have no numbers. Here each kind of access is counted alone and added to those before it (docs/memory.md). "
        "MAX stands for ADA-GP, weight stationary, averages over thirteen networks.\n\n"
        "**What gives 34 %**: DRAM traffic of activations and their gradients, with outputs read once more for the "
        f"ReLU's mask, {likely:.1f} %; single networks {low:.1f} to {high:.1f} %. A BP batch then moves seven "
        "tensors a layer and a GP batch two. That the paper counted so is an inference from the number. With "
        f"everything counted it is {everything:.1f} %, least for {network} on {dataset}, {worst:.1f} %: its weights "
        "are many and its images small, and the predictor's traffic is a batch's, not an image's."
    )


def _rules(found: Findings) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for rule, name in enumerate(RULE_NAMES):
        share, saved = _own_share(found, rule, "max")
        means = [100 * _overall(found, design, rule) for design in DESIGNS]
        change = 100 * (_overall(found, "max", rule) - _overall(found, "max", rule - 1)) if rule else None
        # the rule on outputs that stay takes away from the others and has no energy of its own
        if name == STAY:
            rows.append((name, None, None, *means, change))
        else:
            rows.append((name, 100 * share, 100 * saved if share else None, *means, change))
    return Table(
        "fig21-rules", "What each kind of access is worth, per cent, mean of all networks and data sets",
        ("counted, with all above", "its share of the baseline's memory energy", "MAX saves of it",
         *(f"{name} saves of all so far" for name in DESIGNS.values()), "points it moves MAX"),
        tuple(rows), digits=1,
    )  # fmt: skip


def _reductions(found: Findings) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (dataset, network, *(100 * reduction(found, network, dataset, "max", rule) for rule in range(len(SHORT))))
        for dataset in DATASETS
        for network in NETWORKS
    ]
    rows += [
        (dataset, "average", *(100 * average(found, dataset, "max", rule) for rule in range(len(SHORT))))
        for dataset in DATASETS
    ]
    return Table(
        "fig21-reductions", "Per cent that MAX saves, by network", ("data set", "network", *SHORT), tuple(rows),
        shown=False,
    )  # fmt: skip


def _energies(found: Findings) -> Table:
    rows = [
        (dataset, network, design, rule, baseline, own)
        for dataset in DATASETS
        for network in NETWORKS
        for design in DESIGNS
        for rule, baseline, own in found[_job(network, dataset)][design]
    ]
    return Table(
        "fig21-energy", "Energy of the whole run under each rule with those before it",
        ("data set", "network", "design", "counted, with all above", "baseline_pj", "design_pj"), tuple(rows),
        shown=False,
    )  # fmt: skip


def _draw_bars(found: Findings, rule: int) -> "Figure":
    from simulator.reproduce.charts import grouped_bars

    panels = {}
    for dataset in DATASETS:
        series = {"baseline": [1.0] * (len(NETWORKS) + 1)}
        for design, name in DESIGNS.items():
            heights = [1 - reduction(found, network, dataset, design, rule) for network in NETWORKS]
            series[name] = [*heights, fmean(heights)]
        panels[dataset] = series
    paper = 1 - targets()["energy"]["average_reduction"]
    marks = {dataset: [("the paper's average", paper)] for dataset in DATASETS}
    return grouped_bars(panels, [*NETWORKS, "average"], "energy, baseline = 1", marks)


def _draw_steps(found: Findings) -> "Figure":
    import matplotlib.pyplot as plt

    from simulator.reproduce.charts import BLUE, GREEN, ORANGE, legend, tidy

    figure, grid = plt.subplots(1, len(DATASETS), figsize=(12.5, 4), layout="constrained", sharey=True)
    places = range(len(SHORT))
    for axes, dataset in zip(grid, DATASETS, strict=True):
        for (design, name), colour in zip(DESIGNS.items(), (ORANGE, GREEN, BLUE), strict=True):
            heights = [100 * average(found, dataset, design, rule) for rule in places]
            axes.step(places, heights, where="mid", color=colour, label=name, linewidth=1.6)
            axes.plot(places, heights, "o", color=colour, markersize=4)
        axes.axhline(100 * targets()["energy"]["average_reduction"], color="#000000", linestyle=":", linewidth=1.2,
                     label="the paper's average")  # fmt: skip
        axes.set_title(dataset, fontsize=10)
        axes.set_xticks(list(places), SHORT, rotation=45, ha="right", fontsize=8)
        tidy(axes)
    grid[0].set_ylabel("average saved, per cent (axis cut)")
    legend(figure, grid)
    return figure


EXHIBIT = MemoryEnergy()
