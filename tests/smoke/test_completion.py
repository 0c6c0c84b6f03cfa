"""The shell completes names: with the script that `adagp-sim completion` prints, in a real bash."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ROOT, good, run_here
from registries import (
    DATAFLOWS,
    DESIGNS,
    DRAM_PARTS,
    ENERGY_TABLES,
    PIPELINE_SCHEDULES,
    SCHEDULES,
    TRACE_FORMATS,
    TRACES,
)

SCRIPT = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
compopt() { echo files; }
_adagp_sim_completion adagp-sim
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the script and the command."""
    place = tmp_path_factory.mktemp("shell")
    (place / "script.bash").write_text(good(run_here("completion", "bash")).out, encoding="utf-8")
    (place / "adagp-sim").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m simulator "$@"\n', encoding="utf-8")
    (place / "adagp-sim").chmod(0o755)
    return place


def completed(folder: Path, words: str) -> list[str]:
    """Return what bash offers for the last word of a command."""
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "--norc", "-c", SCRIPT, "bash", "script.bash", "adagp-sim", *words.split(" ")],
        capture_output=True, text=True, check=True, cwd=folder, env=environment,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("sim", ["simulate"]),
        ("simulate ", TRACES),
        ("compare VGG13-c", ["vgg13-cifar10", "vgg13-cifar100"]),
        ("simulate digits-cnn --design ", DESIGNS),
        ("simulate digits-cnn --dataflow ", DATAFLOWS),
        ("simulate digits-cnn --schedule ", SCHEDULES),
        ("simulate digits-cnn --set array.row", ["array.rows=", "array.row_stationary_sets="]),
        ("simulate digits-cnn --config my", ["files", ""]),
        ("pipeline digits-cnn --pipeline-schedule ", PIPELINE_SCHEDULES),
        ("trace inspect digits", ["digits-cnn"]),
        ("trace import x.csv --format ", TRACE_FORMATS),
        ("show d", [name for name in (*SCHEDULES, *DRAM_PARTS, "dram") if name.startswith("d")]),
        ("show 4", [name for name in ENERGY_TABLES if name.startswith("4")]),
        ("list des", ["designs"]),
        ("schema s", ["spec", "schedule", "sweep"]),
        ("completion ", ["bash", "zsh", "fish"]),
    ],
)  # fmt: skip
def test_bash_offers_what_the_registries_know(words: str, offered: list[str], folder: Path) -> None:
    assert completed(folder, words) == offered


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_a_script(shell: str) -> None:
    assert f"_ADAGP_SIM_COMPLETE={shell}_complete" in good(run_here("completion", shell)).out


def test_completion_loads_nothing_heavy() -> None:
    code = """
import sys
from simulator.cli.main import main
try:
    main()
except SystemExit:
    pass
print("loaded:", *sorted({"numba", "matplotlib", "torch", "pandas", "rich", "onnx", "plotly"} & set(sys.modules)))
"""
    words = {"COMP_WORDS": "adagp-sim simulate digits-cnn --design ", "COMP_CWORD": "4",
             "_ADAGP_SIM_COMPLETE": "bash_complete"}  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT,
                          env=os.environ | words)  # fmt: skip
    assert done.stdout.splitlines() == [*(f"plain,{name}" for name in DESIGNS), "loaded:"]
