"""Import every topology of a copy of SCALE-Sim, and compare its forward cycles with the naive rule.

`python tests/make_topology_table.py FOLDER` prints a line a file: its layers, or why it is refused, and whether the
cycles of every layer are the rule's under each dataflow, on 32 x 32 PEs. Files of equal bytes are listed once.
"""

import hashlib
import sys
import tempfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from scalesim_rule import FLOWS, Layer, convolution, cycles, product

from simulator.cli.trace_import import import_trace
from simulator.machine.spec_loading import load_accelerator
from simulator.run.simulation import simulate
from workloads.foundation.errors import InputError
from workloads.trace import load_trace

ROWS, COLUMNS = 32, 32
CONFIG = """[architecture_presets]
ArrayHeight: {rows}
ArrayWidth: {columns}
IfmapSramSzkB: 64
FilterSramSzkB: 64
OfmapSramSzkB: 64
Dataflow: {flow}
[run_presets]
InterfaceBandwidth: CALC
"""


def by_hand(path: Path) -> list[Layer]:
    """Read the numbers of a topology; rows without any are titles."""
    text = path.read_text(encoding="utf-8-sig")
    delimiter = "\t" if "\t" in text.splitlines()[0] else ","
    header, *lines = ([cell.strip() for cell in line.split(delimiter)] for line in text.splitlines() if line.strip())
    read = product if header[1:4] == ["M", "N", "K"] else convolution
    return [read(cells) for cells in lines if any(cells[1:])]


def verdict(path: Path, folder: Path) -> tuple[int, str, str]:
    """Return the number of layers, what came of the import, and which dataflows are equal."""
    trace_file = folder / "t.yaml"
    try:
        with redirect_stdout(StringIO()):
            import_trace(path, None, None, None, None, trace_file)
    except InputError as error:
        return 0, f"refused: {error.key + ': ' if error.key else ''}{error.problem}; {error.remedy}", ""
    trace, expected = load_trace(trace_file), by_hand(path)
    equal = []
    for flow in FLOWS:
        config = folder / f"{flow}.cfg"
        config.write_text(CONFIG.format(rows=ROWS, columns=COLUMNS, flow=flow))
        run = simulate(trace, load_accelerator(config)).runs[0]
        found = [row.compute_cycles for row in run.rows if row.pass_ == "forward"]
        same = found == [cycles(layer, flow, ROWS, COLUMNS) for layer in expected]
        equal.append(f"{flow} {'equal' if same and run.total_cycles == sum(found) else 'NOT EQUAL'}")
    return len(trace.mac_layers), "imported", ", ".join(equal)


def main() -> None:
    """Print the table."""
    root, seen = Path(sys.argv[1]), set()
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(one for one in root.rglob("*") if one.is_file()):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest not in seen:
                seen.add(digest)
                rows, what, equal = verdict(path, Path(folder))
                print(f"| {path.relative_to(root)} | {rows or '-'} | {what} | {equal or '-'} |", flush=True)


if __name__ == "__main__":
    main()
