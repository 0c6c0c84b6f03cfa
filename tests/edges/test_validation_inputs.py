"""What a user gives to `adagp-sim validate`: rows of their own, and mistakes refused in one line."""

import csv
import json
from pathlib import Path

import adagp_sim
import pytest
from command_line import run_here

from simulator.validation.comparison import comparisons

HEAD = "M,K,N,device_ns\n"


def refusal(*arguments: str) -> str:
    said = run_here("validate", *arguments)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1), said
    return said.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "M, K, N, device_ns: missing in the first line"),
        ("M,K,N\n1,2,3\n", "device_ns: missing in the first line"),
        (HEAD, "has no rows"),
        (HEAD + "1,2,3\n", "line 2: has 3 cells, and the first line 4"),
        ("# a note\n" + HEAD + "1,2,3,4\n1,2,three,4\n", "line 4, N: is 'three'; give a whole number"),
        (HEAD + "1,0,3,4\n", "line 2, K: is '0'"),
        (HEAD + "1,2,3,99999999999999\n", "line 2, device_ns: is '99999999999999'"),
        (HEAD + '1,2,3,"4\n', "is no CSV"),
    ],
)
def test_a_wrong_table_is_told_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(text, encoding="utf-8")
    assert told in refusal("tpu-v6e", "--data", str(tmp_path / "rows.csv"))


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ("nothing", "line 2, mapping: is 'nothing'; write it as L3["),
        ("L3[WIO] P4 Q4 - L2[WI] K16X - L1[O] C16X - L0[W] N1", ""),
        ("L3[WIO] P4 - L2[WI] K16X - L1[O] C16X - L0[W] N1", "line 2, mapping: has Q 1 times, and the layer 4"),
        ("L3[WIO] P4 Q4 - L2[WI] K16X - L1[O] K9 C16X - L0[W] N1", "tile.filters is 144"),
        ("L3[WIO] K0 - L2[WI] K16X", "line 2, mapping: is 'L3[WIO] K0"),
    ],
)
def test_a_wrong_mapping_is_told(mapping: str, told: str, tmp_path: Path) -> None:
    head = "layer,C,K,P,Q,R,S,stride,scratchpad_entries,accumulator_entries,mapping,cycles\n"
    (tmp_path / "g.csv").write_text(f"{head}a,16,16,4,4,1,1,1,9999,99,{mapping},500\n", encoding="utf-8")
    said = run_here("validate", "gemmini", "--data", str(tmp_path / "g.csv"), "--json")
    assert said.err.count("\n") <= 1
    assert (said.code, said.out == "") == ((2, True) if told else (0, False))
    assert told in said.err


def test_mistakes_of_the_command() -> None:
    assert "did you mean gemmini?" in refusal("gemini")
    assert "--data goes with one comparison" in refusal("--data", "x.csv")
    assert "reads no rows; only these do: gemmini, tpu-v6e" in refusal("dram", "--data", "x.csv")
    assert "no such file" in refusal("tpu-v6e", "--data", "nowhere.csv").lower()


def test_rows_of_ones_own_in_json_and_files(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(HEAD + "1,4096,4096,25157\n512,512,512,9000\n", encoding="utf-8")
    said = run_here("validate", "tpu-v6e", "--data", str(tmp_path / "rows.csv"), "--json", "--out", str(tmp_path / "o"))
    found = json.loads(said.out)
    errors = [row["simulated"] / row["measured"] - 1 for row in found["rows"]]
    assert [row["measured"] for row in found["rows"]] == [25157, 9000]
    assert [row["error"] for row in found["rows"]] == errors
    assert found["mean_absolute_error"] == pytest.approx(sum(map(abs, errors)) / 2)
    with (tmp_path / "o" / "tpu-v6e.csv").open(encoding="utf-8") as file:
        assert [float(row["error"]) for row in csv.DictReader(file)] == errors
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == ["tpu-v6e.csv", "tpu-v6e.png", "validation.md"]
    assert adagp_sim.validate("tpu-v6e", tmp_path / "rows.csv").data()["rows"] == found["rows"]


def test_ranges_are_of_keys_that_change_the_machine(tmp_path: Path) -> None:
    """An effect is the error of a machine with that setting; one of no effect would be no parameter of it."""
    (tmp_path / "rows.csv").write_text(HEAD + "1,4096,4096,25157\n", encoding="utf-8")
    found = adagp_sim.validate("tpu-v6e", tmp_path / "rows.csv", ranges=True)
    by_latency = {one.value: one.mean_absolute_error for one in found.effects if one.key == "dram.latency_ns"}
    assert len({found.mean_absolute_error, *by_latency.values()}) == 1 + len(by_latency)
    for one in comparisons().values():
        assert all(one.machine for _ in one.ranges)
        for each in one.ranges:
            for value in each.values:
                adagp_sim.load_accelerator(one.machine).replace(each.key, value)
