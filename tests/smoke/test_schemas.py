"""JSON Schemas know every shipped file, and refuse what the program refuses for its keys, types and limits."""

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import good, run_here

from simulator.api.schemas import SCHEMAS, schema
from simulator.cli.schema import _KINDS
from workloads.foundation.shipped import shipped_names
from workloads.foundation.strict_yaml import read_yaml

jsonschema = pytest.importorskip("jsonschema", reason="it is in the extra test")

FOLDERS = {"spec": "configs/accelerators", "trace": "traces", "schedule": "configs/schedules",
           "energy-table": "configs/energy", "dram-part": "configs/dram",
           "sweep": "configs/sweeps"}  # fmt: skip
FILES = [(kind, path) for kind, folder in FOLDERS.items() for path in shipped_names(folder).values()]
PIPELINE = {"version": 1, "name": "mine", "devices": [[{"pass": "forward", "micro_batch": 0, "stage": 0}]]}
MAPPING = {"version": 1, "layers": {"one": {"forward": {"tile": {"rows": 2}, "loop_order": ["rows", "columns"]}}}}
ONE_OF_A_KIND = {"spec": "max", "trace": "digits-cnn", "schedule": "paper", "energy-table": "45nm",
                 "dram-part": "ddr3-1600", "sweep": "array-shapes"}  # fmt: skip
LARGE_BYTES = 80_000  # of a trace, which takes a second


@cache
def validator(kind: str) -> Any:
    found = schema(kind)
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


def said(kind: str, data: object) -> list[str]:
    """Return what a schema finds wrong."""
    return [one.message for one in validator(kind).iter_errors(json.loads(json.dumps(data)))]


def document(kind: str) -> dict[str, Any]:
    """Return a good file of a kind, as plain data."""
    if kind == "mapping":
        return copy.deepcopy(MAPPING)
    if kind == "pipeline-schedule":
        return copy.deepcopy(PIPELINE)
    found: dict[str, Any] = json.loads(json.dumps(read_yaml(shipped_names(FOLDERS[kind])[ONE_OF_A_KIND[kind]])))
    return found


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        pytest.param(
            kind, path, id=f"{kind}-{path.stem}", marks=[pytest.mark.long] * (path.stat().st_size > LARGE_BYTES)
        )
        for kind, path in FILES
    ],
)
def test_every_shipped_file_is_what_its_schema_says(kind: str, path: Path) -> None:
    assert said(kind, read_yaml(path)) == []


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_good_file_is_good(kind: str) -> None:
    assert said(kind, document(kind)) == []
    assert schema(kind)["title"].endswith("of adagp-sim")


@pytest.mark.parametrize("kind", SCHEMAS)
def test_an_unknown_key_is_refused(kind: str) -> None:
    data = document(kind) | {"nmae": "x"}
    assert any("nmae" in one for one in said(kind, data))


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_version_that_is_no_number_is_refused(kind: str) -> None:
    assert said(kind, document(kind) | {"version": "one"})


def at(*keys: str | int) -> Callable[[Any], Any]:
    def found(data: Any) -> Any:
        for key in keys:
            data = data[key]
        return data

    return found


@pytest.mark.parametrize(
    ("kind", "place", "key", "value"),
    [
        ("spec", at("second_array"), "rows", 0),
        ("spec", at("second_array"), "rows", "many"),
        ("spec", at("second_array"), "rwos", 3),
        ("spec", at(), "frequency_hz", -1),
        ("spec", at(), "dram", {"latency_ns": "soon"}),
        ("spec", at(), "dgrad", "sideways"),
        ("spec", at(), "array", {"weight_port_words_per_cycle": "wide"}),
        ("trace", at(), "batch_size", 0),
        ("trace", at("layers", 0), "kind", "conv3d"),
        ("trace", at("layers", 0), "K", "many"),
        ("trace", at("schedule"), "epochs", []),
        ("trace", at("provenance"), "origin", "guessed"),
        ("sweep", at(), "grid", {"array.rows": []}),
        ("sweep", at(), "objectives", {"cycles": "least"}),
        ("sweep", at(), "sample", {"method": "grid", "points": 3, "keys": {"array.rows": [1, 2]}}),
        ("sweep", at(), "search", {"trials": 0, "keys": {"array.rows": [1, 2]}}),
        ("schedule", at("stages", 0), "pattern", []),
        ("schedule", at("stages", 0), "pattern", [{"phase": "sleep"}]),
        ("energy-table", at(), "actions", 3),
        ("dram-part", at("timing_cycles"), "tRCD", "long"),
        ("mapping", at("layers", "one", "forward", "tile"), "rows", 0),
        ("mapping", at("layers", "one", "forward"), "loop_order", ["rwos"]),
        ("mapping", at("layers", "one"), "upward", {}),
        ("pipeline-schedule", at("devices", 0, 0), "pass", "sideways"),
        ("pipeline-schedule", at("devices", 0, 0), "stage", -1),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused(kind: str, place: Callable[[Any], Any], key: str, value: object) -> None:
    data = document(kind)
    place(data)[key] = value
    assert said(kind, data), "the schema finds nothing wrong"


@pytest.mark.parametrize(
    "text",
    [
        "array: {rows: 8}",  # of any kind
        "second_array: {rows: 8, weight_port_words_per_cycle: columns}",
        "extends: max\ndram: {model: commands, part: ddr4-3200}",
        "predictor_sram: null",
        "frequency_hz: 256e6",
        "array: {kind: systolic}",
    ],
)
def test_a_machine_may_say_only_what_differs(text: str) -> None:
    data = yaml.safe_load(text.replace("256e6", "256.0e+6"))
    assert said("spec", data) == []


def test_the_command_prints_the_schema() -> None:
    assert list(_KINDS) == list(SCHEMAS)
    for kind in SCHEMAS:
        assert good(run_here("schema", kind)).json == schema(kind)
    assert "did you mean schedule?" in run_here("schema", "schedul").err
