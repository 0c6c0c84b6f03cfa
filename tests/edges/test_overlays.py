"""Energy tables and DRAM parts that give only what differs, and paths, which a file means from its own folder."""

import re
from pathlib import Path

import pytest
from command_line import run_here

from dataflows.actions import ACTIONS, ActionCounts
from simulator.dram.models.commands import CommandDram
from simulator.dram.part import DramPart, load_part
from simulator.energy.energy import energy_table_of, load_energy_table
from simulator.machine.spec_loading import load_accelerator, spec_files
from workloads.foundation.errors import InputError

COMMANDS = "dram.model=commands"


def written(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def energy_of(action: str, *overrides: str) -> float:
    table = energy_table_of(load_accelerator(overrides=list(overrides)))
    return table.energy(ActionCounts(**{action: 8}), 0).total / 8


def part_of(*overrides: str) -> DramPart:
    dram = load_accelerator(overrides=[COMMANDS, *overrides]).dram
    assert isinstance(dram, CommandDram)
    return dram.memory


def test_a_table_of_one_energy(tmp_path: Path) -> None:
    mine = written(tmp_path, "mine.yaml", "extends: 45nm\nactions: {macs: {energy_pj: 0.28, source: synthesis}}\n")
    table, base = load_energy_table(mine), load_energy_table("45nm")
    assert (table.name, table.description) == ("mine", "as 45nm, but for macs")
    assert table.actions["macs"].model_dump() == {
        "component": "pe_array", "energy_pj": 0.28, "counts_per_access": 1, "source": "synthesis"
    }  # fmt: skip
    others = {name: action for name, action in table.actions.items() if name != "macs"}
    assert others == {name: action for name, action in base.actions.items() if name != "macs"}
    assert (table.node_nm, table.leakage) == (45, base.leakage)
    assert energy_of("macs", f"energy_table={mine}") == pytest.approx(0.28)
    assert energy_of("adds", f"energy_table={mine}") == energy_of("adds")


def test_a_table_over_a_table(tmp_path: Path) -> None:
    written(tmp_path, "a.yaml", "extends: eyeriss\nname: A\nactions: {macs: {energy_pj: 1, source: a}}\n")
    text = "extends: a.yaml\nnode_nm: null\nleakage: {global_buffer: {power_mw: 3, for_bytes: 64, source: b}}\n"
    table = load_energy_table(written(tmp_path, "b.yaml", text))
    assert (table.name, table.description, table.node_nm) == ("b", "as A, but for global_buffer", None)
    assert table.actions["macs"].energy_pj == 1
    assert table.leakage.global_buffer is not None and table.leakage.global_buffer.power_mw == 3


def test_all_that_a_table_lacks_is_told_at_once(tmp_path: Path) -> None:
    mine = written(tmp_path, "mine.yaml", "version: 1\nactions: {macs: {energy_pj: 0.28}}\n")
    with pytest.raises(InputError) as told:
        load_energy_table(mine)
    keys = told.value.key
    assert keys.startswith("name, description, actions.macs.component, actions.macs.source, leakage, of actions ")
    assert keys.partition("of actions ")[2].split(", ") == [name for name in ACTIONS if name != "macs"]
    assert "say extends: 45nm" in told.value.remedy and "adagp-sim show 45nm > my.yaml" in told.value.remedy


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        ("{mac: {energy_pj: 0.28, source: synthesis}}", "actions.mac: unknown action; did you mean macs?"),
        ("{macs: {energy_pj: 0.28}}", "actions.macs.source: missing; add it"),
        ("{macs: 0.28}", 'actions.macs: is 0.28, a number alone; write {energy_pj: 0.28, source: "where it is from"}'),
    ],
)
def test_an_overlay_is_not_told_to_be_one(actions: str, words: str, tmp_path: Path) -> None:
    mine = written(tmp_path, "mine.yaml", f"extends: 45nm\nactions: {actions}\n")
    with pytest.raises(InputError) as told:
        load_energy_table(mine)
    assert str(told.value) == f"{mine}: {words}"


