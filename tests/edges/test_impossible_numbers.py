"""Numbers that no machine can have are refused in one line with file, key and remedy, exit code 2.

Bounds come from physics: energies and currents do not fall below zero, and nothing on a chip costs a millijoule.
"""

import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dataflows.actions import ACTIONS, ActionCounts
from simulator.cli.main import main
from simulator.dram.part import load_part
from simulator.dram.power import command_energies
from simulator.energy.arithmetic import MOST_PJ
from simulator.energy.energy import energy_table_of
from simulator.machine.spec_loading import load_accelerator
from workloads.foundation.shipped import shipped_folder, shipped_names

Refused = Callable[..., str]
DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Refused:
    """Return what the command line says of settings that it refuses."""

    def check(*settings: str) -> str:
        out = tmp_path / "out"
        sets = [word for setting in settings for word in ("--set", setting)]
        monkeypatch.setattr(sys, "argv", ["adagp-sim", "simulate", "digits-cnn", *sets, "--out", str(out)])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        assert end.value.code == 2, said
        assert not out.exists()
        assert said.out == ""
        line = said.err.strip()
        assert line.startswith("error: ") and "\n" not in line and "; " in line
        return line

    return check


def edited(folder: str, name: str, into: Path, *places: Any, value: Any) -> str:
    """Write a shipped file with one value changed; return its path."""
    data = yaml.safe_load((shipped_folder(folder) / f"{name}.yaml").read_text(encoding="utf-8"))
    *parents, last = places
    target = data
    for place in parents:
        target = target[place]
    target[last] = value
    path = into / "mine.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return str(path)


def test_burst_below_standby(refused: Refused) -> None:
    path = DATA / "dram_part_idd.yaml"
    line = refused("dram.model=commands", f"dram.part={path}")
    for words in (path.name, "power.currents_ma.IDD4R is 10 mA", r"IDD3N \(51 mA\)", "give more than IDD3N"):
        assert re.search(words, line), line


# DDR3-1600: IDD0 67, IDD2N 36, IDD3N 51, IDD4R 125, IDD4W 125, IDD5AB 245 mA; RAS 28, RP 11, RCD 11, RFC 280.
# Standby over RAS + RP draws (51 x 28 + 36 x 11) / 39 = 46.77 mA.
PARTS: list[tuple[tuple[Any, ...], Any, str]] = [
    (("power", "currents_ma", "IDD4R"), 51, "IDD4R"),
    (("power", "currents_ma", "IDD4W"), 50.9, "IDD4W"),
    (("power", "currents_ma", "IDD5AB"), 51, "IDD5AB"),
    (("power", "currents_ma", "IDD3N"), 35.9, "IDD3N"),
    (("power", "currents_ma", "IDD0"), 46.7, "IDD0"),
    (("power", "currents_ma", "IDD0"), math.inf, "IDD0"),
    (("power", "VDD"), 12.1, "VDD"),
    (("power", "VDD"), math.inf, "VDD"),
    (("power", "VDD"), math.nan, "VDD"),
    (("clock_hz",), 999_999, "clock_hz"),
    (("timing_cycles", "RAS"), 10, "RAS"),
    (("timing_cycles", "RFC"), 38, "RFC"),
    (("timing_cycles", "XS"), 279, "XS"),
    (("power", "currents_ma", "IDD2P"), 36.1, "IDD2P"),
    (("power", "currents_ma", "IDD6"), 0, "IDD6"),
]


@pytest.mark.parametrize(("places", "value", "key"), PARTS, ids=[f"{key} {value}" for _, value, key in PARTS])
def test_parts(places: tuple[Any, ...], value: Any, key: str, tmp_path: Path, refused: Refused) -> None:
    path = edited("configs/dram", "ddr3-1600", tmp_path, *places, value=value)
    line = refused("dram.model=commands", f"dram.part={path}")
    assert "mine.yaml" in line
    assert key in line


@pytest.mark.parametrize("value", [46.8, 10_000])
def test_an_activate_just_above_standby_is_taken(value: float, tmp_path: Path) -> None:
    part = load_part(edited("configs/dram", "ddr3-1600", tmp_path, "power", "currents_ma", "IDD0", value=value))
    assert command_energies(part).activate_pj == pytest.approx(13.5 * (value * 39 - 51 * 28 - 36 * 11))
    assert command_energies(part).activate_pj > 0


@pytest.mark.parametrize("name", shipped_names("configs/dram"))
def test_shipped_parts_cost_energy(name: str) -> None:
    each = command_energies(load_part(name))
    assert min(each.activate_pj, each.read_pj, each.write_pj, each.refresh_pj, each.precharged_cycle_pj) > 0
    assert each.active_cycle_pj >= each.precharged_cycle_pj >= each.power_down_cycle_pj > 0
    assert each.precharged_cycle_pj >= each.self_refresh_cycle_pj > 0


