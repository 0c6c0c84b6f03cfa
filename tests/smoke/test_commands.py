"""Every documented command runs on the shipped traces and writes what the documentation says."""

import csv
import fnmatch
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from command_line import Outcome, good, run_here, run_process
from registries import DATAFLOWS, DESIGNS, PAPER_DESIGNS, PIPELINE_SCHEDULES, SCHEDULES
from trace_event_rules import faults

from simulator.phases.design import designs

ROOT = Path(__file__).parents[2]
PNG = b"\x89PNG\r\n\x1a\n"
FILES = ["config.resolved.yaml", "layers.csv", "provenance.json", "summary.json"]


Adagp = Callable[..., Outcome]


@pytest.fixture
def adagp(tmp_path: Path) -> Adagp:
    """Run the command in an empty folder; it must end with exit code 0 and speak plainly into a pipe."""

    def command(*arguments: str) -> Outcome:
        return good(run_here(*arguments, cwd=tmp_path))

    return command


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Outcome]:
    """The same comparison with everything switched on, made by processes that have little else in common."""
    places = [tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two, with spaces")]
    environments = [
        {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "America/St_Johns", "COLUMNS": "40", "OMP_NUM_THREADS": "1"},
        {"PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8", "TZ": "UTC", "COLUMNS": "400", "OMP_NUM_THREADS": "2"},
    ]
    arguments = ["compare", "digits-cnn", "--out", "results", "--timeline", "--plot", "--exact", "3", "--json"]
    first, _ = (
        good(run_process(*arguments, cwd=place, **environment))
        for place, environment in zip(places, environments, strict=True)
    )
    return places[0] / "results", places[1] / "results", first


def read_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "layers.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# ---------------------------------------------------------------------------------------------------------------------
# Words


@pytest.mark.parametrize(
    "command", ["", "simulate", "compare", "show", "list", "diff", "trace", "trace inspect", "trace export"]
)
def test_help(command: str, adagp: Adagp) -> None:
    said = adagp(*command.split(), "--help").out
    assert said.startswith("Usage: ")
    assert "\\b" not in said
    assert "\b" not in said


def test_help_shows_each_example_on_a_line_of_its_own(adagp: Adagp) -> None:
    lines = [line.strip() for line in adagp("--help").out.splitlines()]
    for example in ("adagp-sim compare vgg13-cifar10", "adagp-sim list", "adagp-sim COMMAND --help"):
        assert any(line.startswith(example) for line in lines), example


def test_short_help(adagp: Adagp) -> None:
    assert adagp("diff", "-h").out == adagp("diff", "--help").out


def test_version(adagp: Adagp) -> None:
    assert re.search(r"\d+\.\d+", adagp("--version").out)


def test_help_loads_nothing_heavy() -> None:
    code = """
import sys
sys.argv = ["adagp-sim", "--help"]
from simulator.cli.main import main
try:
    main()
except SystemExit:
    pass
heavy = ("numba", "matplotlib", "torch", "pydantic", "rich", "pandas", "simpy", "numpy", "yaml")
print("loaded:", *[name for name in heavy if name in sys.modules])
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = process.stdout.splitlines()[-1].split()[1:]
    assert not set(loaded) & {"numba", "matplotlib", "torch", "pydantic", "rich"}


def test_numba_starts_without_scipy_and_leaves_it_alone() -> None:
    pytest.importorskip("scipy")
    code = """
import sys
from simulator.cli.numba_start import start_numba
start_numba()
print("scipy.linalg" in sys.modules, "numba.np.arraymath" in sys.modules)
import scipy.linalg.cython_blas
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert process.stdout.split() == ["False", "True"]


def test_list(adagp: Adagp) -> None:
    said = adagp("list").out
    shipped = [path.stem for folder in ("traces", "configs") for path in (ROOT / folder).rglob("*.yaml")
               if path.parent.name != "reproduce"]  # fmt: skip
    assert shipped
    for name in [*shipped, *DESIGNS, *DATAFLOWS, *PIPELINE_SCHEDULES]:
        assert re.search(rf"(?m)^\s+{re.escape(name)}\s", said), name
    assert "TPU v6e (Trillium), one chip" in said
    assert "HBM3 at 6.4 Gb/s a pin: one stack of 16 GiB" in said
    assert "see show" not in said  # each file says what it is
    as_json = adagp("list", "--json").json
    assert set(shipped) <= {name for names in as_json.values() for name in names}
    assert list(as_json["designs"]) == DESIGNS


# ---------------------------------------------------------------------------------------------------------------------
# compare and its files


def test_json_has_the_documented_keys(pair: tuple[Path, Path, Outcome]) -> None:
    summary = pair[2].json
    assert {"schema", "trace", "runs"} <= set(summary)
    assert summary["schema"] == 3
    assert {"network", "dataset", "batch_size", "schedule", "epochs", "batches", "origin"} <= set(summary["trace"])
    assert summary["trace"]["batches"] == 440 + 1628 + 1892
    assert [run["design"] for run in summary["runs"]] == DESIGNS
    for one in summary["runs"]:
        keys = "design dataflow total_cycles seconds energy_pj memory_energy_pj speedup energy_reduction "
        keys += "memory_energy_reduction ideal_speedup causes peak_dram_bytes phases exact"
        assert set(keys.split()) <= set(one)
        assert set(one["phases"]) == {"warm_up", "bp", "gp"}
        for phase in one["phases"].values():
            keys = "batches cycles_per_batch energy_pj_per_batch memory_energy_pj_per_batch macs_per_batch "
            keys += "dram_read_bytes_per_batch dram_write_bytes_per_batch peak_dram_bytes arrays"
            assert set(keys.split()) <= set(phase)
            for array in phase["arrays"]:
                assert array["busy_cycles"] + array["idle_cycles"] == phase["cycles_per_batch"]
        total = sum(phase["batches"] * phase["cycles_per_batch"] for phase in one["phases"].values())
        assert one["total_cycles"] == total
        assert one["seconds"] == pytest.approx(total / 200_000_000)
        assert one["peak_dram_bytes"] == max(phase["peak_dram_bytes"] for phase in one["phases"].values())
        assert one["speedup"] == pytest.approx(summary["runs"][0]["total_cycles"] / total)


def test_causes_lead_from_the_ideal_to_the_simulated_speedup(pair: tuple[Path, Path, Outcome]) -> None:
    for one in pair[2].json["runs"][1:]:
        speedup = one["ideal_speedup"]
        assert one["causes"]
        for cause in one["causes"]:
            assert {"name", "speedup", "change"} <= set(cause)
            assert cause["speedup"] == pytest.approx(speedup + cause["change"])
            speedup = cause["speedup"]
        assert speedup == pytest.approx(one["speedup"])


def test_json_on_stdout_is_the_summary_in_the_folder(pair: tuple[Path, Path, Outcome]) -> None:
    assert pair[2].json == json.loads((pair[0] / "summary.json").read_text())


def test_exact_batches_are_equal(pair: tuple[Path, Path, Outcome]) -> None:
    for one in pair[2].json["runs"]:
        assert one["exact"]["equal"] is True
        assert one["exact"]["batches"] == 3
        assert one["exact"]["cycles"] == one["exact"]["composed_cycles"] > 0


def test_exact_starts_where_it_is_told(adagp: Adagp) -> None:
    said = adagp("simulate", "digits-cnn", "--design", "max", "--exact", "1000:3", "--json").json
    exact = said["runs"][0]["exact"]
    assert (exact["first_batch"], exact["batches"], exact["equal"]) == (1000, 3, True)
    assert re.search(r"(?m)^exact: .*\bequal\b", adagp("simulate", "digits-cnn", "--exact", "3").out)


def test_the_folder_holds_the_documented_files(pair: tuple[Path, Path, Outcome]) -> None:
    names = sorted(path.name for path in pair[0].iterdir())
    assert names == sorted([*FILES, "timeline.json", "comparison.png", "layers.png"])
    assert sorted(path.name for path in pair[0].parent.iterdir()) == ["results"]
    for name in ("comparison.png", "layers.png"):
        assert (pair[0] / name).read_bytes().startswith(PNG)


def test_two_equal_runs_give_the_same_bytes(pair: tuple[Path, Path, Outcome]) -> None:
    for path in pair[0].iterdir():
        if path.name != "provenance.json":
            assert path.read_bytes() == (pair[1] / path.name).read_bytes(), path.name
    one, two = (json.loads((folder / "provenance.json").read_text()) for folder in pair[:2])
    assert one.pop("time")
    assert two.pop("time")
    assert one == two


def test_provenance_tells_what_was_read_and_written(pair: tuple[Path, Path, Outcome]) -> None:
    text = (pair[0] / "provenance.json").read_text()
    provenance = json.loads(text)
    assert "compare digits-cnn" in text
    assert provenance["packages"]
    for path in [*pair[0].iterdir(), ROOT / "traces" / "digits-cnn.yaml", ROOT / "configs" / "energy" / "45nm.yaml"]:
        if path.name != "provenance.json":
            assert hashlib.sha256(path.read_bytes()).hexdigest() in text, path.name


COLUMNS = """
design dataflow phase index layer pass array start_cycle end_cycle cycles compute_cycles stall_load_cycles
stall_store_cycles stall_other_array_cycles stall_buffer_port_cycles pipeline_cycles
barrier_refresh_cycles count utilization
roofline_bound roofline_ratio dram_cycles dram_model macs adds
*_register_reads *_register_writes scratchpad_*_reads scratchpad_*_writes
scratchpad_reads scratchpad_writes array_network_bytes array_network_*_pitches
accumulator_*_bytes buffer_*_bytes
predictor_sram_*_bytes dram_*_bytes dram_activates dram_refreshes dram_*_cycles energy_*_pj energy_pj
"""


def test_layers_have_the_documented_columns(pair: tuple[Path, Path, Outcome]) -> None:
    columns, patterns = list(read_rows(pair[0])[0]), COLUMNS.split()
    assert len(columns) == len(set(columns))
    for documented in patterns:
        assert fnmatch.filter(columns, documented), documented
    for column in columns:
        assert any(fnmatch.fnmatch(column, documented) for documented in patterns), column


def test_layers_add_up_to_the_summary(pair: tuple[Path, Path, Outcome]) -> None:
    rows = read_rows(pair[0])
    sums: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in rows:
        key = (row["design"], row["phase"])
        for column in ("macs", "dram_read_bytes", "dram_write_bytes", "energy_pj"):
            sums[key][column] += float(row[column])
        stalls = sum(int(row[f"stall_{cause}_cycles"]) for cause in ("load", "store", "other_array", "buffer_port"))
        assert int(row["cycles"]) == int(row["end_cycle"]) - int(row["start_cycle"])
        assert int(row["cycles"]) == int(row["compute_cycles"]) + stalls
        parts = sum(float(row[column]) for column in row if fnmatch.fnmatch(column, "energy_*_pj"))
        assert parts == pytest.approx(float(row["energy_pj"]))
        if row["layer"] == "(batch)":
            assert int(row["cycles"]) == 0
    for one in pair[2].json["runs"]:
        for name, phase in one["phases"].items():
            found = sums[one["design"], name]
            assert found["macs"] == phase["macs_per_batch"]
            assert found["dram_read_bytes"] == phase["dram_read_bytes_per_batch"]
            assert found["dram_write_bytes"] == phase["dram_write_bytes_per_batch"]
            assert found["energy_pj"] == pytest.approx(phase["energy_pj_per_batch"])
            counts = {int(row["count"]) for row in rows if (row["design"], row["phase"]) == (one["design"], name)}
            assert counts == {phase["batches"]}
    batches = [(row["design"], row["phase"]) for row in rows if row["layer"] == "(batch)"]
    assert sorted(batches) == sorted(sums)


def test_the_resolved_configuration_is_whole(pair: tuple[Path, Path, Outcome]) -> None:
    resolved = yaml.safe_load((pair[0] / "config.resolved.yaml").read_text())
    text = json.dumps(resolved)
    for word in ("digits-cnn", "45nm", "peak_bytes_per_second", "buffer_banks", "energy_pj", "batch_mean"):
        assert word in text, word


def test_the_timeline_is_one_that_perfetto_takes(pair: tuple[Path, Path, Outcome]) -> None:
    timeline = json.loads((pair[0] / "timeline.json").read_text())
    assert faults(timeline) == []
    assert "1 cycle" in timeline["metadata"]["time_unit"]
    named = [event["args"]["name"] for event in timeline["traceEvents"] if event["name"] == "process_name"]
    assert len(named) == len(DESIGNS) * 3
    assert {event["pid"] for event in timeline["traceEvents"] if event["ph"] == "C"} == set(range(1, len(named) + 1))


def test_the_timeline_of_one_design_is_one_that_perfetto_takes(adagp: Adagp, tmp_path: Path) -> None:
    adagp("simulate", "digits-cnn", "--design", "max", "--out", str(tmp_path / "r"), "--timeline")
    timeline = json.loads((tmp_path / "r" / "timeline.json").read_text())
    assert faults(timeline) == []
    counted = {event["name"] for event in timeline["traceEvents"] if event["ph"] == "C"}
    assert {"DRAM read", "DRAM write", "PE array: active", "second PE array: buffer fill"} <= counted


def test_the_timeline_shows_one_batch_of_each_phase(pair: tuple[Path, Path, Outcome]) -> None:
    timeline = json.loads((pair[0] / "timeline.json").read_text())
    names = {
        event["pid"]: event["args"]["name"] for event in timeline["traceEvents"] if event["name"] == "process_name"
    }
    ends: dict[str, int] = defaultdict(int)
    for event in timeline["traceEvents"]:
        if event["ph"] == "X":
            ends[names[event["pid"]]] = max(ends[names[event["pid"]]], event["ts"] + event["dur"])
    expected = {
        (one["design"], name): phase["cycles_per_batch"]
        for one in pair[2].json["runs"]
        for name, phase in one["phases"].items()
    }
    for (design, phase), cycles in expected.items():
        ended = [end for name, end in ends.items() if design in name and phase in name]
        assert ended == [cycles], (design, phase)


def test_readme_shows_what_compare_prints(adagp: Adagp) -> None:
    said = adagp("compare", "vgg13-cifar10").out
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [line for line in readme.splitlines() if re.match(rf" *({'|'.join(DESIGNS)}) +\d", line)]
    assert [line.split()[0] for line in shown] == PAPER_DESIGNS
    printed = [line.split() for line in said.splitlines()]
    for line in shown:
        words = line.split()
        assert any(row[: len(words) - 2] == words[:-2] for row in printed), words
    assert "1.4669" in said


def test_compare_of_some_designs(adagp: Adagp) -> None:
    said = adagp("compare", "digits-cnn", "--design", "max", "--json").json
    assert [one["design"] for one in said["runs"]] == ["baseline", "max"]
    said = adagp("compare", "digits-cnn", "--design", "max", "--design", "low", "--json").json
    assert {one["design"] for one in said["runs"]} == {"baseline", "max", "low"}


TO_TARGET = "Cost to a test accuracy of "


def test_summary_of_a_trained_trace_has_costs(pair: tuple[Path, Path, Outcome]) -> None:
    found = pair[2].json["cost_to_target"]
    trace = yaml.safe_load((ROOT / "traces" / "digits-cnn.yaml").read_text(encoding="utf-8"))
    means = {
        runs["name"]: [sum(epoch) / len(epoch) for epoch in zip(*runs["test_accuracy"], strict=True)]
        for runs in trace["controls"]
    }
    target = found["target_accuracy"]
    assert target <= min(max(row) for row in means.values()) + 1e-9 < target + 0.01
    where = [(one["name"], one["design"]) for one in found["runs"]]
    others = ("true-norm", "skip", "skip-faster", "zero", "random", "running-mean")
    assert where == [
        *(("ada-gp", one) for one in DESIGNS[1:]), ("bp", "baseline"), *(("letter", one) for one in DESIGNS[1:]),
        *((one, "baseline") for one in others),
    ]  # fmt: skip
    totals = {one["design"]: one["total_cycles"] for one in pair[2].json["runs"]}
    for one in found["runs"]:
        keys = "title gp_batches dataflow epochs epochs_by_seed cycles seconds energy_pj cycles_ratio energy_ratio"
        assert set(keys.split()) <= set(one)
        reached = [mean >= target - 1e-9 for mean in means[one["name"]]]
        assert one["epochs"] == reached.index(True) + 1
        assert len(one["epochs_by_seed"]) == 3
        assert 0 < one["cycles"] <= totals[one["design"]]
        assert one["seconds"] == pytest.approx(one["cycles"] / 200_000_000)
    # An epoch is 44 batches, each of Phase BP where everything is backpropagated.
    plain = next(one for one in found["runs"] if one["name"] == "bp")
    assert plain["cycles"] == plain["epochs"] * 44 * pair[2].json["runs"][0]["phases"]["bp"]["cycles_per_batch"]
    assert (plain["cycles_ratio"], plain["energy_ratio"]) == (1, 1)


def test_compare_prints_costs_to_the_default(adagp: Adagp, pair: tuple[Path, Path, Outcome]) -> None:
    said, found = adagp("compare", "digits-cnn").out, pair[2].json["cost_to_target"]
    per_cent = round(100 * found["target_accuracy"])
    assert f"{TO_TARGET}{per_cent} % in the mean of 3 seeds, the highest whole per cent that every run reaches" in said
    table = said[said.index(TO_TARGET) :]
    for one in found["runs"]:
        assert re.search(
            rf"(?m)^ {re.escape(one['title'])} +{one['design']} +{one['epochs']} .*{one['cycles']:,}", table
        )
    for quantity, words in (("cycles", "fewest cycles"), ("energy_pj", "least energy")):
        cheapest = min(found["runs"], key=lambda one: one[quantity])
        assert (f"{words}, {cheapest['title']}" in table) == (cheapest["name"] != "ada-gp")


def test_costs_to_a_target_of_ones_own(adagp: Adagp, tmp_path: Path) -> None:
    said = adagp("compare", "digits-cnn", "--target-accuracy", "0.9", "--out", "results").out
    assert f"{TO_TARGET}90 % in the mean of 3 seeds\n" in re.sub(" +\n", "\n", said)
    written = json.loads((tmp_path / "results" / "summary.json").read_text())["cost_to_target"]
    assert written["target_accuracy"] == 0.9
    assert "never" in adagp("compare", "digits-cnn", "--target-accuracy", "1").out


def test_simulate_tells_costs_when_asked(adagp: Adagp) -> None:
    assert TO_TARGET not in adagp("simulate", "digits-cnn").out
    said = adagp("simulate", "digits-cnn", "--design", "low", "--target-accuracy", "0.9").out
    table = said[said.index(TO_TARGET) :]
    assert len(re.findall(r"(?m)^ ADA-GP +low ", table)) == 1
    assert "note: the controls run on the baseline, which is not among these designs; compare has them" in table
    said = adagp("simulate", "digits-cnn", "--design", "baseline", "--target-accuracy", "0.9").out
    assert "note: ADA-GP runs on low, efficient and max" in said


def test_a_trained_trace_without_controls(adagp: Adagp, tmp_path: Path) -> None:
    trace = yaml.safe_load((ROOT / "traces" / "digits-cnn.yaml").read_text(encoding="utf-8"))
    del trace["controls"]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(trace))
    assert TO_TARGET not in adagp("compare", "mine.yaml").out
    said = adagp("compare", "mine.yaml", "--target-accuracy", "0.9").out
    assert len(re.findall(r"(?m)^ ADA-GP +(?:low|efficient|max) ", said)) == 3
    assert f"{TO_TARGET}90 % with one seed" in said
    assert "note: this trace has no controls" in said


