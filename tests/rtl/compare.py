"""Print jobs as JSON, each with its cycles in RTL and stepped: ``python tests/rtl/compare.py``; needs Icarus Verilog.

A job whose numbers, or registers where they are compared, differ has no cycles stepped. ``compare.py 20`` does one job
in twenty.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "rtl")]

import test_row_stationary_equals_rtl as rows  # noqa: E402
from rtl_simulator import flat  # noqa: E402
from test_stepped_equals_rtl import both, cases, operands  # noqa: E402

ROW_JOBS = 30


def _same(stepped, rtl, registers: bool) -> bool:
    equal = np.array_equal(stepped.result, rtl.y)
    return equal and (
        not registers or all(np.array_equal(v, rtl.registers[n]) for n, v in flat(stepped.registers).items())
    )


def compared(part: int = 1) -> list[tuple[str, int, int]]:
    """Return (array, cycles in RTL, cycles stepped) of each job, or of one in so many of each kind of job."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for jobs_each, dump in ((1, True), (3, False)):
            for array, geometry, seed in cases(jobs_each)[::part]:
                job = operands(seed, (4 if geometry.rows * geometry.columns > 100 else 9) if dump else 16)
                stepped, rtl = both(array, geometry, job, Path(folder), dump)
                found.append((array.name, rtl.cycles, stepped.cycles if _same(stepped, rtl, dump) else 0))
        for seed in range(0, ROW_JOBS, part):
            stepped, rtl = rows.both(*rows.draw(seed), Path(folder))
            found.append(("row_stationary", rtl.cycles, stepped.cycles if _same(stepped, rtl, True) else 0))
    return found


if __name__ == "__main__":
    print(json.dumps(compared(*map(int, sys.argv[1:]))))
