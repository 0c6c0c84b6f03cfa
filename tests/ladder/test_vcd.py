"""The value change dump, read back."""

from pathlib import Path

import numpy as np
import pytest
from array_specs import JOB_ARRAY_NAMES, JOB_ARRAYS

from dataflows.arrays.job import Geometry, JobArray, Ports
from dataflows.arrays.stepped import step_job
from dataflows.arrays.vcd import write_vcd


def read_back(path: Path, signed_bits: int) -> dict[str, dict[int, list[float]]]:
    """Return register -> element -> value at each time, by replaying the changes."""
    names: dict[str, tuple[str, int]] = {}
    scopes: list[str] = []
    now: dict[str, float] = {}
    history: dict[str, dict[int, list[float]]] = {}
    lines = path.read_text().splitlines()
    body = lines.index("$enddefinitions $end")
    for line in lines[:body]:
        words = line.split()
        if words[0] == "$scope":
            scopes.append(words[2])
        elif words[0] == "$upscope":
            scopes.pop()
        elif words[0] == "$var":
            names[words[3]] = (scopes[-1], int(words[4][1:]))
    times = 0

    def keep() -> None:
        for code, (name, element) in names.items():
            history.setdefault(name, {}).setdefault(element, []).append(now[code])

    for line in lines[body + 1 :]:
        if line.startswith("#"):
            assert line == f"#{times}"
            if times:
                keep()
            times += 1
        else:
            value, code = line.split()
            number = int(value[1:], 2) if value[0] == "b" else float(value[1:])
            if value[0] == "b" and number >= 1 << (signed_bits - 1):
                number -= 1 << signed_bits
            now[code] = number
    keep()
    return history


@pytest.mark.parametrize("array", JOB_ARRAYS, ids=JOB_ARRAY_NAMES)
@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_dump_reads_back(array: JobArray, dtype: type, tmp_path: Path) -> None:
    numbers = np.random.default_rng(3)
    moving, stationary = (numbers.integers(-50, 50, size).astype(dtype) for size in ((2, 4, 5), (2, 5, 7)))
    job = step_job(array, Geometry(3, 4, Ports(4, 3, 2)), moving, stationary, dump_cycles=1000)
    write_vcd(job.registers, tmp_path / "job.vcd", width_bits=32)
    found = read_back(tmp_path / "job.vcd", 32)
    assert set(found) == set(job.registers)
    for name, values in job.registers.items():
        for element in range(values.shape[1]):
            assert found[name][element] == [0.0, *values[:, element].tolist()]
