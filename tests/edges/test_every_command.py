"""Every command of the tree: with streams that are closed or left, a trace in a pipe, an output that is its input."""

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Thread

import click
import pytest
import yaml
from command_line import good, run_here
from small_trace import TRACE

from simulator.cli.main import cli, main
from workloads.foundation.strict_yaml import parse_yaml, yaml_text

Words = tuple[str, ...]
TOPOLOGY = (
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
    "c,8,8,3,3,3,8,1\n"
)
SWEEP = "trace: t.yaml\ngrid: {array.rows: [2, 3], design: [baseline]}\n"
ERT = "ERT: {tables: [{name: mac, actions: [{name: compute, energy: 1.0}]}]}\n"
DOCUMENT = yaml.safe_dump(TRACE, sort_keys=False)
PIPELINE = ("--pipeline-schedule", "gpipe", "--devices", "2", "--micro-batches", "2")
# What each command is given; those that train or make the whole report are given a place that cannot be written.
GIVEN: dict[str, Words] = {
    "simulate": ("TRACE",),
    "compare": ("TRACE",),
    "explain": ("TRACE", "--layer", "first"),
    "sweep run": ("sweep.yaml", "--out", "swept", "--workers", "0"),
    "sweep show": ("kept",),
    "sweep export": ("kept", "--csv", "rows.csv"),
    "report": ("run", "--out", "page.html"),
    "pipeline": ("TRACE", *PIPELINE),
    "memory": ("TRACE",),
    "area": ("TRACE",),
    "synthesize": ("--out", "t.yaml/x"),
    "show": ("max",),
    "list": (),
    "diff": ("run", "run"),
    "trace inspect": ("TRACE",),
    "trace import": ("net.csv", "--format", "scalesim", "--samples", "8", "--out", "imported.yaml"),
    "schema": ("trace",),
    "energy-table": ("timeloop", "a.ERT.yaml", "--price", "macs=mac.compute", "--out", "priced.yaml"),
    "completion": ("bash",),
    "validate": ("dram",),
    "reproduce": ("--out", "t.yaml/x"),
    "trace export": ("digits-cnn", "--out", "t.yaml/x"),
    "train reference": ("digits-cnn", "--checkpoint", "t.yaml/x"),
    "train controls": ("--out", "t.yaml/x"),
    "train predictors": ("--out", "t.yaml/x"),
}
HASHED = ("simulate", "compare", "pipeline")  # commands whose folder of results names its inputs


def commands(group: click.Group, above: Words = ()) -> dict[str, click.Command]:
    """Return every command by its words."""
    found: dict[str, click.Command] = {}
    for name, inner in group.commands.items():
        own = (*above, name)
        found |= commands(inner, own) if isinstance(inner, click.Group) else {" ".join(own): inner}
    return found


COMMANDS = commands(cli)
WITH_TRACE = [name for name, words in GIVEN.items() if "TRACE" in words]


def given(name: str, trace: str) -> Words:
    """Return the words of a command and of what it is given."""
    return (*name.split(), *(trace if word == "TRACE" else word for word in GIVEN[name]))


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("every")
    (folder / "t.yaml").write_text(DOCUMENT, encoding="utf-8")
    (folder / "net.csv").write_text(TOPOLOGY, encoding="utf-8")
    (folder / "sweep.yaml").write_text(SWEEP, encoding="utf-8")
    (folder / "a.ERT.yaml").write_text(ERT, encoding="utf-8")
    good(run_here("simulate", "t.yaml", "--out", "run", cwd=folder))
    good(run_here("sweep", "sweep.yaml", "--out", "kept", "--workers", "0", cwd=folder))
    return folder


def test_every_command_is_tried() -> None:
    assert set(GIVEN) == set(COMMANDS)
    named = {name for name, one in COMMANDS.items() if "trace" in {parameter.name for parameter in one.params}}
    assert named <= set(WITH_TRACE)


def closed() -> None:
    """Return what Python has for a stream that was closed, as ``>&-`` does."""
    return


def left() -> io.TextIOWrapper:
    """Return a stream whose reader has left, as `head -1` does."""
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w", encoding="utf-8")


@contextmanager
def streams(**given: "io.TextIOWrapper | None") -> Iterator[None]:
    """Give the process other streams, as those that it began with."""
    names = [one for name in given for one in (name, f"__{name}__")]
    before = {name: getattr(sys, name) for name in names}
    for name in names:
        setattr(sys, name, given[name.strip("_")])
    try:
        yield
    finally:
        for name, stream in before.items():
            setattr(sys, name, stream)


