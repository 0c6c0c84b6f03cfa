"""Any damage to any document ends in one clean line and exit code 2, or in a run whose rows add up.

Each case takes little time and memory. The default run takes a sample; `pytest -m long` takes 20,000 cases and more.
"""

import csv
import json
import random
import resource
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from types import FrameType

import pytest
import yaml
from command_line import Outcome, good, run_here
from fuzzing import damaged_bytes, damaged_csv, damaged_yaml
from small_trace import TRACE

from simulator.machine.spec_loading import load_accelerator
from simulator.outputs.resolved import spec_data, to_yaml
from workloads.foundation.kinds import KINDS as FILE_KINDS
from workloads.foundation.kinds import kind_of
from workloads.foundation.shipped import shipped_folder
from workloads.importers import importers

SECONDS = 30  # of a case; most take milliseconds, and other work may run beside them
SPARE_BYTES = 3 << 30  # of memory that a case may take beyond what the process has
CASES, LONG_CASES = 30, 1_600  # of each kind of document
GOOD_TRACE = yaml.safe_dump(TRACE, sort_keys=False).encode()
TOPOLOGY = (
    b"Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
    b"c1,8,8,3,3,3,8,1,\nc2,6,6,3,3,8,8,2,\nc3,3,3,1,1,8,4,1,\n"
)
PIPELINE = b"""version: 1
name: mine
devices:
  - - {pass: forward, micro_batch: 0, stage: 0}
    - {pass: backward, micro_batch: 0, stage: 0}
  - - {pass: forward, micro_batch: 0, stage: 1}
    - {pass: backward, micro_batch: 0, stage: 1}
"""
SWEEP = b"""version: 1
trace: t.yaml
settings: {dataflow: ws}
grid:
  array.rows: [2, 3]
  design: [baseline, max]
sample: {method: random, points: 2, seed: 1, keys: {dram.latency_ns: {lowest: 10, highest: 100, step: 10}}}
derived: {array.columns: "array.rows * 2"}
constraints: ["array.rows * array.columns <= 32"]
objectives: {cycles: min, speedup: max}
"""
ENERGY_OVERLAY = b"""extends: 45nm
name: mine
actions: {macs: {energy_pj: 0.28, source: synthesis}}
"""
DRAM_OVERLAY = b"extends: ddr4-2400\ntiming_cycles: {CL: 18}\n"
SCALESIM = b"""[general]
run_name = a_run
[architecture_presets]
ArrayHeight: 8
ArrayWidth: 4
IfmapSramSzkB: 64
FilterSramSzkB: 32
OfmapSramSzkB: 16
Dataflow : is
Bandwidth : 10
[run_presets]
InterfaceBandwidth: USER
"""

MAPPING = b"""version: 1
network: tiny
batch_size: 4
dataflow: ws
array: {kind: broadcast, rows: 12, columns: 15}
default:
  predictor_forward: [{tile: {filters: 3}}, {loop_order: [columns, vectors, reduction]}]
layers:
  second:
    forward:
      tile: {groups: 1, images: 1, rows: 4, positions: 8, channels: 8, kernel_rows: 3, filters: 4}
      loop_order: [groups, filters, images, rows]
      reload_operands: true
      spatial: {pe_rows: {reduction: 12}, time: vectors, fold_vectors: 7}
    dgrad: {tile: {channels: 2}}
"""


def _shipped(place: str) -> Callable[[], bytes]:
    return lambda: (shipped_folder("configs") / place).read_bytes()


