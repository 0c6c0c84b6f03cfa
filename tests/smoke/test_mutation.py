"""The mutation run: which changes it makes, which tests it chooses, and what it says of them."""

import subprocess
from pathlib import Path

import pytest
from mutation.guards import Guard, GuardMap, importers, nearest, noting
from mutation.mutants import Mutant, mutants_of
from mutation.trial import Copy

SOURCE = '''"""About nothing: 1 < 2."""

LIMIT: int = 3


def least(a: int, b: int, wide: bool = False) -> int:
    """Return no more than 3."""
    if a < b and not wide:
        raise ValueError(f"{a + 1}")
    return -(-a // b)
'''


@pytest.fixture
def mutants(tmp_path: Path) -> list[Mutant]:
    (tmp_path / "one.py").write_text(SOURCE, encoding="utf-8")
    return mutants_of(tmp_path, "one.py")


def test_every_change_is_in_its_line(mutants: list[Mutant]) -> None:
    found = {(one.line, one.kind, one.replacement) for one in mutants}
    assert found == {
        (3, "constant", "2"), (3, "constant", "4"),
        (6, "constant", "True"),
        (8, "negated condition", "not (a < b and (not wide))"), (8, "and/or", "(a < b or not wide)"),
        (8, "comparison", "(a <= b)"), (8, "comparison", "(a >= b)"),
        (8, "dropped condition", "(a < b)"), (8, "dropped condition", "(not wide)"), (8, "dropped sign", "wide"),
        (9, "removed statement", "pass"),
        (10, "constant result", "0"), (10, "rounding", "(a // b)"),
    }  # fmt: skip
    assert {one.function for one in mutants} == {"", "least"}


def test_a_change_changes_nothing_else(mutants: list[Mutant]) -> None:
    for one in mutants:
        changed = one.applied(SOURCE.encode()).decode().splitlines()
        other = [
            number for number, pair in enumerate(zip(SOURCE.splitlines(), changed, strict=True), 1) if len({*pair}) > 1
        ]
        assert other == [one.line]
        compile("\n".join(changed), "one.py", "exec")


def test_tests_that_enter_a_function_guard_it() -> None:
    slow = Guard("tests/test_a.py::test_slow", 50.0, frozenset({"one.py:least"}))
    vague = Guard("tests/test_b.py::test_vague", 1.0, frozenset({"one.py:least", "two.py:f", "two.py:g"}))
    sharp = Guard("tests/test_c.py::test_sharp", 1.0, frozenset({"one.py:least"}))
    other = Guard("tests/test_c.py::test_other", 1.0, frozenset({"two.py:f"}))
    known = GuardMap(tests=[slow, vague, sharp, other])
    assert known.guards("one.py", "least", {}, 60) == ([sharp.test, vague.test, slow.test], 52.0)
    assert known.guards("one.py", "least", {}, 10) == ([sharp.test, vague.test], 2.0)
    assert known.guards("one.py", "", {}, 10)[0] == [sharp.test, vague.test]  # a constant: all that enter the file
    # a kernel is entered by nobody that can be seen: those that enter what imports it
    assert known.guards("kernel.py", "run", {"kernel.py": {"two.py"}}, 10)[0] == [other.test, vague.test]
    assert known.guards("table.py", "", {"table.py": {"tests/test_b.py"}}, 10)[0] == [vague.test]
    assert known.guards("nobody.py", "run", {}, 10) == ([], 0)


NOTED = '''class A:
    size = len("ab")

    def f(self):
        """A method."""
        return g()


@njit(cache=True)
def kernel():
    def inside(): pass


def g():
    def h(): return 1
    return h()
'''


def test_functions_note_that_they_are_entered() -> None:
    """Not classes, nor what numba compiles, which knows nothing of notes; and no line moves."""
    entered: list[str] = []
    names = {"__entered__": entered.append, "njit": lambda **_: lambda function: function}
    exec(compile(noting(NOTED.encode(), "a.py"), "a.py", "exec"), names)
    assert entered == []
    assert names["A"]().f() == 1  # type: ignore[operator]
    names["kernel"]()  # type: ignore[operator]
    assert entered == ["a.py:A.f", "a.py:g", "a.py:g.<locals>.h"]
    assert names["A"].f.__doc__ == "A method."  # type: ignore[attr-defined]
    assert names["g"].__code__.co_firstlineno == 14  # type: ignore[attr-defined]


