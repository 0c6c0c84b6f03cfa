"""Odd names, files and places: each once made a traceback, a hang, a lost result or a lost input."""

import csv
import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import unicodedata
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path

import pytest
import yaml
from command_line import ROOT, good, run_here, run_process
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from small_trace import TRACE

from simulator.cli.console import print_table, table
from simulator.outputs.csv_text import csv_text
from simulator.outputs.drawing import label
from simulator.reproduce.store import open_store
from workloads.foundation import reading
from workloads.foundation.printable import printable
from workloads.foundation.strict_yaml import parse_yaml, yaml_text
from workloads.foundation.validation import validate
from workloads.schedule import Batches, PlannedEpochs, Policy, compress
from workloads.trace import Trace, load_trace
from workloads.trace_writer import trace_text

ODD = "\r\n\t \x85\u2028\u2029\ufeff\x00\x1b'\"#:-[]{}*&!|>%@`,?~a1.e+_=<$\\\u202e"
NAMES = st.one_of(
    st.text(min_size=1), st.text(alphabet=ODD, min_size=1),
    st.from_regex(r"[-+]?[0-9_.]+([eE][-+]?[0-9]+)?", fullmatch=True),
)  # fmt: skip
NAMED = [
    "a: b",
    "1",
    "null",
    "[a",
    "*a",
    '"q',
    "x # y",
    "1e5",
    "no",
    "0x1F",
    "=",
    "<<",
    "2026-01-01",
    "1:30",
    " ",
    "-",
    "?",
]
TOPOLOGY = (
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
    "c,8,8,3,3,3,8,1\n"
)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "t.yaml").write_text(yaml.safe_dump(TRACE, sort_keys=False), encoding="utf-8")
    (tmp_path / "net.csv").write_text(TOPOLOGY, encoding="utf-8")
    return tmp_path


def named(name: str, layer: str = "first") -> Trace:
    """Return the small trace with a name wherever it has a free text, and the layer's id."""
    document = json.loads(json.dumps(TRACE))
    document["network"] = document["dataset"]["name"] = document["schedule"]["name"] = name
    document["provenance"] |= {"command": name, "notes": [name], "settings": {name: name}, "packages": {name: name}}
    document["layers"][0]["id"] = layer
    document["layers"][1] |= {"inputs": [layer], "op": name}
    document["schedule"]["epochs"][1]["batches"] = tuple(document["schedule"]["epochs"][1]["batches"])
    return validate(Trace, parse_yaml(yaml_text(document), "document"), "document")


@given(NAMES, NAMES)
def test_every_text_of_a_trace_comes_back_equal(name: str, layer: str) -> None:
    trace = named(name, "first" if layer in ("relu", "second", "mean", "head", "input") else layer)
    assert validate(Trace, parse_yaml(trace_text(trace), "back"), "back") == trace


@settings(max_examples=300)
@given(NAMES, st.sampled_from([True, False, None]), st.sampled_from([20, 100, 10**9]))
def test_yaml_comes_back_equal_and_other_readers_agree(name: str, flow: bool | None, width: int) -> None:
    text = yaml_text({"key": name, "inner": {"list": [name, 1]}, "1": [1.5, True, None]}, flow, width)
    assert parse_yaml(text, "text") == {"key": name, "inner": {"list": (name, 1)}, "1": (1.5, True, None)}
    assert yaml.safe_load(text)["key"] == name


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=4))
def test_csv_comes_back_equal(rows: list[tuple[str, str]]) -> None:
    text = csv_text(["a", "b"], rows)
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["a", "b"], *map(list, rows)]


@given(st.lists(NAMES.filter(lambda name: "\0" not in name), min_size=1, max_size=4))
def test_csv_comes_back_equal_in_pandas(names: list[str]) -> None:
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    text = csv_text(["name", "value"], [(name, 1) for name in names])
    frame = pandas.read_csv(io.StringIO(text, newline=""), keep_default_na=False, dtype={"name": str})
    assert list(frame["name"]) == names


@given(NAMES)
def test_a_terminal_and_a_picture_get_plain_letters(name: str) -> None:
    assert not set(printable(name)) & set("\x1b\r\n\x9b\u202e\u2028\x07\x00")
    assert "$" not in label(name).replace(r"\$", "")
    if name.isprintable():
        assert printable(name) == name


