"""Which tests guard which functions: tests are run once, and the functions that each enters are kept.

As a plugin of pytest (`-p tests.mutation.guards`) it writes what each test that passes enters and the seconds it takes.
Functions note themselves: each begins with one more statement when its module is imported. Compiled kernels do not.
"""

import ast
import hashlib
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from itertools import chain
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("workloads", "dataflows", "simulator")
NOTES = "MUTATION_NOTES"  # the environment variable that names the folder to write to
_ENTERED: set[str] = set()
_NOTE = "__entered__"  # what a module calls it by


class NotingLoader(SourceFileLoader):
    """Loads a module whose functions note when they are entered, on lines that stay as they are."""

    def get_code(self, fullname: str) -> CodeType:
        """Return the module's code, never what is kept compiled."""
        path = Path(self.path)
        return compile(noting(path.read_bytes(), path.relative_to(ROOT).as_posix()), self.path, "exec")

    def exec_module(self, module: ModuleType) -> None:
        """Run the module."""
        setattr(module, _NOTE, _ENTERED.add)
        super().exec_module(module)


def noting(source: bytes, path: str) -> ast.Module:
    """Return a module's syntax tree in which every function that numba does not compile begins with a note."""
    tree = ast.parse(source)

    def visit(node: ast.AST, names: tuple[str, ...]) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                visit(child, (*names, child.name))
            elif isinstance(child, ast.FunctionDef):
                if not any("njit" in ast.unparse(one) for one in child.decorator_list):
                    visit(child, (*names, child.name, "<locals>"))
                    begin_with_note(child, f"{path}:{'.'.join((*names, child.name))}")
            else:
                visit(child, names)

    visit(tree, ())
    return tree


def begin_with_note(function: ast.FunctionDef, name: str) -> None:
    """Let a function note its name, after its docstring."""
    first = function.body[0]
    at = int(isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant))
    note = ast.Expr(ast.Call(ast.Name(_NOTE, ast.Load()), [ast.Constant(name)], []))
    function.body.insert(at, ast.fix_missing_locations(ast.copy_location(note, first)))


class _Finder(MetaPathFinder):
    """Gives the project's modules their loader."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in ROOMS:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        loader = None if spec is None else spec.loader
        if spec and isinstance(loader, SourceFileLoader) and Path(loader.path).is_relative_to(ROOT):
            spec.loader = NotingLoader(fullname, loader.path)
        return spec


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Watch modules from the first that is imported."""
    sys.meta_path.insert(0, _Finder())


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Watch a test, its fixtures included."""
    _ENTERED.clear()
    item.stash[_START] = seconds_of_cpu()
    yield


_START = pytest.StashKey[float]()


def seconds_of_cpu() -> float:
    """Return the seconds that this process and those that it started have computed."""
    return sum(os.times()[:4])


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Write down a test that passed."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when == "call" and report.passed and NOTES in os.environ:
        seconds = round(seconds_of_cpu() - item.stash[_START], 3)
        note = {"test": item.nodeid, "seconds": seconds, "entered": sorted(_ENTERED)}
        with (Path(os.environ[NOTES]) / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")


@dataclass(frozen=True)
class Guard:
    """One test: its name, what it takes, and the functions that it enters."""

    test: str
    seconds: float
    entered: frozenset[str]

    @property
    def file(self) -> str:
        """The test's file."""
        return _file(self.test)

    def enters(self, files: set[str]) -> bool:
        """Whether the test enters a function of some files."""
        return any(name.partition(":")[0] in files for name in self.entered)


