"""`adagp-sim pipeline` runs on a shipped trace and writes what docs/pipelines.md says."""

import csv
import json
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
from command_line import good, run_here
from registries import DESIGNS
from trace_event_rules import faults

from simulator.pipelines import schedule as registry
from simulator.pipelines import schedules as package
from simulator.pipelines.file_schedule import read_schedule

ROOT = Path(__file__).parents[2]
FILES = ["config.resolved.yaml", "operations.csv", "provenance.json", "stages.csv", "summary.json"]
PNG = b"\x89PNG\r\n\x1a\n"


def adagp(*arguments: str) -> str:
    return good(run_here("pipeline", *arguments, cwd=ROOT)).out


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("pipeline") / "out"
    schedules = ["--pipeline-schedule", "gpipe", "--pipeline-schedule", "chimera", "--devices", "2"]
    links = ["--link-bandwidth", "1000000000", "--link-latency", "100"]
    text = adagp("digits-cnn", *schedules, *links, "--out", str(folder), "--plot", "--timeline", "--json")
    return folder, json.loads(text)


def test_summary(result: tuple[Path, dict]) -> None:
    folder, summary = result
    assert json.loads((folder / "summary.json").read_text()) == summary
    assert summary["pipeline"]["devices"] == 2
    assert summary["pipeline"]["micro_batch_size"] == 8
    runs = {(run["schedule"], run["design"]): run for run in summary["runs"]}
    assert list(runs) == [(s, d) for s in ("gpipe", "chimera") for d in DESIGNS]
    for (schedule, _), run in runs.items():
        assert run["exact"]["equal"]
        assert run["speedup"] == runs[schedule, "baseline"]["total_cycles"] / run["total_cycles"]
        assert sum(kind["batches"] for kind in run["kinds"].values()) == summary["trace"]["batches"]
        assert run["peak_device_bytes"] == max(device["peak_bytes"] for device in run["devices"])
        assert run["all_reduces_per_batch"] == (2 if schedule == "chimera" else 0)


def test_files(result: tuple[Path, dict]) -> None:
    folder, _ = result
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "pipeline.png", "timeline.json"])
    assert (folder / "pipeline.png").read_bytes().startswith(PNG)
    record = json.loads((folder / "provenance.json").read_text())
    assert "traces/digits-cnn.yaml" in record["inputs"]
    assert set(record["outputs"]) == {path.name for path in folder.iterdir()} - {"provenance.json"}


def test_tables(result: tuple[Path, dict]) -> None:
    folder, summary = result
    with (folder / "operations.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for run in summary["runs"]:
        own = [row for row in rows if (row["schedule"], row["design"]) == (run["schedule"], run["design"])]
        assert max(int(row["end_cycle"]) for row in own) <= run["exact"]["cycles"]
        assert all(int(row["end_cycle"]) - int(row["start_cycle"]) == int(row["cycles"]) for row in own)
    with (folder / "stages.csv").open(newline="") as file:
        stages = list(csv.DictReader(file))
    assert len(stages) == 2 * (1 + 2 * len(DESIGNS[1:])) * 2  # schedules x (baseline's kind + two kinds each) x stages
    assert all(int(row["last_forward_cycles"]) >= int(row["forward_cycles"]) for row in stages if row["forward_cycles"])


def test_timeline_has_one_operation_at_a_time_on_a_track(result: tuple[Path, dict]) -> None:
    timeline = json.loads((result[0] / "timeline.json").read_text())
    tracks = defaultdict(list)
    for event in timeline["traceEvents"]:
        if event["ph"] == "X":
            tracks[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    assert len(tracks) == 2 * len(DESIGNS) * 2  # schedules x designs x devices
    for spans in tracks.values():
        assert all(before[1] <= after[0] for before, after in pairwise(sorted(spans)))
    assert faults(timeline) == []


def test_another_run_replaces_the_files_and_leaves_others_alone(result: tuple[Path, dict]) -> None:
    folder, _ = result
    (folder / "mine.txt").write_text("mine")
    adagp("digits-cnn", "--devices", "2", "--design", "max", "--out", str(folder))
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "mine.txt"])
    assert len(json.loads((folder / "summary.json").read_text())["runs"]) == 2


def test_tables_on_the_screen() -> None:
    text = adagp("digits-cnn", "--pipeline-schedule", "zb_h1", "--devices", "3", "--micro-batches", "8",
                 "--predictor-runs", "micro-batch", "--schedule", "all-gp", "--exact", "0:3")  # fmt: skip
    assert "zb_h1" in text
    assert "gp in a row" in text
    assert "NOT" not in text


def test_a_schedule_of_ones_own_that_equals_a_shipped_one(tmp_path: Path) -> None:
    """DAPPLE for two devices and two micro-batches, written by hand in both forms."""
    rows = [(0, "forward", 0), (0, "forward", 1), (0, "backward", 0), (0, "backward", 1), (1, "forward", 0),
            (1, "backward", 0), (1, "forward", 1), (1, "backward", 1)]  # fmt: skip
    path = tmp_path / "mine.csv"
    lines = [f"{device},{name},{micro},{device}" for device, name, micro in rows]
    path.write_text("\n".join(["device,pass,micro_batch,stage", *lines]) + "\n")
    entries = [
        [{"pass": name, "micro_batch": micro, "stage": device} for where, name, micro in rows if where == device]
        for device in (0, 1)
    ]
    (tmp_path / "mine.yaml").write_text(json.dumps({"version": 1, "name": "by-hand", "devices": entries}))
    options = [word for name in (path, tmp_path / "mine.yaml", "dapple") for word in ("--pipeline-schedule", str(name))]
    text = adagp("digits-cnn", *options, "--json")
    totals = defaultdict(list)
    for run in json.loads(text)["runs"]:
        totals[run["schedule"]].append(run["total_cycles"])
    assert list(totals) == ["mine", "by-hand", "dapple"]
    assert totals["mine"] == totals["by-hand"] == totals["dapple"]


def test_the_schedule_of_the_documentation_is_one(tmp_path: Path) -> None:
    text = (ROOT / "docs/pipelines.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    assert read_schedule(tmp_path / "mine.yaml").file_orders == registry.find_schedule("dapple").orders(2, 2)


def test_one_new_file_adds_a_schedule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "simulator/pipelines/schedules/gpipe.py").read_text().replace('"gpipe"', '"mine"')
    (tmp_path / "mine.py").write_text(text)
    with monkeypatch.context() as patch:
        patch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
        registry.schedules.cache_clear()
        try:
            assert registry.find_schedule("mine").stages(3) == 3
            assert "mine" in adagp("--help")
        finally:
            registry.schedules.cache_clear()
            sys.modules.pop("simulator.pipelines.schedules.mine", None)
    assert "mine" not in registry.schedules()
