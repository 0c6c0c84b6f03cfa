"""Runs `adagp-sim` for tests: in this process, which takes milliseconds, or in one of its own."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

from simulator.cli.main import main

ROOT = Path(__file__).parents[1]
COLOUR = ("NO_COLOR", "FORCE_COLOR")


class Outcome(NamedTuple):
    """What a command ended with and said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, read as JSON."""
        return json.loads(self.out)


def run_here(*arguments: str, cwd: Path | None = None) -> Outcome:
    """Run the command in this process, with pipes in the place of a terminal."""
    code: object = 0
    out, err = io.StringIO(), io.StringIO()
    with _called(arguments), chdir(cwd or Path.cwd()), redirect_stdout(out), redirect_stderr(err):
        try:
            code = main()
        except SystemExit as end:
            code = end.code
    return Outcome(code if isinstance(code, int) else 0 if code is None else 1, out.getvalue(), err.getvalue())


def run_process(
    *arguments: str, cwd: Path | None = None, before: Callable[[], None] | None = None, **environment: str
) -> Outcome:
    """Run the command in a process of its own, where `before` runs first.

    Parameters
    ----------
    **environment : str
        Environment variables that are set there.
    """
    plain = {name: value for name, value in os.environ.items() if name not in COLOUR}
    done = subprocess.run(
        [sys.executable, "-m", "simulator.cli.main", *arguments],
        capture_output=True, text=True, encoding="utf-8", cwd=cwd, timeout=240, check=False, preexec_fn=before,
        env=plain | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"} | environment,
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout, done.stderr)


def good(outcome: Outcome) -> Outcome:
    """Return the outcome of a command that went well and spoke plainly into a pipe."""
    assert outcome.code == 0, outcome.err
    assert "\x1b" not in outcome.out + outcome.err
    return outcome


@contextmanager
def _called(arguments: tuple[str, ...]) -> Iterator[None]:
    """Give the process the command's arguments, and no wish about colours."""
    argv, sys.argv = sys.argv, ["adagp-sim", *arguments]
    wishes = {name: os.environ.pop(name) for name in COLOUR if name in os.environ}
    try:
        yield
    finally:
        sys.argv = argv
        os.environ |= wishes