def test_what_imports_a_file(tmp_path: Path) -> None:
    """A file that names a package finds its parts there; tests import what lies beside them."""
    texts = {
        "workloads/b.py": "", "dataflows/c.py": "", "simulator/parts/one.py": "", "simulator/parts/two/__init__.py": "",
        "simulator/a.py": "from workloads import b\nfrom dataflows.c import d\nPARTS = 'simulator.parts'\n",
        "tests/helper.py": "", "tests/ladder/beside.py": "", "tests/ladder/test_a.py": "from helper import x\n"
        "from beside import y\nfrom simulator.a import PARTS\n", "tests/ladder/test_b.py": "from dataflows.c import d",
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = importers(tmp_path)
    assert found == {
        "workloads/b.py": {"simulator/a.py"},
        "dataflows/c.py": {"simulator/a.py", "tests/ladder/test_b.py"},
        "simulator/parts/one.py": {"simulator/a.py"},
        "simulator/parts/two/__init__.py": {"simulator/a.py"},
        "simulator/a.py": {"tests/ladder/test_a.py"},
        "tests/helper.py": {"tests/ladder/test_a.py"},
        "tests/ladder/beside.py": {"tests/ladder/test_a.py"},
    }
    assert nearest("dataflows/c.py", found) == ["tests/ladder/test_b.py", "tests/ladder/test_a.py"]
    assert nearest("simulator/parts/one.py", found) == ["tests/ladder/test_a.py"]


def test_of_equally_near_tests_those_that_import_less() -> None:
    """A test file that imports little tells more; benchmarks are not run."""
    wires = {"a.py": {"tests/x/test_wide.py", "tests/x/test_narrow.py", "tests/benchmarks/test_speed.py"},
             "b.py": {"tests/x/test_wide.py"}}  # fmt: skip
    assert nearest("a.py", wires) == ["tests/x/test_narrow.py", "tests/x/test_wide.py"]


@pytest.mark.long
def test_a_trial(tmp_path: Path) -> None:
    """A tree of its own: what a test sees dies, what it does not see lives, and the file is as before."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "one.py").write_text(SOURCE, encoding="utf-8")
    (tree / "test_one.py").write_text("from one import least\n\ndef test_least():\n    assert least(7, 2) == 4\n")
    subprocess.run(["git", "init", "-q", str(tree)], check=True)
    copy = Copy(tree, tmp_path / "copy")
    before = (tmp_path / "copy/one.py").stat().st_mtime_ns
    outcomes = {
        (one.kind, one.replacement): copy.trial(one, ["test_one.py::test_least"], 60, seed=0)
        for one in mutants_of(tree, "one.py")
        if one.kind in ("rounding", "constant result") or (one.kind, one.line) == ("constant", 6)
    }
    found = {key: (verdict.outcome, verdict.killer) for key, verdict in outcomes.items()}
    assert found == {
        ("rounding", "(a // b)"): ("killed", "test_one.py::test_least"),
        ("constant result", "0"): ("killed", "test_one.py::test_least"),
        ("constant", "True"): ("survived", ""),
    }
    assert (tmp_path / "copy/one.py").read_text(encoding="utf-8") == SOURCE
    assert (tmp_path / "copy/one.py").stat().st_mtime_ns == before


@pytest.mark.long  # it waits three times
def test_a_change_that_does_not_end(tmp_path: Path) -> None:
    """It is dead, but not where the tests take as long without it: then nothing is known against it."""
    tree = tmp_path / "tree"
    tree.mkdir()
    source = "def count(n):\n    while n > 0:\n        n = n - 1\n    return n\n"
    (tree / "one.py").write_text(source, encoding="utf-8")
    (tree / "test_one.py").write_text("from one import count\n\ndef test_count():\n    assert count(3) == 0\n")
    (tree / "test_slow.py").write_text("def test_slow():\n    while True: pass\n")
    subprocess.run(["git", "init", "-q", str(tree)], check=True)
    copy = Copy(tree, tmp_path / "copy")
    (endless,) = (one for one in mutants_of(tree, "one.py") if one.replacement == "(n + 1)")
    assert copy.trial(endless, ["test_one.py"], 2, seed=0).outcome == "timeout"
    assert copy.trial(endless, ["test_slow.py"], 2, seed=0).outcome == "survived"