@pytest.mark.parametrize(("made", "which"), [(closed, ["stdout"]), (closed, ["stderr"]), (left, ["stdout", "stderr"])])
@pytest.mark.parametrize("name", COMMANDS)
def test_streams_change_no_exit_code(
    name: str, made: Callable[[], "io.TextIOWrapper | None"], which: list[str], here: Path, tmp_path: Path
) -> None:
    arguments = given(name, "t.yaml")
    wanted = 2 if "t.yaml/x" in arguments else 0
    own = {one: made() if one in which else (tmp_path / one).open("w") for one in ("stdout", "stderr")}
    argv, sys.argv = sys.argv, ["adagp-sim", *arguments]
    try:
        with chdir(here), streams(**own), pytest.raises(SystemExit) as ended:
            main()
    finally:
        sys.argv = argv
    said = (tmp_path / "stderr").read_text(encoding="utf-8") if "stderr" not in which else ""
    assert ended.value.code == wanted, said
    assert "Traceback" not in said
    assert said.startswith("error: ") or "stderr" in which or wanted == 0


@pytest.mark.parametrize("name", WITH_TRACE)
def test_a_trace_through_a_pipe_is_as_a_file(name: str, here: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    more = ("--out", str(tmp_path / "out")) if name in HASHED else ()
    Thread(target=pipe.write_text, args=(DOCUMENT,), daemon=True).start()
    from_pipe = good(run_here(*given(name, str(pipe)), *more, cwd=here))
    from_file = good(run_here(*given(name, "t.yaml"), cwd=here))
    assert from_pipe.out.startswith(from_file.out.rstrip("\n")) if more else from_pipe.out == from_file.out
    if more:
        inputs = json.loads((tmp_path / "out/provenance.json").read_text(encoding="utf-8"))["inputs"]
        assert inputs[str(pipe)] == sha256(DOCUMENT.encode()).hexdigest()


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "t.yaml", "--layer", "first", "--vcd", "t.yaml"),
        ("explain", "t.yaml", "--layer", "first", "--mapping-out", "t.yaml"),
        ("sweep", "sweep.yaml", "--out", "new", "--workers", "0", "--store", "sweep.yaml"),
        ("sweep", "sweep.yaml", "--out", "new", "--workers", "0", "--store", "t.yaml"),
        ("sweep", "sweep.yaml", "--out", "new", "--workers", "0", "--time-limit", "nan"),
        ("sweep", "export", "kept", "--csv", "kept/results.sqlite"),
        ("sweep", "export", "kept", "--csv", "kept/sweep.json"),
        ("report", "kept", "--out", "kept/results.sqlite"),
        ("report", "kept", "--out", "kept/sweep.json"),
        *(("report", "run", "--out", f"run/{name}") for name in
          ("summary.json", "layers.csv", "config.resolved.yaml", "provenance.json")),
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_command_writes_over_what_it_reads(arguments: Words, here: Path) -> None:
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    said = run_here(*arguments, cwd=here)
    assert said.code == 2
    assert said.err.splitlines()[-1].startswith("error: ")
    assert ("would be overwritten" in said.err) == ("nan" not in arguments)
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before


def test_a_folder_that_is_passed_through_is_not_made(here: Path, tmp_path: Path) -> None:
    good(run_here("sweep", "sweep.yaml", "--out", f"{tmp_path}/NEW/../out", "--workers", "0", cwd=here))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", ["1e-12", "null", "a: b", "\x1b[31m", "a\rb"])
def test_a_mapping_s_layer_comes_back_equal(name: str, tmp_path: Path) -> None:
    document = json.loads(json.dumps(TRACE))
    document["layers"][0]["id"] = name
    document["layers"][1]["inputs"] = [name]
    (tmp_path / "odd.yaml").write_text(yaml_text(document), encoding="utf-8")
    said = good(run_here("explain", "odd.yaml", "--layer", name, "--mapping-out", "mapping.yaml", cwd=tmp_path))
    assert (said.out + said.err).replace("\n", "").isprintable()
    text = (tmp_path / "mapping.yaml").read_text(encoding="utf-8")
    assert list(parse_yaml(text, "mapping")["layers"]) == list(yaml.safe_load(text)["layers"]) == [name]
