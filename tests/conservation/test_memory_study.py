"""Counting rules of memory-access energy, by hand (paper, figure 21)."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from networks import make_trace
from test_kept_outputs import CHAIN

from simulator.cli.main import cli
from simulator.energy.energy import ENERGY_PARTS
from simulator.machine.spec_loading import load_accelerator
from simulator.run.simulation import Simulation
from simulator.studies.memory_study import BESIDE, COUNTED, ON_CHIP, STAY, memory_study


def test_rules_by_hand() -> None:
    """Three convolutions on 8 x 8, batches of 4, words of 2 bytes; a ReLU after the first alone.

    DDR3-1600 reads and writes 64 bytes with 74 mA above standby, at 1.35 V, in eight devices, for 5 ns.
    """
    trace = make_trace(CHAIN)
    # nine batches: in the first two epochs three of Warm Up each, then gp gp bp, twice, and a gp
    counts = trace.schedule.counts()
    assert counts == {"warm_up": 6, "gp": 5, "bp": 2}
    rows = {
        row.rule: row
        for row in memory_study(trace, load_accelerator(design="baseline"), load_accelerator(design="efficient"))
    }
    plane, pj = 4 * 64 * 2, 74 * 1.35 * 8 * 5 / 64
    # channels: input 3, a 4, b 5, c 6. forward reads X and writes Y; dgrad (not of a) reads dY and writes dX; wgrad
    # reads X and dY
    forward = (3 + 4) + (4 + 5) + (5 + 6)
    backward = (3 + 4) + (4 + 5) * 2 + (5 + 6) * 2
    activations = rows["activations and their gradients"]
    assert activations.baseline_pj == pytest.approx(13 * (forward + backward) * plane * pj)
    assert activations.design_pj == pytest.approx((8 * (forward + backward) + 5 * forward) * plane * pj)
    masks = rows["outputs read again for the ReLU's mask"]
    assert masks.baseline_pj - activations.baseline_pj == pytest.approx(13 * 4 * plane * pj)
    assert masks.design_pj - activations.design_pj == pytest.approx(8 * 4 * plane * pj)
    weights = 2 * 9 * (3 * 4 + 4 * 5 + 5 * 6)
    after = rows["weights and their gradients"]
    passes = 3 * weights - 2 * 9 * 3 * 4  # forward, dgrad but of the first, wgrad
    assert after.baseline_pj - masks.baseline_pj == pytest.approx(13 * passes * pj)
    assert after.design_pj - masks.design_pj == pytest.approx((8 * passes + 5 * weights) * pj)
    updates, state = rows["weight updates"], rows["the optimizer's state"]
    assert updates.baseline_pj - after.baseline_pj == pytest.approx(13 * 3 * weights * pj)  # w, g; w
    assert state.baseline_pj - updates.baseline_pj == pytest.approx(13 * 2 * weights * pj)
    stays = rows[STAY]
    assert rows["the predictor"].design_pj - stays.design_pj == pytest.approx(5 * 2 * (4 + 5) * plane * pj)


def test_a_deep_network_approaches_two_sevenths() -> None:
    """With the mask, a BP batch moves seven activation tensors a layer and a GP batch two."""
    layers, before = [], "input"
    for index in range(30):
        layers.append({"id": f"conv{index}", "kind": "conv2d", "inputs": (before,), "C": 4, "H": 8, "W": 8, "K": 4,
                       "R": 3, "S": 3, "P": 8, "Q": 8, "padding": (1, 1)})  # fmt: skip
        layers.append({"id": f"relu{index}", "kind": "activation", "op": "relu", "inputs": (f"conv{index}",),
                       "shape": (4, 8, 8)})  # fmt: skip
        before = f"relu{index}"
    rows = memory_study(make_trace(layers), load_accelerator(design="baseline"), load_accelerator(design="max"))
    # the first layer has no dgrad: 5 of its 7
    bp, gp = 29 * 7 + 5, 30 * 2
    assert rows[1].reduction == pytest.approx(5 / 13 * (1 - gp / bp))


def test_rules_add_up_to_all_of_dram() -> None:
    trace, spec = make_trace(CHAIN), load_accelerator(design="low")
    run = Simulation(trace, spec).run()
    moved = sum(
        phase.batches * (phase.dram_read_bytes_per_batch + phase.dram_write_bytes_per_batch) for phase in run.phases
    )
    rows = memory_study(trace, load_accelerator(design="baseline"), spec)
    found = {row.rule: row.design_pj for row in rows}
    masks = rows[1].design_pj - rows[0].design_pj
    bytes_pj = 74 * 1.35 * 8 * 5 / 64 * moved
    assert found[STAY] - masks == pytest.approx(bytes_pj)
    energies = {part: sum(row.count * getattr(row.energy, part) for row in run.rows) for part in ENERGY_PARTS}
    chip = energies["accumulator"] + energies["global_buffer"] + energies["predictor_sram"]
    assert found[ON_CHIP] - found[STAY] == pytest.approx(chip)
    dram = energies["dram_access"] + energies["dram_background"] + energies["dram_refresh"]
    assert found[BESIDE] - found[ON_CHIP] == pytest.approx(dram - bytes_pj)
    assert found[COUNTED] == pytest.approx(chip + dram)


@pytest.mark.parametrize("settings", [[], ["dram.part=null"], ["dram.model=commands"]], ids=" ".join)
def test_commands_agree_on_memory_energy(settings: list[str], tmp_path: Path) -> None:
    """What `compare` prints and writes, what `memory` prints and the columns of layers.csv are one figure."""
    options = [word for setting in settings for word in ("--set", setting)]
    compared = CliRunner().invoke(cli, ["compare", "digits-cnn", *options, "--out", str(tmp_path)])
    assert compared.exit_code == 0, compared.output
    summary = {run["design"]: run for run in json.loads((tmp_path / "summary.json").read_text())["runs"]}
    rows = list(csv.DictReader((tmp_path / "layers.csv").open(encoding="utf-8")))
    parts = ("accumulator", "global_buffer", "predictor_sram", "dram_access", "dram_background", "dram_refresh")
    by_design = {
        design: sum(
            int(row["count"]) * float(row[f"energy_{part}_pj"])
            for row in rows if row["design"] == design for part in parts
        )
        for design in summary
    }  # fmt: skip
    printed = CliRunner().invoke(cli, ["memory", "digits-cnn", "--design", "low", *options, "--json"])
    assert printed.exit_code == 0, printed.output
    last = json.loads(printed.output[printed.output.index("{") :])["rules"][-1]
    assert last["baseline_pj"] == pytest.approx(by_design["baseline"])
    assert last["design_pj"] == pytest.approx(by_design["low"])
    saved = 1 - by_design["low"] / by_design["baseline"]
    assert last["reduction"] == pytest.approx(saved)
    assert summary["low"]["memory_energy_reduction"] == pytest.approx(saved)
    assert f"{saved:.1%}" in compared.output
