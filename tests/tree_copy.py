"""A copy of the project for a test that puts a file in it, with the kernels that are compiled already."""

import os
import shutil
import sys
from pathlib import Path

from numba.core.dispatcher import Dispatcher

import simulator.cli.two_compilers  # noqa: F401  it imports the kernels of a run

ROOT = Path(__file__).parents[1]
PACKAGES = ("workloads", "dataflows", "simulator")


def copy_project(to: Path, *folders: str) -> dict[str, str]:
    """Copy the packages and other folders, and return the environment in which the copy finds its kernels.

    Numba keeps kernels by the folder of their files, so a copy alone would compile all of them again.
    """
    for name in (*PACKAGES, *folders):
        shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
    for source, kept in _kept_kernels():
        beside = to / source.relative_to(ROOT).parent / "__pycache__"
        beside.mkdir(exist_ok=True)
        for path in kept.glob(f"{source.stem}.*.nb[ci]"):
            shutil.copy2(path, beside)
    return {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}


def _kept_kernels() -> set[tuple[Path, Path]]:
    """Return the files that have kernels, each with the folder in which Numba keeps them."""
    modules = [module for name, module in list(sys.modules.items()) if name.split(".")[0] in PACKAGES]
    kernels = [value for module in modules for value in vars(module).values() if isinstance(value, Dispatcher)]
    return {
        (Path(kernel.py_func.__code__.co_filename), Path(kernel.stats.cache_path))
        for kernel in kernels
        if kernel.stats.cache_path
    }
