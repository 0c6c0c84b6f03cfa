"""The runs beside each other, and what each cause takes from the ideal speedup."""

from collections.abc import Sequence

from simulator.pages.page import Column, DataTable, Part
from simulator.pages.result import ResultFolder, name_of
from simulator.pages.run_report import ReportSection
from simulator.phases.stages import PHASE_RULES


def parts(result: ResultFolder) -> Sequence[Part]:
    """Return a table of runs, and one of causes where a baseline ran."""
    phases = list(result.runs[0]["phases"])
    columns = [Column("run"), *(Column(f"{PHASE_RULES[phase].title}, cycles a batch") for phase in phases)]
    columns += [Column("whole run, cycles"), Column("time, s", 4), Column("speedup", 4), Column("ideal", 4)]
    columns += [
        Column("energy, J", 4),
        Column("saved, %", 1),
        Column("memory energy, J", 4),
        Column("peak DRAM, bytes"),
    ]
    rows = [
        [
            name_of(run), *(run["phases"][phase]["cycles_per_batch"] for phase in phases), run["total_cycles"],
            run["seconds"], run["speedup"], run["ideal_speedup"], run["energy_pj"] * 1e-12,
            None if run["energy_reduction"] is None else 100 * run["energy_reduction"],
            run["memory_energy_pj"] * 1e-12, run["peak_dram_bytes"],
        ]
        for run in result.runs
    ]  # fmt: skip
    found: list[Part] = [DataTable("Runs", columns, rows)]
    causes = {name_of(run): run.get("causes") or [] for run in result.runs}
    causes = {name: list_of for name, list_of in causes.items() if list_of}
    if causes:
        names = [cause["name"] for cause in next(iter(causes.values()))]
        by_run = {name: [cause["change"] for cause in list_of] for name, list_of in causes.items()}
        found.append(
            DataTable(
                "From the ideal speedup to the simulated one: what each cause adds",
                [Column("cause"), *(Column(name, 4) for name in by_run)],
                [[cause, *(by_run[name][index] for name in by_run)] for index, cause in enumerate(names)],
            )
        )
    return found


SECTION = ReportSection("designs", "Designs", 10, parts)
