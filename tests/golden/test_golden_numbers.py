"""Numbers of the shipped traces, reviewed by hand when they change.

A new design has rows in them as well. Make them again with ``python tests/golden/test_golden_numbers.py`` and say in
CHANGELOG.md what changed.
"""

import csv
import io
from itertools import zip_longest
from pathlib import Path

import pytest

from simulator.machine.spec_loading import load_designs
from simulator.run.simulation import compare
from workloads.trace import load_trace

HERE = Path(__file__).parent
COLUMNS = (
    "design", "dataflow", "phase", "index", "layer", "pass", "array", "start_cycle", "end_cycle", "compute_cycles",
    "count",
    "stall_load_cycles", "stall_store_cycles", "stall_buffer_port_cycles", "macs",
    "buffer_read_bytes", "buffer_write_bytes",
    "predictor_sram_read_bytes", "predictor_sram_write_bytes", "dram_read_bytes", "dram_write_bytes",
)  # fmt: skip
TRACES = {"vgg13-cifar10": ("ws",), "digits-cnn": ("ws", "is", "os", "rs")}


def table(trace: str) -> str:
    """Return the integers of layers.csv; Warm Up is left out, since it equals BP."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for dataflow in TRACES[trace]:
        results = compare(load_trace(trace), load_designs(dataflow=dataflow))
        writer.writerows(row for row in results.table() if row["phase"] != "warm_up")
    return buffer.getvalue()


@pytest.mark.parametrize("trace", TRACES)
def test_numbers_are_the_reviewed_ones(trace: str) -> None:
    expected = (HERE / f"{trace}.csv").read_text(encoding="utf-8")
    found = table(trace)
    if found != expected:
        pairs = zip_longest(found.splitlines(), expected.splitlines())
        first = next(pair for pair in pairs if pair[0] != pair[1])
        pytest.fail(f"numbers changed; first difference:\n  now      {first[0]}\n  reviewed {first[1]}")


if __name__ == "__main__":
    for name in TRACES:
        (HERE / f"{name}.csv").write_text(table(name), encoding="utf-8")
