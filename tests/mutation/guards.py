"""Which tests guard which functions: every test is run once, and the functions that it enters are kept.

As a plugin of pytest (`-p tests.mutation.guards`) it writes what each test that passes enters and the seconds it takes.
"""

import ast
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("workloads", "dataflows", "simulator")
NOTES = "MUTATION_NOTES"  # the environment variable that names the folder to write to


class Recorder:
    """Notes the functions of the project that are entered."""

    def __init__(self) -> None:
        self.names: dict[CodeType, str | None] = {}
        self.entered: set[str] = set()

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if code not in self.names:
            path = Path(code.co_filename)
            inside = path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in ROOMS
            self.names[code] = f"{path.relative_to(ROOT).as_posix()}:{code.co_qualname}" if inside else None
        name = self.names[code]
        if name is not None:
            self.entered.add(name)


_RECORDER = Recorder()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Watch a test, its fixtures included."""
    _RECORDER.entered = set()
    item.stash[_START] = time.process_time()
    sys.settrace(_RECORDER)
    yield
    sys.settrace(None)


_START = pytest.StashKey[float]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Write down a test that passed."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when == "call" and report.passed and NOTES in os.environ:
        seconds = round(time.process_time() - item.stash[_START], 3)
        note = {"test": item.nodeid, "seconds": seconds, "entered": sorted(_RECORDER.entered)}
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
    """All that is known about tests, by the file that they stand in.

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
    """Return the files of the project and of its tests that import each file."""
    found: dict[str, set[str]] = {}
    for room in (*ROOMS, "tests"):
        for path in (root / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.ImportFrom) and node.module:
                    for module in (node.module, *(f"{node.module}.{name.name}" for name in node.names)):
                        file = module.replace(".", "/")
                        for candidate in (f"{file}.py", f"{file}/__init__.py"):
                            found.setdefault(candidate, set()).add(path.relative_to(root).as_posix())
    return found


def _file(test: str) -> str:
    return test.partition("::")[0]
