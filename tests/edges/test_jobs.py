"""What runs jobs: a job that hangs, kills its process or is wrong costs no other job its result."""

import os
import time
from pathlib import Path

import pytest
from odd_jobs import Odd, double
from samples import sampled

from simulator.jobs.local import Here, Processes
from simulator.jobs.outcome import Done, Lost, Refused, Workers


def outcomes(workers: Workers, deeds: dict[int, str], folder: Path, batch: int = 4) -> dict[int, object]:
    """Run sixteen jobs in batches, and return what became of each; every job is answered once."""
    jobs = [Odd(number, deeds.get(number, ""), str(folder)) for number in range(16)]
    batches = [jobs[start : start + batch] for start in range(0, len(jobs), batch)]
    found: dict[int, object] = {}
    for answers in workers.run(double, batches):
        for job, outcome in answers:
            assert job.number not in found
            found[job.number] = outcome
    assert sorted(found) == list(range(16))
    return found


def test_in_this_process(tmp_path: Path) -> None:
    found = outcomes(Here(), {3: "refuse", 5: "fault"}, tmp_path)
    assert found[3] == Refused("here: number: is 3; give another")
    assert found[5] == Lost("ZeroDivisionError: of no number")
    assert all(found[number] == Done(2 * number) for number in range(16) if number not in (3, 5))


@pytest.mark.parametrize("batch", [1, 4, 16])
def test_processes_that_die(tmp_path: Path, batch: int) -> None:
    deeds = {3: "refuse", 5: "fault", 7: "kill", 9: "kill-once"}
    found = outcomes(Processes(2), deeds, tmp_path, batch)
    assert found[3] == Refused("here: number: is 3; give another")
    assert found[5] == Lost("ZeroDivisionError: of no number")
    assert isinstance(found[7], Lost)
    assert "killed twice" in found[7].reason
    assert all(found[number] == Done(2 * number) for number in range(16) if number not in (3, 5, 7))
    # the job that kills is tried twice alone, and no job that is well more than twice
    tries = {int(path.name): len(path.read_text().splitlines()) for path in tmp_path.iterdir()}
    assert tries[7] == (2 if batch == 1 else 3)
    assert max(tries[number] for number in tries if number not in deeds) <= 2


@pytest.mark.parametrize(("batch", "limit_seconds"), sampled([(1, 2), (2, 2)], lambda case: case[0] == 1))
def test_a_process_that_hangs(tmp_path: Path, batch: int, limit_seconds: int) -> None:
    """The limit leaves a busy machine room for every other job; a kill within it would look like a hang."""
    found = outcomes(Processes(2, limit_seconds=limit_seconds), {12: "hang"}, tmp_path, batch)
    assert found[12] == Lost(f"took more than {limit_seconds} seconds")
    assert all(found[number] == Done(2 * number) for number in range(16) if number != 12)


def test_processes_end_when_nobody_reads_on(tmp_path: Path) -> None:
    jobs = [Odd(number, "", str(tmp_path)) for number in range(40)]
    answers = Processes(2).run(double, [[job] for job in jobs])
    next(answers)
    answers.close()
    pids = {int(line) for path in tmp_path.iterdir() for line in path.read_text().splitlines()}
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids - {os.getpid()})


def test_batches_are_taken_as_they_are_needed(tmp_path: Path) -> None:
    taken = []

    def batches():
        for number in range(1000):
            taken.append(number)
            yield [Odd(number, "", str(tmp_path))]

    answers = Processes(2).run(double, batches())
    next(answers)
    assert len(taken) <= 2 * 2 + 2  # of a thousand: no more than the processes have in hand
    answers.close()
