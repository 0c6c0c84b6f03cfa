"""Kernels that two processes compile: the same as a run's own, and nothing is lost with the other process."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.cli import two_compilers

ROOT = Path(__file__).parents[2]
KERNELS = """
from dataflows.plans.contest import contest
from dataflows.plans.cut_building import build_cuts
from dataflows.plans.cut_kernels import rows_read
from dataflows.plans.lone_time import lone_cycles
from simulator.cli import two_compilers
from simulator.dram.idle_kernel import run_idle_kernel
from simulator.engine.step_kernel import _advance
kernels = (contest, build_cuts, rows_read, lone_cycles, run_idle_kernel, _advance)
"""


def run(code: str, **variables: str) -> list[str]:
    """Return the lines that a process of its own prints."""
    process = subprocess.run(
        [sys.executable, "-c", KERNELS + code], capture_output=True, text=True, check=True, cwd=ROOT,
        env=os.environ | variables,
    )  # fmt: skip
    return process.stdout.splitlines()


def test_kernels_are_compiled_for_what_a_run_gives_them() -> None:
    """A run after them compiles none of them again, for other types."""
    found = run("""
two_compilers.compile_contest()
two_compilers.compile_others()
print(*(len(one.signatures) for one in kernels))
from simulator.machine.spec_loading import load_accelerator
from simulator.run.simulation import simulate
from workloads.trace import load_trace
simulate(load_trace("vgg13-cifar10"), load_accelerator())
print(*(len(one.signatures) for one in kernels))
print(two_compilers.is_kept(contest))
""")
    assert found == ["1 1 1 1 1 1", "1 1 1 1 1 1", "True"]


def test_an_empty_cache_keeps_nothing(tmp_path: Path) -> None:
    assert run("print(two_compilers.is_kept(contest))", NUMBA_CACHE_DIR=str(tmp_path)) == ["False"]


@pytest.fixture
def other_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give a function that puts a shell script in the place of the other process, at a cold start."""
    monkeypatch.setattr(two_compilers, "is_kept", lambda _: False)
    monkeypatch.setattr(two_compilers.os, "cpu_count", lambda: 2)

    def put(text: str) -> None:
        script = tmp_path / "other"
        script.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        script.chmod(0o755)
        monkeypatch.setattr(two_compilers.sys, "executable", str(script))

    return put


def test_a_process_that_fails_is_not_missed(other_process: Callable[[str], None]) -> None:
    other_process("exit 1")
    two_compilers.compile_kernels()


def test_a_stopped_command_stops_the_other_process(
    other_process: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped() -> None:
        for _ in range(6000):
            if (tmp_path / "number").exists() and (tmp_path / "number").read_text():
                raise KeyboardInterrupt
            time.sleep(0.01)
        pytest.fail("the other process does not start")

    other_process(f'echo $$ > "{tmp_path}/number"; exec sleep 60')
    monkeypatch.setattr(two_compilers, "compile_others", stopped)
    with pytest.raises(KeyboardInterrupt):
        two_compilers.compile_kernels()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "number").read_text()), 0)


def test_a_warm_start_has_no_other_process(
    other_process: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    other_process("exit 1")
    monkeypatch.setattr(two_compilers, "is_kept", lambda _: True)
    monkeypatch.setattr(two_compilers.subprocess, "Popen", None)
    two_compilers.compile_kernels()
