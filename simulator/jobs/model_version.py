"""What results depend on: the code that computes them, and the shipped files of machines.

Code counts as the interpreter sees it, without comments, docstrings and layout; a YAML file as what it says. So a
better sentence keeps results, and another number does not.
"""

import ast
import json
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import simulator
from workloads.foundation.shipped import shipped_folder
from workloads.foundation.strict_yaml import read_yaml

ROOT = Path(simulator.__file__).resolve().parents[1]
_DIGITS = 12  # of the digest, which no two models have in common by chance
_PACKAGES = ("workloads", "dataflows", "simulator")
# What shows results, makes traces, runs jobs, or puts reports together.
_NO_RESULT_IN = (
    "simulator/adagp_sim/", "simulator/api/", "simulator/area/", "simulator/cli/", "simulator/jobs/",
    "simulator/outputs/", "simulator/pages/", "simulator/reproduce/", "simulator/sweep/",
    "simulator/testing/", "simulator/validation/", "dataflows/functional/",
    "workloads/pytorch/", "workloads/networks/", "workloads/importers/", "workloads/recording/",
)  # fmt: skip
# Folders of `configs/` that any run may read: a design's spec names files of others.
_MACHINE = ("accelerators", "dram", "energy", "kinds", "schedules")


def published_model_version() -> str:
    """Return the version of the model as a reader sees it; docs/decisions/0071-the-version-of-the-model.md."""
    return model_version("simulator/area/")[:_DIGITS]


def model_version(*also: str) -> str:
    """Return a digest of what results depend on: the code that computes them, and the shipped files of machines.

    Parameters
    ----------
    *also : str
        Begins of names of further modules that count, such as ``simulator/area/``.
    """
    code = {name: _remembered((ROOT / name).read_text(encoding="utf-8")) for name in code_files(*also)}
    machine = {f"{path.parent.name}/{path.name}": _file_says(path) for path in machine_files()}
    return sha256(json.dumps([code, machine]).encode()).hexdigest()


def code_files(*also: str) -> list[str]:
    """Return the names of the modules on which results depend, and of those that begin as `also` says."""
    names = (path.relative_to(ROOT).as_posix() for package in _PACKAGES for path in (ROOT / package).rglob("*.py"))
    return sorted(name for name in names if name.startswith(also) or not name.startswith(_NO_RESULT_IN))


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
    said: list[str] = []
    _tell(tree, said)
    return " ".join(said)


_remembered = lru_cache(maxsize=None)(code_says)  # by text: a session that writes many results reads code once


def _tell(node: ast.AST, said: list[str]) -> None:
    """Add what a tree says, without empty fields: a newer Python has more of them for the same code."""
    said.append(type(node).__name__)
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            said.append(name)
            _tell(value, said)
        elif isinstance(value, list) and value:
            said.append(f"{name}[")
            for one in value:
                if isinstance(one, ast.AST):
                    _tell(one, said)
                else:
                    said.append(repr(one))
            said.append("]")
        elif isinstance(node, ast.Constant) or (value is not None and not isinstance(value, list)):
            said.append(f"{name}={value!r}")
    said.append(";")


def _file_says(path: Path) -> str:
    return json.dumps(read_yaml(path)) if path.suffix == ".yaml" else path.read_text(encoding="utf-8")
