"""Every dataflow on every kind of array: closed form = stepped kernel = numpy, and = RTL where there is one."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import row_stationary_simulator
import rtl_simulator
from array_specs import RUN_NAMES, RUNS, array_of, choices, specs
from hypothesis import given, settings
from hypothesis import strategies as st
from rtl_simulator import RtlResult, flat, have_icarus

from dataflows.array import PEArray
from dataflows.arrays.rtl import Rtl
from dataflows.dataflow import Dataflow
from dataflows.operands import ConvolutionOperands
from simulator.testing.products import check_closed_form, check_product, random_convolution


@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
@settings(max_examples=60, deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_closed_form_equals_kernel_equals_numpy(flow: Dataflow, kind: str, data: st.DataObject, seed: int) -> None:
    array = data.draw(specs(kind)).model_copy(update={"accumulator_sums": 0})  # which cuts a job into several
    check_product(flow, array, random_convolution(seed))


def run_jobs(flow: Dataflow, array: PEArray, operands: ConvolutionOperands, folder: Path) -> RtlResult:
    job = rtl_simulator.RtlJob(array.job_array(flow.way), flow.geometry(array), *flow.matrices(array, operands))
    return rtl_simulator.run_icarus(job, folder, dump=True)


def run_convolutions(flow: Dataflow, array: PEArray, operands: ConvolutionOperands, folder: Path) -> RtlResult:
    rows, mapping = array.row_array(), flow.mapping(array, operands.tiles)
    sizes = (rows.rows, rows.columns, rows.filter_port, rows.image_port, rows.output_port)
    pads = (rows.filter_words, rows.input_words, rows.sum_words)
    job = row_stationary_simulator.RowJob(
        *sizes, *pads, mapping, operands.image, operands.filters, operands.rows, operands.columns, *operands.sliding
    )
    return row_stationary_simulator.run_icarus(job, folder, dump=True)


BENCHES: dict[str, Callable[[Dataflow, PEArray, ConvolutionOperands, Path], RtlResult]] = {
    "jobs": run_jobs,
    "convolutions": run_convolutions,
}


def rtl_of(flow: Dataflow, array: PEArray) -> Rtl | None:
    return array.row_array().rtl if flow.way == "rows stay" else array.job_array(flow.way).rtl


@pytest.mark.skipif(not have_icarus(), reason="needs Icarus Verilog (Debian package iverilog)")
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
def test_kernel_equals_rtl(flow: Dataflow, kind: str, seed: int, tmp_path: Path) -> None:
    """Each of the kind's own words once; the arrays of test_stepped_equals_rtl.py are more."""
    for place, own in enumerate(choices(kind, flow)):
        array = array_of(kind, 3 + seed, 4 - seed, (2 + seed, 3, 2), **own)
        rtl = rtl_of(flow, array)
        if rtl is None:
            pytest.skip("no RTL")
        operands = random_convolution(100 * seed + place)
        stepped = flow.step(array, operands, dump_cycles=5000)
        check_closed_form(flow, array, operands, stepped)
        found = BENCHES[rtl.bench](flow, array, operands, tmp_path)
        assert found.cycles == stepped.cycles
        # a job's result has the matrices' layout; each word of it is a word of the convolution, or of one of its taps
        words = found.y.reshape(len(operands.filters), -1, *found.y.shape[1:]).sum(axis=1)
        assert np.array_equal(np.sort(words, axis=None), np.sort(stepped.result, axis=None))
        for name, values in flat(stepped.registers).items():
            assert np.array_equal(values, found.registers[name]), name