@pytest.mark.parametrize("name", ["[red]x", "[/]", "[bold", ":smile:", "\x1b[31mred", "$a$ $b$", "a\rb", "\u202eabc"])
def test_odd_layer_names_from_end_to_end(name: str, here: Path) -> None:
    (here / "odd.yaml").write_text(trace_text(named(name, name)), encoding="utf-8")
    for arguments in (["trace", "inspect", "odd.yaml"], ["simulate", "odd.yaml", "--out", "a"]):
        outcome = good(run_here(*arguments, cwd=here))
        assert printable(name) in outcome.out
    with (here / "a/layers.csv").open(encoding="utf-8", newline="") as file:
        assert name in {row["layer"] for row in csv.DictReader(file)}
    assert "no difference" in good(run_here("diff", "a", "a", cwd=here)).out


def test_dollars_end_no_picture(here: Path) -> None:
    (here / "odd.yaml").write_text(trace_text(named("$$x$_{$", "$y$")), encoding="utf-8")
    good(run_here("compare", "odd.yaml", "--out", "a", "--plot", cwd=here))
    assert (here / "a/layers.png").stat().st_size > 1000


@pytest.mark.parametrize("name", NAMED)
def test_an_imported_schedule_keeps_its_name(name: str, here: Path) -> None:
    schedule = {"version": 1, "name": name, "description": "x", "source": "y", "epochs": 2}
    schedule |= {"stages": [{"epochs": "rest", "pattern": [{"phase": "bp"}]}]}
    (here / "s.yaml").write_text(yaml_text(schedule), encoding="utf-8")
    arguments = ["--format", "scalesim", "--schedule", "s.yaml", "--samples", "8", "--out", "o.yaml"]
    good(run_here("trace", "import", "net.csv", *arguments, cwd=here))
    assert load_trace(here / "o.yaml").schedule.name == name


