"""`trace import` and what follows it: the choice of format and schedule, the layer table, `trace inspect`."""

import csv
import json
import re
import sys
import time
from pathlib import Path

import pytest
import yaml
from command_line import good, run_here
from registries import TRACE_FORMATS

from workloads.importers import importer_of, importers
from workloads.trace import load_trace

HEADER = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,"
TEXT = f"{HEADER}\nConv1, 12, 12, 3, 3, 5, 7, 1,\nConv2, 10, 10, 3, 3, 7, 4, 1,\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.csv").write_text(TEXT)
    return tmp_path


def imported(folder: Path, *options: str) -> tuple[str, int, int, int]:
    said = good(run_here("trace", "import", "net.csv", *options, cwd=folder)).out
    trace = load_trace(folder / "net.yaml")
    chosen = "says nothing of a training" in said
    assert chosen == ("--samples" not in options and "--schedule" not in options)
    (again,) = [line for line in [trace.provenance.command] if line.startswith("adagp-sim ")]
    good(run_here(*again.split()[1:], "--out", "again.yaml", cwd=folder))
    remade = load_trace(folder / "again.yaml")
    assert (remade.schedule, remade.layers, remade.dataset) == (trace.schedule, trace.layers, trace.dataset)
    return trace.schedule.name, trace.batch_size, trace.dataset.training_samples, trace.schedule.batches


def test_the_import_chooses_a_schedule(folder: Path) -> None:
    assert imported(folder) == ("inference", 1, 1, 1)
    assert imported(folder, "--batch-size", "4") == ("one-batch", 4, 4, 1)
    assert imported(folder, "--samples", "10", "--batch-size", "4") == ("paper", 4, 10, 90 * 3)
    assert imported(folder, "--schedule", "all-gp", "--batch-size", "500") == ("all-gp", 500, 50_000, 90 * 100)
    assert imported(folder, "--schedule", "inference", "--samples", "7") == ("inference", 1, 7, 7)


def test_a_batch_column_chooses_too(folder: Path) -> None:
    (folder / "net.csv").write_text(f"{HEADER} Batch Size,\nA, 8, 8, 3, 3, 3, 4, 1, 8,\n")
    assert imported(folder) == ("one-batch", 8, 8, 1)
    said = good(run_here("trace", "import", "net.csv", "--batch-size", "2", cwd=folder)).out
    assert "The file's batch size is 8; --batch-size takes 2." in said


