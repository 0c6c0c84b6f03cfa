"""The project's own RTL in Icarus Verilog; only in a checkout, where the RTL is."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from simulator.validation.comparison import Case, Comparison, Row
from workloads.foundation.errors import InputError

_SCRIPT = Path(__file__).resolve().parents[3] / "tests" / "rtl" / "compare.py"
_ARGUMENTS: tuple[str, ...] = ()  # of the script: none for all jobs


def _missing() -> str:
    if not _SCRIPT.is_file():
        return "a checkout, which has the RTL"
    return "" if shutil.which("iverilog") else "Icarus Verilog (iverilog)"


def _rows(_: Case) -> Iterator[Row]:
    run = subprocess.run([sys.executable, str(_SCRIPT), *_ARGUMENTS], capture_output=True, text=True, check=False)
    if run.returncode:
        problem = (run.stderr.strip().splitlines() or ["it fails"])[-1]
        raise InputError(str(_SCRIPT), "", problem, "run pytest tests/rtl")
    for number, (array, rtl, stepped) in enumerate(json.loads(run.stdout)):
        name = array.replace("_", " ")
        yield Row(f"{name}, job {number}", rtl, stepped, name)


COMPARISON = Comparison(
    "rtl", "RTL of the arrays", "cycles", "Icarus Verilog, tests/rtl",
    "Random jobs in the stepped model and in RTL: cycles and numbers, and of a part every register after every cycle. "
    "A job whose numbers differ would be here with 0 cycles. `pytest tests/rtl` has more jobs, and planted faults that "
    "it finds.", lambda case: tuple(_rows(case)), missing=_missing, rank=2,
)  # fmt: skip
