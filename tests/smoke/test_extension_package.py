"""A package outside the project is built, installed and used by the commands, and its parts climb the ladders."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from command_line import ROOT, Outcome, good, run_process

from workloads.trace import load_trace

pytestmark = pytest.mark.long  # it builds a wheel, and runs ten processes
PACKAGE = ROOT / "tests" / "extension_package"
LAYERS = "fc1 784 100\nfc2 100 10\n"


def python(*arguments: str, cwd: Path, path: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), path]))}
    return subprocess.run([sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True,
                          timeout=240, check=False)  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the package is installed from its wheel, without network."""
    work = tmp_path_factory.mktemp("extension")
    shutil.copytree(PACKAGE, work / "source", ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    pip = ("-m", "pip", "--disable-pip-version-check", "--no-cache-dir")
    for step in (
        ("wheel", "-q", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(work), str(work / "source")),
        ("install", "-q", "--no-deps", "--no-index", "--target", str(work / "site"), "edge_parts-0.3-py3-none-any.whl"),
    ):
        done = python(*pip, *step, cwd=work)
        assert done.returncode == 0, done.stderr
    return work / "site"


def run(site: Path, *arguments: str, cwd: Path | None = None) -> Outcome:
    return good(run_process(*arguments, cwd=cwd, PYTHONPATH=f"{ROOT}{os.pathsep}{site}"))


def test_list_shows_where_a_part_comes_from(site: Path) -> None:
    shown = run(site, "list", "--json").json
    given = {group: {name for name, text in names.items() if text.endswith(" [edge-parts 0.3]")}
             for group, names in shown.items()}  # fmt: skip
    assert {group: names for group, names in given.items() if names} == {
        "dataflows": {"ost"}, "designs": {"eager"}, "machines": {"eager"}, "energy_tables": {"edge-7nm"},
        "dram_parts": {"ddr4-2133"}, "schedules": {"three-to-one"}, "trace_importers": {"layerlist"},
        "report_sections": {"slowest"}, "arrays": {"buffered"}, "dram_models": {"byte"},
    }  # fmt: skip


def test_a_run_takes_all_of_them(site: Path, tmp_path: Path) -> None:
    settings = ["energy_table=edge-7nm", "dram.model=commands", "dram.part=ddr4-2133"]
    sets = [word for one in settings for word in ("--set", one)]
    found = run(site, "compare", "digits-cnn", "--dataflow", "ost", "--schedule", "three-to-one", *sets,
                "--out", "result", "--report", "--json", cwd=tmp_path).json  # fmt: skip
    runs = {one["design"]: one for one in found["runs"]}
    assert list(runs)[-1] == "eager"
    # a barrier between two ops that follow each other anyway on one array costs nothing
    assert runs["eager"]["total_cycles"] == runs["efficient"]["total_cycles"]
    resolved = yaml.safe_load((tmp_path / "result/config.resolved.yaml").read_text())
    batches = load_trace("digits-cnn").dataset.batches_per_epoch(found["trace"]["batch_size"])
    whole, rest = divmod(batches, 4)  # each epoch begins with three GP batches
    assert resolved["trace"]["schedule"]["batches"] == {"gp": 8 * (3 * whole + min(rest, 3)), "bp": 8 * whole}
    assert resolved["energy_tables"]["edge-7nm"]["actions"]["macs"]["energy_pj"] == 0.5
    assert resolved["dram_parts"]["ddr4-2133"]["clock_hz"] == 1_066_000_000
    record = json.loads((tmp_path / "result/provenance.json").read_text())
    assert record["packages"]["edge-parts"] == "0.3"
    assert {name for name in record["inputs"] if name.startswith("edge-parts: ")} == {
        f"edge-parts: {name}.yaml" for name in ("eager", "edge-7nm", "ddr4-2133", "three-to-one")
    }
    assert "The slowest pass of eager is " in (tmp_path / "result/report.html").read_text(encoding="utf-8")


def test_its_importer_array_and_dram_model(site: Path, tmp_path: Path) -> None:
    """The array is SCALE-Sim's under another name; DRAM that is slower takes longer."""
    (tmp_path / "net.layers").write_text(LAYERS)
    run(site, "trace", "import", "net.layers", "--batch-size", "32", "--schedule", "bp", "--samples", "320",
        "--out", "net.yaml", cwd=tmp_path)  # fmt: skip
    trace = load_trace(tmp_path / "net.yaml")
    assert [(layer.id, layer.C, layer.K) for layer in trace.mac_layers] == [("fc1", 784, 100), ("fc2", 100, 10)]

    def cycles(*settings: str) -> int:
        sets = [word for one in ("dram.model=byte", *settings) for word in ("--set", one)]
        found = run(site, "simulate", "net.yaml", "--design", "baseline", *sets, "--json", cwd=tmp_path)
        return found.json["runs"][0]["total_cycles"]

    systolic = cycles("array.kind=systolic")
    assert cycles("array.kind=buffered", "array.result_buffer_words=8") == systolic
    assert cycles("array.kind=systolic", "dram.byte_cycles=4") > systolic


def test_its_parts_climb_the_ladders(site: Path) -> None:
    done = python("-m", "adagp_sim.testing", "Edge_Parts", cwd=site, path=str(site))
    assert done.returncode == 0, done.stderr
    said = {line.rpartition(": ")[0] for line in done.stdout.splitlines()}
    assert said == {
        "dataflows: ost", "designs: eager", "trace_importers: layerlist", "report_sections: slowest", "machines: eager",
        "arrays: buffered", "dram_models: byte", "energy_tables: edge-7nm", "dram_parts: ddr4-2133",
        "schedules: three-to-one",
    }  # fmt: skip


def test_a_part_that_fails_is_named(site: Path, tmp_path: Path) -> None:
    """The same package, with a schedule that calls itself otherwise."""
    shutil.copytree(site, tmp_path / "site")
    file = tmp_path / "site/edge_parts/parts/three-to-one.yaml"
    file.write_text(file.read_text().replace("name: three-to-one", "name: another"))
    done = python("-m", "adagp_sim.testing", "edge-parts", cwd=tmp_path, path=str(tmp_path / "site"))
    assert done.returncode == 1
    assert done.stderr == "error: edge-parts: schedules: three-to-one: the schedule calls itself another\n"
    missing = python("-m", "adagp_sim.testing", "edge-part", cwd=tmp_path, path=str(site))
    assert missing.returncode == 2
    assert missing.stderr.endswith("edge-part: gives no part, or is not installed; did you mean edge-parts?\n")
