"""The row `(batch)`: a batch ends with its last op and the refreshes that the DRAM still owes."""

import pytest
from networks import make_trace

from simulator.machine.spec_loading import load_accelerator, load_designs
from simulator.phases.design import designs
from simulator.run.results import BATCH_ROW, RunResult
from simulator.run.simulation import Simulation
from workloads.trace import load_trace


def checked(run: RunResult) -> list[int]:
    """Check each batch from its rows alone, and return the refresh cycles at their ends."""
    found = []
    for phase in run.phases:
        rows = [row for row in run.rows if row.phase == phase.phase]
        (last,) = [row for row in rows if row.layer == BATCH_ROW]
        ends = [row.end_cycle for row in rows if row.array is not None]
        assert phase.cycles_per_batch == max(ends) + last.barrier_refresh_cycles
        assert all(row.barrier_refresh_cycles == 0 for row in rows if row.array is not None)
        found.append(last.barrier_refresh_cycles)
    return found


@pytest.mark.parametrize("design", designs())
@pytest.mark.parametrize("dram", ["bandwidth", "commands"])
def test_batches_add_up(design: str, dram: str) -> None:
    overrides = [] if dram == "bandwidth" else ["dram.model=commands"]
    run = Simulation(load_trace("digits-cnn"), load_accelerator(design=design, overrides=overrides)).run()
    owed = checked(run)
    if dram == "bandwidth":
        assert owed == [0] * len(owed)  # nothing refreshes


def test_some_batch_owes_a_refresh() -> None:
    """A network as small as this has batches of all lengths; some end while a refresh is due."""
    owed: list[int] = []
    for size in range(20, 44, 2):
        layer = {"id": "a", "kind": "conv2d", "inputs": ("input",), "C": 8, "H": size, "W": size, "K": 8, "R": 1,
                 "S": 1, "P": size, "Q": size}  # fmt: skip
        for spec in load_designs(overrides=["dram.model=commands"]):
            owed += checked(Simulation(make_trace([layer]), spec).run())
    assert any(owed)