# ---------------------------------------------------------------------------------------------------------------------
# Places of outputs


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["simulate", "t.yaml", "--dram-trace", "t.yaml"], "would be overwritten"),
        (["simulate", "t.yaml", "--dram-trace", "link.yaml"], "would be overwritten"),
        (["simulate", "t.yaml", "--dram-trace", ""], "no path"),
        (["simulate", "t.yaml", "--dram-trace", "t.yaml/x"], "Not a directory|is a file|File exists"),
        (["simulate", "t.yaml", "--out", ""], "no path"),
        (["simulate", "t.yaml", "--design", ""], "unknown design ''"),
        (["simulate", "t.yaml", "--exact", "1000000000000", "--out", "o"], "asks for 1000000000000 .*; ask for some"),
        (["simulate", "t.yaml", "--config", ""], "is empty"),
        (["simulate", "t.yaml", "--schedule", ""], "is empty"),
        (["simulate", ""], "is empty"),
        (["simulate", "t.yaml", "--exact", "1000000000000"], "the run has 4"),
        (["simulate", "t.yaml", "--set", "array.rows.x=1"], "array.rows"),
        (["simulate", "t.yaml", "--set", "vector_unit.costed=[concat]"], "computes nothing"),
        (["trace", "import", "net.csv", "--format", "scalesim", "--out", "net.csv"], "would be overwritten"),
        (["simulate", "summary.json", "--out", "."], "no folder of its own|would be overwritten"),
        (["simulate", "DIR/summary.json", "--out", "DIR"], "would be overwritten"),
        (["show", "DIR/c.yaml"], "extends itself"),
        (["show", "x" * 5000], "no such config"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_what_is_known_before_the_run_is_told_before_it(arguments: list[str], words: str, here: Path) -> None:
    (here / "link.yaml").symlink_to("t.yaml")
    (here / "DIR").mkdir()
    (here / "DIR/c.yaml").write_text("{version: 2, extends: ../DIR/c.yaml}", encoding="utf-8")
    for place in ("summary.json", "DIR/summary.json"):
        (here / place).write_bytes((here / "t.yaml").read_bytes())
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    outcome = run_here(*arguments, cwd=here)
    assert outcome.code == 2, outcome
    assert re.search(words, outcome.err), outcome.err
    assert outcome.err.count("\n") == 1, "told after the run began"
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before


def test_out_through_a_folder_that_is_not_there_leaves_none(here: Path) -> None:
    good(run_here("simulate", "t.yaml", "--out", "NEW/../y", cwd=here))
    assert (here / "y/summary.json").is_file()
    assert not (here / "NEW").exists()


def test_out_through_a_dangling_link(here: Path) -> None:
    (here / "link").symlink_to("deep/real")
    good(run_here("simulate", "t.yaml", "--out", "link", cwd=here))
    assert (here / "link").is_symlink()
    assert (here / "deep/real/layers.csv").is_file()


@pytest.mark.parametrize("name", ["summary.json", "layers.csv", "config.resolved.yaml"])
def test_files_of_two_runs_are_no_result(name: str, here: Path) -> None:
    good(run_here("simulate", "t.yaml", "--out", "a", cwd=here))
    good(run_here("simulate", "t.yaml", "--design", "baseline", "--out", "b", cwd=here))
    (here / "a" / name).write_bytes((here / "b" / name).read_bytes())  # as a kill between two renames leaves them
    outcome = run_here("diff", "a", "b", cwd=here)
    assert outcome.code == 2
    assert "not of one run" in outcome.err


@pytest.mark.parametrize("name", ["total_cycles", "seconds", "energy_pj"])
def test_a_text_where_a_result_has_a_number_is_told(name: str, here: Path) -> None:
    """Hashes that agree with it, too: someone edited both files."""
    good(run_here("simulate", "t.yaml", "--out", "a", cwd=here))
    summary = json.loads((here / "a/summary.json").read_text(encoding="utf-8"))
    summary["runs"][0][name] = "x"
    (here / "a/summary.json").write_text(json.dumps(summary), encoding="utf-8")
    told = json.loads((here / "a/provenance.json").read_text(encoding="utf-8"))
    told["outputs"]["summary.json"] = sha256((here / "a/summary.json").read_bytes()).hexdigest()
    (here / "a/provenance.json").write_text(json.dumps(told), encoding="utf-8")
    outcome = run_here("report", "a", cwd=here)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "was not written by this program" in outcome.err


def test_what_a_killed_process_left_goes_and_what_a_living_one_writes_stays(here: Path) -> None:
    import fcntl

    for name in (".adagp-sim-dead", ".adagp-sim-living"):
        (here / name).mkdir()
        (here / name / "x").write_text("x")
        os.utime(here / name, (0, 0))
    handle = os.open(here / ".adagp-sim-living", os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        good(run_here("simulate", "t.yaml", "--out", "a", cwd=here))
    finally:
        os.close(handle)
    assert [path.name for path in here.glob(".adagp-sim-*")] == [".adagp-sim-living"]


# ---------------------------------------------------------------------------------------------------------------------
# Sizes and files


def test_a_schedule_of_a_billion_billions_stays_in_repeat_counts(here: Path) -> None:
    document = json.loads(json.dumps(TRACE)) | {"metrics": []}
    batches = [{"repeat": 10**9, "batches": [{"phase": "bp", "count": 10**9}, {"phase": "gp"}]}]
    document["schedule"]["epochs"] = [{"repeat": 10**9, "batches": batches}]
    (here / "big.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    found = good(run_here("simulate", "big.yaml", "--json", "--exact", f"{10**18 + 10**9 - 1}:2", cwd=here)).json
    assert found["trace"]["batches"] == 10**27 + 10**18
    # A pattern is 10^9 bp and one gp: batch 10^18 + 10^9 - 1 is the last gp of an epoch, and the next begins with bp.
    phases = list(islice(load_trace(here / "big.yaml").schedule.phases(10**18 + 10**9 - 1), 2))
    assert phases == ["gp", "bp"]


@given(
    st.lists(st.tuples(st.sampled_from(["bp", "gp", "warm_up"]), st.integers(1, 4)), min_size=1, max_size=4),
    st.integers(1, 40), st.integers(1, 3), st.integers(0, 130),
)  # fmt: skip
def test_planned_batches_are_the_pattern_again_and_again(pattern, batches: int, epochs: int, first: int) -> None:  # type: ignore[no-untyped-def]
    stage = PlannedEpochs(epochs="rest", pattern=tuple(Batches(phase=phase, count=count) for phase, count in pattern))
    policy = Policy(version=1, name="x", description="x", source="x", epochs=epochs, stages=(stage,))
    cycle = list(chain.from_iterable([phase] * count for phase, count in pattern))
    walked = [cycle[index % len(cycle)] for index in range(batches)] * epochs
    schedule = policy.expand(batches)
    assert list(schedule.phases()) == walked
    assert list(schedule.phases(first)) == walked[first:]
    assert list(compress("x", policy.epoch_phases(batches)).phases()) == walked


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefghij", "bcdefghijk", strict=True)
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LAUGHS + "version: *k\n", "values"),
        (LAUGHS + "? *k\n: 1\n", "values|key"),
        ("version: !!bool foo\n", "is no bool"),
        ('version: !!float ""\n', "is no float"),
        ("version: !!timestamp foo\n", "tag"),
        ("version: !!map [a]\n", "mapping"),
        ("version: !!seq foo\n", "list"),
        ("version: !!set foo\n", "tag"),
        ("? !!bool foo\n: 1\n", "is no bool"),
        ("version: " + "9" * 400 + "\n", "version"),
        ("batch_size: " + "9" * 4000 + "\n", "number"),
    ],
    ids=lambda value: value[-40:],
)
def test_text_that_parsers_stumble_over(text: str, words: str, here: Path) -> None:
    (here / "odd.yaml").write_text(text, encoding="utf-8")
    for arguments in (["simulate", "odd.yaml"], ["show", "odd.yaml"], ["simulate", "t.yaml", "--config", "odd.yaml"]):
        began = time.process_time()
        outcome = run_here(*arguments, cwd=here)
        assert outcome.code == 2, outcome
        assert outcome.err.count("\n") == 1
        assert re.search(words, outcome.err) or "batch_size" in outcome.err
        assert time.process_time() - began < 20


