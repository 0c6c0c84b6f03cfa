"""What a job's result depends on: the code that computes it, and the shipped files that it reads.

Code counts as the interpreter sees it, without comments, docstrings and layout; a YAML file as what it says. So a
better sentence keeps results, and another number does not.
"""

import ast
import json
from hashlib import sha256
from pathlib import Path

import simulator
from simulator.reproduce.jobs.job import Job
from workloads.foundation.shipped import resolve, shipped_folder
from workloads.foundation.strict_yaml import read_yaml

ROOT = Path(simulator.__file__).resolve().parents[1]
_PACKAGES = ("workloads", "dataflows", "simulator")
# What shows results, makes traces, or puts reports together. Of `reproduce` the jobs alone compute.
_NO_RESULT_IN = (
    "simulator/cli", "simulator/outputs", "simulator/area", "simulator/reproduce", "simulator/testing",
    "dataflows/functional", "workloads/pytorch", "workloads/networks", "workloads/importers", "workloads/recording",
)  # fmt: skip
_JOBS = "simulator/reproduce/jobs"
# Folders of `configs/` that any job may read: a design's spec names files of others.
_MACHINE = ("accelerators", "dram", "energy", "kinds", "schedules")


class Sources:
    """Digests of what jobs depend on, as it is when this object is made."""

    def __init__(self) -> None:
        code = {_name(path): code_says(path.read_text(encoding="utf-8")) for path in code_files()}
        machine = {f"{path.parent.name}/{path.name}": _file_says(path) for path in machine_files()}
        self._all = sha256(json.dumps([code, machine]).encode()).hexdigest()
        self._traces: dict[str, str] = {}

    def digest(self, job: Job) -> str:
        """Return a digest of the code that computes a job, of the machine's files and of its trace."""
        if job.trace not in self._traces:
            self._traces[job.trace] = sha256(resolve(job.trace, "traces", "trace").read_bytes()).hexdigest()
        return sha256((self._all + self._traces[job.trace]).encode()).hexdigest()


def code_files() -> list[Path]:
    """Return the modules on which results depend."""
    files = [path for package in _PACKAGES for path in (ROOT / package).rglob("*.py")]
    return sorted(path for path in files if _computes(_name(path)))


def machine_files() -> list[Path]:
    """Return the shipped files on which every job's result depends."""
    found = [path for name in _MACHINE for path in shipped_folder(f"configs/{name}").iterdir()]
    return sorted(path for path in found if path.suffix in (".yaml", ".csv"))


def code_says(source: str) -> str:
    """Return what a module does: its syntax tree without docstrings, hence without comments and places."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:]
    return ast.dump(tree)


def _computes(name: str) -> bool:
    return name.startswith(f"{_JOBS}/") or not name.startswith(tuple(f"{folder}/" for folder in _NO_RESULT_IN))


def _file_says(path: Path) -> str:
    return json.dumps(read_yaml(path)) if path.suffix == ".yaml" else path.read_text(encoding="utf-8")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
