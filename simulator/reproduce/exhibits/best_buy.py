"""Beyond the paper: for which networks and arrays LOW, Efficient or MAX is the better buy."""

from collections.abc import Callable, Mapping, Sequence

from simulator.area.asic import asic_area, sram_area
from simulator.area.fpga import fpga_power
from simulator.area.sizes import sizes_of
from simulator.energy.energy_table import load_energy_table
from simulator.machine.spec import Accelerator
from simulator.machine.spec_loading import load_designs
from simulator.reproduce.exhibit import Cell, Exhibit
from simulator.reproduce.jobs.design_comparison import DesignComparison
from simulator.reproduce.jobs.job import Findings, Plain
from simulator.reproduce.page import PagedExhibit, page
from simulator.reproduce.paper import DATASETS, DESIGNS, NETWORKS, trace_name
from simulator.reproduce.variants import array, studies

_FLOWS = ("ws", "is", "rs", "os")
_TABLE = "45nm"  # the default energy table, whose node it is
_OTHER_ARRAYS = ((8, 8), (32, 32))


def _area_with_memory_mm2(spec: Accelerator) -> float:
    memory = sram_area(spec, load_energy_table(_TABLE))
    return asic_area(sizes_of(spec)).total_um2 / 1e6 + memory.global_buffer_mm2 + memory.predictor_sram_mm2


# What a design costs; the gain is its speedup over the share that it costs more than the baseline.
_COSTS: Mapping[str, Callable[[Accelerator], float]] = {
    "FPGA power (table 4)": lambda spec: fpga_power(sizes_of(spec)).total_w,
    "logic area (table 5)": lambda spec: asic_area(sizes_of(spec)).total_um2,
    "area with memory (table 5, CACTI at 45 nm)": _area_with_memory_mm2,
}


def _groups() -> dict[str, list[DesignComparison]]:
    """Return all networks under all dataflows, and the studied ones on other arrays."""
    traces = [trace_name(network, dataset) for network in NETWORKS for dataset in DATASETS]
    groups = {f"180 PEs, {flow}": [DesignComparison(trace, flow) for trace in traces] for flow in _FLOWS}
    studied = studies()["networks"]
    for rows, columns in _OTHER_ARRAYS:
        groups[f"{rows * columns} PEs ({rows} x {columns}), ws, ImageNet, {len(studied)} networks"] = [
            DesignComparison(trace_name(network, "ImageNet"), settings=array(rows, columns)) for network in studied
        ]
    return groups


def _costs(specs: Sequence[Accelerator]) -> dict[str, dict[str, float]]:
    """Return by name of a cost: what each design costs."""
    return {name: {one.design: cost(one) for one in specs} for name, cost in _COSTS.items()}


def _gains(costs: Mapping[str, Mapping[str, float]], runs: Plain, design: str) -> dict[str, float]:
    """Return by measure what a design gains, the baseline being 1."""
    speedup, saved = runs[design]["speedup"], runs["baseline"]["energy_pj"] / runs[design]["energy_pj"]
    by_cost = {f"speedup over {name}": speedup * cost["baseline"] / cost[design] for name, cost in costs.items()}
    others = {"speedup": speedup, "energy saved (factor)": saved, "energy x time saved (factor)": saved * speedup}
    return by_cost | others


class BestBuy(PagedExhibit):
    """Speedup over cost, energy, and energy times time, and which design wins by each."""

    def jobs(self) -> list[DesignComparison]:
        """Return the jobs of all groups."""
        return [job for jobs in _groups().values() for job in jobs]

    def make(self, found: Findings) -> Exhibit:
        """Return how often each design wins by each measure."""
        rows: list[tuple[Cell, ...]] = []
        totals: dict[str, dict[str, int]] = {}
        for group, jobs in _groups().items():
            costs = _costs(load_designs(None, jobs[0].dataflow, jobs[0].settings))
            gains = [{design: _gains(costs, found[job], design) for design in DESIGNS} for job in jobs]
            for name in gains[0]["max"]:
                means, wins = dict.fromkeys(DESIGNS, 0.0), dict.fromkeys(DESIGNS, 0)
                for one in gains:
                    means = {design: mean + one[design][name] / len(jobs) for design, mean in means.items()}
                    wins[max(DESIGNS, key=lambda design: one[design][name])] += 1
                rows.append((group, name, *means.values(), *wins.values()))
                before = totals.get(name, dict.fromkeys(DESIGNS, 0))
                totals[name] = {design: before[design] + count for design, count in wins.items()}
        said = [
            self.page.say("wins", name=name, of=sum(wins.values()),
                          listed=", ".join(f"{DESIGNS[one]} in {count}" for one, count in wins.items() if count))
            for name, wins in totals.items()
        ]  # fmt: skip
        shipped = (
            (name, *(cost[one] / cost["baseline"] for one in DESIGNS)) for name, cost in _costs(load_designs()).items()
        )
        tables = self.page.table("costs", shipped), self.page.table("wins", rows)
        return Exhibit(self.page.text(wins="\n".join(said)), tables=tables)


EXHIBITS = (BestBuy(page("buy")),)
