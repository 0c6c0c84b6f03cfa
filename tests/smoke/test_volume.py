"""`--quiet` leaves results alone on the terminal, `--verbose` tells what happens; progress says how long it takes."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from time import monotonic

import click
import numba
import pytest
from command_line import ROOT, good, run_here

from simulator.cli import numba_start, progress
from simulator.cli.main import cli
from simulator.machine.spec_loading import load_designs
from simulator.run.simulation import Simulation, compare
from workloads.foundation.headway import headway, hearing
from workloads.trace import load_trace

RUN = ("simulate", "digits-cnn", "--design", "low")


def commands(group: click.Group, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the words of every command."""
    found = [above]
    for name, inner in group.commands.items():
        found += commands(inner, (*above, name)) if isinstance(inner, click.Group) else [(*above, name)]
    return found


@pytest.mark.parametrize("words", commands(cli), ids=" ".join)
def test_every_command_takes_both(words: tuple[str, ...]) -> None:
    said = good(run_here(*words, "--help")).out
    assert "-q, --quiet" in said
    assert "-v, --verbose" in said


@pytest.mark.parametrize("place", [("-q", *RUN), (*RUN, "--quiet")], ids=["before", "after"])
def test_quiet_gives_the_results_and_nothing_else(place: tuple[str, ...]) -> None:
    said = good(run_here(*place, "--batch-size", "8"))
    assert said.err == ""
    loud = good(run_here(*RUN, "--batch-size", "8"))
    assert loud.err
    notes = [line for line in loud.out.splitlines() if line.startswith("note: ")]
    assert len(notes) == 1
    assert said.out.splitlines() == [line for line in loud.out.splitlines() if line not in notes]


def test_quiet_has_no_word_of_what_is_written(tmp_path: Path) -> None:
    said = good(run_here(*RUN, "-q", "--out", "r", cwd=tmp_path))
    assert "written" not in said.out + said.err
    assert (tmp_path / "r/summary.json").is_file()


def test_quiet_keeps_errors() -> None:
    said = run_here("simulate", "digits-cnm", "-q")
    assert (said.code, said.out) == (2, "")
    assert "did you mean digits-cnn?" in said.err


def test_verbose_tells_files_and_stages_and_changes_no_result() -> None:
    said, plain = good(run_here(*RUN, "--verbose")), good(run_here(*RUN))
    assert said.out == plain.out
    lines = [line for line in said.err.splitlines() if re.match(r"\[ *\d+\.\d{3} s\] ", line)]
    told = [line.partition("] ")[2] for line in lines]
    for path in ("traces/digits-cnn.yaml", "configs/accelerators/baseline.yaml", "configs/energy/45nm.yaml"):
        assert len([line for line in told if line.startswith(f"read {ROOT / path}, ")]) == 1
    for part in ("plan low ws, 4 layers", "simulate low ws, gp batch"):
        assert [line for line in told if re.fullmatch(rf"{part}: \d+\.\d{{3}} s", line)]
    # Only this command tells it: the next one is as quiet as before.
    assert "[" not in good(run_here(*RUN, "--quiet")).err


@pytest.mark.parametrize("words", [("-q", *RUN, "-v"), (*RUN, "-q", "-v"), ("-q", "-v", *RUN)])
def test_one_of_the_two_at_most(words: tuple[str, ...]) -> None:
    said = run_here(*words)
    assert said.code == 2
    assert "--quiet and --verbose do not go together" in said.err


def test_the_record_of_a_result_does_not_say_how_much_was_told(tmp_path: Path) -> None:
    good(run_here(*RUN, "-q", "--out", "r", cwd=tmp_path))
    assert '"command": "adagp-sim simulate digits-cnn --design low"' in (tmp_path / "r/provenance.json").read_text()


