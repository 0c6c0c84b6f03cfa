"""What a change of counts or prices moves: energies of all traces by component, and the steps between as a table.

``python tests/make_energy_rules.py save FILE.json [CHECKOUT]`` writes the energies of a checkout, by default this one;
``python tests/make_energy_rules.py table BEFORE.json AFTER.json`` prints the table of docs/energy.md.
"""

import json
import sys
from pathlib import Path
from statistics import fmean

OLD_NETWORK_PJ = 2.0  # of a byte, before wires were priced by length
STEPS = {  # of the old energies and the accumulators' bytes to the new ones: what each rule changes
    "before": lambda old, new, held: old,
    "accumulators beside the array": lambda old, new, held: {
        **old, "array_network": old["array_network"] - OLD_NETWORK_PJ * held
    },
    "registers as the RTL writes them": lambda old, new, held: {
        **old, "array_network": old["array_network"] - OLD_NETWORK_PJ * held, "pe_array": new["pe_array"]
    },
    "wires by length": lambda old, new, held: {
        **old, "array_network": new["array_network"], "pe_array": new["pe_array"]
    },
}  # fmt: skip


def save(path: Path, checkout: Path) -> None:
    """Write for each trace and design the run's energies in picojoules by component, and the accumulators' bytes."""
    sys.path.insert(0, str(checkout))
    from simulator.energy.energy import ENERGY_PARTS
    from simulator.run.simulation import compare
    from workloads.foundation.shipped import shipped_names
    from workloads.trace import load_trace

    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for trace in shipped_names("traces"):
        if trace not in found:
            found[trace] = {}
            for run in compare(load_trace(trace)).runs:
                parts = {part: sum(row.count * getattr(row.energy, part) for row in run.rows) for part in ENERGY_PARTS}
                held = sum(
                    row.count * (row.counts.accumulator_read_bytes + row.counts.accumulator_write_bytes)
                    for row in run.rows
                )
                found[trace][run.design] = {"energy_pj": parts, "accumulator_bytes": held}
            path.write_text(json.dumps(found), encoding="utf-8")
            print(trace, flush=True)


def table(before: Path, after: Path) -> None:
    """Print, after each rule, energies of the baseline and savings of the designs: means over the traces."""
    old, new = (json.loads(path.read_text(encoding="utf-8")) for path in (before, after))
    print("| rule | baseline's energy | network | PEs | low | efficient | max |")
    print("|---|---|---|---|---|---|---|")
    for rule, step in STEPS.items():
        runs = {
            trace: {
                design: step(one["energy_pj"], new[trace][design]["energy_pj"], one["accumulator_bytes"])
                for design, one in found.items()
            }
            for trace, found in old.items()
        }
        totals = {trace: {design: sum(parts.values()) for design, parts in run.items()} for trace, run in runs.items()}
        first = {trace: sum(one["baseline"]["energy_pj"].values()) for trace, one in old.items()}
        grown = fmean(totals[trace]["baseline"] / first[trace] for trace in old)
        shares = [
            fmean(run["baseline"][part] / totals[trace]["baseline"] for trace, run in runs.items())
            for part in ("array_network", "pe_array")
        ]
        designs = ("low", "efficient", "max")
        saved = [fmean(1 - run[design] / run["baseline"] for run in totals.values()) for design in designs]
        print(f"| {rule} | {grown:.3f} | " + " | ".join(f"{100 * value:.1f} %" for value in (*shares, *saved)) + " |")


if __name__ == "__main__":
    what, *paths = sys.argv[1:]
    if what == "save":
        save(Path(paths[0]), Path(paths[1]) if len(paths) > 1 else Path(__file__).resolve().parents[1])
    else:
        table(Path(paths[0]), Path(paths[1]))
