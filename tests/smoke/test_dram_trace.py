"""`simulate --dram-trace`: what a batch asks of DRAM."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulator.cli.main import cli
from simulator.dram.part import load_part
from simulator.machine.spec_loading import load_accelerator
from simulator.outputs.dram_trace import burst_requests
from simulator.run.simulation import Simulation
from workloads.foundation.errors import InputError
from workloads.foundation.shipped import shipped_names
from workloads.schedule import Phase
from workloads.trace import load_trace

PARTS = list(shipped_names("configs/dram"))


@cache
def simulation(part: str | None) -> Simulation:
    """Digits on MAX, with a part by its commands or without one."""
    overrides = []
    if part is not None:
        capacity = load_part(part).capacity_bytes
        overrides = ["dram.model=commands", f"dram.part={part}", f"dram.capacity_bytes={capacity}"]
    return Simulation(load_trace("digits-cnn"), load_accelerator(design="max", overrides=overrides))


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


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("phase", ["bp", "gp"])
def test_every_byte_is_asked_for(phase: Phase, part: str) -> None:
    result, burst = simulation(part).run().phase(phase), load_part(part).burst_bytes
    asked = {False: 0, True: 0}
    for one in burst_requests(simulation(part), phase, 1 << 33):
        asked[one.write] += burst * len(one.addresses)
        assert len(np.unique(one.addresses)) == len(one.addresses)
    # pieces are rounded out to bursts, and never by more than two of them
    assert result.dram_read_bytes_per_batch <= asked[False] < 2 * result.dram_read_bytes_per_batch
    assert result.dram_write_bytes_per_batch <= asked[True] < 2 * result.dram_write_bytes_per_batch


@pytest.mark.parametrize("part", [None, *PARTS])
@given(st.integers(64, 1 << 34))
@settings(max_examples=15, deadline=None)
@example(3_000_001)
@example(64)
@example(127)
def test_addresses_are_whole_bursts_within_the_capacity(part: str | None, capacity_bytes: int) -> None:
    """A burst is as wide as the bus times its length, or 64 bytes where no part says so."""
    shape = None if part is None else load_part(part).organization
    burst = 64 if shape is None else shape.bus_width_bits * shape.burst_length // 8
    asked = np.concatenate([one.addresses for one in burst_requests(simulation(part), "bp", capacity_bytes)])
    whole = np.concatenate([one.addresses for one in burst_requests(simulation(part), "bp", 1 << 50)])
    assert np.all(asked % burst == 0)
    assert asked.min() >= 0
    assert asked.max() + burst <= capacity_bytes
    # beyond the last whole burst they begin again at 0: so many bursts are taken off, a whole number of times
    assert np.all((whole - asked) // burst % (capacity_bytes // burst) == 0)


def test_misaligned_capacity_on_the_command_line(tmp_path: Path) -> None:
    run("--design", "max", "--set", "dram.capacity_bytes=3000001", "--dram-trace", str(tmp_path / "t"))
    addresses = [int(line.split()[0], 16) for line in (tmp_path / "t").read_text().splitlines()]
    assert len(addresses) > 20_000
    assert all(address % 64 == 0 and address + 64 <= 3_000_001 for address in addresses)


def test_a_capacity_below_a_burst_is_refused() -> None:
    with pytest.raises(InputError, match=r"dram\.capacity_bytes: is 63, less than a burst; give at least 64"):
        next(burst_requests(simulation(None), "bp", 63))


def test_a_phase_that_the_run_has_not_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli, ["simulate", "digits-cnn", "--dram-trace", str(tmp_path / "x"), "--dram-trace-phase", "dni"]
    )
    assert isinstance(result.exception, InputError)
    assert not (tmp_path / "x").exists()