def test_lines_tell_the_time_left_once_it_can_be_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of five steps, three seconds each, six seconds are left at the fourth; before five seconds nothing is said.

    What comes before the first step does not count.
    """
    now = [0.0]
    monkeypatch.setattr(progress, "working_clock", lambda: now[0])
    with progress.progress(5) as say:
        now[0] = 30.0
        for step in "abcde":
            say(step)
            now[0] += 3.0
    assert capsys.readouterr().err.splitlines() == [
        "[1/5] a", "[2/5] b", "[3/5] c, about 9 s left", "[4/5] d, about 6 s left", "[5/5] e, about 3 s left",
    ]  # fmt: skip


def test_a_long_step_tells_its_headway_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two parts a second; a line comes every five seconds. Work inside a part is not told."""
    now = [0.0]
    monkeypatch.setattr(progress, "working_clock", lambda: now[0])
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    with progress.progress(2, "plan") as say:
        with headway(30) as part_done:
            for _ in range(30):
                with headway(2) as inner_done:
                    inner_done()
                now[0] += 0.5
                part_done()
        say("run")
        with headway(4) as part_done:
            for _ in range(4):
                now[0] += 4.0
                part_done()
    assert capsys.readouterr().err.splitlines() == [
        "plan, 10 of 30 parts, about 10 s left", "plan, 20 of 30 parts, about 5 s left", "[1/2] run",
        # A part of four in four seconds is a step in 16; two steps take 32.
        "[1/2] run, 1 of 4 parts", "[1/2] run, 3 of 4 parts, about 20 s left",
    ]  # fmt: skip


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_is_told_once_that_kernels_are_compiled(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    numba_start.start_numba()
    compiling = numba_start.Compiling()
    monkeypatch.setattr(numba_start, "COMPILING", compiling)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    before, began = compiling.clock(), monotonic()
    kernels = [numba.njit(lambda x, k=k: x + k) for k in range(2)]
    assert [kernel(1) + kernel(2) for kernel in kernels] == [3, 5]
    whole, working = monotonic() - began, compiling.clock() - before
    assert 0 <= working < 0.5 * whole  # nearly all of it is compiling
    told = capsys.readouterr().err
    assert told.count("compiling kernels") == int(terminal)


def test_a_big_network_tells_how_far_its_plans_are() -> None:
    """Layers of all designs are planned side by side, so that parts are as many as a batch has steps."""
    heard: list[tuple[int, int]] = []
    trace, specs = load_trace("digits-cnn"), load_designs()
    with hearing(lambda done, parts: heard.append((done, parts))):
        compare(trace, specs)
    steps = max(len(Simulation(trace, spec).batches.steps("bp")) for spec in specs)
    assert heard == [(number, steps) for number in range(1, steps + 1)]


def test_a_terminal_shows_a_bar_with_the_time_left() -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "simulator", *RUN, "--json"]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, cwd=ROOT, env=environment) as process:
        os.close(theirs)
        seen = b""
        try:
            while part := os.read(ours, 4096):
                seen += part
        except OSError:  # the other end is closed
            pass
    os.close(ours)
    assert process.returncode == 0
    assert b"low ws: gp batch" in seen
    assert b" 2/3 " in seen
    assert b"[1/" not in seen


@pytest.mark.parametrize(
    "words",
    [
        ("simulate", "digits-cnn", "--out", "r"), ("compare", "digits-cnn", "--exact", "2"), ("memory", "digits-cnn"),
        ("area", "digits-cnn"), ("pipeline", "digits-cnn", "--pipeline-schedule", "gpipe", "--out", "p"),
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_steps_are_as_many_as_said(words: tuple[str, ...], tmp_path: Path) -> None:
    lines = good(run_here(*words, cwd=tmp_path)).err.splitlines()
    places = [re.match(r"\[(\d+)/(\d+)\] ", line) for line in lines]
    steps = [(int(found[1]), int(found[2])) for found in places if found is not None]
    assert steps == [(number, len(steps)) for number in range(1, len(steps) + 1)]
    assert steps