def test_all_actions_that_need_a_node_are_told_at_once(tmp_path: Path) -> None:
    mine = written(tmp_path, "mine.yaml", "extends: 45nm\nnode_nm: null\n")
    with pytest.raises(InputError) as told:
        load_energy_table(mine)
    actions = load_energy_table("45nm").actions
    wanted = {
        f"actions.{name}" for name, action in actions.items() if action.sram is not None or action.wire is not None
    }
    assert told.value.key == "node_nm"
    assert set(re.findall(r"actions\.\w+", told.value.problem)) == wanted
    assert "leakage.global_buffer, leakage.predictor_sram are SRAM" in told.value.problem


def test_a_part_that_differs(tmp_path: Path) -> None:
    mine = written(tmp_path, "mine.yaml", "extends: ddr4-2400\ntiming_cycles: {CL: 18}\n")
    part, base = load_part(str(mine)), load_part("ddr4-2400")
    changed = base.model_dump() | {"name": "mine", "timing_cycles": base.timing_cycles.model_dump() | {"CL": 18}}
    assert part.model_dump() == changed
    shown = run_here("show", str(mine))
    assert shown.code == 0 and "  CL: 18\n" in shown.out


def test_all_that_a_part_lacks_is_told_at_once(tmp_path: Path) -> None:
    mine = written(tmp_path, "mine.yaml", "version: 1\nname: mine\npower: {VDD: 1.2, currents_ma: {IDD0: 48}}\n")
    with pytest.raises(InputError) as told:
        load_part(str(mine))
    assert told.value.key == (
        "organization, address_order, clock_hz, timing_cycles, command_bus_cycles, power.currents_ma.IDD2P, "
        "power.currents_ma.IDD2N, power.currents_ma.IDD3N, power.currents_ma.IDD4R, power.currents_ma.IDD4W, "
        "power.currents_ma.IDD5AB, power.currents_ma.IDD6"
    )
    assert "adagp-sim show ddr4-2400 > my.yaml" in told.value.remedy


@pytest.mark.parametrize(("read", "base"), [(load_energy_table, "45nm"), (load_part, "ddr4-2400")])
def test_circles_and_what_is_not_there(read, base: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    written(tmp_path, "a.yaml", "extends: b.yaml\n")
    circle = written(tmp_path, "b.yaml", "extends: a.yaml\n")
    for text, told in (
        (None, r"extends: extends itself; break the circle"),
        (f"extends: {base}x", rf"extends: '{base}x' is no such .*; did you mean {base}\? or give a file"),
        ("extends: 3", "extends: is 3; give a name or a path"),
        ("extends: far.yaml", "far.yaml: no such file"),
        ("[1]", "not a mapping of keys"),
    ):
        path = circle if text is None else written(tmp_path, "mine.yaml", text)
        with pytest.raises(InputError, match=told):
            read(str(path))


def test_an_energy_by_key() -> None:
    assert energy_of("macs", "energy.macs=0.28") == pytest.approx(0.28)
    assert energy_of("adds", "energy.macs=0.28") == energy_of("adds")
    # of one byte, whatever an access of the table moves, and whatever its DRAM is modelled by
    assert energy_of("buffer_read_bytes", "energy.buffer_read_bytes=1.5") == pytest.approx(1.5)
    assert energy_of("dram_read_bytes", COMMANDS, "energy.dram_read_bytes=20") == pytest.approx(20)
    machine = load_accelerator().replace("energy.macs", 0.5)
    assert energy_table_of(machine).energy(ActionCounts(macs=2), 0).total == pytest.approx(1.0)
    assert machine.replace("array.rows", 8).energy == machine.energy


def test_a_key_of_the_part() -> None:
    base = load_part("ddr3-1600")
    assert part_of("dram.timing_cycles.CL=14").timing_cycles.CL == 14
    assert part_of("dram.clock_hz=400_000_000", "dram.organization.channels=2").peak_bytes_per_second == (
        base.peak_bytes_per_second
    )
    assert part_of("dram.power.currents_ma.IDD0=120").power.currents_ma.IDD0 == 120
    assert part_of("dram.timing_cycles.CL=14", "dram.part=ddr4-2400").timing_cycles.RCD == 16
    assert part_of() == base


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("energy.mac=1", "energy.mac: unknown key; did you mean macs?"),
        ("energy.macs=-1", "energy.macs: is -1; give a value of at least 0.0"),
        ("energy.macs=much", "energy.macs: is 'much'; give a number"),
        ("dram.timing_cycles.CLL=3", "dram.timing_cycles.CLL: unknown key; did you mean CL?"),
        ("dram.timing_cycles.RAS=3", "dram.timing_cycles.RAS: is 3, less than RCD (11)"),
        ("dram.organization.columns=2", "dram.organization.columns: is 2 for bursts of 8"),
        ("dram.power.currents_ma.IDD0=1", "dram.power.currents_ma.IDD0: is 1 mA, and standby alone"),
    ],
)
def test_a_message_names_the_key(override: str, told: str) -> None:
    with pytest.raises(InputError, match=f"^--set: {re.escape(told)}"):
        load_accelerator(overrides=[COMMANDS, override])


