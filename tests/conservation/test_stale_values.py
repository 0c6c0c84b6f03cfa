"""A file that is edited between two runs of one session gives the new numbers.

The expectation is a run of the new text under a name that was never read before.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from simulator.cli.main import cli
from simulator.energy import sram
from workloads.foundation.shipped import shipped_folder

TRACE = """\
version: 1
network: small
dataset: {name: none, training_samples: 64}
batch_size: 8
inputs: {input: [8, 12, 12]}
predictor: {outputs: 72}
layers:
- {id: a, kind: conv2d, inputs: [input], C: 8, H: 12, W: 12, K: 16, R: 3, S: 3, P: 12, Q: 12, padding: [1, 1]}
schedule:
  name: short
  epochs: [{repeat: 2, batches: [{phase: warm_up, count: 2}, {phase: gp, count: 3}, {phase: bp, count: 3}]}]
provenance: {origin: recorded, command: tests}
"""
SCHEDULE = """\
version: 1
name: mine
description: Mine.
source: here
epochs: 8
stages:
- {epochs: 2, pattern: [{phase: warm_up}]}
- {epochs: rest, pattern: [{phase: gp}, {phase: bp}]}
"""
GPIPE = "[{pass: forward, micro_batch: 0, stage: 1}, {pass: forward, micro_batch: 1, stage: 1}, "
GPIPE += "{pass: backward, micro_batch: 1, stage: 1}, {pass: backward, micro_batch: 0, stage: 1}]"
IN_TURN = "[{pass: forward, micro_batch: 0, stage: 1}, {pass: backward, micro_batch: 0, stage: 1}, "
IN_TURN += "{pass: forward, micro_batch: 1, stage: 1}, {pass: backward, micro_batch: 1, stage: 1}]"
PIPELINE = f"{{version: 1, name: mine, devices: [{GPIPE.replace('stage: 1', 'stage: 0')}, {GPIPE}]}}"


def shipped(folder: str, name: str) -> str:
    return (shipped_folder(folder) / f"{name}.yaml").read_text(encoding="utf-8")


def summary(folder: Path, name: str, arguments: str) -> object:
    """Run the command line in this process on a file of a folder, and return what it says without names of files."""
    text = arguments.replace("FILE", str(folder / name))
    result = CliRunner().invoke(cli, [*text.replace("TRACE", str(folder / "trace.yaml")).split(), "--json"])
    assert result.exit_code == 0, f"{result.output} {result.exception}"
    return json.loads(result.stdout.replace(str(folder / name), "FILE"))


CASES = {
    "trace": (TRACE, "K: 16", "K: 24", "simulate FILE"),
    "trace's schedule": (TRACE, "count: 3}, {phase: bp", "count: 4}, {phase: bp", "simulate FILE"),
    "DRAM part": (
        shipped("configs/dram", "ddr3-1600"), "  RCD: 11 ", "  RCD: 28 ",
        "simulate TRACE --set dram.model=commands --set dram.part=FILE",
    ),
    "currents of a DRAM part": (
        shipped("configs/dram", "ddr3-1600"), "IDD2N: 36", "IDD2N: 35",
        "simulate TRACE --set dram.model=commands --set dram.part=FILE",
    ),
    "energy table": (
        shipped("configs/energy", "eyeriss"), "fp16: 1.1", "fp16: 1.2", "simulate TRACE --set energy_table=FILE",
    ),
    "accelerator": (
        "{version: 1, array: {rows: 12}}", "rows: 12", "rows: 6", "simulate TRACE --design max --config FILE",
    ),
    "schedule": (SCHEDULE, "epochs: 2", "epochs: 4", "simulate TRACE --schedule FILE"),
    "mapping": (
        "{version: 1, default: {forward: {tile: {filters: 2}}}}", "filters: 2", "filters: 1",
        "simulate TRACE --mapping FILE",
    ),
    "pipeline schedule": (PIPELINE, GPIPE, IN_TURN, "pipeline digits-cnn --design max --pipeline-schedule FILE"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_edited_file_gives_new_numbers(case: str, tmp_path: Path) -> None:
    text, old, new, command = CASES[case]
    assert text.count(old) == 1
    (tmp_path / "trace.yaml").write_text(TRACE, encoding="utf-8")
    edited = tmp_path / "edited.yaml"
    edited.write_text(text, encoding="utf-8")
    before = summary(tmp_path, "edited.yaml", command)
    assert summary(tmp_path, "edited.yaml", command) == before
    stamp = edited.stat()
    edited.write_text(text.replace(old, new), encoding="utf-8")
    os.utime(edited, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # not even the time of the edit gives it away
    after = summary(tmp_path, "edited.yaml", command)
    assert after != before
    shutil.copy(edited, tmp_path / "fresh.yaml")
    assert after == summary(tmp_path, "fresh.yaml", command)


def test_an_edited_base_gives_new_numbers(tmp_path: Path) -> None:
    """`extends` names a file beside the config."""
    (tmp_path / "trace.yaml").write_text(TRACE, encoding="utf-8")
    (tmp_path / "config.yaml").write_text("{version: 1, extends: base.yaml}", encoding="utf-8")
    found = []
    for rows in (12, 6):
        base = yaml.safe_load(shipped("configs/accelerators", "baseline"))
        base["array"]["rows"] = rows
        (tmp_path / "base.yaml").write_text(yaml.safe_dump(base), encoding="utf-8")
        found.append(summary(tmp_path, "config.yaml", "simulate TRACE --config FILE"))
    assert found[0] != found[1]
    (tmp_path / "fresh.yaml").write_text(yaml.safe_dump(base | {"version": 1}), encoding="utf-8")
    assert found[1] == summary(tmp_path, "fresh.yaml", "simulate TRACE --config FILE")


def test_an_edited_grid_of_memories_gives_new_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """45 nm, 32,768 B, 64 bits is a point of CACTI's grid."""
    grid = (shipped_folder("configs/energy") / sram.GRID_FILE).read_text(encoding="utf-8")
    (tmp_path / sram.GRID_FILE).write_text(grid, encoding="utf-8")
    monkeypatch.setattr(sram, "shipped_folder", lambda _: tmp_path)
    before = sram.sram(45, 32_768, 64)
    row = next(line for line in grid.splitlines() if line.startswith("45,32768,64,"))
    (tmp_path / sram.GRID_FILE).write_text(grid.replace(row, row.replace(str(before.read_pj), "99.5")), "utf-8")
    assert sram.sram(45, 32_768, 64).read_pj == 99.5