@pytest.mark.parametrize("kind", ["zeros", "bomb", "pipe", "folder"])
def test_files_without_an_end(kind: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_WAIT_SECONDS", 0.2)
    if kind == "pipe":
        os.mkfifo(here / "f.yaml")
    elif kind == "folder":
        (here / "f.yaml").mkdir()
    elif kind == "bomb":
        (here / "f.yaml").write_bytes(gzip.compress(bytes(1 << 26)))
    else:
        (here / "f.yaml").symlink_to("/dev/zero")
    outcome = run_here("simulate", "f.yaml", cwd=here)
    assert outcome.code == 2
    assert {"zeros": "more than 16 MiB", "bomb": "more than 16 MiB", "pipe": "nobody writes", "folder": "directory"}[
        kind
    ] in outcome.err


def test_numbers_that_are_none_are_refused(here: Path) -> None:
    text = (here / "t.yaml").read_text(encoding="utf-8")
    for value in (".nan", ".inf"):
        (here / "odd.yaml").write_text(text.replace("train_loss: 2.0", f"train_loss: {value}"), encoding="utf-8")
        outcome = run_here("trace", "inspect", "odd.yaml", cwd=here)
        assert (outcome.code, "metrics[0].train_loss" in outcome.err) == (2, True)


# ---------------------------------------------------------------------------------------------------------------------
# Streams, signals, the report's store


def test_a_pipe_s_hash_is_that_of_its_bytes_and_streams_may_be_closed(here: Path) -> None:
    command = (
        f"{sys.executable} -m simulator.cli.main simulate /dev/stdin --out out --config <(echo 'array: {{rows: 4}}')"
    )
    done = subprocess.run(
        ["bash", "-c", f"cat t.yaml | {command} >&- 2>&-; sha256sum < t.yaml"],
        cwd=here, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=240, check=True,
    )  # fmt: skip
    inputs = json.loads((here / "out/provenance.json").read_text(encoding="utf-8"))["inputs"]
    assert inputs["/dev/stdin"] == done.stdout.split()[0]
    assert sorted(done.stderr) == []


def test_a_reader_that_leaves_ends_no_run(here: Path) -> None:
    command = f"{sys.executable} -m simulator.cli.main simulate t.yaml --out out 2>&1 | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=here, env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=240, check=False
    )
    assert done.returncode == 0
    assert (here / "out/layers.csv").is_file()


