"""Datapaths in yosys: every register of the page, a DSP a PE, and the figures that are shipped."""

import shutil
from math import prod
from pathlib import Path

import pytest
from command_line import good, run_here
from samples import sampled

from dataflows.arrays.broadcast.output import BROADCAST_OUTPUT
from dataflows.arrays.broadcast.stationary import BROADCAST_STATIONARY
from dataflows.arrays.job import Geometry, JobArray, Ports
from simulator.area.datapath import Datapath, Figures, arrays_of, datapath_of, load_synthesis
from simulator.area.fpga import fpga_table
from simulator.area.synthesized import PRICES, fpga_watts, gate_prices, synthesized_baselines
from simulator.area.yosys import synthesized
from simulator.machine.spec_loading import load_accelerator, load_designs

needs_yosys = pytest.mark.skipif(shutil.which("yosys") is None, reason="needs yosys (Debian package yosys)")
ARRAYS = {"broadcast_stationary": BROADCAST_STATIONARY, "broadcast_os": BROADCAST_OUTPUT}
SMALL = ("--set", "array.columns=2", "--set", "second_array.rows=2", "--set", "second_array.columns=2",
         "--set", "second_array.weight_port_words_per_cycle=rows")  # fmt: skip


def staging_bits(one: Datapath) -> int:
    """Return the bits that wait at ports: none where a vector (a step) takes one cycle, else those of every side."""
    sides = [(one.rows, one.moving_port)]
    sides += [(one.columns, one.stationary_port)] if one.module == "broadcast_os" else []
    output = [-(-one.columns // one.output_port)] if one.module == "broadcast_stationary" else []
    cycles = max([-(-side // port) for side, port in sides] + output)
    return one.word_bits * sum(side for side, _ in sides) if cycles > 1 else 0


def page_bits(array: JobArray, one: Datapath) -> int:
    """Return the bits of all registers that docs/microarchitecture.md lists."""
    geometry = Geometry(one.rows, one.columns, Ports(one.stationary_port, one.moving_port, one.output_port))
    listed = array.registers(geometry)
    return sum(prod(each.shape) * (one.word_bits if each.is_word else one.sum_bits) for each in listed)


@pytest.mark.parametrize("one", load_synthesis(), ids=str)
def test_shipped_figures_have_every_register_of_the_page(one: Datapath) -> None:
    figures = load_synthesis()[one]
    assert figures.register_bits == page_bits(ARRAYS[one.module], one) + staging_bits(one)
    assert figures.dsps == one.rows * one.columns
    assert figures.flip_flops < figures.register_bits  # the others are inside DSPs


def of_max(place: int) -> Figures:
    spec = load_accelerator(design="max")
    datapath = datapath_of(spec, arrays_of(spec)[place])
    assert datapath is not None
    return load_synthesis()[datapath]


def test_weight_stationary_by_hand() -> None:
    """`weight`, `in`, `product` and level 1 are inside DSPs, and so is every adder of level 1 (half the PEs have one).

    A column of 12 rows has levels of 6, 3, 2 and 1 nodes; in level 3 one passes on. Above level 1 these are 3 + 1 + 1
    adders, and one accumulates: 6 of 32 LUTs, and 32 that leave the psum out in the first block.
    """
    first, second = of_max(0), of_max(1)
    assert first.register_bits == 180 * (16 + 16 + 32) + 12 * 16 + 15 * 32 * (6 + 3 + 2 + 1 + 1) == 17_952
    assert first.flip_flops == 180 * 16 + 15 * 32 * (3 + 2 + 1 + 1) == 6240
    assert first.luts == 15 * 32 * (3 + 1 + 1 + 1) + 15 * 32 + 15 == 3375  # 15: which of 15 steps of the load it is
    # 6 rows: levels of 3, 2, 1 nodes
    assert second.flip_flops == 90 * 16 + 15 * 32 * (2 + 1 + 1) == 3360
    assert (first.dsps, second.dsps) == (180, 90)


def test_the_step_to_max_in_table_4_is_half_an_array_and_the_baseline_is_no_array() -> None:
    rows = {design: resources for design, (resources, _) in fpga_table().items()}
    before, after, second = rows["efficient"], rows["max"], of_max(1)
    assert 0.8 < (after.dsps - before.dsps) / second.dsps < 1
    assert 0.4 < (after.clb_luts - before.clb_luts) / second.luts < 1
    assert 1 < (after.clb_registers - before.clb_registers) / second.flip_flops < 2
    assert of_max(0).luts < 0.01 * rows["baseline"].clb_luts
    assert of_max(0).flip_flops < 0.2 * rows["baseline"].clb_registers


def test_larger_baselines_by_hand() -> None:
    first, second = of_max(0), of_max(1)
    larger = synthesized_baselines(load_designs(), load_synthesis())
    found = {(one.budget.split(",")[0], one.design): one.pes for one in larger}
    # table 4, baseline: 0.046 W of 31,402 registers, 0.420 + 0.842 W of 472,004 LUTs, 0.009 W of 166 DSPs
    array = 0.046 * 6240 / 31_402 + 1.262 * 3375 / 472_004 + 0.009 * 180 / 166
    assert fpga_watts(first) == pytest.approx(array)
    assert found["FPGA power", "max"] == int(180 * (1 + 0.144 / array))
    # table 5: the step to MAX is 168,246 um2 and is taken to be the second array
    half = second.gates / first.gates
    assert found["ASIC area", "max"] == int(180 * (1 + (3_231_136 - 2_982_691) / (168_246 / half)))
    assert found["gates of arrays", "max"] == int(180 * (1 + half))
    assert found["gates of arrays", "efficient"] == 180
    assert gate_prices()[0] * second.gates == pytest.approx(168_246)
    assert len(found) == len(PRICES) * 3


def test_without_figures_of_an_array_there_is_no_reading() -> None:
    assert synthesized_baselines(load_designs(overrides=["array.rows=13"]), load_synthesis()) == []
    said = good(run_here("area", "--set", "array.rows=13")).out
    assert "No synthesis is known of broadcast_stationary of 13 x 15 PEs: adagp-sim synthesize" in said


def test_an_array_whose_rtl_has_no_datapath() -> None:
    spec = load_accelerator(overrides=["array.kind=systolic"])
    assert datapath_of(spec, spec.array) is None
    run = run_here("synthesize", "--dataflow", "rs")
    assert run.code == 2
    assert run.err.count("\n") == 1
    assert "choose the dataflow ws, is or os" in run.err


def test_without_yosys_it_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    run = run_here("synthesize", "--out", str(tmp_path / "made.csv"))
    assert run.code == 2
    assert run.err == "error: synthesize: needs yosys, which is not installed; apt-get install yosys (Debian)\n"
    assert not (tmp_path / "made.csv").exists()


@needs_yosys
@pytest.mark.parametrize("first", sampled([2, 3], lambda rows: rows == 2))  # equal arrays are synthesised once
def test_a_small_machine_from_rtl_to_area(first: int, tmp_path: Path) -> None:
    """3 x 2 PEs: levels of 2 and 1 nodes, level 1 of them inside DSPs; and 2 x 2."""
    made, small = tmp_path / "made.csv", ("--set", f"array.rows={first}", *SMALL)
    good(run_here("synthesize", *small, "--out", str(made)))
    assert {one.rows for one in load_synthesis(made)} == {first, 2}
    assert made.read_text().startswith(f"# adagp-sim synthesize --set array.rows={first}")
    for one, figures in load_synthesis(made).items():
        assert figures.register_bits == page_bits(BROADCAST_STATIONARY, one)
        assert figures.dsps == one.rows * one.columns
        above_level_1 = {3: 1, 2: 0}[one.rows]
        assert figures.flip_flops == 16 * one.rows * one.columns + 2 * 32 * (above_level_1 + 1)
    said = good(run_here("area", *small, "--synthesis", str(made))).out
    assert f"{first} x 2 + 2 x 2" in said
    assert "gates of arrays, array as synthesised" in said


@needs_yosys
@pytest.mark.long
def test_a_small_output_stationary_array() -> None:
    """Ports narrower than their sides: a step takes two cycles, and its words wait in as many bits as `a` and `b`."""
    figures = synthesized(BROADCAST_OUTPUT.rtl, Datapath("broadcast_os", 2, 3, 2, 1, 2, 16, 32))
    assert figures.register_bits == 2 * (2 + 3) * 16 + 3 * 6 * 32
    assert figures.dsps == 6


@needs_yosys
@pytest.mark.long
@pytest.mark.parametrize("one", load_synthesis(), ids=str)
def test_shipped_figures_are_made_again(one: Datapath) -> None:
    assert synthesized(ARRAYS[one.module].rtl, one) == load_synthesis()[one]


@pytest.mark.parametrize("text", ["module,rows\nx,1\n", ""])
def test_a_file_of_something_else_is_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text(text)
    run = run_here("area", "--synthesis", str(tmp_path / "other.csv"))
    assert run.code == 2
    assert run.err.count("\n") == 1


def test_the_page_has_the_shipped_figures() -> None:
    page = (Path(__file__).parents[2] / "docs/area.md").read_text(encoding="utf-8")
    names = {"broadcast_stationary": "ws, is", "broadcast_os": "os"}
    for one, f in load_synthesis().items():
        counts = (f.luts, f.flip_flops, f.dsps, f.register_bits, round(f.gates))
        cells = [names[one.module], f"{one.rows} x {one.columns}", *(f"{count:,}" for count in counts)]
        assert f"| {' | '.join(cells)} |\n" in page
