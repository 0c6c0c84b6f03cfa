"""Beyond the paper: for which networks and arrays LOW, Efficient or MAX is the better buy."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.area.asic import asic_area, sram_area
from simulator.area.fpga import fpga_power
from simulator.area.sizes import sizes_of
from simulator.machine.spec import Accelerator
from simulator.machine.spec_loading import load_designs
from simulator.reproduce.assumptions import STUDIED, array
from simulator.reproduce.exhibit import Cell, Exhibit, Table
from simulator.reproduce.job import Findings
from simulator.reproduce.jobs.design_comparison import DesignComparison
from simulator.reproduce.paper import DATASETS, DESIGNS, NETWORKS, trace_name

_FLOWS = ("ws", "is", "rs", "os")
_NODE_NM = 45  # of the default energy table
_OTHER_ARRAYS = ((8, 8), (32, 32))


def _area_with_memory_mm2(spec: Accelerator) -> float:
    memory = sram_area(spec, _NODE_NM)
    return asic_area(sizes_of(spec)).total_um2 / 1e6 + memory.global_buffer_mm2 + memory.predictor_sram_mm2


# What a design costs; the gain is its speedup over the share that it costs more than the baseline.
_COSTS: Mapping[str, Callable[[Accelerator], float]] = {
    "FPGA power (table 4)": lambda spec: fpga_power(sizes_of(spec)).total_w,
    "logic area (table 5)": lambda spec: asic_area(sizes_of(spec)).total_um2,
    "area with memory (table 5, CACTI at 45 nm)": _area_with_memory_mm2,
}


@dataclass(frozen=True)
class BestBuy:
    """Speedup over cost, energy, and energy times time, and which design wins by each."""

    key: str = "buy"
    title: str = "Beyond the paper: which design is the better buy"
    rank: int = 810

    def jobs(self) -> list[DesignComparison]:
        """Return all networks under all dataflows, and the studied ones on other arrays."""
        return [job for jobs in self._groups().values() for job in jobs]

    def make(self, found: Findings) -> Exhibit:
        """Return how often each design wins by each measure."""
        rows: list[tuple[Cell, ...]] = []
        for group, jobs in self._groups().items():
            specs = {spec.design: spec for spec in load_designs(None, jobs[0].dataflow, jobs[0].settings)}
            for measure, value in self._measures(specs).items():
                wins = dict.fromkeys(DESIGNS, 0)
                means = dict.fromkeys(DESIGNS, 0.0)
                for job in jobs:
                    runs = found[job]
                    values = {design: value(design, runs) for design in DESIGNS}
                    wins[max(values, key=lambda design: values[design])] += 1
                    for design in DESIGNS:
                        means[design] += values[design] / len(jobs)
                rows.append((group, measure, *means.values(), *wins.values()))
        costs: list[tuple[Cell, ...]] = [
            (
                name,
                *(cost(spec) / cost(shipped["baseline"]) for design, spec in shipped.items() if design != "baseline"),
            )
            for shipped in ({spec.design: spec for spec in load_designs()},)
            for name, cost in _COSTS.items()
        ]
        return Exhibit(
            text=self._text(rows),
            tables=(
                Table("buy-costs", "What a design costs, the baseline being 1",
                      ("cost", *DESIGNS.values()), tuple(costs)),
                Table("buy-wins", "Gain for what is spent (mean over the runs; the baseline being 1), and in how many "
                      "runs a design has the largest",
                      ("runs", "measure", *DESIGNS.values(), *(f"{name} wins" for name in DESIGNS.values())),
                      tuple(rows)),
            ),
        )  # fmt: skip

    def _groups(self) -> dict[str, list[DesignComparison]]:
        groups = {
            f"180 PEs, {flow}": [
                DesignComparison(trace_name(network, dataset), flow) for network in NETWORKS for dataset in DATASETS
            ]
            for flow in _FLOWS
        }
        for rows, columns in _OTHER_ARRAYS:
            groups[f"{rows * columns} PEs ({rows} x {columns}), ws, ImageNet, {len(STUDIED)} networks"] = [
                DesignComparison(trace_name(network, "ImageNet"), "ws", settings=array(rows, columns))
                for network in STUDIED
            ]
        return groups

    def _measures(self, specs: Mapping[str, Accelerator]) -> dict[str, Callable[[str, Mapping[str, Any]], float]]:
        measures: dict[str, Callable[[str, Mapping[str, Any]], float]] = {
            f"speedup over {name}": _per_cost({design: cost(spec) for design, spec in specs.items()})
            for name, cost in _COSTS.items()
        }
        measures["speedup"] = lambda design, runs: float(runs[design]["speedup"])
        measures["energy saved (factor)"] = lambda design, runs: float(
            runs["baseline"]["energy_pj"] / runs[design]["energy_pj"]
        )
        measures["energy x time saved (factor)"] = lambda design, runs: float(
            runs["baseline"]["energy_pj"] / runs[design]["energy_pj"] * runs[design]["speedup"]
        )
        return measures

    def _text(self, rows: list[tuple[Cell, ...]]) -> str:
        return (
            "A design's speedup over its cost, the baseline's cost being 1: above 1 it trains more for the cost than "
            "the baseline does. Energy is the whole run's. The tables scale with PEs as docs/area.md says; table 5 "
            "holds no memory, so the predictor SRAM costs nothing there; CACTI's area counts it.\n\n"
            + "\n".join(f"- {line}" for line in self._findings(rows))
        )

    def _findings(self, rows: list[tuple[Cell, ...]]) -> Iterator[str]:
        names = list(DESIGNS.values())
        for measure in dict.fromkeys(str(row[1]) for row in rows):
            wins = dict.fromkeys(names, 0)
            for row in rows:
                if row[1] == measure:
                    for name, count in zip(names, row[5:], strict=True):
                        assert isinstance(count, int)
                        wins[name] += count
            total = sum(wins.values())
            listed = ", ".join(f"{name} in {count}" for name, count in wins.items() if count)
            yield f"Most {measure}: {listed} of {total} runs."


def _per_cost(costs: Mapping[str, float]) -> Callable[[str, Mapping[str, Any]], float]:
    return lambda design, runs: float(runs[design]["speedup"]) * costs["baseline"] / costs[design]


EXHIBIT = BestBuy()