def heeds_signals() -> None:
    """Undo what the tests' own parent may have set: in the background SIGINT is ignored, under nohup SIGHUP."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing_and_is_told(number: signal.Signals, here: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator.cli.main", "compare", "vgg13-cifar10", "--exact", "90", "--out", "out"],
        cwd=here, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
        text=True, preexec_fn=heeds_signals,
    )  # fmt: skip
    assert process.stderr is not None
    process.stderr.readline()  # the run has begun
    process.send_signal(number)
    last = process.communicate(timeout=240)[1].splitlines()[-1]
    assert process.returncode == 128 + number
    assert last in ("error: interrupted", f"error: stopped by {number.name}")
    assert sorted(path.name for path in here.iterdir()) == ["net.csv", "t.yaml"]


def test_a_full_disk_behind_standard_output_is_told() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "simulator.cli.main", "show", "max"], stdout=full, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=240, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "error: standard output cannot be written: No space left on device\n"


def test_help_needs_no_streams() -> None:
    assert run_process("--help").code == 0


def test_a_store_that_another_run_writes_to_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    from workloads.foundation.errors import InputError

    with open_store(tmp_path):
        pass
    connect = sqlite3.connect
    other = connect(tmp_path / "jobs.sqlite")
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(sqlite3, "connect", lambda path, timeout: connect(path, timeout=0.1))
    with pytest.raises(InputError, match="another run writes there"), open_store(tmp_path):
        pass
    other.close()


def test_usual_names_of_number_formats_are_formats(here: Path) -> None:
    """`fp8e4m3` was read as a width of `8e4m3` bits. A multiply-add of 8-bit words costs what its format says."""
    table = parse_yaml((ROOT / "configs" / "energy" / "45nm.yaml").read_text(encoding="utf-8"), "45nm")
    table["arithmetic"]["word_formats"] = {8: "fp8e4m3", 16: "fp16", 32: "fp32"}
    table["arithmetic"]["multiply_pj"]["fp8e4m3"] = 0.25
    table["arithmetic"]["add_pj"]["fp8e4m3"] = 0.125
    table["arithmetic"]["multiply_um2"]["fp8e4m3"] = table["arithmetic"]["add_um2"]["fp8e4m3"] = 100.0
    (here / "fp8.yaml").write_text(yaml_text(table), encoding="utf-8")
    assert good(run_here("show", "fp8.yaml", cwd=here)).out.count("fp8e4m3") >= 3


@pytest.mark.parametrize("value", [".inf", ".nan", "1e400"])
def test_a_voltage_that_is_no_number_is_refused(value: str, here: Path) -> None:
    part = (ROOT / "configs" / "dram" / "ddr3-1600.yaml").read_text(encoding="utf-8")
    (here / "part.yaml").write_text(part.replace("VDD: 1.35", f"VDD: {value}"), encoding="utf-8")
    outcome = run_here(
        "simulate", "t.yaml", "--set", "dram.model=commands", "--set", "dram.part=part.yaml",
        "--set", "dram.capacity_bytes=1000000", cwd=here,
    )  # fmt: skip
    assert outcome.code == 2
    assert "power.VDD" in outcome.err
    assert len(outcome.err.splitlines()) == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=6))
def test_a_table_in_a_terminal_of_80_columns_has_every_name_and_number(names: list[str]) -> None:
    """Numbers stay whole, and what a name has that a terminal would obey is shown as letters."""
    screen = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None, highlight=False)
    rows = [[name, f"{1_234_567_890 * (index + 1):,}"] for index, name in enumerate(names)]
    print_table(screen, table("Names", [("name", False), ("cycles", True)], rows))
    assert isinstance(screen.file, io.StringIO)
    said = screen.file.getvalue()
    for _, number in rows:
        assert number in said
    obeyed = {one for one in said if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp")}
    assert obeyed <= {"\n", "\x1b"}  # an escape sequence is the table's own bold


@pytest.mark.parametrize("kind", ["pipe", "zeros", "folder"])
def test_an_onnx_file_without_an_end(kind: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_WAIT_SECONDS", 0.2)
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    place = {"pipe": here / "model.onnx", "zeros": Path("/dev/zero"), "folder": here}[kind]
    if kind == "pipe":
        os.mkfifo(place)
    outcome = run_here("trace", "import", str(place), "--format", "onnx", "--out", "o.yaml", cwd=here)
    assert outcome.code == 2
    assert {"pipe": "nobody writes", "zeros": "more than 2 GiB", "folder": "directory"}[kind] in outcome.err