@dataclass
class GuardMap:
    """All that is known about tests, by their file.

    Attributes
    ----------
    digests : dict
        Of each test file when its tests were watched.
    """

    digests: dict[str, str] = field(default_factory=dict)
    tests: list[Guard] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> "GuardMap":
        """Return the map in a file; an empty one where there is none."""
        if not path.is_file():
            return cls()
        data = json.loads(path.read_text(encoding="utf-8"))
        names = data["names"]
        tests = [
            Guard(test, seconds, frozenset(names[at] for at in entered)) for test, seconds, entered in data["tests"]
        ]
        return cls(data["digests"], tests)

    def write(self, path: Path) -> None:
        """Keep the map in a file."""
        names = sorted(set().union(*(guard.entered for guard in self.tests)))
        at = {name: index for index, name in enumerate(names)}
        tests = [(guard.test, guard.seconds, sorted(at[name] for name in guard.entered)) for guard in self.tests]
        path.write_text(json.dumps({"digests": self.digests, "names": names, "tests": tests}), encoding="utf-8")

    def stale(self, root: Path) -> list[str]:
        """Return test files that changed since their tests were watched, or that are new."""
        return [path for path, digest in digests(root).items() if self.digests.get(path) != digest]

    def watched(self, root: Path, files: list[str], notes: Path) -> None:
        """Take over what a run of some test files wrote down."""
        now = digests(root)
        found: list[dict[str, Any]] = []
        for path in sorted(notes.glob("*.jsonl")):
            found += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        kept = [guard for guard in self.tests if guard.file in now and guard.file not in files]
        self.tests = kept + [Guard(one["test"], one["seconds"], frozenset(one["entered"])) for one in found]
        self.digests = {path: digest for path, digest in self.digests.items() if path in now}
        self.digests |= {path: now[path] for path in files}

    def of(self, files: Collection[str]) -> "GuardMap":
        """Return what is known about the tests of some files."""
        return GuardMap(self.digests, [guard for guard in self.tests if guard.file in files])

    def guards(
        self, path: str, function: str, importers: dict[str, set[str]], budget: float
    ) -> tuple[list[str], float]:
        """Return the tests to run on a change in a function, the most telling first, and the seconds that they take.

        These are at most `budget`.

        Those that enter the function; else (constants of a module, compiled kernels) those that enter its file or whose
        own file imports it; else those that enter files that import it.
        """
        telling = [guard for guard in self.tests if function and f"{path}:{function}" in guard.entered]
        files, seen = {path}, {path}
        while not telling and files:
            telling = [guard for guard in self.tests if guard.enters(files) or guard.file in importers.get(path, ())]
            files = set().union(*(importers.get(file, set()) for file in files)) - seen
            seen |= files

        def dullness(guard: Guard) -> float:
            """Quick tests first, and those that enter little else."""
            return (guard.seconds + 0.02) * len(guard.entered)

        chosen, spent = [], 0.0
        for guard in sorted(telling, key=dullness):
            if spent + guard.seconds <= budget:
                chosen.append(guard.test)
                spent += guard.seconds
        order = {file: index for index, file in reversed(list(enumerate(map(_file, chosen))))}
        return sorted(chosen, key=lambda test: order[_file(test)]), spent


def digests(root: Path) -> dict[str, str]:
    """Return the digest of every test file."""
    paths = sorted((root / "tests").rglob("test_*.py"))
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def importers(root: Path) -> dict[str, set[str]]:
    """Return the files of the project and of its tests that import each file, or a package that it is found in."""
    found: dict[str, set[str]] = {}
    for room in (*ROOMS, "tests"):
        for path in (root / room).rglob("*.py"):
            importer = path.relative_to(root).as_posix()
            for imported in _imported(root, path):
                found.setdefault(imported.relative_to(root).as_posix(), set()).add(importer)
    return found


def _imported(root: Path, path: Path) -> Iterator[Path]:
    """Yield the files that a file imports, and those of packages that it names: a registry looks for parts there."""
    places = [root] if path.relative_to(root).parts[0] in ROOMS else [root, root / "tests", path.parent]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module:
            for module in (node.module, *(f"{node.module}.{name.name}" for name in node.names)):
                file = module.replace(".", "/")
                inside = (place / name for place in places for name in (f"{file}.py", f"{file}/__init__.py"))
                yield from (one for one in inside if one.is_file())
        elif isinstance(node, ast.Constant) and len(places) == 1 and str(node.value).partition(".")[0] in ROOMS:
            names = str(node.value).split(".")
            if len(names) > 1 and all(map(str.isidentifier, names)):
                folder = root.joinpath(*names)
                yield from (*folder.glob("*.py"), *folder.glob("*/__init__.py"))


def nearest(path: str, wires: dict[str, set[str]]) -> list[str]:
    """Return the test files that import a file, by as few others as may be; of equally near ones, those of few imports.

    Parameters
    ----------
    wires : dict
        Who imports each file, as `importers` returns it.
    """
    imports = Counter(chain.from_iterable(wires.values()))
    found, seen, ring = [], {path}, {path}
    while ring:
        ring = set().union(*(wires.get(file, set()) for file in ring)) - seen
        seen |= ring
        tests = [file for file in ring if re.fullmatch(r"tests/(?!benchmarks/).*/test_[^/]*", file)]
        found += sorted(tests, key=lambda file: (imports[file], file))
    return found


def _file(test: str) -> str:
    return test.partition("::")[0]