KERNEL = """\
import sys
from numba import njit
import helper
from workloads.foundation.kernel_sources import sources_of

def _kernel(sources):
    @njit(cache=True)
    def answer():
        if sources == 0:
            return 0
        return helper.answer() + helper.OFFSET
    return answer

answer = _kernel(sources_of(helper))
print(answer(), sum(answer.stats.cache_hits.values()))
"""


def test_an_edited_helper_gives_a_new_kernel(tmp_path: Path) -> None:
    """Numba itself would take the kernel that it compiled with the old helper."""
    (tmp_path / "kernel.py").write_text(KERNEL, encoding="utf-8")
    found = []
    for value, offset in ((1, 10), (1, 10), (2, 10), (2, 20)):
        helper = f"from numba import njit\n\nOFFSET = {offset}\n\n@njit\ndef answer():\n    return {value}\n"
        (tmp_path / "helper.py").write_text(helper, encoding="utf-8")
        run = subprocess.run(
            [sys.executable, "-B", "kernel.py"], cwd=tmp_path, capture_output=True, text=True, check=True,
            env=os.environ | {
                "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])]),
                "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
            },
        )  # fmt: skip
        found.append(run.stdout.split())
    assert found == [["11", "0"], ["11", "1"], ["12", "0"], ["22", "0"]]
