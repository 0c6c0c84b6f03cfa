"""Pipelines and bad input: one line that names file, key and remedy, exit code 2, and nothing left behind."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.cli.main import main
from simulator.pipelines.file_schedule import read_schedule
from simulator.pipelines.operation import Operation
from simulator.pipelines.schedule import Orders, schedules
from workloads.foundation.errors import InputError

Refuses = Callable[..., None]


@pytest.fixture
def refuses(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Refuses:
    def check(arguments: list[str], *words: str) -> None:
        out = tmp_path / "out"
        monkeypatch.setattr(sys, "argv", ["adagp-sim", "pipeline", *arguments, "--out", str(out)])
        with pytest.raises(SystemExit) as end:
            main()
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert end.value.code == 2, error
        assert error.startswith("error: ")
        assert "Traceback" not in error
        assert not out.exists()
        for word in words:
            assert re.search(word, error), f"{word} is not in: {error}"

    return check


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pipeline-schedule", "gpip"], ["gpip", "gpipe"]),
        (["--schedule", "gpipe"], ["gpipe is a pipeline's schedule", "write --pipeline-schedule gpipe"]),
        (["--pipeline-schedule", "absent.yaml"], [r"absent\.yaml", "no such file"]),
        (["--devices", "0"], ["--devices", r"\b0\b"]),
        (["--devices", "65"], ["--devices", "64"]),
        (["--devices", "9"], ["--devices", "9 stages", "fewer"]),
        (["--pipeline-schedule", "interleaved", "--devices", "3"], ["--devices", "6 stages", "fewer"]),
        (["--devices", "x"], ["--devices", "x"]),
        (["--micro-batches", "0"], ["--micro-batches"]),
        (["--micro-batches", "257"], ["--micro-batches", "256"]),
        (["--micro-batches", "5"], ["--micro-batches", "32", "divi"]),
        (["--link-bandwidth", "0"], ["--link-bandwidth", "at least 1"]),
        (["--link-latency", "-1"], ["--link-latency"]),
        (["--predictor-runs", "never"], ["--predictor-runs", "never"]),
        (["--exact", "5000"], ["--exact", "5000"]),
        (["--exact", "1001"], ["--exact", "1000"]),
        (["--exact", "0"], ["--exact"]),
        (["--exact", "x"], ["--exact", "x"]),
        (["--design", "maxx"], ["maxx"]),
        (["--schedule", "papr"], ["papr", "paper"]),
        (["--set", "dram.capacity_bytes=4096"], [r"dram\.capacity_bytes", "4 devices 16 KiB", "4 devices"]),
        (["--set", "dram.capacity_bytes=110000"], [r"dram\.capacity_bytes", "is 107.4 KiB", "device 1 keeps"]),
        (["--set", "array.row=3"], ["array.row", "rows"]),
        (["--batch-size", "0"], ["--batch-size"]),
        (["--batch-size", str(10**12)], [r"dram\.capacity_bytes", "micro-batch"]),
        (["--batch-size", str(4 * 10**6)], [r"dram\.capacity_bytes", "device"]),
    ],
)
def test_options_that_make_no_sense(arguments: list[str], words: list[str], refuses: Refuses) -> None:
    refuses(["digits-cnn", *arguments], *words)


def test_plot_without_a_place(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["adagp-sim", "pipeline", "digits-cnn", "--plot"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "--out" in capsys.readouterr().err


# ---------------------------------------------------------------------------------------------------------------------
# Schedules of a user's own


def good() -> list[list[tuple[str, int, int]]]:
    """Return GPipe for two devices and two micro-batches: (pass, micro-batch, stage) for each device."""
    return [
        [("forward", 0, s), ("forward", 1, s), ("backward", 1, s), ("backward", 0, s)] for s in (0, 1)
    ]  # fmt: skip


def document(orders: list[list[tuple[str, int, int]]], **more: Any) -> dict[str, Any]:
    entries = [[{"pass": name, "micro_batch": m, "stage": s} for name, m, s in order] for order in orders]
    return {"version": 1, "name": "mine", "devices": entries} | more


def write(folder: Path, content: Any) -> Path:
    path = folder / "mysched.yaml"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def refused(path: Path, *words: str) -> None:
    with pytest.raises(InputError) as error:
        read_schedule(path)
    text = str(error.value)
    assert path.name in text
    assert len(text.splitlines()) == 1
    for word in words:
        assert re.search(word, text), f"{word} is not in: {text}"


def test_a_good_file(tmp_path: Path) -> None:
    schedule = read_schedule(write(tmp_path, document(good())))
    assert (schedule.name, schedule.devices, schedule.micro_batches, schedule.stages(2)) == ("mine", 2, 2, 2)


def test_a_deadlock_names_what_is_blocked(tmp_path: Path) -> None:
    orders = good()
    orders[0] = [("forward", 0, 0), ("backward", 0, 0), ("forward", 1, 0), ("backward", 1, 0)]
    # Device 0 waits for the backward of micro-batch 0, which device 1 does after micro-batch 1 has come and gone.
    refused(
        write(tmp_path, document(orders)),
        "backward of micro-batch 0 on stage 0: never starts on device 0",
        "waits for backward of micro-batch 0 on stage 1, which comes on device 1 after forward of micro-batch 1",
        "change the order",
    )


class Blocks:
    """A schedule of a module, as a newcomer writes it: like GPipe, but device 0 wants each gradient at once."""

    name, description, source, rank, one_at_a_time = "blocks", "it blocks", "a mistake", 99, False

    def stages(self, devices: int) -> int:
        return devices

    def orders(self, devices: int, micro_batches: int) -> Orders:
        first = [Operation(m, 0, kind) for m in range(micro_batches) for kind in ("forward", "backward")]
        return (tuple(first), *schedules()["gpipe"].orders(devices, micro_batches)[1:])


def test_a_module_that_blocks_is_refused_as_a_file_is(refuses: Refuses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(schedules(), "blocks", Blocks())
    arguments = ["digits-cnn", "--pipeline-schedule", "blocks", "--devices", "2", "--micro-batches", "2"]
    refuses(arguments, "pipeline schedule blocks: .*never starts on device 0: it waits for", "change the order")


def test_a_module_that_leaves_work_out_is_named(refuses: Refuses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Blocks, "orders", lambda *_: schedules()["gpipe"].orders(2, 1))
    monkeypatch.setitem(schedules(), "blocks", Blocks())
    arguments = ["digits-cnn", "--pipeline-schedule", "blocks", "--devices", "2", "--micro-batches", "2"]
    refuses(arguments, "pipeline schedule blocks: .*is missing")


def test_a_backward_before_its_forward_blocks(tmp_path: Path) -> None:
    orders = good()
    orders[1] = [("backward", 0, 1), ("forward", 0, 1), ("forward", 1, 1), ("backward", 1, 1)]
    refused(write(tmp_path, document(orders)), "backward of micro-batch 0 on stage 1", "never starts on device 1")


def test_missing_work(tmp_path: Path) -> None:
    orders = good()
    orders[1].remove(("backward", 0, 1))
    refused(write(tmp_path, document(orders)), "backward of micro-batch 0 on stage 1: is missing")
    orders = good()
    orders[0].remove(("forward", 1, 0))
    refused(write(tmp_path, document(orders)), "forward of micro-batch 1 on stage 0: is missing")


def test_doubled_work(tmp_path: Path) -> None:
    orders = good()
    orders[1].append(("forward", 0, 0))
    refused(write(tmp_path, document(orders)), "forward of micro-batch 0 on stage 0", "twice", "device 0", "device 1")


def test_backward_on_another_device(tmp_path: Path) -> None:
    orders = good()
    orders[0].remove(("backward", 0, 0))
    orders[1].append(("backward", 0, 0))
    refused(write(tmp_path, document(orders)), "backward of micro-batch 0 on stage 0", "device 1", "device 0")


def test_halves_beside_the_whole(tmp_path: Path) -> None:
    orders = good()
    orders[0].append(("weight_gradient", 0, 0))
    refused(write(tmp_path, document(orders)), "beside its two halves")


def test_one_half_only(tmp_path: Path) -> None:
    orders = good()
    orders[0][orders[0].index(("backward", 0, 0))] = ("input_gradient", 0, 0)
    refused(write(tmp_path, document(orders)), "weight_gradient of micro-batch 0 on stage 0: is missing")


def test_no_backward_at_all(tmp_path: Path) -> None:
    orders = [[("forward", 0, 0)], [("forward", 0, 1)]]
    refused(write(tmp_path, document(orders)), "no backward")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["mapping"]),
        ("[]", ["mapping"]),
        ({"version": 2, "name": "x", "devices": []}, ["version"]),
        (document([]), ["devices", "at least 1"]),
        (document([[]]), [r"devices\[0\]", "at least 1"]),
        (document(good(), stagse=2), ["stagse", "stages"]),
        (document([[("forwrd", 0, 0)]]), [r"devices\[0\]\[0\]", "forwrd", "forward"]),
        (document([[("forward", -1, 0)]]), [r"micro_batch", "at least 0"]),
        (document([[("forward", 10**9, 0)]]), ["micro-batches", "without gaps"]),
        (document(good(), stages=3), ["stage 2", "missing"]),
        (document(good(), stages=1), ["stage 1", "stages 0 to 0"]),
        (document(good(), name=7), ["name", "text"]),
        ("a: [", ["YAML"]),
    ],
)
def test_files_that_are_none(content: Any, words: list[str], tmp_path: Path) -> None:
    refused(write(tmp_path, content), *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["line 1", "device"]),
        ("device,pass,micro_batch\n", ["line 1", "stage"]),
        ("device,pass,micro_batch,stag\n", ["line 1", "stag", "stage"]),
        ("device,pass,micro_batch,stage\n", ["no operations"]),
        ("device,pass,micro_batch,stage\n0,forward,0\n", ["line 2", "each column"]),
        ("device,pass,micro_batch,stage\n0,forward,0,0,0\n", ["line 2", "each column"]),
        ("device,pass,micro_batch,stage\n0,forward,x,0\n", ["line 2: micro_batch", "'x'"]),
        ("device,pass,micro_batch,stage\n0,forward,-1,0\n", ["line 2: micro_batch", "'-1'"]),
        ("device,pass,micro_batch,stage\n0,forwrd,0,0\n", ["line 2: pass", "forward"]),
        ("device,pass,micro_batch,stage\n1,forward,0,0\n", ["device 0"]),
        ("device,pass,micro_batch,stage\n0,forward,0,0\n999999999,backward,0,0\n", ["device 1 "]),
        ("device,pass,micro_batch,stage\n0,forward,0,0\n", ["no backward"]),
        ("device,pass,micro_batch,stage\n0,backward,0,0\n0,forward,0,0\n", ["never starts", "device 0"]),
    ],
)
def test_csv_files_that_are_none(text: str, words: list[str], tmp_path: Path) -> None:
    path = tmp_path / "mysched.csv"
    path.write_text(text)
    refused(path, *words)


def test_a_file_for_other_numbers(tmp_path: Path, refuses: Refuses) -> None:
    path = write(tmp_path, document(good()))
    arguments = ["digits-cnn", "--pipeline-schedule", str(path)]
    refuses([*arguments, "--devices", "3"], r"mysched\.yaml", "--devices", "give 2")
    refuses([*arguments, "--micro-batches", "4"], r"mysched\.yaml", "--micro-batches")


def test_a_folder_stands_where_a_file_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out" / "stages.csv").mkdir(parents=True)
    arguments = ["adagp-sim", "pipeline", "digits-cnn", "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "stages.csv" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["stages.csv"]
