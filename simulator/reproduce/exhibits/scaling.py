"""Beyond the paper: how the gain depends on batch size, array size, DRAM bandwidth and the predictor's size."""

from collections.abc import Iterator, Mapping

from simulator.outputs.charts.chart import Chart, Lines
from simulator.reproduce.exhibit import Exhibit
from simulator.reproduce.jobs.design_comparison import DesignComparison
from simulator.reproduce.jobs.job import Findings
from simulator.reproduce.page import PagedExhibit, page
from simulator.reproduce.variants import SHIPPED, Variant, arrays, cells, studies, variants

Axis = Mapping[float, Variant]  # by value, the least first


class Scaling(PagedExhibit):
    """Speedup of MAX along the axes of the page."""

    def jobs(self) -> list[DesignComparison]:
        """Return every value of every axis on the studied networks."""
        return [one.job(*cell) for axis in self._axes().values() for one in axis.values() for cell in cells()]

    def make(self, found: Findings) -> Exhibit:
        """Return a picture of four panels for each data set, and the numbers."""
        rows = (
            (name, value, dataset, network, _speedup(found, one, network, dataset))
            for name, axis in self._axes().items()
            for value, one in axis.items()
            for network, dataset in cells()
        )
        return Exhibit(
            self.page.text(dataflow=studies()["dataflow"], ends="\n".join(self._ends(found))),
            pictures=tuple(self.page.picture(one.lower(), self._draw(found, one)) for one in studies()["datasets"]),
            tables=(self.page.table("speedups", rows),),
        )

    def _axes(self) -> dict[str, Axis]:
        """Return every axis: the variants of an assumption, and the shipped value."""
        found: dict[str, Axis] = {}
        for axis in self.page.constants["axes"]:
            values = {one.at: one for one in (*variants(), *arrays()) if one.assumption == axis["assumption"]}
            values[axis["shipped"]] = SHIPPED
            found[axis["name"]] = {at: one for at, one in sorted(values.items()) if at is not None}
        return found

    def _ends(self, found: Findings) -> Iterator[str]:
        for name, axis in self._axes().items():
            least, *_, most = axis
            spans = {cell: [_speedup(found, axis[end], *cell) for end in (least, most)] for cell in cells()}
            network, dataset = max(spans, key=lambda cell: abs(spans[cell][1] - spans[cell][0]))
            before, after = spans[network, dataset]
            yield self.page.say(
                "ends", axis=f"{name[0].upper()}{name[1:]}", least=least, most=most, of=len(spans), network=network,
                rises=sum(ends[1] > ends[0] for ends in spans.values()), dataset=dataset, before=before, after=after,
            )  # fmt: skip

    def _draw(self, found: Findings, dataset: str) -> Chart:
        return Chart([
            Lines(name, "", "speedup of MAX", {
                network: [(value, _speedup(found, one, network, dataset)) for value, one in axis.items()]
                for network in studies()["networks"]
            }, logarithmic="x", dots=True)
            for name, axis in self._axes().items()
        ], columns=2)  # fmt: skip


def _speedup(found: Findings, variant: Variant, network: str, dataset: str) -> float:
    speedup: float = found[variant.job(network, dataset)]["max"]["speedup"]
    return speedup


EXHIBITS = (Scaling(page("scaling")),)
