"""Settings are gathered, then applied: their order does not matter, and a key set to its own value changes nothing."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.dataflow import dataflows
from simulator.machine.spec import Accelerator
from simulator.machine.spec_loading import load_accelerator, load_designs, setting_source
from simulator.outputs.resolved import spec_data
from simulator.run.simulation import compare
from workloads.foundation.errors import InputError
from workloads.foundation.shipped import shipped_names
from workloads.foundation.validation import StrictModel, choices_of, validate
from workloads.trace import load_trace

# A machine for each shipped accelerator, and for each kind of each part that has several.
MACHINES = [
    (name, extra)
    for name in shipped_names("configs/accelerators")
    for extra in [
        None,
        *(f"{part}.{choice.tag}={kind}" for part, choice in choices_of(Accelerator).items() for kind in choice.kinds
          if part in spec_data(load_accelerator(name))
          and (kind != "commands" or spec_data(load_accelerator(name))["dram"].get("part", "") is not None)
          and (part != "array" or (kind, load_accelerator(name).dataflow) in dataflows())),
    ]
]  # fmt: skip


def leaves(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            yield from leaves(value, here)
        else:
            yield here, value


def own_settings(spec: Accelerator) -> list[str]:
    return [f"{key}={json.dumps(value)}" for key, value in leaves(spec_data(spec))]  # JSON is YAML


def load(name: str, extra: str | None, own: list[str]) -> Accelerator:
    given = own if extra is None or extra.split("=")[0] in {one.split("=")[0] for one in own} else [extra, *own]
    return load_accelerator(name, overrides=given)


@pytest.mark.parametrize(("name", "extra"), MACHINES)
def test_every_key_set_to_its_own_value_gives_the_same_spec(name: str, extra: str | None, tmp_path: Path) -> None:
    spec = load(name, extra, [])
    own = own_settings(spec)
    assert len(own) > 20
    for one in own:
        assert load(name, extra, [one]) == spec, one
    order = random.Random(7)
    for _ in range(3):
        order.shuffle(own)
        assert load(name, extra, own) == spec
    (tmp_path / "whole.yaml").write_text(yaml.safe_dump(spec_data(spec)))
    assert load_accelerator(tmp_path / "whole.yaml") == spec
    assert load_accelerator(tmp_path / "whole.yaml", overrides=own) == spec


def test_every_key_set_to_its_own_value_gives_the_same_run() -> None:
    own = [one for one in own_settings(load_accelerator("max")) if not one.startswith("design=")]
    random.Random(3).shuffle(own)
    specs = load_designs(overrides=own)
    assert specs == load_designs()
    trace = load_trace("digits-cnn")
    assert compare(trace, specs).table() == compare(trace).table()


SETTINGS = [
    "dram.model=commands", "dram.part=ddr4-2400", "dram.queue_depth=8", "dram.capacity_bytes=1e9", "array.rows=3",
    "array.columns=5", "second_array.rows=2", "global_buffer.banks=32", "dataflow=os", "design=max",
    "energy_table=45nm",
]  # fmt: skip


POLICY = {"power_down_after_ns": 100, "self_refresh_after_ns": None}  # of the ranks: configs/accelerators/baseline.yaml


@given(st.permutations(SETTINGS))
@settings(max_examples=25, deadline=None)
def test_order_does_not_matter(order: list[str]) -> None:
    spec = load_accelerator("baseline", overrides=order)
    assert spec == load_accelerator("baseline", overrides=SETTINGS)
    assert (spec.design, spec.array.rows, spec.array.columns, spec.dataflow) == ("max", 3, 5, "os")
    assert spec.dram.model_dump() == {
        "model": "commands", "part": "ddr4-2400", "queue_depth": 8, "capacity_bytes": 10**9, **POLICY
    }  # fmt: skip


COMMANDS = {"model": "commands", "part": "ddr3-1600", "capacity_bytes": 8 << 30, "queue_depth": 32} | POLICY
BANDWIDTH = {
    "model": "bandwidth", "part": "ddr3-1600", "capacity_bytes": 8 << 30, "peak_bytes_per_second": 12_800_000_000,
    "latency_ns": 28,
} | POLICY  # fmt: skip


@pytest.mark.parametrize("way", ["--set", "a file", "a file over a file"])
@pytest.mark.parametrize(
    ("dram", "expected"),
    [
        ({"model": "commands"}, COMMANDS),
        ({"model": "bandwidth"}, BANDWIDTH),
        ({"model": "ideal"}, {"model": "ideal", "capacity_bytes": 8 << 30}),
        ({"model": "commands", "part": "ddr4-2400"}, COMMANDS | {"part": "ddr4-2400"}),
        ({"model": "bandwidth", "latency_ns": 50}, BANDWIDTH | {"latency_ns": 50}),
        ({"latency_ns": 50}, BANDWIDTH | {"latency_ns": 50}),
    ],
)
def test_a_kind_alone_takes_the_shipped_values_of_its_keys(
    way: str, dram: dict[str, Any], expected: dict[str, Any], tmp_path: Path
) -> None:
    """The numbers are those of configs/accelerators/baseline.yaml and docs/dram.md."""
    config, overrides = None, [f"dram.{key}={value}" for key, value in dram.items()]
    if way != "--set":
        config, overrides = tmp_path / "mine.yaml", []
        # another kind below, whose keys no longer apply
        other = {"model": "ideal"} if way == "a file over a file" and "model" in dram else {}
        (tmp_path / "below.yaml").write_text(yaml.safe_dump({"extends": "max", "dram": other}))
        config.write_text(yaml.safe_dump({"extends": "below.yaml", "dram": dram}))
    assert load_accelerator(config, overrides=overrides).dram.model_dump() == expected


def refused(*overrides: str, config: Path | None = None, design: str | None = None) -> InputError:
    with pytest.raises(InputError) as told:
        load_accelerator(config, design, overrides=overrides)
    return told.value


def test_a_key_of_another_kind_is_refused_with_the_kind_that_has_it(tmp_path: Path) -> None:
    told = refused("dram.queue_depth=8")
    assert (told.where, told.key) == ("--set", "dram.queue_depth")
    assert "set dram.model to commands" in told.remedy
    told = refused("dram.latency_ns=3", "dram.model=commands")
    assert "set dram.model to bandwidth" in told.remedy
    (tmp_path / "mine.yaml").write_text("dram: {model: ideal, latency_ns: 3}\n")
    told = refused(config=tmp_path / "mine.yaml")
    assert (told.where, told.key) == (str(tmp_path / "mine.yaml"), "dram.latency_ns")
    # below another kind, what the file says does not apply
    assert load_accelerator(tmp_path / "mine.yaml", overrides=["dram.model=commands"]).dram.model_dump() == COMMANDS


def test_a_key_given_two_values_is_refused() -> None:
    told = refused("array.rows=3", "array.columns=4", "array={rows: 5}")
    assert (told.where, told.key) == ("--set", "array.rows")
    assert "twice" in told.problem
    assert load_accelerator(overrides=["array.rows=3", "array={rows: 3, columns: 4}"]).array.columns == 4


def test_parts_that_the_design_lacks(tmp_path: Path) -> None:
    """--design drops what a file has; what is set beside it is refused; comparing, it passes the design by."""
    (tmp_path / "mine.yaml").write_text("second_array: {rows: 3}\n")
    assert load_accelerator(tmp_path / "mine.yaml", "efficient").second_array is None
    assert load_accelerator(tmp_path / "mine.yaml", overrides=["design=efficient"]).second_array is None
    assert refused("second_array.rows=3", design="efficient").key == "second_array"
    (tmp_path / "mine.yaml").write_text("{design: efficient, second_array: {rows: 3}}\n")
    assert refused(config=tmp_path / "mine.yaml").key == "second_array"
    by_design = {spec.design: spec for spec in load_designs(overrides=["second_array.rows=3"])}
    assert by_design["max"].second_array is not None
    assert by_design["max"].second_array.rows == 3
    assert by_design["efficient"].second_array is None


def test_an_error_names_where_the_value_comes_from(tmp_path: Path) -> None:
    mine, below = tmp_path / "mine.yaml", tmp_path / "below.yaml"
    below.write_text("{extends: max, array: {rows: many}}\n")
    mine.write_text("{extends: below.yaml, array: {columns: few}}\n")
    assert refused(config=mine).where == str(below)
    assert (refused("array.rows=2", config=mine).where, refused("array.rows=2", config=mine).key) == (
        str(mine), "array.columns",
    )  # fmt: skip
    assert refused("array.rows=2", "array.columns=x", config=mine).where == "--set"
    # Shipped values are wrong only beside the user's: both are named.
    told = refused("global_buffer.banks=8")
    assert (told.where, told.key) == ("configs/accelerators/max.yaml with --set", "second_array.buffer_banks")


def test_an_error_that_shows_when_a_batch_runs_names_its_place_too() -> None:
    assert setting_source("dram.capacity_bytes", overrides=["dram.capacity_bytes=4096"]) == "--set"
    assert setting_source("dram.capacity_bytes") == "configs/accelerators/baseline.yaml"
    assert setting_source("second_array.rows") == "configs/accelerators/max.yaml"


class Numbers(StrictModel):
    one: int
    some: tuple[int, ...] = ()
    either: int | None = None
    named: dict[str, tuple[int, ...]] = {}
    share: float = 0.5
    mixed: int | float = 1
    text: str = ""


@pytest.mark.parametrize(
    ("text", "value"), [("256e9", 256_000_000_000), ("1e3", 1000), ("2.0", 2), ("-3.0", -3), ("1.5e1", 15)]
)
def test_whole_numbers_in_other_words(text: str, value: int) -> None:
    data = yaml.safe_load(f"[{float(text)!r}]")[0]
    found = validate(Numbers, {"one": data, "some": (data, 1), "either": data, "named": {"a": (data,)}}, "here")
    assert (found.one, found.some, found.either, found.named) == (value, (value, 1), value, {"a": (value,)})
    assert all(type(one) is int for one in (found.one, found.either, *found.some))


@pytest.mark.parametrize("value", [2.5, float("inf"), float("nan"), "2.0", True])
@pytest.mark.parametrize("key", ["one", "either"])
def test_what_is_no_whole_number(key: str, value: object) -> None:
    with pytest.raises(InputError, match=f"here: {key}: .*whole number"):
        validate(Numbers, {"one": 1, key: value}, "here")


def test_fractions_stay_fractions() -> None:
    found = validate(Numbers, {"one": 1, "share": 2.0, "mixed": 2.0}, "here")
    assert (type(found.share), type(found.mixed)) == (float, float)
    with pytest.raises(InputError, match="text"):
        validate(Numbers, {"one": 1, "text": 2.0}, "here")


def test_whole_numbers_of_options_and_traces(tmp_path: Path) -> None:
    assert load_accelerator(overrides=["dram.peak_bytes_per_second=256e9"]).dram.bytes_per_second == 256_000_000_000
    assert load_accelerator(overrides=["precision.word_bits=16.0"]) == load_accelerator()
    text = Path(shipped_names("traces")["digits-cnn"]).read_text()
    assert "batch_size: 32\n" in text
    (tmp_path / "mine.yaml").write_text(text.replace("batch_size: 32\n", "batch_size: 3.2e1\n"))
    assert load_trace(tmp_path / "mine.yaml") == load_trace("digits-cnn")
