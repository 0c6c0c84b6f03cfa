"""Both DRAM models take the same currents, each with its own busy and idle times: their memory energies agree."""

import pytest
from registries import DRAM_PARTS, TRACES

from simulator.dram.part import load_part
from simulator.machine.spec_loading import load_accelerator
from simulator.run.results import RunResult
from simulator.run.simulation import Simulation
from workloads.trace import load_trace

QUICK = ("digits-cnn", "mobilenet-v2-cifar10")


def run(trace: str, design: str, *settings: str) -> RunResult:
    return Simulation(load_trace(trace), load_accelerator(design=design, overrides=settings)).run()


def check(trace: str, design: str) -> None:
    ours, commands = run(trace, design), run(trace, design, "dram.model=commands")
    assert ours.memory_energy_pj == pytest.approx(commands.memory_energy_pj, rel=0.1)
    for part in ("dram_background", "dram_refresh"):
        one, other = (sum(r.count * getattr(r.energy, part) for r in each.rows) for each in (ours, commands))
        assert one == pytest.approx(other, rel=0.1), part
    # The bandwidth model opens a row for each piece of a strided transfer, also where pieces share one: three times as
    # many rows for MAX on VGG, which makes its accesses a fifth dearer (and its memory energy a hundredth).
    one, other = (sum(r.count * r.energy.dram_access for r in each.rows) for each in (ours, commands))
    assert 0.9 * other <= one <= 1.25 * other


@pytest.mark.parametrize("design", ["baseline", "max"])
@pytest.mark.parametrize("trace", QUICK)
def test_models_agree(trace: str, design: str) -> None:
    check(trace, design)


@pytest.mark.long
@pytest.mark.parametrize("design", ["baseline", "max"])
@pytest.mark.parametrize("trace", [trace for trace in TRACES if trace not in QUICK])
def test_models_agree_on_every_trace(trace: str, design: str) -> None:
    check(trace, design)


@pytest.mark.parametrize("name", DRAM_PARTS)
def test_a_rank_is_in_one_state_in_each_cycle(name: str) -> None:
    """The states of a batch add up to its cycles, times all ranks."""
    part = load_part(name)
    ranks = part.organization.ranks * part.organization.channels
    settings = [f"dram.part={name}", f"dram.capacity_bytes={part.capacity_bytes}", "dram.self_refresh_after_ns=10000"]
    for model in ("bandwidth", "commands"):
        peak = [f"dram.peak_bytes_per_second={part.peak_bytes_per_second}"] if model == "bandwidth" else []
        found = run("digits-cnn", "low", f"dram.model={model}", *settings, *peak)
        for phase in found.phases:
            counts = [row.counts for row in found.rows if row.phase == phase.phase]
            states = [
                sum(getattr(one, f"dram_{state}_rank_cycles") for one in counts)
                for state in ("active", "standby", "power_down", "self_refresh")
            ]
            assert sum(states) == ranks * phase.cycles_per_batch, model
