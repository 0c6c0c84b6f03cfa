"""`adagp-sim energy-table`: prices of Timeloop and hwcomponents by hand, and what is refused in one line."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml
from command_line import run_here

from dataflows.actions import ActionCounts
from simulator.energy.energy import energy_table_of
from simulator.machine.spec_loading import load_accelerator

# As Accelergy writes it: 0.4 names copies by [1..N], and 0.3 also tells reads apart by what changes.
ERT = """\
ERT:
    version: '0.4'
    tables:
      - name: system.DRAM[1..1]
        actions:
          - {name: read, arguments: {global_cycle_seconds: 1e-09}, energy: 512.0}
          - {name: leak, arguments: {}, energy: 0.0}
      - name: system.chip.glb[1..1]
        actions:
          - {name: read, arguments: {address_delta: 0, data_delta: 1}, energy: 20.0}
          - {name: read, arguments: {address_delta: 1, data_delta: 1}, energy: 24}
      - name: system.chip.PE[0..167].spad
        actions:
          - {name: write, arguments: null, energy: 0.5}
      - name: system.chip.PE[0..167].mac
        actions:
          - {name: compute, arguments: null, energy: 0.25}
          - {name: add, arguments: null, energy: 0.125}
      - name: system.other.spad
        actions:
          - {name: write, arguments: null, energy: 0.75}
