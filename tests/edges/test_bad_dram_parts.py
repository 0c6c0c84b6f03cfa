"""A bad DRAM part ends in one line that names file, key and remedy."""

import math
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.dram.models.commands import CommandDram
from simulator.dram.part import load_part
from workloads.foundation.errors import InputError
from workloads.foundation.shipped import shipped_folder, shipped_names
from workloads.foundation.validation import validate

GOOD = (shipped_folder("configs/dram") / "ddr3-1600.yaml").read_text(encoding="utf-8")


def edited(tmp_path: Path, edit: Callable[[dict[str, Any]], object]) -> str:
    data = yaml.safe_load(GOOD)
    edit(data)
    path = tmp_path / "part.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return str(path)


BAD: list[tuple[Callable[[dict[str, Any]], object], str, str]] = [
    (lambda d: d.pop("clock_hz"), "clock_hz", "missing"),
    (lambda d: d["timing_cycles"].pop("FAW"), "timing_cycles.FAW", "missing"),
    (lambda d: d["timing_cycles"].update(tFAW=32), "timing_cycles.tFAW", "unknown key"),
    (lambda d: d["timing_cycles"].update(CL=13.75), "timing_cycles.CL", "whole number"),
    (lambda d: d["timing_cycles"].update(RCD=0), "timing_cycles.RCD", "at least 1"),
    (lambda d: d["timing_cycles"].update(RRD_L=5), "timing_cycles.RRD_L", "less than RRD_S"),
    (lambda d: d["timing_cycles"].update(RP_ALL=10), "timing_cycles.RP_ALL", "less than RP"),
    (lambda d: d["timing_cycles"].update(REFI=280), "timing_cycles.REFI", "no more than RFC"),
    (lambda d: d["timing_cycles"].update(FAW=58), "timing_cycles.FAW", "more than RAS"),
    (lambda d: d["organization"].update(bus_width_bits=4), "organization.bus_width_bits", "give"),
    (lambda d: d["organization"].update(device_width_bits=128), "organization.bus_width_bits", "multiple"),
    (lambda d: d["organization"].update(columns=2047), "organization.columns", "multiple of burst_length"),
    (lambda d: d["organization"].update(banks=-8), "organization.banks", "at least 1"),
    (lambda d: d.update(address_order=["row", "bank"]), "address_order", "once"),
    (lambda d: d.update(address_order=["row", "rank", "bank", "column", "group"]), "address_order[4]", "bank_group"),
    (lambda d: d.update(version=2), "version", "version 1"),
    (lambda d: d["power"].update(VDD=-1.0), "power.VDD", "above 0"),
    (lambda d: d["power"]["currents_ma"].pop("IDD5AB"), "power.currents_ma.IDD5AB", "missing"),
    (lambda d: d["command_bus_cycles"].update(activate=17), "command_bus_cycles.activate", "at most 16"),
    (lambda d: d.update(name=""), "name", "text"),
]


@pytest.mark.parametrize(("edit", "key", "words"), BAD, ids=[f"{key}: {words}" for _, key, words in BAD])
def test_bad_part(tmp_path: Path, edit: Callable[[dict[str, Any]], object], key: str, words: str) -> None:
    path = edited(tmp_path, edit)
    with pytest.raises(InputError) as caught:
        load_part(path)
    assert (caught.value.where, caught.value.key) == (path, key)
    line = str(caught.value)
    assert words in line
    assert "\n" not in line


@pytest.mark.parametrize("text", ["", "[1, 2]", "name: [", "name: a\nname: b\n", "\x00"])
def test_no_part_at_all(tmp_path: Path, text: str) -> None:
    path = tmp_path / "part.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"part\.yaml"):
        load_part(str(path))


def test_unknown_names() -> None:
    with pytest.raises(InputError, match="ddr3-1600"):
        load_part("ddr3-1660")
    with pytest.raises(InputError, match="no such file"):
        load_part("nowhere/part.yaml")


TIME = re.compile(r"  (\w+): ([\d_]+) +# \[.\](?: .*:)? (?:max\((\d+), )?([\d.]+) (ns|us)\b")


@pytest.mark.parametrize("name", shipped_names("configs/dram"))
def test_cycles_are_the_times_of_the_sources(name: str) -> None:
    """A comment gives a time as its source does, in ns or us and perhaps at least so many cycles; REFI is a most."""
    text = (shipped_folder("configs/dram") / f"{name}.yaml").read_text(encoding="utf-8")
    found = TIME.findall(text)
    assert {"RAS", "WR", "RTP", "WTR_S", "FAW", "RFC", "REFI"} <= {key for key, *_ in found}
    for key, cycles, least, time, unit in found:
        exact = Fraction(time) * {"ns": 1, "us": 1000}[unit] * load_part(name).clock_hz / 10**9
        off = exact / 10**8  # a clock is rounded to a hertz
        whole = math.floor(exact + off) if key == "REFI" else math.ceil(exact - off)
        assert int(cycles) == max(int(least or 0), whole), key


@pytest.mark.parametrize(
    ("section", "key", "words"),
    [
        ({"part": "ddr3-1660", "capacity_bytes": 2**30}, "dram.part", "ddr3-1600"),
        ({"part": "ddr3-1600", "capacity_bytes": 2**33 + 1}, "dram.capacity_bytes", "give no more"),
        ({"part": "ddr3-1600"}, "dram.capacity_bytes", "add it"),
        ({"part": "ddr3-1600", "capacity_bytes": 2**30, "queue_depth": 0}, "dram.queue_depth", "at least 1"),
    ],
)
def test_bad_section_of_a_spec(section: dict[str, Any], key: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        validate(CommandDram, {"model": "commands", "queue_depth": 32, **section}, "spec.yaml")
    assert caught.value.where == "spec.yaml"
    assert key.endswith(caught.value.key)


def test_a_bad_part_is_named_in_the_spec(tmp_path: Path) -> None:
    path = edited(tmp_path, lambda d: d["timing_cycles"].update(RCD=0))
    with pytest.raises(InputError, match=r"timing_cycles\.RCD is 0; give a value of at least 1"):
        validate(CommandDram, {"model": "commands", "part": path, "capacity_bytes": 1, "queue_depth": 32}, "spec.yaml")


@pytest.mark.parametrize("name", shipped_names("configs/dram"))
def test_shipped_parts_load(name: str) -> None:
    """A part's name ends in its transfers a microsecond and pin, rounded down; its header has its GiB."""
    part = load_part(name)
    header = (shipped_folder("configs/dram") / f"{name}.yaml").read_text(encoding="utf-8").partition("version:")[0]
    gibibytes = re.search(r"(\d+) GiB", header)
    assert gibibytes is not None
    assert part.capacity_bytes == int(gibibytes[1]) << 30
    pins = part.organization.channels * part.organization.bus_width_bits
    assert part.peak_bytes_per_second * 8 // (10**6 * pins) == int(name.rpartition("-")[2])
