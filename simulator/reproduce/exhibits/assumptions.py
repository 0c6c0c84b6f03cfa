"""Study: which of the assumptions that the paper leaves open moves the speedup of MAX, and by how much."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from simulator.outputs.charts.chart import Changes, Chart
from simulator.reproduce.exhibit import Comparison, Exhibit
from simulator.reproduce.jobs.design_comparison import DesignComparison
from simulator.reproduce.jobs.job import Findings
from simulator.reproduce.page import PagedExhibit, page
from simulator.reproduce.paper import NETWORKS, targets
from simulator.reproduce.run_arithmetic import batch_cycles, paper_batches
from simulator.reproduce.variants import SHIPPED, Variant, cells, studies, variants

# Mappings on which depthwise layers lie otherwise.
MAPPINGS = ("shape of the 180 PEs", "interconnect")
DEPTHWISE = "MobileNet-V2"
(DENSE,) = (one for one in variants() if one.value == "dense")
WHOLE = ("CIFAR10", "ImageNet")  # data sets with a dense dgrad on all networks


@dataclass(frozen=True, slots=True)
class _Row:
    """A changed assumption: MAX's speedup in every cell, and what the change moves the mean of each data set."""

    assumption: str
    value: str
    speedups: list[float]

    def means(self) -> list[float]:
        """Return the mean of each data set."""
        half = len(self.speedups) // 2
        return [fmean(self.speedups[:half]), fmean(self.speedups[half:])]

    def moved(self, shipped: "_Row") -> list[float]:
        """Return what the change moves each mean."""
        return [after - before for after, before in zip(self.means(), shipped.means(), strict=True)]


class Assumptions(PagedExhibit):
    """The speedups of MAX with one assumption changed at a time."""

    def jobs(self) -> list[DesignComparison]:
        """Return every variant on the studied networks, and a dense dgrad on all networks of two data sets."""
        studied = [one.job(*cell) for one in (SHIPPED, *variants()) for cell in cells()]
        return studied + [
            one.job(network, dataset) for one in (SHIPPED, DENSE) for dataset in WHOLE for network in NETWORKS
        ]

    def make(self, found: Findings) -> Exhibit:
        """Return the table of changes, a picture of them for each data set, and what they explain."""
        shipped, *rows = [_row(found, one) for one in (SHIPPED, *variants())]
        rows += [_row_of_length(found, epochs) for epochs in studies()["epochs"]]
        ordered = sorted(rows, key=lambda one: -max(map(abs, one.moved(shipped))))
        paper = targets()["speedup_over_bp"]["WS"]["average"]["ImageNet"]
        what = "average speedup of MAX, ImageNet, with a dense dgrad"
        dense = fmean(_speedups(found, DENSE, "ImageNet").values())
        columns = [f"{network}, {dataset}" for network, dataset in cells()]
        return Exhibit(
            self._text(found, [one.moved(shipped) for one in rows]),
            (Comparison(what, paper, dense, kind="reading"),),
            tuple(
                self.page.picture(dataset.lower(), _draw(shipped, rows, place))
                for place, dataset in enumerate(studies()["datasets"])
            ),
            (
                self.page.table("changes", ((one.assumption, one.value, *one.moved(shipped)) for one in ordered)),
                self.page.table("speedups", ((one.assumption, one.value, *one.speedups) for one in (shipped, *rows)),
                                cells=columns),
            ),
        )  # fmt: skip

    def _text(self, found: Findings, moved: Sequence[Sequence[float]]) -> str:
        published = targets()["speedup_over_bp"]["WS"]
        before, after = ({one: _speedups(found, variant, one) for one in WHOLE} for variant in (SHIPPED, DENSE))
        most = max(NETWORKS, key=lambda network: after["ImageNet"][network] - before["ImageNet"][network])
        means = {name: {one: fmean(run[one].values()) for one in WHOLE} for name, run in (("b", before), ("a", after))}
        off = {name: sum(abs(run[one] - published["average"][one]) for one in WHOLE) for name, run in means.items()}
        mappings = [SHIPPED, *(one for one in variants() if one.assumption in MAPPINGS)]
        mobile = {one.value: found[one.job(DEPTHWISE, "ImageNet")]["max"] for one in mappings}
        small = {one.value: found[one.job(DEPTHWISE, "CIFAR10")]["max"]["speedup"] for one in mappings}
        shapes = [self.page.say("shape", name=name, run=run, cifar=small[name]) for name, run in mobile.items()]
        near = min(mobile, key=lambda name: abs(mobile[name]["speedup"] - published["max"]["ImageNet"]))
        return self.page.text(
            dataflow=studies()["dataflow"], networks=", ".join(studies()["networks"]),
            small=sum(max(map(abs, one)) < 0.005 for one in moved), changes=len(moved),
            before=means["b"], after=means["a"], published=published, most=most,
            most_before=before["ImageNet"][most], most_after=after["ImageNet"][most], off_before=off["b"],
            off_after=off["a"], largest=mobile[SHIPPED.value]["speedup"], shapes=", ".join(shapes), near=near,
            near_imagenet=mobile[near]["speedup"], near_cifar=small[near],
        )  # fmt: skip


def _speedups(found: Findings, variant: Variant, dataset: str) -> dict[str, float]:
    return {network: found[variant.job(network, dataset)]["max"]["speedup"] for network in NETWORKS}


def _row(found: Findings, variant: Variant) -> _Row:
    return _Row(variant.assumption, variant.value, [found[variant.job(*cell)]["max"]["speedup"] for cell in cells()])


def _row_of_length(found: Findings, epochs: int) -> _Row:
    """Return a row of runs of another length, from the cycles of their batches."""
    speedups = []
    for job in (SHIPPED.job(*cell) for cell in cells()):
        trace = job.workload()
        batches = paper_batches(epochs, trace.dataset.batches_per_epoch(trace.batch_size))
        speedups.append(batch_cycles(found[job], "max").speedup(batches))
    return _Row("epochs of the run", f"{epochs} instead of 90", speedups)


def _draw(shipped: _Row, rows: Sequence[_Row], place: int) -> Chart:
    bars = [(f"{one.assumption}: {one.value}", one.moved(shipped)[place]) for one in rows]
    title = f"{studies()['datasets'][place]}, {studies()['dataflow']}, mean of {len(studies()['networks'])} networks"
    return Chart([Changes(title, "change of the mean speedup of MAX", bars)])


EXHIBITS = (Assumptions(page("study")),)