TABLES: list[tuple[tuple[Any, ...], Any, str]] = [
    (("actions", "product_register_writes", "energy_pj"), 1e308, r"actions\.product_register_writes\.energy_pj"),
    (("wires", "pj_per_bit_mm"), 1e308, r"wires\.pj_per_bit_mm"),
    (("wires", "register_um2_per_bit"), 0.0, r"wires\.register_um2_per_bit"),
    (("arithmetic", "add_um2", "fp32"), math.inf, r"arithmetic\.add_um2\.fp32"),
    (("actions", "dram_read_bytes", "energy_pj"), 1.0001e9, "at most 1000000000"),
    (("arithmetic", "add_pj", "fp32"), 1e308, r"arithmetic\.add_pj\.fp32"),
    (("arithmetic", "multiply_pj", "fp16"), math.inf, r"arithmetic\.multiply_pj\.fp16"),
    (("arithmetic", "scale"), 1e308, r"arithmetic\.scale"),
    (("actions", "array_network_bytes", "counts_per_access"), 10**400, "counts_per_access"),
    (("leakage", "global_buffer"), {"power_mw": 1e308, "for_bytes": 1, "source": "here"}, "power_mw"),
    (("leakage", "global_buffer"), {"power_mw": 1.0, "for_bytes": 10**400, "source": "here"}, "for_bytes"),
    (("actions", "macs", "component"), "dram_access", r"actions\.macs\.component.*write pe_array"),
    (("actions", "buffer_read_bytes", "component"), "dram_access", "write global_buffer"),
    (("actions", "buffer_read_bytes", "sram", "memory"), "predictor_sram", r"buffer_read_bytes\.sram\.memory"),
    (("actions", "buffer_read_bytes", "sram", "access"), "write", r"buffer_read_bytes\.sram\.access"),
    (("actions", "scratchpad_writes", "sram", "access"), "read", r"scratchpad_writes\.sram\.access"),
    (("actions", "dram_read_bytes", "dram_command"), "refresh", r"dram_read_bytes\.dram_command"),
    (("actions", "dram_refreshes", "dram_command"), "read", r"dram_refreshes\.dram_command"),
]


@pytest.mark.parametrize(("places", "value", "words"), TABLES, ids=[f"{'.'.join(one[0])}" for one in TABLES])
def test_tables(places: tuple[Any, ...], value: Any, words: str, tmp_path: Path, refused: Refused) -> None:
    path = edited("configs/energy", "45nm", tmp_path, *places, value=value)
    line = refused(f"energy_table={path}")
    assert "mine.yaml" in line
    assert re.search(words, line), line


def test_the_dearest_table_is_finite(tmp_path: Path) -> None:
    """More of every action than 64 bits count, each at the most that a table may say."""
    data = yaml.safe_load((shipped_folder("configs/energy") / "eyeriss.yaml").read_text(encoding="utf-8"))
    for action in data["actions"].values():
        for key in ("arithmetic", "per_word_bits", "dram_command", "counts_per_access"):
            action.pop(key, None)
        action["energy_pj"] = MOST_PJ
    path = tmp_path / "dear.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    table = energy_table_of(load_accelerator(design="max", overrides=[f"energy_table={path}"]))
    total = table.energy(ActionCounts(**dict.fromkeys(ACTIONS, 2**64)), 0).total
    assert total == pytest.approx(len(ACTIONS) * 2**64 * 1e9)


@pytest.mark.parametrize(
    ("settings", "key", "remedy"),
    [
        (["precision.word_bits=32", "precision.partial_sum_bits=16"], "partial_sum_bits", "at least 32"),
        (["global_buffer.bank_bytes=4096", "global_buffer.bank_port_bytes=4097"], "bank_port_bytes", "bank_bytes"),
        (["predictor_sram.bank_port_bytes=77761"], "predictor_sram.bank_port_bytes", "bank_bytes"),
        (["dram.capacity_bytes=1" + 30 * "0"], "capacity_bytes", "at most"),
    ],
)
def test_specs(settings: list[str], key: str, remedy: str, refused: Refused) -> None:
    line = refused(*settings)
    assert key in line
    assert remedy in line


def test_a_clock_that_leaves_no_time_between_refreshes(refused: Refused) -> None:
    """DDR3-1600 refreshes every 6,240 cycles of 800 MHz: at 128,205 Hz in less than one cycle, at 128,206 in more."""
    line = refused("dram.model=commands", "frequency_hz=128205")
    assert "frequency_hz" in line and "refresh of ddr3-1600 takes 1 of the 1 cycles" in line
    overrides = ["dram.model=commands", "frequency_hz=128206"]
    assert load_accelerator(design="baseline", overrides=overrides).frequency_hz == 128206