"""
GLB = "glb(address_delta=1,data_delta=1).read"


def cost(table: Path, action: str, **settings: Any) -> float:
    spec = load_accelerator(design="max", overrides={"energy_table": str(table), **settings})
    return energy_table_of(spec).energy(ActionCounts(**{action: 1}), 0).total


def written(folder: Path, *prices: str, text: str = ERT) -> tuple[Path, Any]:
    ert, table = folder / "a.ERT.yaml", folder / "mine.yaml"
    ert.write_text(text, encoding="utf-8")
    asked = [word for price in prices for word in ("--price", price)]
    return table, run_here("energy-table", "timeloop", str(ert), *asked, "--out", str(table))


def test_prices_of_an_ert_by_hand(tmp_path: Path) -> None:
    table, done = written(
        tmp_path, "macs=mac.compute+mac.add", f"buffer_read_bytes={GLB}/64", "dram_read_bytes=DRAM.read/64",
        "operand_register_writes=system.chip.PE.spad.write/16",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert cost(table, "macs") == pytest.approx(0.375)
    assert cost(table, "buffer_read_bytes") == pytest.approx(24 / 8)
    assert cost(table, "dram_read_bytes") == pytest.approx(512 / 8)  # in place of the part's currents
    assert cost(table, "operand_register_writes") == pytest.approx(0.5)
    assert cost(table, "operand_register_writes", **{"precision.word_bits": 8}) == pytest.approx(0.25)
    assert cost(table, "adds") == pytest.approx(0.9)  # of 45nm, which it extends
    source = yaml.safe_load(table.read_text(encoding="utf-8"))["actions"]["buffer_read_bytes"]["source"]
    assert source == f"Timeloop's ERT a.ERT.yaml: {GLB} of 64 bits"


@pytest.mark.parametrize(
    ("price", "told"),
    [
        ("macs=mack.compute", "mack: no such component; did you mean mac?"),
        ("macs=mac.computer", "no such action; did you mean compute?"),
        ("mac=mac.compute", "mac: unknown action; did you mean macs?"),
        ("macs=mac.compute/16", "macs counts operations"),
        ("buffer_read_bytes=DRAM.read", "end it with the bits"),
        ("buffer_read_bytes=DRAM.read/12", "multiples of 8"),
        ("buffer_read_bytes=DRAM.read/0", "end it with the bits"),
        ("buffer_read_bytes=glb.read/64", "has 2 energies; give its arguments, such as glb(address_delta=1,"),
        ("buffer_read_bytes=glb(data_delta=0).read/64", "no action with these arguments"),
        ("operand_register_writes=spad.write/16", "names several components; give one of system.chip.PE[0..167].spad"),
        ("macs", "write ACTION=COMPONENT.ACTION/BITS"),
        ("macs=mac", "write ACTION=COMPONENT.ACTION/BITS"),
        ("buffer_read_bytes=glb(data_delta).read/64", "KEY=VALUE"),
    ],
)
def test_a_bad_price_is_one_line(price: str, told: str, tmp_path: Path) -> None:
    table, done = written(tmp_path, price)
    assert (done.code, done.err.count("\n"), table.exists()) == (2, 1, False)
    assert told in done.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ERT: {version: 0.2, tables: {mac: 1}}", "ERT.tables: missing, or no list"),
        ("[]", "ERT.tables"),
        ("ERT: {tables: [{name: mac}]}", "ERT.tables.0"),
        ("ERT: {tables: [{name: mac, actions: [{name: compute, energy: dear}]}]}", "ERT.tables.0.actions.0"),
        ("ERT: {tables: [{name: mac, actions: [{name: compute, energy: .inf}]}]}", "ERT.tables.0.actions.0"),
        ("ERT: {tables: [{name: mac, actions: [{name: compute, energy: -1}]}]}", "at least 0.0"),
    ],
)
def test_a_bad_ert_is_one_line(text: str, told: str, tmp_path: Path) -> None:
    table, done = written(tmp_path, "macs=mac.compute", text=text)
    assert (done.code, done.err.count("\n"), table.exists()) == (2, 1, False)
    assert told in done.err


def test_what_a_source_needs(tmp_path: Path) -> None:
    table = str(tmp_path / "mine.yaml")
    for arguments, told in (
        (["timelop"], "did you mean timeloop?"),
        (["timeloop"], "missing, and timeloop reads one"),
        (["hwcomponents", __file__], "reads no file"),
        (["hwcomponents"], "give the node"),
        (["hwcomponents", "--node-nm", "0"], "give the node"),
    ):
        done = run_here("energy-table", *arguments, "--out", table)
        assert (done.code, done.err.count("\n")) == (2, 1), arguments
        assert told in done.err
    done = written(tmp_path)[1]
    assert done.code == 2
    assert "timeloop gives no price by itself" in done.err
    done = written(tmp_path, "macs=mac.compute", "macs=mac.add")[1]
    assert "macs: is given twice" in done.err


class _Hwcomponents(ModuleType):
    """The calls of hwcomponents, with their units (joules and watts): prices that a hand can follow."""

    asked: list[tuple[str, dict[str, Any], str]]

    def get_action_cost(self, name: str, attributes: dict[str, Any], action: str, arguments: dict[str, Any]) -> Any:
        if name == "Unknown":
            raise RuntimeError("Can not find a model\n| Exception: no such thing\n")
        self.asked.append((name, attributes, action))
        joules = {"SRAM": attributes.get("size", 0) * 1e-18, "AladdinRegister": 1e-14 * attributes.get("width", 0)}
        return SimpleNamespace(energy=joules.get(name, 2e-12))

    def get_leak_power(self, name: str, attributes: dict[str, Any]) -> float:
        return 3e-6


@pytest.fixture
def hwcomponents(monkeypatch: pytest.MonkeyPatch) -> _Hwcomponents:
    """Replace hwcomponents by a module of ours, which needs a newer Python than the project."""
    found = _Hwcomponents("hwcomponents")
    found.asked = []
    monkeypatch.setitem(sys.modules, "hwcomponents", found)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "1.0")
    return found


def test_prices_of_hwcomponents_by_hand(hwcomponents: _Hwcomponents, tmp_path: Path) -> None:
    table = tmp_path / "mine.yaml"
    done = run_here(
        "energy-table", "hwcomponents", "--node-nm", "22", "--design", "max", "--out", str(table),
        "--price", "macs=IntMultiplier(width=8).multiply+IntAdder(width=32).add",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert cost(table, "macs") == pytest.approx(4.0)  # two of 2 pJ
    # a bank of 114,048 bytes, 1e-6 pJ a bit, 8 bytes an access; of the accumulators 1024 sums of 4 bytes
    assert cost(table, "buffer_read_bytes") == pytest.approx(8 * 114_048 * 1e-6 / 8)
    assert cost(table, "accumulator_write_bytes") == pytest.approx(8 * 4096 * 1e-6 / 4)
    assert cost(table, "product_register_writes") == pytest.approx(32 * 0.01)
    assert ("IntAdder", {"tech_node": 22e-9, "width": 32}, "add") in hwcomponents.asked
    spec = load_accelerator(design="max", overrides={"energy_table": str(table)})
    # 3 microwatts a bank, 64 banks of each memory
    assert energy_table_of(spec).leakage_mw == {"global_buffer": pytest.approx(0.192),
                                                "predictor_sram": pytest.approx(0.192)}  # fmt: skip


def test_what_hwcomponents_lacks_is_one_line(hwcomponents: _Hwcomponents, tmp_path: Path) -> None:
    table = tmp_path / "mine.yaml"
    done = run_here(
        "energy-table", "hwcomponents", "--node-nm", "22", "--price", "macs=Unknown.do", "--out", str(table)
    )
    assert (done.code, done.err.count("\n"), table.exists()) == (2, 1, False)
    assert "Unknown.do: gives no energy: Exception: no such thing" in done.err


@pytest.mark.skipif("hwcomponents" not in sys.modules and sys.version_info < (3, 12), reason="needs Python 3.12")
def test_hwcomponents_itself_agrees_with_the_tables(tmp_path: Path) -> None:
    """Aladdin's flip-flop, which the shipped tables take from its paper: 9 fJ at 40 nm, scaled to 45 nm."""
    pytest.importorskip("hwcomponents_library")
    from simulator.energy.sources import SourceRequest, Term, find_energy_source

    prices = find_energy_source("hwcomponents").open(SourceRequest(None, load_accelerator(design="max"), 45))
    assert prices.energy_pj(Term("AladdinRegister", "write", {"width": 1})) == pytest.approx(0.01042, rel=0.01)