def test_keys_of_the_part_go_with_a_part() -> None:
    with pytest.raises(InputError, match=r"dram.timing_cycles: changes a part, and part is null"):
        load_accelerator(overrides=["dram.timing_cycles.CL=14", "dram.part=null"])


def test_a_file_means_paths_from_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the current folder has under the same name; the command line means that one."""
    sub = tmp_path / "sub"
    written(sub, "energy.yaml", "{extends: 45nm, actions: {macs: {energy_pj: 2, source: s}}}")
    written(sub, "dram.yaml", "{extends: ddr3-1600, timing_cycles: {CL: 12}}")
    written(sub, "base.yaml", "{extends: max, array: {rows: 7}, energy_table: energy.yaml}")
    written(sub, "mine.yaml", "{extends: base.yaml, dram: {model: commands, part: dram.yaml}}")
    written(tmp_path, "energy.yaml", "{extends: 45nm, actions: {macs: {energy_pj: 3, source: s}}}")
    written(tmp_path, "dram.yaml", "{extends: ddr3-1600, timing_cycles: {CL: 13}}")
    written(tmp_path, "base.yaml", "{extends: max, array: {rows: 6}}")
    monkeypatch.chdir(tmp_path)
    spec = load_accelerator("sub/mine.yaml")
    assert spec.array.rows == 7
    assert energy_table_of(spec).energy(ActionCounts(macs=1), 0).total == 2
    assert isinstance(spec.dram, CommandDram) and spec.dram.memory.timing_cycles.CL == 12
    read = {path.resolve() for path in spec_files("sub/mine.yaml", [spec]) if path.resolve().is_relative_to(tmp_path)}
    assert read == {sub / name for name in ("energy.yaml", "dram.yaml", "base.yaml", "mine.yaml")}
    given = load_accelerator("sub/mine.yaml", overrides=["energy_table=energy.yaml", "dram.part=dram.yaml"])
    assert energy_table_of(given).energy(ActionCounts(macs=1), 0).total == 3
    assert isinstance(given.dram, CommandDram) and given.dram.memory.timing_cycles.CL == 13
    monkeypatch.chdir(sub)
    assert energy_table_of(load_accelerator("mine.yaml")).energy(ActionCounts(macs=1), 0).total == 2


def test_show_tells_the_kind_of_an_overlay(tmp_path: Path) -> None:
    """Its keys may be those of any kind: what it extends tells, over files, too."""
    written(tmp_path, "a.yaml", "{extends: 45nm, node_nm: 32}")
    written(tmp_path, "b.yaml", "{extends: a.yaml}")
    written(tmp_path, "c.yaml", "{extends: lpddr4-3200}")
    written(tmp_path, "d.yaml", "{extends: 45nx}")
    assert "node_nm: 32\n" in run_here("show", str(tmp_path / "b.yaml")).out
    assert "name: c\n" in run_here("show", str(tmp_path / "c.yaml")).out
    told = run_here("show", str(tmp_path / "d.yaml"))
    assert told.code == 2 and told.err.endswith(
        "d.yaml: extends: '45nx' is no such config; did you mean 45nm? or give a file\n"
    )
