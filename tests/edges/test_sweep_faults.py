"""After any fault the same command ends with the rows of an undisturbed run: kills, full disks, lost schedulers."""

import errno
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import run_here

from simulator.jobs import cluster
from simulator.jobs.cluster import Cluster

PROGRAM = [sys.executable, "-m", "simulator.cli.main"]
POINTS = 40
SWEEP = """
trace: digits-cnn
grid:
  array.rows: [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]
  design: [baseline, max]
"""


@pytest.fixture(scope="module")
def sweep_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sweep") / "sweep.yaml"
    path.write_text(SWEEP, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def undisturbed(sweep_file: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The rows of a run that nothing disturbs."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    assert run(sweep_file, out).returncode == 0
    return rows(out)


def command(file: Path, out: Path, *more: str) -> list[str]:
    return [*PROGRAM, "sweep", str(file), "--out", str(out), *more]


def run(file: Path, out: Path, *more: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(file, out, *more), capture_output=True, text=True, check=False, timeout=400, **options
    )  # fmt: skip


def rows(out: Path) -> list[dict[str, Any]]:
    """Return the rows as another program reads them."""
    csv = out.parent / f"{out.name}.csv"
    subprocess.run([*PROGRAM, "sweep", "export", str(out), "--csv", str(csv)], check=True, capture_output=True)
    lines = csv.read_text(encoding="utf-8").splitlines()
    return [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]


def finished(out: Path) -> int:
    """Return how many points the store has a result of."""
    import sqlite3

    try:
        with sqlite3.connect(f"file:{out / 'results.sqlite'}?mode=ro", uri=True) as database:
            return int(database.execute("SELECT COUNT(cycles) FROM results").fetchone()[0])
    except sqlite3.Error:
        return 0


def wait_for(
    condition: Callable[[], bool], process: "subprocess.Popen[Any] | None" = None, seconds: float = 200
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        assert process is None or process.poll() is None
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    """Return the processes below a process that run jobs."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    lines = {int(one): Path(f"/proc/{one}/cmdline").read_text(encoding="utf-8") for one in found}
    return [one for one, line in lines.items() if "spawn_main" in line]


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_command_that_is_stopped_goes_on(
    number: signal.Signals, sweep_file: Path, undisturbed: list[dict[str, Any]], tmp_path: Path
) -> None:
    process = subprocess.Popen(
        command(sweep_file, tmp_path / "out", "--workers", "2"), stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's job in the background ignores it
    )  # fmt: skip
    wait_for(lambda: finished(tmp_path / "out") > 0, process)
    below = children(process.pid)
    process.send_signal(number)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}[number]
    if number == signal.SIGINT:
        assert "the same command goes on" in told
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below))
    assert 0 < finished(tmp_path / "out") < POINTS
    assert run(sweep_file, tmp_path / "out").returncode == 0
    assert rows(tmp_path / "out") == undisturbed


@pytest.mark.long
def test_a_killed_worker_costs_a_second_try(
    sweep_file: Path, undisturbed: list[dict[str, Any]], tmp_path: Path
) -> None:
    process = subprocess.Popen(command(sweep_file, tmp_path / "out", "--workers", "2"), stderr=subprocess.DEVNULL)
    wait_for(lambda: finished(tmp_path / "out") > 0, process)
    os.kill(children(process.pid)[0], signal.SIGKILL)
    assert process.wait(timeout=300) == 0
    assert rows(tmp_path / "out") == undisturbed


@pytest.mark.long
def test_points_that_take_too_long_are_told_and_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text("trace: digits-cnn\ngrid: {array.rows: [6, 12], design: [baseline]}\n", encoding="utf-8")
    done = run(file, tmp_path / "out", "--workers", "1", "--time-limit", "0.001")
    assert done.returncode == 0
    assert "took more than 0.001 seconds" in " ".join(done.stdout.split())
    assert run(file, tmp_path / "out", "--workers", "0").returncode == 0
    assert run(file, tmp_path / "other", "--workers", "0").returncode == 0
    assert rows(tmp_path / "out") == rows(tmp_path / "other")
    assert all(row["reason"] == "" for row in rows(tmp_path / "out"))


@pytest.mark.long
def test_a_full_disk(sweep_file: Path, undisturbed: list[dict[str, Any]], tmp_path: Path) -> None:
    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit fails, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    # compiled functions have a place already
    done = run(sweep_file, tmp_path / "out", preexec_fn=little_room)
    assert done.returncode in (1, 2), done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("error: ")
    assert "Traceback" not in done.stderr
    assert run(sweep_file, tmp_path / "out").returncode == 0
    assert rows(tmp_path / "out") == undisturbed


@pytest.mark.long
def test_two_sweeps_write_one_store(sweep_file: Path, undisturbed: list[dict[str, Any]], tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    both = [
        subprocess.Popen(
            command(sweep_file, tmp_path / name, "--store", str(store), "--workers", "1"), stderr=subprocess.DEVNULL
        )
        for name in ("a", "b")
    ]
    assert [process.wait(timeout=300) for process in both] == [0, 0]
    assert rows(tmp_path / "a") == rows(tmp_path / "b") == undisturbed


class Dask:
    """A real scheduler and workers on the loopback interface."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port))

    def worker(self) -> "subprocess.Popen[bytes]":
        return self._start("dask_worker", self.address, "--nthreads", "1", "--host", "127.0.0.1")

    def _start(self, name: str, *more: str) -> "subprocess.Popen[bytes]":
        log = (self.folder / f"{name}-{len(self.processes)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{name}", *more, "--no-dashboard"], stdout=log, stderr=log,
            cwd=self.folder, start_new_session=True,
        )  # fmt: skip
        self.processes.append(process)
        return process

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    pytest.importorskip("distributed", reason="needs the cluster extra")
    folder = tmp_path / "dask"
    folder.mkdir()
    started = Dask(folder)
    yield started
    started.end()


@pytest.mark.long
def test_a_cluster_gives_the_same_rows(
    dask: Dask, sweep_file: Path, undisturbed: list[dict[str, Any]], tmp_path: Path
) -> None:
    dask.worker()
    done = run(sweep_file, tmp_path / "out", "--scheduler", dask.address)
    assert done.returncode == 0, done.stderr
    assert rows(tmp_path / "out") == undisturbed


@pytest.mark.long
def test_a_worker_of_the_cluster_is_killed(
    dask: Dask, sweep_file: Path, undisturbed: list[dict[str, Any]], tmp_path: Path
) -> None:
    first, _ = dask.worker(), dask.worker()
    process = subprocess.Popen(
        command(sweep_file, tmp_path / "out", "--scheduler", dask.address), stderr=subprocess.DEVNULL
    )
    wait_for(lambda: finished(tmp_path / "out") > 0, process)
    os.killpg(first.pid, signal.SIGKILL)  # the worker and the nanny that would start it anew
    assert process.wait(timeout=300) == 0
    assert rows(tmp_path / "out") == undisturbed


@pytest.mark.long
def test_a_lost_scheduler_is_told_and_the_command_goes_on(
    dask: Dask, sweep_file: Path, undisturbed: list[dict[str, Any]], tmp_path: Path
) -> None:
    dask.worker()
    process = subprocess.Popen(
        command(sweep_file, tmp_path / "out", "--scheduler", dask.address), stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: finished(tmp_path / "out") > 0, process)
    os.killpg(dask.scheduler.pid, signal.SIGKILL)
    told = process.communicate(timeout=120)[1]
    assert process.returncode == 2
    assert told.strip().splitlines()[-1].startswith("error: --scheduler: ")
    assert run(sweep_file, tmp_path / "out").returncode == 0
    assert rows(tmp_path / "out") == undisturbed


def test_what_reading_batches_raises_is_no_fault_of_the_scheduler(dask: Dask) -> None:
    def unreadable() -> Iterator[list[int]]:
        yield [1]
        raise OSError(errno.EIO, "the medium is damaged", "points.csv")

    dask.worker()
    with pytest.raises(OSError, match="the medium is damaged") as caught:
        list(Cluster(dask.address).run(abs, unreadable()))
    assert (caught.value.errno, caught.value.filename) == (errno.EIO, "points.csv")


def test_no_scheduler_is_told_at_once(
    sweep_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """In half a second, where a command waits ten; what Dask writes past Python's own streams counts too."""
    pytest.importorskip("distributed", reason="needs the cluster extra")
    monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 0.5)
    done = run_here("sweep", str(sweep_file), "--out", str(tmp_path / "out"), "--scheduler", "tcp://127.0.0.1:1")
    assert done.code == 2
    assert done.err.strip().splitlines()[-1].startswith("error: --scheduler: tcp://127.0.0.1:1 cannot be reached")
    assert "Traceback" not in done.err + "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "nowhere"], ["nowhere", "holds no sweep"]),
        (["nothing.yaml", "--out", "out"], ["nothing.yaml", "no such file"]),
        (["array-shape", "--out", "out"], ["array-shape", "did you mean array-shapes?"]),
        (["array-shapes"], ["--out"]),
        (["array-shapes", "--out", "out", "--workers", "2", "--scheduler", "tcp://127.0.0.1:1"], ["drop --workers"]),
        (["export", "nowhere"], ["--csv"]),
    ],
)
def test_wrong_commands_are_told_in_one_line(arguments: list[str], words: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "sweep", *arguments], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=100
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert all(word in done.stderr for word in words), done.stderr
    assert not (tmp_path / "out").exists()


def test_the_front_as_json(sweep_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text("trace: digits-cnn\ngrid: {array.rows: [6, 12], design: [baseline]}\n", encoding="utf-8")
    assert run(file, tmp_path / "out", "--workers", "0").returncode == 0
    done = subprocess.run(
        [*PROGRAM, "sweep", "show", str(tmp_path / "out"), "--json"], capture_output=True, text=True, check=True
    )
    assert {row["array.rows"] for row in json.loads(done.stdout)} <= {6, 12}
