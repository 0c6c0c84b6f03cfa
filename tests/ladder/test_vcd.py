"""The value change dump, read back."""

from itertools import product as pairs
from pathlib import Path

import numpy as np
import pytest
from array_specs import IN_FLOATS, JOB_ARRAYS
from samples import sampled
from waves import read_vcd

from dataflows.arrays.job import Geometry, JobArray, Ports
from dataflows.arrays.stepped import step_job
from dataflows.arrays.vcd import write_vcd


@pytest.mark.parametrize(
    ("array", "dtype"),
    sampled(pairs(JOB_ARRAYS, (np.int64, np.float64)), lambda case: case[1] is np.int64 or case[0] == IN_FLOATS),
    ids=lambda value: getattr(value, "name", None) or value.__name__,
)
def test_dump_reads_back(array: JobArray, dtype: type, tmp_path: Path) -> None:
    numbers = np.random.default_rng(3)
    moving, stationary = (numbers.integers(-50, 50, size).astype(dtype) for size in ((2, 4, 5), (2, 5, 7)))
    job = step_job(array, Geometry(3, 4, Ports(4, 3, 2)), moving, stationary, dump_cycles=1000)
    fold = np.arange(job.cycles) // 7
    write_vcd(job.registers, tmp_path / "job.vcd", fold, dict.fromkeys(job.registers, 32))
    found = read_vcd(tmp_path / "job.vcd")
    assert {name for name in found if not name.startswith("before")} == {*job.registers, "clk", "cycle", "fold"}
    for name, values in job.registers.items():
        assert found[name].shape == values.shape
        assert np.array_equal(found[name], values), name
    assert found["before cycle"].tolist() == list(range(job.cycles))
    assert found["before fold"].tolist() == fold.tolist()


def test_names_and_times_of_a_dump(tmp_path: Path) -> None:
    """A weight of 2 that becomes -1 in the second cycle, on an array of 1 x 2, written by hand."""
    write_vcd({"weight": np.array([[[2, 0]], [[-1, 0]]])}, tmp_path / "w.vcd", np.array([0, 1]), {"weight": 4})
    header, body = (tmp_path / "w.vcd").read_text().split("$enddefinitions $end\n")
    assert "$var wire 4 $ weight[0][0] [3:0] $end" in header
    assert "$var wire 4 % weight[0][1] [3:0] $end" in header
    assert " ".join(body.split()) == (
        '#0 0! b0 " b0 # b0 $ b0 % #5 1! b1 " b1 # b10 $ #10 0! #15 1! b10 " b1111 $ #20 0!'
    )