@pytest.mark.parametrize("name", TRACE_FORMATS)
def test_the_format_follows_from_the_ending(name: str) -> None:
    importer = importers()[name]
    for suffix in importer.suffixes:
        assert importer_of(Path(f"a.b/NET{suffix.upper()}")) is importer
        assert importer_of(Path(f"net{suffix}.gz")) is importer
    endings = [suffix for one in importers().values() for suffix in one.suffixes]
    assert len(set(endings)) == len(endings)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("net.xlsx", "no format has files that end in '.xlsx'; save it as .onnx (onnx), .csv or .tsv (scalesim)"),
        ("net", "its name has no ending; save it as"),
    ],
)
def test_other_endings_are_told(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(TEXT)
    ended = run_here("trace", "import", name, cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    good(run_here("trace", "import", name, "--format", "scalesim", cwd=tmp_path))


def test_help_names_every_format_without_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    said = " ".join(good(run_here("trace", "import", "--help")).out.split())
    for importer in importers().values():
        assert f"{importer.name} ({', '.join(importer.suffixes)})" in said
    (tmp_path / "net.onnx").write_bytes(b"")
    ended = run_here("trace", "import", "net.onnx", cwd=tmp_path)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "pip install '.[onnx]'" in ended.err


def test_layers_on_the_terminal_are_those_of_the_file(folder: Path) -> None:
    good(run_here("trace", "import", "net.csv", "--schedule", "paper", "--samples", "3000", cwd=folder))
    said = good(run_here("simulate", "net.yaml", "--layers", "--out", "r", cwd=folder)).out
    assert said.count("Layers of max, one batch of") == 2  # Warm Up's batch is Phase BP's
    assert "Layers of max, one batch of Warm Up and Phase BP" in said
    with (folder / "r/layers.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["phase"] in ("bp", "gp") and row["pass"]]
    pattern = r"^ (Conv\S*) +(\w+) +(\d) +([\d,]+) +([\d,]+) +([\d,]+) +([\d.]+)% +(\w+)$"
    shown = [
        (layer, name, array, *(int(number.replace(",", "")) for number in numbers), bound)
        for layer, name, array, *numbers, _, bound in re.findall(pattern, said, re.MULTILINE)
    ]
    stalls = ("load", "store", "other_array", "buffer_port")
    wanted = [
        (row["layer"], row["pass"], row["array"], int(row["cycles"]), int(row["compute_cycles"]),
         sum(int(row[f"stall_{name}_cycles"]) for name in stalls), row["roofline_bound"])
        for row in rows
    ]  # fmt: skip
    assert sorted(shown) == sorted(wanted)
    totals = {row["phase"]: 0 for row in rows}
    for phase, result in json.loads((folder / "r/summary.json").read_text())["runs"][0]["phases"].items():
        totals[phase] = result["cycles_per_batch"]
    assert [int(n.replace(",", "")) for n in re.findall(r"whole batch +([\d,]+)", said)] == [totals["bp"], totals["gp"]]


def test_layers_and_json_do_not_go_together(folder: Path) -> None:
    ended = run_here("simulate", "digits-cnn", "--layers", "--json")
    assert ended.code == 2
    assert "--out DIR writes layers.csv" in ended.err


def test_inference_goes_through_every_command(folder: Path) -> None:
    good(run_here("trace", "import", "net.csv", cwd=folder))
    said = good(run_here("compare", "net.yaml", "--exact", "1", "--out", "r", "--timeline", "--plot", cwd=folder)).out
    assert "1 Inference batches" in said
    assert "each cause" not in said  # there is no speedup to explain
    options = ("--devices", "2", "--micro-batches", "1", "--out", "p", "--plot")
    good(run_here("pipeline", "net.yaml", *options, cwd=folder))
    weights = 5 * 7 * 9 + 7 * 4 * 9  # of all devices, a word of two bytes each, and nothing that trains them
    devices = json.loads((folder / "p/summary.json").read_text())["runs"][0]["devices"]
    assert sum(device["weight_bytes"] for device in devices) == 2 * weights
    good(run_here("simulate", "net.yaml", "--dram-trace", "d", cwd=folder))
    assert (folder / "d").read_text()


def test_nothing_is_trained_under_inference(folder: Path) -> None:
    pytest.importorskip("torch", reason="the extra torch is not installed")
    ended = run_here("trace", "export", "digits-cnn", "--schedule", "inference", cwd=folder)
    assert ended.code == 2
    assert "has inference batches, which the reference training does not know" in ended.err
    assert [path.name for path in folder.iterdir()] == ["net.csv"]


def test_inspect_shows_how_layers_connect(folder: Path) -> None:
    text = yaml.safe_dump({
        "version": 1, "network": "branch", "dataset": {"name": "d", "training_samples": 8}, "batch_size": 2,
        "inputs": {"x": [3, 4, 4]}, "predictor": {"outputs": 27},
        "layers": [
            {"id": "a", "kind": "conv2d", "inputs": ["x"], "C": 3, "H": 4, "W": 4, "K": 3, "R": 3, "S": 3, "P": 4,
             "Q": 4, "padding": [1, 1], "bias": True},
            {"id": "bn", "kind": "batch_norm", "op": "batch_norm", "inputs": ["a"], "shape": [3, 4, 4],
             "parameters": 6},
            {"id": "sum", "kind": "add", "op": "add", "inputs": ["bn", "x"], "shape": [3, 4, 4]},
            {"id": "fc", "kind": "linear", "inputs": ["sum"], "C": 48, "K": 5, "predicted": False},
            {"id": "odd", "kind": "other", "op": "sort", "inputs": ["sum"], "shape": [48]},
        ],
        "schedule": {"name": "s", "epochs": [{"batches": [{"phase": "bp"}]}]},
        "provenance": {"origin": "recorded", "command": "by hand",
                       "notes": ["Not recorded as it is: a sort: odd"]},
    })  # fmt: skip
    (folder / "t.yaml").write_text(text)
    found = good(run_here("trace", "inspect", "t.yaml", "--json", cwd=folder)).json
    rows = {row["id"]: row for row in found["graph"]}
    assert {name: row["inputs"] for name, row in rows.items()} == {
        "a": ["x"], "bn": ["a"], "sum": ["bn", "x"], "fc": ["sum"], "odd": ["sum"],
    }  # fmt: skip
    assert [row["parameters"] for row in found["graph"]] == [81 + 3, 6, 0, 240, 0]
    assert [row["activations_per_sample"] for row in found["graph"]] == [48, 48, 48, 5, 48]
    # two samples; 4 x 4 positions of 27 words and 3 filters; no gradient of the data
    assert [row["macs_forward"] for row in found["graph"]] == [2 * 16 * 27 * 3, 0, 0, 2 * 240, 0]
    assert [row["macs_dgrad"] for row in found["graph"]] == [0, 0, 0, 2 * 240, 0]
    assert found["inputs"] == ["x (3x4x4)"]
    assert found["read_by_no_layer"] == ["fc", "odd"]
    assert found["layers_by_kind"] == {"conv2d": 1, "batch_norm": 1, "add": 1, "linear": 1, "other": 1}
    assert found["not_simulated"][0] == "a sort: odd"
    assert found["not_simulated"][1].startswith("what 1 layers of kind other do")
    said = good(run_here("trace", "inspect", "t.yaml", cwd=folder)).out
    assert re.search(r"(?m)^ sum +add +bn, x +3x4x4 +0 +48 ", said)
    assert re.search(r"(?m)^ odd +other sort +sum ", said)


def test_inspect_of_many_layers_takes_seconds(folder: Path) -> None:
    """A layer took 1.7 ms; now it takes a fifth. Time of the processor, so that others' work does not count."""
    (folder / "net.csv").write_text(HEADER + "\n" + "Conv, 12, 12, 3, 3, 5, 7, 1,\n" * 2_000)
    good(run_here("trace", "import", "net.csv", cwd=folder))
    begin = time.process_time()
    assert good(run_here("trace", "inspect", "net.yaml", cwd=folder)).out.count("\n") > 3_999
    assert time.process_time() - begin < 4
