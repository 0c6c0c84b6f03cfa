"""The systolic array whose folds overlap: measured cycles of an open array, and what overlapping saves, by hand."""

from itertools import product

import numpy as np
import pytest

from dataflows.arrays.job import Geometry, JobTiles, Ports
from dataflows.arrays.stepped import step_job
from dataflows.arrays.systolic_overlapped.output import OVERLAPPED_OUTPUT
from dataflows.arrays.systolic_overlapped.stationary import OVERLAPPED_STATIONARY
from simulator.machine.spec_loading import load_accelerator
from simulator.run.simulation import simulate
from workloads.trace import load_trace


def cycles_of(array, geometry: Geometry, groups: int, V: int, D: int, N: int) -> int:
    """Return a job's cycles by the closed form, once the stepped array has agreed."""
    stepped = step_job(array, geometry, np.ones((groups, V, D), np.int64), np.ones((groups, D, N), np.int64))
    timing = array.timing(geometry, JobTiles(*(np.array([size]) for size in (groups, V, D, N))))
    assert stepped.cycles == timing.fill_cycles + int(timing.stream_cycles[0]) + timing.drain_cycles
    return stepped.cycles


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 2), (4, 8), (8, 4), (3, 5), (16, 16), (12, 15)])
def test_sums_stay_in_the_cycles_of_an_open_array(rows: int, columns: int) -> None:
    """F K + R + 2 C + LM + LA - 2 cycles, measured in Verilator on abarajithan11/axis-systolic-array, `rtl/sa`.

    K steps in each of F folds; its multiplier and its adder have a register each, LM = LA = 1, as this array has.
    """
    geometry, multiplier, adder = Geometry(rows, columns, Ports(columns, rows, rows)), 1, 1
    for folds, steps in product((1, 2, 3, 7), (rows + columns, 2 * columns + rows, 50)):
        measured = folds * steps + rows + 2 * columns + multiplier + adder - 2
        assert cycles_of(OVERLAPPED_OUTPUT, geometry, folds, rows, steps, columns) == measured


def test_weights_load_behind_the_stream_by_hand() -> None:
    """4 x 4 PEs with wide ports: a load takes 4 cycles, and the last PE follows the first by 6.

    Three folds of 10 vectors: 4 to load the first, 30 vectors, 6 and a cycle for the swap. Of 2 vectors: each fold but
    the last takes the 4 cycles of the next one's load.
    """
    geometry = Geometry(4, 4, Ports(4, 4, 4))
    assert cycles_of(OVERLAPPED_STATIONARY, geometry, 3, 10, 4, 4) == 4 + 30 + 6 + 1
    assert cycles_of(OVERLAPPED_STATIONARY, geometry, 3, 2, 4, 4) == 4 + 4 + 4 + 2 + 6 + 1


def test_cycles_without_a_controller_equal_the_long_way() -> None:
    """Where only the datapath changes the kernels step in bursts, longer than the words that they keep near (256)."""
    numbers = np.random.default_rng(3)
    for rows, columns, long in ((3, 4, 700), (1, 1, 40), (5, 18, 300), (4, 2, 17)):
        for array, sizes in ((OVERLAPPED_STATIONARY, (2, long, 7, 9)), (OVERLAPPED_OUTPUT, (2, 7, long, 9))):
            groups, V, D, N = sizes
            moving, stationary = numbers.integers(-9, 10, (groups, V, D)), numbers.integers(-9, 10, (groups, D, N))
            geometry = Geometry(rows, columns, Ports(columns, rows, max(rows, columns)))
            fast = step_job(array, geometry, moving, stationary)
            slow = step_job(array, geometry, moving, stationary, dump_cycles=1)
            assert np.array_equal(fast.result, slow.result) and np.array_equal(fast.result, moving @ stationary)
            assert (fast.cycles, fast.macs, fast.traffic) == (slow.cycles, slow.macs, slow.traffic)
            assert fast.partial_sums_read == slow.partial_sums_read


@pytest.mark.parametrize("dataflow", ["ws", "is", "os"])
def test_a_network_is_no_slower_where_folds_overlap(dataflow: str) -> None:
    """The same PEs and ports, so the same tiles are open to both arrays."""
    cycles = {
        kind: simulate(
            load_trace("vgg13-cifar10"),
            load_accelerator(design="baseline", dataflow=dataflow, overrides=[f"array.kind={kind}"]),
        )
        .runs[0]
        .total_cycles
        for kind in ("systolic", "systolic_overlapped")
    }
    assert cycles["systolic_overlapped"] < cycles["systolic"]
