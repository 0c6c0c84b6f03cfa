"""`simulate --dram-trace`: what a batch asks of DRAM."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from simulator.cli.main import cli
from simulator.machine.spec_loading import load_accelerator
from simulator.outputs.dram_trace import burst_requests
from simulator.run.simulation import Simulation
from workloads.trace import load_trace


def run(*arguments: str) -> None:
    result = CliRunner().invoke(cli, ["simulate", "digits-cnn", *arguments])
    assert result.exit_code == 0, result.output


def test_both_forms(tmp_path: Path) -> None:
    commands = ("--set", "dram.model=commands", "--design", "efficient", "--dram-trace-phase", "gp")
    run(*commands, "--dram-trace", str(tmp_path / "a.trc"))
    run(*commands, "--dram-trace", str(tmp_path / "b.trc"), "--dram-trace-form", "ramulator2")
    ours = [line.split() for line in (tmp_path / "a.trc").read_text().splitlines()]
    theirs = [line.split() for line in (tmp_path / "b.trc").read_text().splitlines()]
    assert [("ST" if kind == "WRITE" else "LD", address) for address, kind, _ in ours] == [tuple(t) for t in theirs]
    cycles = [int(cycle) for *_, cycle in ours]
    assert cycles == sorted(cycles)
    assert all(int(address, 16) % 64 == 0 for address, *_ in ours)


@pytest.mark.parametrize("phase", ["bp", "gp"])
def test_every_byte_is_asked_for(phase: str) -> None:
    spec = load_accelerator(design="max", overrides=["dram.model=commands"])
    simulation = Simulation(load_trace("digits-cnn"), spec)
    result = simulation.run().phase(phase)
    asked = {False: 0, True: 0}
    for one in burst_requests(simulation, phase, 1 << 33):
        asked[one.write] += 64 * len(one.addresses)
        assert len(np.unique(one.addresses)) == len(one.addresses)
    # pieces are rounded out to bursts of 64 bytes, and never by more than two of them
    assert result.dram_read_bytes_per_batch <= asked[False] < 2 * result.dram_read_bytes_per_batch
    assert result.dram_write_bytes_per_batch <= asked[True] < 2 * result.dram_write_bytes_per_batch


def test_a_phase_that_the_run_has_not_is_refused(tmp_path: Path) -> None:
    from workloads.foundation.errors import InputError

    result = CliRunner().invoke(
        cli, ["simulate", "digits-cnn", "--dram-trace", str(tmp_path / "x"), "--dram-trace-phase", "dni"]
    )
    assert isinstance(result.exception, InputError)
    assert not (tmp_path / "x").exists()
