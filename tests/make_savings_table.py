"""Print the table of savings of docs/energy.md: ``python tests/make_savings_table.py`` (some ten minutes).

Counts do not depend on prices, so each design runs once a trace. What DRAM costs by the energy table, and what it would
cost if it never powered down, follows from the same counts.
"""

import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from dataflows.actions import ActionCounts  # noqa: E402
from simulator.energy.energy import energy_table_of  # noqa: E402
from simulator.machine.spec import Accelerator  # noqa: E402
from simulator.machine.spec_loading import load_accelerator, load_designs  # noqa: E402
from simulator.run.simulation import Simulation  # noqa: E402
from workloads.foundation.shipped import shipped_names  # noqa: E402
from workloads.trace import load_trace  # noqa: E402

DESIGNS = ("low", "efficient", "max")
WAYS = ("the table's 14.4 pJ a bit", "as shipped", "never in power-down")


def awake(counts: ActionCounts) -> ActionCounts:
    """Return the counts of ranks that stand by instead of powering down."""
    standby = counts.dram_standby_rank_cycles + counts.dram_power_down_rank_cycles
    return counts._replace(dram_standby_rank_cycles=standby, dram_power_down_rank_cycles=0)


def energies(trace: str, spec: Accelerator) -> tuple[float, ...]:
    """Return the energy of a run, DRAM counted in each of the three ways, in picojoules."""
    run = Simulation(load_trace(trace), spec).run()
    overrides = ["dram.part=null"]
    by_table = energy_table_of(load_accelerator(design=spec.design, dataflow=spec.dataflow, overrides=overrides))
    own = energy_table_of(spec)
    found = [0.0, 0.0, 0.0]
    for row in run.rows:
        parts = (by_table.energy(row.counts, row.array), row.energy, own.energy(awake(row.counts), row.array))
        for way, energy in enumerate(parts):
            found[way] += row.count * replace(energy, leakage=row.energy.leakage).total
    return tuple(found)


def main() -> None:
    print("| trace | " + " | ".join(f"{design}, {way}" for way in WAYS for design in DESIGNS) + " |")
    print("|---|" + "---|" * (len(WAYS) * len(DESIGNS)))
    for trace in shipped_names("traces"):
        found = {spec.design: energies(trace, spec) for spec in load_designs(dataflow="ws")}
        saved = [
            f"{100 * (1 - found[design][way] / found['baseline'][way]):.1f}"
            for way in range(len(WAYS)) for design in DESIGNS
        ]  # fmt: skip
        print(f"| {trace} | " + " | ".join(saved) + " |", flush=True)


if __name__ == "__main__":
    main()