def _onnx() -> bytes:
    helper = pytest.importorskip("onnx.helper", reason="needs the onnx extra")
    kind = 1  # a float
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], name="c", strides=[1, 1]), helper.make_node("Relu", ["y"], ["z"])],
        "g",
        [helper.make_tensor_value_info("x", kind, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("z", kind, None)],
        [helper.make_tensor("w", kind, [4, 3, 3, 3], [0.0] * 108)],
    )
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document: a good one, its file, the command that reads it, and how its structure is damaged."""

    document: Callable[[], bytes]
    file: str
    command: tuple[str, ...]
    damaged: Callable[[bytes, random.Random], bytes] = damaged_yaml


SIMULATE = ("simulate", "t.yaml", "--out", "out")
KINDS = {
    "trace": Kind(lambda: GOOD_TRACE, "f.yaml", ("simulate", "f.yaml", "--out", "out")),
    "spec": Kind(lambda: to_yaml(spec_data(load_accelerator())).encode(), "f.yaml", (*SIMULATE, "--config", "f.yaml")),
    "energy table": Kind(_shipped("energy/45nm.yaml"), "f.yaml", (*SIMULATE, "--set", "energy_table=f.yaml")),
    "DRAM part": Kind(
        _shipped("dram/ddr3-1600.yaml"), "f.yaml",
        (*SIMULATE, "--set", "dram.model=commands", "--set", "dram.part=f.yaml"),
    ),
    "schedule": Kind(_shipped("schedules/paper.yaml"), "f.yaml", (*SIMULATE, "--schedule", "f.yaml")),
    "mapping": Kind(lambda: MAPPING, "f.yaml", (*SIMULATE, "--mapping", "f.yaml")),
    "pipeline schedule": Kind(
        lambda: PIPELINE, "f.yaml", ("pipeline", "t.yaml", "--pipeline-schedule", "f.yaml", "--out", "out")
    ),
    "topology": Kind(
        lambda: TOPOLOGY, "f.csv", ("trace", "import", "f.csv", "--format", "scalesim", "--out", "out"), damaged_csv
    ),
    "overlay of an energy table": Kind(
        lambda: ENERGY_OVERLAY, "f.yaml", (*SIMULATE, "--set", "energy_table=f.yaml")
    ),
    "overlay of a DRAM part": Kind(
        lambda: DRAM_OVERLAY, "f.yaml", (*SIMULATE, "--set", "dram.model=commands", "--set", "dram.part=f.yaml"),
    ),
    "values of kinds": Kind(_shipped("kinds/dram.yaml"), "f.yaml", ("show", "f.yaml")),
    "SCALE-Sim's machine": Kind(
        lambda: SCALESIM, "f.cfg", (*SIMULATE, "--config", "f.cfg"), damaged_bytes
    ),
    "sweep": Kind(lambda: SWEEP, "f.yaml", ("sweep", "f.yaml", "--workers", "0", "--out", "out")),
    "ONNX": Kind(
        _onnx, "f.onnx", ("trace", "import", "f.onnx", "--format", "onnx", "--out", "out"), damaged_bytes
    ),
}  # fmt: skip


def test_every_kind_of_file_is_damaged() -> None:
    own = {kind_of(yaml.safe_load(kind.document())) for kind in KINDS.values() if kind.damaged is damaged_yaml}
    assert own >= set(FILE_KINDS)


def test_every_importer_has_its_documents_damaged() -> None:
    formats = {
        kind.command[kind.command.index("--format") + 1] for kind in KINDS.values() if "--format" in kind.command
    }
    assert formats == set(importers())


@pytest.mark.parametrize("name", KINDS)
def test_the_documents_that_are_damaged_are_good(name: str, tmp_path: Path) -> None:
    good(run(KINDS[name], KINDS[name].document(), tmp_path))


@pytest.mark.parametrize(
    ("name", "first", "cases"),
    [(name, 0, CASES) for name in KINDS]
    + [pytest.param(name, 10**6, LONG_CASES, marks=pytest.mark.long) for name in KINDS],
)
def test_damaged_documents(name: str, first: int, cases: int, tmp_path: Path) -> None:
    kind = KINDS[name]
    document = kind.document()
    run(kind, document, tmp_path)  # what is compiled or remembered at the first call counts for no case
    with little_memory():
        for case in range(first, first + cases):
            draw = random.Random(f"{name} {case}")
            damaged = (damaged_bytes if case % 2 else kind.damaged)(document, draw)
            told = f"{name}, case {case}: {damaged[:4000]!r}"
            with soon(told):
                outcome = run(kind, damaged, tmp_path)
            check(outcome, tmp_path / "out", told)


def run(kind: Kind, document: bytes, folder: Path) -> Outcome:
    """Run a kind's command on a document, in a folder without results."""
    out = folder / "out"
    if out.is_dir():
        shutil.rmtree(out)
    out.unlink(missing_ok=True)
    (folder / "t.yaml").write_bytes(GOOD_TRACE)
    (folder / kind.file).write_bytes(document)
    return run_here(*kind.command, cwd=folder)


def check(outcome: Outcome, out: Path, told: str) -> None:
    """Hold what a command did against what is promised."""
    assert outcome.code in (0, 2), f"{told}\n{outcome}"
    assert "Traceback" not in outcome.err, f"{told}\n{outcome}"
    assert outcome.err.replace("\n", "").isprintable(), f"{told}\n{outcome.err!r}"
    if outcome.code == 2:
        last = outcome.err.splitlines()[-1]
        assert last.startswith("error: "), f"{told}\n{outcome}"
        assert len(last) < 4000, told
        assert not out.exists(), told
    elif (out / "layers.csv").is_file():
        rows_add_up(out, told)
    elif (out / "results.sqlite").is_file():
        with closing(sqlite3.connect(out / "results.sqlite")) as database:
            for cycles, energy_pj, reason in database.execute("SELECT cycles, energy_pj, reason FROM results"):
                assert (cycles is None) == (energy_pj is None) == (reason is not None), told
                assert reason is None or (reason.isprintable() and "Error: " not in reason), f"{told}\n{reason}"


def rows_add_up(folder: Path, told: str) -> None:
    """Add up the rows of a result and compare them with its totals."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    with (folder / "layers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    energy_pj = 0.0
    for row in rows:
        stalls = sum(int(row[f"stall_{name}_cycles"]) for name in ("load", "store", "other_array", "buffer_port"))
        length = int(row["end_cycle"]) - int(row["start_cycle"])
        assert length == int(row["cycles"]) == int(row["compute_cycles"]) + stalls, f"{told}\n{row}"
        energy_pj += float(row["energy_pj"]) * int(row["count"])
    (only,) = summary["runs"]
    cycles = sum(phase["batches"] * phase["cycles_per_batch"] for phase in only["phases"].values())
    assert cycles == only["total_cycles"], told
    assert isclose(energy_pj, only["energy_pj"], rel_tol=1e-9), told


@contextmanager
def soon(told: str) -> Iterator[None]:
    """Fail where a case takes too long."""

    def late(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"takes more than {SECONDS} s: {told}")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def little_memory() -> Iterator[None]:
    """Give the process no more address space than it has and some spare."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + SPARE_BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
