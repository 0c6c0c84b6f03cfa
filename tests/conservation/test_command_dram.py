"""Whole batches on a DRAM of commands."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import chains, make_trace
from test_kept_outputs import CHAIN

from dataflows.dataflow import dataflow_names
from simulator.cli.main import cli
from simulator.dram.idle import idle_counts
from simulator.dram.models.commands import CommandDram
from simulator.dram.part import load_part
from simulator.machine.spec_loading import load_accelerator, load_designs
from simulator.run.simulation import Simulation, compare, simulate
from workloads.foundation.shipped import shipped_folder, shipped_names
from workloads.trace import Trace, load_trace

COMMANDS = ["dram.model=commands"]
PARTS = list(shipped_names("configs/dram"))
STARVED = [*COMMANDS, "frequency_hz=2000000000", "global_buffer.banks=4", "global_buffer.bank_bytes=8192",
           "second_array.buffer_banks=1", "predictor_sram.banks=1", "predictor_sram.bank_bytes=20000"]  # fmt: skip


@settings(max_examples=10, deadline=None)
@given(chains(), st.sampled_from(sorted(dataflow_names())), st.sampled_from(PARTS))
def test_batches_one_by_one_equal_composed_ones(trace: Trace, dataflow: str, part: str) -> None:
    """A fast clock and a small buffer, so that arrays wait for the channel, and refreshes come due everywhere."""
    overrides = [*STARVED, f"dram.part={part}", f"dram.capacity_bytes={load_part(part).capacity_bytes}"]
    for run in compare(trace, load_designs(dataflow=dataflow, overrides=overrides), exact=(4, 6)).runs:
        assert run.exact is not None
        assert run.exact.equal


def test_bytes_are_those_of_any_memory() -> None:
    trace = make_trace(CHAIN)
    for design in ("baseline", "max"):
        bytes_moved = []
        for overrides in (COMMANDS, ["tiling_slack_percent=null"]):
            run = simulate(trace, load_accelerator(design=design, overrides=overrides)).runs[0]
            bytes_moved.append([(p.dram_read_bytes_per_batch, p.dram_write_bytes_per_batch) for p in run.phases])
        assert bytes_moved[0] == bytes_moved[1]


@pytest.mark.parametrize("model", ["bandwidth", "commands"])
def test_what_costs_by_time_stands_in_one_row(model: str) -> None:
    """DDR3-1600 refreshes every 7.8 us: 1,560 cycles of 200 MHz; a batch's refreshes are those that came due in it."""
    spec = load_accelerator(design="max", overrides=[f"dram.model={model}"])
    run = Simulation(load_trace("digits-cnn"), spec).run()
    for phase in run.phases:
        row = next(r for r in run.rows if r.layer == "(batch)" and r.phase == phase.phase)
        assert row.counts.dram_refreshes in (phase.cycles_per_batch // 1560, (phase.cycles_per_batch - 70) // 1560)
        counts = [r.counts for r in run.rows if r.phase == phase.phase]
        active, standby, asleep = (
            sum(getattr(one, f"dram_{state}_rank_cycles") for one in counts)
            for state in ("active", "standby", "power_down")
        )
        assert min(active, standby, asleep) > 0
        assert active + standby + asleep == phase.cycles_per_batch  # the one rank is in one state in each cycle
        # eight devices of 1.35 V, cycles of 5 ns: 2.754 nJ with a bank open, 1.944 closed, 0.594 in power-down
        dram = [r.energy for r in run.rows if r.phase == phase.phase]
        assert sum(e.dram_background for e in dram) == pytest.approx(
            2754.0 * active + 1944.0 * standby + 594.0 * asleep
        )
        assert row.energy.dram_refresh == pytest.approx(row.counts.dram_refreshes * 10.8 * 1.25 * (245 - 51) * 280)
        assert row.energy.dram_access == 0
        assert sum(one.dram_activates for one in counts) > 0


def test_energy_by_ranks_and_channels_by_hand(tmp_path: Path) -> None:
    """Three channels of two ranks; a device of 1.35 V, eight a rank, 1.25 ns a cycle: 13.5 pJ a mA and cycle.

    A refresh is of all six ranks; states cost by the rank. At 200 MHz a cycle of the arrays is four of the memory.
    """
    data = load_part("ddr3-1600").model_dump(mode="json")
    data["organization"] |= {"channels": 3, "ranks": 2}
    path = tmp_path / "wide.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    dram = CommandDram(model="commands", part=str(path), capacity_bytes=1, queue_depth=32)
    expected = {
        "read": 13.5 * (125 - 51) * 4 / 64,
        "write": 13.5 * (125 - 51) * 4 / 64,
        "activate": 13.5 * (67 * 39 - 51 * 28 - 36 * 11),
        "refresh": 6 * 13.5 * (245 - 51) * 280,
        "active_rank_cycle": 4 * 13.5 * 51,
        "standby_rank_cycle": 4 * 13.5 * 36,
        "power_down_rank_cycle": 4 * 13.5 * 11,
        "self_refresh_rank_cycle": 4 * 13.5 * 24,
    }
    for command, energy in expected.items():
        assert dram.energy_pj(command, 200_000_000) == pytest.approx(energy), command
    # a transfer of 10 cycles in a batch of 40: one rank of each channel has it, and the others stand by
    one = [np.array([value]) for value in (20, 30, 10)]
    counts = idle_counts(dram, 200_000_000, *one, batch_cycles=40, made=0)
    assert counts.dram_standby_rank_cycles == 6 * 30 + 3 * 10


def test_results_name_the_part_and_what_it_says(tmp_path: Path) -> None:
    part = tmp_path / "mine.yaml"
    shutil.copy(shipped_folder("configs/dram") / "ddr3-1600.yaml", part)
    out, settings = tmp_path / "out", ["--set", "dram.model=commands", "--set", f"dram.part={part}"]
    result = CliRunner().invoke(cli, ["simulate", "digits-cnn", *settings, "--out", str(out)])
    assert result.exit_code == 0, result.output
    resolved = yaml.safe_load((out / "config.resolved.yaml").read_text(encoding="utf-8"))
    assert resolved["dram_parts"][str(part)]["timing_cycles"]["RCD"] == 11
    inputs = json.loads((out / "provenance.json").read_text(encoding="utf-8"))["inputs"]
    assert inputs[str(part)] == hashlib.sha256(part.read_bytes()).hexdigest()


def test_a_faster_part_is_never_slower_far_from_it() -> None:
    trace = load_trace("digits-cnn")
    cycles = {}
    for part in ("ddr3-1600", "ddr4-2400"):
        overrides = [*COMMANDS, f"dram.part={part}"]
        cycles[part] = simulate(trace, load_accelerator(design="efficient", overrides=overrides)).runs[0].total_cycles
    assert cycles["ddr4-2400"] <= cycles["ddr3-1600"]


def test_ideal_memory_takes_compute_cycles_alone() -> None:
    trace = make_trace(CHAIN)
    for flow in ("ws", "rs"):
        spec = load_accelerator(design="baseline", dataflow=flow, overrides=["dram.model=ideal"])
        for row in simulate(trace, spec).runs[0].rows:
            assert row.cycles == row.compute_cycles
    assert np.all([row.dram_cycles == 0 for row in simulate(trace, spec).runs[0].rows])
