"""`adagp-sim area` prints the paper's tables for the shipped designs, and with a trace the studies."""

import json
from typing import Any

import pytest
from command_line import Outcome, run_here
from registries import DESIGNS


def area(*arguments: str, code: int = 0) -> Outcome:
    run = run_here("area", *arguments)
    assert run.code == code, run.err
    return run


def line(text: str, start: str) -> list[str]:
    return next(found.split() for found in text.splitlines() if found.split()[:1] == [start])


def test_tables() -> None:
    said = area().out
    assert line(said, "baseline")[1:6] == ["472,004", "31,402", "1,327", "514", "166"]
    assert line(said, "max")[1:6] == ["494,080", "37,452", "2,407", "514", "246"]
    assert line(said, "max")[-2:] == ["3.856", "+3.88%"]
    assert "3,231,136" in said
    assert "PEs that a baseline may have" in said
    assert "Arrays as synthesised" in said
    assert "\x1b" not in said


def test_json_with_a_trace() -> None:
    data: dict[str, Any] = json.loads(area("digits-cnn", "--json").out)
    assert [design["design"] for design in data["designs"]] == DESIGNS
    assert data["designs"][3]["fpga"]["resources"]["dsps"] == 246
    assert data["designs"][3]["asic"]["area"]["total_um2"] == 3_231_136
    assert data["designs"][0]["sram"]["node_nm"] == 45
    # three budgets by the tables, four by synthesis, and PEs as published
    assert len(data["studies"]) == (3 + 4) * len(DESIGNS[1:]) + 2
    assert [one["figures"]["dsps"] for one in data["synthesis"]] == [180, 180, 180, 180, 90]
    assert {one["budget"] for one in data["published"]} == {"FPGA power", "ASIC area"}


def test_studies_as_a_table() -> None:
    said = area("digits-cnn").out
    assert "What a larger baseline brings" in said
    assert "FPGA power, PEs as published" in said


def test_a_setting_changes_the_tables() -> None:
    said = area("--set", "array.rows=24", "--set", "energy_table=eyeriss").out
    assert line(said, "baseline")[1] == "944,008"
    assert said.splitlines()[5 + len(DESIGNS)].startswith("ASIC")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["vgg13-cifra10"], "vgg13-cifar10"),
        (["--set", "array.row=3"], "did you mean rows?"),
        (["--dataflow", "wss"], "ws"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], word: str) -> None:
    run = area(*arguments, code=2)
    assert run.err.count("\n") == 1
    assert word in run.err


def test_help() -> None:
    assert "tables 4 and 5" in " ".join(area("--help").out.split())
