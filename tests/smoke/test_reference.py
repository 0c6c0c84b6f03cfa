"""The reference of a machine's keys says what the code and the shipped files say."""

from functools import reduce
from typing import Any

import pytest
import yaml

from simulator.machine.reference import SpecKey, spec_keys, spec_schema
from simulator.machine.spec_layers import FOLDER
from simulator.machine.spec_loading import load_accelerator
from workloads.foundation.errors import InputError
from workloads.foundation.shipped import shipped_names

KEYS = spec_keys()


def dotted(data: dict[str, Any], above: str = "") -> set[str]:
    """Return the keys of nested data."""
    found: set[str] = set()
    for name, value in data.items():
        found |= dotted(value, f"{above}{name}.") if isinstance(value, dict) else {f"{above}{name}"}
    return found


def test_every_key_of_every_shipped_machine_is_there_with_a_meaning() -> None:
    known = {one.key for one in KEYS}
    for name in shipped_names(FOLDER):
        for model in ("bandwidth", "commands", "ideal"):
            if model == "commands" and load_accelerator(name).dram.model_dump().get("part", "") is None:
                continue  # commands need a part
            spec = load_accelerator(name, overrides={"dram.model": model})
            assert dotted(spec.model_dump(exclude_none=True)) <= known
    assert not [one.key for one in KEYS if not one.meaning]
    assert len(known) == len(KEYS)


@pytest.mark.parametrize("one", KEYS, ids=lambda one: one.key)
def test_what_a_file_is_said_to_give_is_what_is_loaded(one: SpecKey) -> None:
    for name, text in one.defaults.items():
        if name not in shipped_names(FOLDER):
            continue
        data = load_accelerator(name).model_dump(mode="json")
        loaded = reduce(lambda part, key: part[key], one.key.split("."), data)
        given = yaml.safe_load(text)
        if given is None and one.key.startswith("dram."):
            assert loaded is None
            continue
        if given is None:  # a port, as wide as a side
            assert loaded in (data["array"]["rows"], data["array"]["columns"])
            continue
        array = data[one.key.partition(".")[0]]
        assert loaded == (array[given] if given in ("rows", "columns") else given)


def test_limits_are_those_that_refuse() -> None:
    """A key that takes values from a number on refuses the number below it."""
    checked = 0
    for one in KEYS:
        least = one.values.partition("from ")[2].partition(" ")[0].replace(",", "")
        if least and not one.only_of:
            with pytest.raises(InputError, match="at least"):
                load_accelerator(overrides={one.key: float(least) - 1})
            checked += 1
    assert checked > 20


def test_the_schema_has_every_key() -> None:
    schema = spec_schema()
    assert set(schema["properties"]) == {one.key.partition(".")[0] for one in KEYS} | {"extends"}
    assert schema["properties"]["frequency_hz"]["description"] == "Clock of the arrays."
    assert "required" not in schema
