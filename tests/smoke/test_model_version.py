"""The version of the model changes when results can, and only then; on every Python it is the same."""

import ast
import re
from pathlib import Path

import adagp_sim
import pytest
from command_line import good, run_here

from simulator.jobs import model_version
from simulator.jobs.model_version import ROOT, code_files, code_says


def test_the_command_and_python_say_it() -> None:
    said = good(run_here("--version")).out
    assert re.fullmatch(rf"adagp-sim \d+\.\d+\.\d+, model {adagp_sim.model_version()}\n", said)
    assert re.fullmatch(r"[0-9a-f]{12}", adagp_sim.model_version())


@pytest.mark.parametrize(
    ("name", "more", "changes"),
    [
        ("simulator/engine/batch.py", "\nNUMBER = 1\n", True),
        ("simulator/area/asic.py", "\nNUMBER = 1\n", True),
        ("dataflows/plans/tiling.py", "\nNUMBER = 1\n", True),
        ("configs/dram/ddr3-1600.yaml", "\nanother_key: 1\n", True),
        ("simulator/engine/batch.py", "\n# a comment\n", False),
        ("configs/accelerators/max.yaml", "\n# a comment\n", False),
        ("simulator/cli/compare.py", "\nNUMBER = 1\n", False),
        ("simulator/api/runs.py", "\nNUMBER = 1\n", False),
        ("simulator/outputs/summary.py", "\nNUMBER = 1\n", False),
    ],
)
def test_it_changes_when_results_can(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, more: str, changes: bool
) -> None:
    before, place, read = adagp_sim.model_version(), ROOT / name, Path.read_text
    copy = tmp_path / place.name
    copy.write_text(read(place, encoding="utf-8") + more, encoding="utf-8")
    monkeypatch.setattr(Path, "read_text", lambda self, *rest, **keys: read(copy if self == place else self, **keys))
    read_yaml = model_version.read_yaml
    monkeypatch.setattr(model_version, "read_yaml", lambda path: read_yaml(copy if path == place else path))
    assert (adagp_sim.model_version() != before) == changes


def test_fields_that_a_newer_python_adds_are_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.12 gave functions `type_params`, 3.13 leaves empty fields out of a dump."""
    source = "def total(a, *, b=None):\n    return {**a}[None], ..., 0, b''\n"
    before = code_says(source)
    monkeypatch.setattr(ast.FunctionDef, "_fields", (*ast.FunctionDef._fields, "type_params_of_later"))
    monkeypatch.setattr(ast.FunctionDef, "type_params_of_later", [], raising=False)
    assert code_says(source) == before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = None", "x = 0"), ("x = ''", "x = None"), ("x = 1", "x = True"), ("x = 1", "x = 1.0"),
        ("f(a, b)", "f(a)(b)"), ("f(*a)", "f(**a)"), ("a, b", "(a, b),"), ("[a, [b]]", "[[a], b]"),
        ("def f(a, /): pass", "def f(a): pass"), ("x: int", "x = int"), ("{a: b, **c}", "{**c, a: b}"),
        ("from a import b", "from . import b"), ("from .a import b", "from ..a import b"), ("a[:b]", "a[b:]"),
        ("global a", "nonlocal a"), ("if a: b", "if a: pass\nelse: b"), ("f'{a!r}'", "f'{a!s}'"),
    ],
)  # fmt: skip
def test_other_code_says_something_else(one: str, other: str) -> None:
    assert code_says(one) != code_says(other)


def test_what_computes_is_in_it_and_what_shows_is_not() -> None:
    names = code_files()
    assert "simulator/run/simulation.py" in names
    assert "workloads/shapes.py" in names
    assert not [name for name in names if name.startswith(("simulator/cli", "simulator/pages", "workloads/pytorch"))]