def test_a_title_stands_as_the_trace_has_it(adagp: Adagp, tmp_path: Path) -> None:
    text = (ROOT / "traces" / "digits-cnn.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text.replace("title: GP batches left out\n", "title: '[red]left out[/]'\n"))
    assert re.search(r"(?m)^ \[red\]left out\[/\] +baseline ", adagp("compare", "mine.yaml").out)


def test_a_recorded_trace_has_no_costs(adagp: Adagp) -> None:
    assert "cost_to_target" not in adagp("simulate", "vgg13-cifar10", "--json").json
    assert TO_TARGET not in adagp("compare", "vgg13-cifar10").out
    assert "cost_to_target" not in adagp("compare", "digits-cnn", "--schedule", "bp", "--json").json


# ---------------------------------------------------------------------------------------------------------------------
# simulate and its options


@pytest.mark.parametrize("design", DESIGNS)
def test_simulate_gives_what_compare_gives(design: str, pair: tuple[Path, Path, Outcome], adagp: Adagp) -> None:
    (alone,) = adagp("simulate", "digits-cnn", "--design", design, "--json").json["runs"]
    (beside,) = (one for one in pair[2].json["runs"] if one["design"] == design)
    assert alone["design"] == design
    for key in ("total_cycles", "energy_pj", "memory_energy_pj", "peak_dram_bytes", "phases"):
        assert alone[key] == beside[key]
    if design != "baseline":
        assert alone["speedup"] is None


def test_simulate_without_a_design_is_max_or_the_configs(adagp: Adagp) -> None:
    assert adagp("simulate", "digits-cnn", "--json").json["runs"][0]["design"] == "max"
    said = adagp("simulate", "digits-cnn", "--config", "efficient", "--dataflow", "ws", "--json").json
    assert (said["runs"][0]["design"], said["runs"][0]["dataflow"]) == ("efficient", "ws")


def test_another_run_replaces_the_files_and_leaves_others(adagp: Adagp, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "results"
    adagp("simulate", "digits-cnn", "--design", "low", "--out", str(out))
    assert sorted(path.name for path in out.iterdir()) == FILES
    (out / "mine.txt").write_text("mine")
    adagp("simulate", "digits-cnn", "--design", "baseline", "--out", str(out))
    assert sorted(path.name for path in out.iterdir()) == sorted([*FILES, "mine.txt"])
    assert (out / "mine.txt").read_text() == "mine"
    assert json.loads((out / "summary.json").read_text())["runs"][0]["design"] == "baseline"
    assert {row["design"] for row in read_rows(out)} == {"baseline"}


def test_set_changes_what_it_says(adagp: Adagp, tmp_path: Path) -> None:
    settings = ["--set", "array.rows=32", "--set", "dram.peak_bytes_per_second=25600000000"]
    said = adagp("compare", "digits-cnn", *settings, "--out", "results")
    assert "32 x 15 PEs" in said.out
    resolved = (tmp_path / "results" / "config.resolved.yaml").read_text()
    assert resolved.count("rows: 32") == len(DESIGNS)
    assert resolved.count("peak_bytes_per_second: 25600000000") == len(DESIGNS)
    assert "12800000000" not in resolved


def test_twice_the_frequency_takes_fewer_seconds(pair: tuple[Path, Path, Outcome], adagp: Adagp) -> None:
    slow = pair[2].json["runs"][DESIGNS.index("max")]
    fast = adagp("simulate", "digits-cnn", "--set", "frequency_hz=400_000_000", "--json").json["runs"][0]
    assert fast["total_cycles"] >= slow["total_cycles"]
    assert fast["seconds"] < slow["seconds"]
    assert fast["seconds"] == pytest.approx(fast["total_cycles"] / 400_000_000)


def test_a_config_file_holds_only_what_differs(adagp: Adagp, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("version: 1\narray: {rows: 24}\nsecond_array: {rows: 3}\n")
    by_file = adagp("compare", "digits-cnn", "--config", "mine.yaml", "--out", "results", "--json").json
    assert [one["design"] for one in by_file["runs"]] == DESIGNS
    resolved = (tmp_path / "results" / "config.resolved.yaml").read_text()
    assert resolved.count("rows: 24") == len(DESIGNS)
    two = [design for design in designs().values() if "second_array" in design.components]
    assert len(re.findall(r"\brows: 3$", resolved, re.MULTILINE)) == len(two)
    settings = ["--set", "array.rows=24", "--set", "second_array.rows=3"]
    by_set = adagp("simulate", "digits-cnn", "--design", "max", *settings, "--json").json
    assert by_set["runs"][0]["total_cycles"] == by_file["runs"][DESIGNS.index("max")]["total_cycles"]


def test_set_comes_after_the_config(adagp: Adagp, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("version: 1\nextends: efficient\narray: {rows: 24}\n")
    shown = yaml.safe_load(adagp("show", "mine.yaml", "--set", "array.rows=6").out)
    assert shown["design"] == "efficient"
    assert shown["array"]["rows"] == 6
    assert shown["array"]["columns"] == 15


def test_schedule_and_batch_size(adagp: Adagp) -> None:
    arguments = ["simulate", "vgg13-cifar10", "--schedule", "all-gp", "--batch-size", "50", "--json"]
    said = adagp(*arguments).json
    assert (said["trace"]["batch_size"], said["trace"]["schedule"]) == (50, "all-gp")
    assert (said["trace"]["epochs"], said["trace"]["batches"]) == (90, 90 * 1000)
    phases = said["runs"][0]["phases"]
    assert {name: phase["batches"] for name, phase in phases.items() if phase["batches"]} == {"gp": 90_000}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_each_shipped_schedule(schedule: str, adagp: Adagp) -> None:
    said = adagp("simulate", "digits-cnn", "--schedule", schedule, "--json").json
    assert said["trace"]["schedule"] == schedule
    batches = {name: phase["batches"] for name, phase in said["runs"][0]["phases"].items() if phase["batches"]}
    policy = yaml.safe_load((ROOT / "configs" / "schedules" / f"{schedule}.yaml").read_text(encoding="utf-8"))
    assert set(batches) == {run["phase"] for stage in policy["stages"] for run in stage["pattern"]}


def test_batch_size_alone_leaves_the_sequence(adagp: Adagp) -> None:
    said = adagp("simulate", "digits-cnn", "--batch-size", "7", "--json").json
    assert (said["trace"]["batch_size"], said["trace"]["batches"]) == (7, 3960)
    assert {name: phase["batches"] for name, phase in said["runs"][0]["phases"].items()} == {
        "warm_up": 440,
        "bp": 1628,
        "gp": 1892,
    }


def test_a_packed_trace_of_ones_own(pair: tuple[Path, Path, Outcome], adagp: Adagp, tmp_path: Path) -> None:
    text = (ROOT / "traces" / "digits-cnn.yaml").read_bytes()
    (tmp_path / "mine.yaml").write_bytes(text)
    (tmp_path / "packed.yaml.gz").write_bytes(gzip.compress(text))
    plain, packed = (adagp("trace", "inspect", name).out for name in ("mine.yaml", "packed.yaml.gz"))
    assert plain == packed
    said = adagp("simulate", "packed.yaml.gz", "--design", "baseline", "--json").json
    assert said["runs"][0]["total_cycles"] == pair[2].json["runs"][0]["total_cycles"]


def test_the_trace_in_the_documentation_is_a_good_one(adagp: Adagp, tmp_path: Path) -> None:
    documentation = (ROOT / "docs" / "trace-format.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", documentation, re.DOTALL)
    (tmp_path / "tiny.yaml").write_text(block, encoding="utf-8")
    inspected = adagp("trace", "inspect", "tiny.yaml", "--json").json
    assert inspected["network"] == "tiny"
    said = adagp("simulate", "tiny.yaml", "--json").json
    assert said["trace"]["batches"] == 10 * 391 + 4 * (78 * 5 + 1)


# ---------------------------------------------------------------------------------------------------------------------
# show, diff, trace inspect


# configs/paper and configs/reproduce hold numbers and pages, and no parameter of anything
@pytest.mark.parametrize(
    "path",
    sorted(path for path in (ROOT / "configs").rglob("*.yaml") if path.parent.name not in ("paper", "reproduce")),
    ids=lambda path: path.stem,
)
def test_show_prints_what_can_be_read_again(path: Path, adagp: Adagp, tmp_path: Path) -> None:
    shown = adagp("show", path.stem, "--kind", path.parent.name).out
    document = yaml.safe_load(shown)
    assert document["version"] == (2 if path.parent.name == "accelerators" else 1)
    assert "extends" not in document
    (tmp_path / "again.yaml").write_text(shown, encoding="utf-8")
    assert adagp("show", str(tmp_path / "again.yaml")).out == shown


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("max", "--config", "{}"),
        ("eyeriss", "--set", "energy_table={}"),
        ("all-gp", "--schedule", "{}"),
    ],
)
def test_what_show_prints_stands_for_the_shipped_file(
    name: str, option: str, value: str, adagp: Adagp, tmp_path: Path
) -> None:
    kind = [] if name != "eyeriss" else ["--kind", "energy"]
    (tmp_path / "again.yaml").write_text(adagp("show", name, *kind).out, encoding="utf-8")
    by_name, by_file = (
        adagp("simulate", "digits-cnn", option, value.format(given), "--json").json for given in (name, "again.yaml")
    )
    assert by_name == by_file


def test_a_name_of_two_kinds_is_the_machine_and_tells_the_other(adagp: Adagp) -> None:
    said = adagp("show", "eyeriss")
    assert "array" in yaml.safe_load(said.out)
    assert said.err == "note: eyeriss is also in energy; --kind energy prints that one\n"
    assert "actions" in yaml.safe_load(adagp("show", "eyeriss", "--kind", "energy").out)


def test_show_with_its_options(adagp: Adagp) -> None:
    shown = yaml.safe_load(adagp("show", "max", "--dataflow", "ws", "--set", "second_array.rows=4").out)
    assert shown["second_array"]["rows"] == 4
    assert yaml.safe_load(adagp("show", "max", "--design", "low").out)["design"] == "low"


def test_a_narrow_port_is_told_once(adagp: Adagp) -> None:
    line = "array: weight port of 12 words for 15 columns: os takes 2 cycles a step, not 1"
    assert adagp("show", "baseline", "--dataflow", "os").out.startswith(f"# {line}\nversion: 2\n")
    for command in (["simulate", "digits-cnn", "--design", "low"], ["compare", "digits-cnn"]):
        told = adagp(*command, "--dataflow", "os").out.splitlines()
        assert [one for one in told if one.startswith("array: ")] == [line]
    assert "port of" not in adagp("compare", "digits-cnn").out


def test_diff_of_equal_results(pair: tuple[Path, Path, Outcome], adagp: Adagp) -> None:
    assert adagp("diff", str(pair[0]), str(pair[1])).out.strip() == "no difference"
    assert not any(adagp("diff", str(pair[0]), str(pair[1]), "--json").json.values())


def test_diff_names_what_changed(adagp: Adagp, tmp_path: Path) -> None:
    for name, rows in (("a", 12), ("b", 24)):
        adagp("simulate", "digits-cnn", "--design", "max", "--set", f"array.rows={rows}", "--out", name)
    said = adagp("diff", "a", "b").out
    (line,) = (line for line in said.splitlines() if re.search(r"\barray\.rows\b", line))
    assert line.split()[-2:] == ["12", "24"]
    assert "total_cycles" in said
    assert "stall" in said
    assert len(adagp("diff", "a", "b", "--top", "1").out.splitlines()) < len(said.splitlines())
    changed = adagp("diff", "a", "b", "--json").out
    assert "array.rows" in changed
    assert "conv1" in changed
    totals = {name: json.loads((tmp_path / name / "summary.json").read_text())["runs"][0] for name in ("a", "b")}
    for one in totals.values():
        assert f"{one['total_cycles']:,}" in said


def test_diff_says_first_what_came_of_it_and_cuts_long_lists(adagp: Adagp) -> None:
    adagp("simulate", "digits-cnn", "--out", "a")
    adagp("simulate", "digits-cnn", "--dataflow", "os", "--set", "array.rows=24", "--out", "b")
    said = adagp("diff", "a", "b", "--top", "2").out
    everything = adagp("diff", "a", "b", "--json").json
    parts = [said.index(word) for word in ("different: ", "\nRuns", "\nLayers", "\nParameters")]
    assert parts == sorted(parts)
    assert f"values of layers, {len(everything['parameters']):,} parameters\n" in said
    assert [row["key"].partition(" -> os.")[2] for row in everything["parameters"]] == [
        "dataflow", "array.rows", "array.weight_port_words_per_cycle", "array.input_port_words_per_cycle",
    ]  # fmt: skip
    assert "and 2 parameters more" in said
    assert len(said.splitlines()) < 40


def test_diff_says_that_results_are_equal_where_only_parameters_differ(adagp: Adagp) -> None:
    adagp("simulate", "digits-cnn", "--out", "a")
    adagp("simulate", "digits-cnn", "--set", "dram.capacity_bytes=4294967296", "--out", "b")
    lines = adagp("diff", "a", "b").out.splitlines()
    assert lines[:2] == ["the results are equal", "different: 0 totals, 0 values of layers, 1 parameters"]


@pytest.mark.parametrize("name", ["table.yaml", "45nm.yaml"])
def test_diff_compares_energy_tables_by_key(name: str, adagp: Adagp, tmp_path: Path) -> None:
    """Of a table that changes one number of another's, one key differs, and its name; whatever that is."""
    table = "{version: 1, extends: 45nm, name: mine, description: Mine., arithmetic: {multiply_pj: {fp16: 1.5}}}"
    (tmp_path / name).write_text(table, encoding="utf-8")
    adagp("compare", "digits-cnn", "--out", "a")
    adagp("compare", "digits-cnn", "--set", f"energy_table={name}", "--out", "b")
    changed = {row["key"]: (row["a"], row["b"]) for row in adagp("diff", "a", "b", "--json").json["parameters"]}
    inside = {key.partition(".yaml.")[2]: values for key, values in changed.items() if key.startswith("energy_tables.")}
    assert inside.pop("description")[1] == "Mine."
    assert inside == {"name": ("45nm", "mine"), "arithmetic.multiply_pj.fp16": (1.1, 1.5)}
    assert {key for key in changed if not key.startswith("energy_tables.")} == {
        f"accelerators.{design} ws.energy_table" for design in ("baseline", "low", "efficient", "max")
    }


def test_diff_compares_dram_parts_by_key(adagp: Adagp) -> None:
    for name, part in (("a", "ddr4-2400"), ("b", "ddr4-3200")):
        adagp("simulate", "digits-cnn", "--set", "dram.model=commands", "--set", f"dram.part={part}", "--out", name)
    changed = {row["key"]: (row["a"], row["b"]) for row in adagp("diff", "a", "b", "--json").json["parameters"]}
    assert changed["dram_parts.ddr4-2400 -> ddr4-3200.clock_hz"] == (1_200_000_000, 1_600_000_000)
    adagp("simulate", "digits-cnn", "--set", "dram.part=null", "--out", "c")
    (only,) = (
        row for row in adagp("diff", "a", "c", "--json").json["parameters"] if row["key"].startswith("dram_parts")
    )
    assert only == {"key": "dram_parts.ddr4-2400", "a": "in use", "b": None}


def test_diff_pairs_runs_of_other_dataflows_and_designs(adagp: Adagp) -> None:
    """What two folders have one of is compared; a run that one folder has alone is in the totals alone."""
    adagp("compare", "digits-cnn", "--out", "all")
    for name, design, dataflow in (("os", "max", "os"), ("low", "low", "ws"), ("max", "max", "ws")):
        adagp("simulate", "digits-cnn", "--design", design, "--dataflow", dataflow, "--out", name)
    for a, b, label in (
        ("max", "os", "max ws -> os"),
        ("low", "max", "low -> max ws"),
        ("low", "os", "low -> max ws -> os"),
    ):
        found = adagp("diff", a, b, "--json").json
        for part in ("totals", "layers"):
            assert {f"{row['design']} {row['dataflow']}" for row in found[part]} == {label}
            assert not [row for row in found["totals"] if None in (row["a"], row["b"])]
    found = adagp("diff", "all", "max", "--json").json
    others = {"baseline", "low", "efficient"}
    assert {row["design"] for row in found["totals"] if row["quantity"] == "total_cycles"} == others
    assert found["layers"] == []
    assert {row["key"] for row in found["parameters"]} == {f"accelerators.{one} ws" for one in others}


def test_diff_says_that_the_model_is_another_one(adagp: Adagp, tmp_path: Path) -> None:
    adagp("simulate", "digits-cnn", "--out", "a")
    file = tmp_path / "a" / "provenance.json"
    noted = json.loads(file.read_text(encoding="utf-8"))
    assert noted["model"] == adagp("--version").out.split()[-1]
    for name, model in (("b", {"model": "0123456789ab"}), ("c", {})):
        shutil.copytree(tmp_path / "a", tmp_path / name)
        others = {key: value for key, value in noted.items() if key != "model"} | model
        (tmp_path / name / "provenance.json").write_text(json.dumps(others), encoding="utf-8")
    first = f"made by different versions of the model: A by {noted['model']}, B by "
    assert adagp("diff", "a", "b").out.splitlines()[0] == f"{first}0123456789ab"
    assert adagp("diff", "a", "c").out.splitlines()[0] == f"{first}one that was not noted"
    assert adagp("diff", "a", "b").out.splitlines()[1:] == ["the results and their parameters are equal"]
    assert adagp("diff", "b", "a", "--json").json["versions"] == [
        {"key": "model", "a": "0123456789ab", "b": noted["model"]}
    ]


def test_diff_gives_cycles_and_their_change_in_one_line(adagp: Adagp, tmp_path: Path) -> None:
    for name, rows in (("a", 12), ("b", 8)):
        adagp("simulate", "digits-cnn", "--set", f"array.rows={rows}", "--out", name)
    a, b = (json.loads((tmp_path / n / "summary.json").read_text())["runs"][0]["total_cycles"] for n in "ab")
    first = adagp("diff", "a", "b").out.splitlines()[0]
    assert first.startswith(f"max ws: total_cycles {a:,} -> {b:,} ({b / a - 1:+.2%}); energy_pj ")


@pytest.mark.parametrize("module", ["simulator", "adagp_sim", "simulator.cli.main"])
def test_python_runs_the_package_as_the_command(module: str) -> None:
    process = subprocess.run(
        [sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (process.returncode, process.stdout) == (0, run_here("--version").out)


@pytest.mark.parametrize("name", ["digits-cnn", "vgg13-cifar10"])
def test_inspect_counts_what_is_in_the_trace(name: str, adagp: Adagp) -> None:
    trace = yaml.safe_load((ROOT / "traces" / f"{name}.yaml").read_text(encoding="utf-8"))
    layers = [layer for layer in trace["layers"] if layer["kind"] in {"conv2d", "linear"}]
    weights = sum(layer["K"] * layer["C"] * layer.get("R", 1) * layer.get("S", 1) for layer in layers)
    forward = trace["batch_size"] * sum(
        layer["K"] * layer["C"] * layer.get("R", 1) * layer.get("S", 1) * layer.get("P", 1) * layer.get("Q", 1)
        for layer in layers
    )
    said = adagp("trace", "inspect", name).out
    assert f"{weights:,}" in said
    assert f"{forward:,}" in said
    for layer in layers:
        assert re.search(rf"(?m)^\s+{re.escape(layer['id'])}\s", said), layer["id"]
    as_json = adagp("trace", "inspect", name, "--json").json
    assert as_json["weights"] == weights
    assert as_json["macs_per_batch"]["forward"] == forward


# ---------------------------------------------------------------------------------------------------------------------
# From Python


def test_the_python_example_of_the_readme(pair: tuple[Path, Path, Outcome]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    code = block.replace("vgg13-cifar10", "digits-cnn") + "\nprint(len(rows), rows[0]['layer'])\n"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert process.returncode == 0, process.stderr
    *runs, last = process.stdout.splitlines()
    for line, one in zip(runs, pair[2].json["runs"], strict=True):
        design, cycles, speedup = line.split()
        assert (design, int(cycles)) == (one["design"], one["total_cycles"])
        assert float(speedup) == pytest.approx(one["speedup"])
    assert last == f"{len(read_rows(pair[0]))} conv1"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (["simulate", "Digits-CNN", "--design", "MAX"], ["simulate", "digits-cnn", "--design", "max"]),
        (["simulate", "digits-cnn", "--dataflow", "WS"], ["simulate", "digits-cnn", "--dataflow", "ws"]),
        (["simulate", "digits-cnn", "--config", "Low"], ["simulate", "digits-cnn", "--config", "low"]),
        (["simulate", "digits-cnn", "--schedule", "BP"], ["simulate", "digits-cnn", "--schedule", "bp"]),
        (["simulate", "digits-cnn", "--set", "design=LOW"], ["simulate", "digits-cnn", "--set", "design=low"]),
        (["show", "45NM"], ["show", "45nm"]),
    ],
)  # fmt: skip
def test_names_are_known_in_upper_and_lower_case(written: list[str], meant: list[str], adagp: Adagp) -> None:
    """As README and the paper write them: MAX, WS."""
    assert adagp(*written).out == adagp(*meant).out


@pytest.mark.parametrize("words", [(), ("trace",), ("train",)])
def test_a_command_that_misses_another_prints_its_help(words: tuple[str, ...]) -> None:
    said = run_here(*words)
    assert said.code == 2
    lines = said.err.splitlines()
    assert lines[0].startswith("Usage: adagp-sim")
    assert len(lines) > 5
    assert "error:" not in said.err


def test_a_text_stays_on_its_line_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """A path in a long line is not broken at a space in it."""
    from simulator.cli.console import console

    console().print("word " * 100 + "/a folder/report.html")
    assert capsys.readouterr().out == "word " * 100 + "/a folder/report.html\n"
