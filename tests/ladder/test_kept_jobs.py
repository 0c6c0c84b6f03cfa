"""Jobs of the report: kept as they come, run once, and the same whoever runs them."""

import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from kept_jobs import Square, squares

from simulator.machine.spec_loading import load_designs
from simulator.reproduce.execute import missing_jobs, run_jobs
from simulator.reproduce.jobs.design_comparison import DesignComparison
from simulator.reproduce.jobs.job import job_key
from simulator.reproduce.store import open_store
from simulator.run.simulation import compare
from workloads.trace import load_trace


def run_all(folder: Path, jobs: list[Square], processes: int = 1) -> dict[Square, dict[str, int]]:
    (folder / "notes").mkdir(exist_ok=True, parents=True)
    with open_store(folder) as store:
        found, missing = missing_jobs(jobs, store)
        return {**found, **run_jobs(missing, store, processes, lambda line: None)}  # type: ignore[dict-item]


def times_run(folder: Path) -> dict[int, int]:
    return {int(path.name): len(path.read_text()) for path in (folder / "notes").iterdir()}


@pytest.mark.parametrize("processes", [1, 2])
def test_results_whoever_runs_them(processes: int, tmp_path: Path) -> None:
    jobs = squares(tmp_path / "notes")
    found = run_all(tmp_path, [*jobs, *jobs], processes)
    assert {job.number: value["square"] for job, value in found.items()} == {n: n * n for n in range(12)}
    assert set(times_run(tmp_path).values()) == {1}
    assert run_all(tmp_path, jobs) == found
    assert set(times_run(tmp_path).values()) == {1}


@pytest.mark.parametrize("processes", [1, 2])
def test_a_run_that_fails_goes_on_where_it_stopped(processes: int, tmp_path: Path) -> None:
    jobs = squares(tmp_path / "notes")
    broken = [replace(job, fails=job.number == 7) for job in jobs]
    with pytest.raises(ValueError, match="job 7"):
        run_all(tmp_path, broken, processes)
    # with one process the families before 7's are kept; with two at least one of them may still be on its way
    with open_store(tmp_path) as store:
        kept, _ = missing_jobs(jobs, store)
    assert 7 not in {job.number for job in kept}
    if processes == 1:
        assert {job.number for job in kept} == set(range(6))
    before = {job.number for job in kept}
    found = run_all(tmp_path, jobs, processes)
    assert [found[job]["square"] for job in jobs] == [n * n for n in range(12)]
    assert all(times_run(tmp_path)[number] == 1 for number in before)


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    script = Path(__file__).with_name("kept_jobs.py")
    environment = os.environ | {"PYTHONPATH": str(script.parents[2])}
    with subprocess.Popen(
        [sys.executable, script, tmp_path], stdout=subprocess.PIPE, text=True, env=environment
    ) as run:
        assert run.stdout is not None
        for _ in range(4):  # two families of two
            assert run.stdout.readline()
        run.send_signal(signal.SIGKILL)
    with open_store(tmp_path) as store:
        found, missing = missing_jobs(squares(tmp_path / "notes", 0.2), store)
    assert {job.number for job in found} >= {0, 1, 2, 3}  # type: ignore[attr-defined]
    assert missing
    whole = run_all(tmp_path, squares(tmp_path / "notes", 0.2))
    assert {job.number: value["square"] for job, value in whole.items()} == {n: n * n for n in range(12)}
    assert all(times_run(tmp_path)[job.number] == 1 for job in found)  # type: ignore[attr-defined]


def test_keys_tell_jobs_apart() -> None:
    job = DesignComparison("vgg13-cifar10", "ws")
    others = [
        replace(job, trace="vgg16-cifar10"), replace(job, dataflow="is"), replace(job, designs=("baseline", "max")),
        replace(job, settings=("dgrad=dense",)), replace(job, batch_size=64), replace(job, tokens=64),
        replace(job, predictor=(4, 1)), replace(job, classifiers_predicted=False),
    ]  # fmt: skip
    assert len({job_key(one) for one in (job, *others)}) == 9
    assert job_key(job) == job_key(DesignComparison("vgg13-cifar10", "ws"))


def test_a_comparison_is_what_compare_gives() -> None:
    found = DesignComparison("digits-cnn", "os", settings=("array.rows=8",)).compute()
    results = compare(load_trace("digits-cnn"), load_designs(None, "os", ("array.rows=8",)))
    assert list(found) == [run.design for run in results.runs]
    for run in results.runs:
        one = found[run.design]
        assert one["cycles"] == run.total_cycles
        assert one["energy_pj"] == run.energy_pj
        assert one["speedup"] == results.speedup(run)
        batches = {phase.phase: (phase.batches, phase.cycles_per_batch) for phase in run.phases}
        assert {name: (phase["batches"], phase["cycles"]) for name, phase in one["phases"].items()} == batches


def test_changed_workloads() -> None:
    job = DesignComparison("vgg13-imagenet", "ws", batch_size=32, predictor=(2, 3))
    trace = job.workload()
    assert (trace.batch_size, trace.predictor.features) == (32, 12)
    unpredicted = DesignComparison("vgg13-imagenet", "ws", classifiers_predicted=False).workload()
    left_out = [layer.id for layer in unpredicted.mac_layers if not getattr(layer, "predicted", True)]
    assert len(left_out) == 3  # VGG13's three linear layers


@pytest.mark.parametrize("damage", ["digit", "byte", "kind"])
def test_a_damaged_row_of_the_store_is_made_again(damage: str, tmp_path: Path) -> None:
    """A changed digit is no result; before rows had checksums it was believed."""
    job = squares(tmp_path / "notes")[3]
    (tmp_path / "notes").mkdir()
    with open_store(tmp_path) as store:
        store.keep([(job, job.compute())])
        assert store.find(job) == {"square": 9}
    with sqlite3.connect(tmp_path / "jobs.sqlite") as database:
        ((kept,),) = database.execute("SELECT result FROM kept").fetchall()
        other = {"digit": kept.replace(b"9", b"8"), "byte": kept[:-1], "kind": "text"}[damage]
        database.execute("UPDATE kept SET result = ?", (other,))
    with open_store(tmp_path) as store:
        assert store.find(job) is None
