"""Beyond the paper: how the gain depends on batch size, array size, DRAM bandwidth and the predictor's size."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.reproduce.assumptions import (
    BANDWIDTHS,
    BATCHES,
    DATAFLOW,
    DEFAULT,
    PREDICTORS,
    STUDIED,
    STUDIED_DATASETS,
    Variant,
    array,
)
from simulator.reproduce.exhibit import Cell, Exhibit, Picture, Table
from simulator.reproduce.job import Findings
from simulator.reproduce.jobs.design_comparison import DesignComparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIDES = (8, 32, 64)
# By what is varied: its values, 128 images, 180 PEs, 12.8 GB/s and 64 features being the shipped ones.
AXES: Mapping[str, Mapping[float, Variant]] = {
    "batch size": {float(size): one for size, one in BATCHES.items()} | {128.0: DEFAULT},
    "PEs of the first array": {
        180: DEFAULT,
        **{side * side: Variant("array", f"{side} x {side}", array(side, side)) for side in _SIDES},
    },
    "DRAM bandwidth in GB/s": {**BANDWIDTHS, 12.8: DEFAULT},
    "features of the predictor": {float(count): one for count, one in PREDICTORS.items()} | {64.0: DEFAULT},
}


@dataclass(frozen=True)
class Scaling:
    """Speedup of MAX along four axes."""

    key: str = "scaling"
    title: str = "Beyond the paper: batch size, array, DRAM and predictor"
    rank: int = 800

    def jobs(self) -> list[DesignComparison]:
        """Return every value of every axis on the studied networks."""
        return [
            variant.job(network, dataset)
            for values in AXES.values()
            for variant in values.values()
            for network in STUDIED
            for dataset in STUDIED_DATASETS
        ]

    def make(self, found: Findings) -> Exhibit:
        """Return a picture of four panels for each data set, and the numbers."""
        rows: list[tuple[Cell, ...]] = [
            (axis, value, dataset, network, self._speedup(found, variant, network, dataset))
            for axis, values in AXES.items()
            for value, variant in sorted(values.items())
            for dataset in STUDIED_DATASETS
            for network in STUDIED
        ]
        return Exhibit(
            text=self._text(found),
            pictures=tuple(
                Picture(
                    f"scaling-{dataset.lower()}",
                    f"Lines of MAX's speedup over batch size, PEs, bandwidth and features, {dataset}",
                    lambda dataset=dataset: self._draw(found, dataset),  # type: ignore[misc]
                )
                for dataset in STUDIED_DATASETS
            ),
            tables=(
                Table("scaling-speedups", "Speedup of MAX", ("axis", "value", "data set", "network", "speedup"),
                      tuple(rows), shown=False),
            ),
        )  # fmt: skip

    def _speedup(self, found: Findings, variant: Variant, network: str, dataset: str) -> float:
        speedup: float = found[variant.job(network, dataset)]["max"]["speedup"]
        return speedup

    def _text(self, found: Findings) -> str:
        sentences = []
        for axis, values in AXES.items():
            least, most = min(values), max(values)
            spans = {}
            for network in STUDIED:
                for dataset in STUDIED_DATASETS:
                    ends = [self._speedup(found, values[end], network, dataset) for end in (least, most)]
                    spans[network, dataset] = ends
            network, dataset = max(spans, key=lambda one: abs(spans[one][1] - spans[one][0]))
            before, after = spans[network, dataset]
            rises = sum(ends[1] > ends[0] for ends in spans.values())
            sentences.append(
                f"{axis[0].upper()}{axis[1:]} from {least:g} to {most:g}: the speedup rises for {rises} of "
                f"{len(spans)} runs; it moves most for {network} on {dataset}, from {before:.3f} to {after:.3f}."
            )
        return (
            f"MAX over the baseline, `{DATAFLOW}`, one axis at a time, the rest as shipped. Ports and the second array "
            "(half of the rows) grow with the array. The predictor works on a mean over the batch, so it costs as much "
            "for a small batch as for a large one, and its share of the time grows as batches shrink.\n\n"
            + "\n".join(f"- {sentence}" for sentence in sentences)
        )

    def _draw(self, found: Findings, dataset: str) -> "Figure":
        from simulator.reproduce.charts import lines

        panels = {
            axis: {
                network: [
                    (float(value), self._speedup(found, variant, network, dataset))
                    for value, variant in sorted(values.items())
                ]
                for network in STUDIED
            }
            for axis, values in AXES.items()
        }
        return lines(panels, "", "speedup of MAX", logarithmic=True)


EXHIBIT = Scaling()
