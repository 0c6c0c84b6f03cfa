"""Where no kernel is kept from a run before, two processes compile: half of the wait.

The contest of plans takes longer to compile than all other kernels of a run together. A second process compiles it into
Numba's cache, where this one finds it. Whatever becomes of that process, this one compiles what is missing.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import config

from dataflows.plans.candidate_heap import KEY
from dataflows.plans.contest import DONE, contest, new_state
from dataflows.plans.cut_building import build_cuts
from dataflows.plans.cut_kernels import rows_read
from dataflows.plans.cut_tables import Extents, Folds
from dataflows.plans.lone_time import lone_cycles
from simulator.dram.idle_kernel import IdleCycles, IdleRules, run_idle_kernel
from simulator.engine.step_kernel import CHANNEL, RefreshRules, run_step_kernel
from simulator.engine.work import PLAN, TILE
from workloads.foundation.logs import stage

_LONGEST_WAIT_SECONDS = 600  # for the other process, on a busy machine


def compile_kernels(more: Callable[[], object] = lambda: None) -> None:
    """Compile the kernels of a run in two processes, if none is kept and there are two cores.

    Parameters
    ----------
    more : callable, optional
        What else this process compiles while the other one is busy.
    """
    if config.DISABLE_JIT or (os.cpu_count() or 1) < 2 or is_kept(contest):
        return
    text = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import compile_contest; compile_contest()"
    quiet = subprocess.DEVNULL
    with (
        stage("compile kernels"),
        subprocess.Popen([sys.executable, "-c", text], stdin=quiet, stdout=quiet, stderr=quiet) as other,
    ):
        try:
            compile_others()
            more()
            other.wait(_LONGEST_WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            other.kill()
        except BaseException:
            other.kill()
            raise


def is_kept(kernel: Any) -> bool:
    """Whether Numba keeps a kernel of the file as it is now."""
    source = Path(kernel.py_func.__code__.co_filename)
    kept = Path(kernel.stats.cache_path).glob(f"{source.stem}.*{kernel.py_func.__name__}-*.nbi")
    return any(one.stat().st_mtime >= source.stat().st_mtime for one in kept)


def compile_contest() -> None:
    """Call the kernel of the contest, where it is done at once, with what it takes in a run."""
    one, table = np.zeros(1, np.int64), np.zeros((1, 1), np.int64)
    lists, facts = np.zeros((2, 1, KEY), np.int64), np.zeros(28, np.int64)
    contest(new_state(DONE, 0, 0, DONE), lists, table, table, table, table, one, facts, 0.0, table, one, one)


def compile_others() -> None:
    """Call the other kernels of a run, where they have little to do."""
    one = np.ones(1, np.int64)
    read, _ = rows_read(one - 1, one - 1, 1)
    given = np.zeros(5, np.int64)
    build_cuts(Extents(1, 1, 1, 1, 1, 1, 1, 1, False), Folds(*[1] * len(Folds._fields)), read, given)
    lone_cycles(one, one, one, one, one, one, 0, 0)
    none = np.zeros(3, np.int64)
    run_step_kernel(none, none, np.zeros(0, PLAN), np.zeros(0, TILE), RefreshRules.of(None), np.zeros(1, CHANNEL)[0])
    rules = IdleRules(1, 1, 1, False, 0, 0, 0, 0, 0, 0)
    run_idle_kernel(none[:0], none[:0], none[:0], 0, 0, rules, np.zeros(len(IdleCycles._fields), np.int64))
