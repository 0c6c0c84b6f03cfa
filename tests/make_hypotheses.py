"""Write configs/reproduce/hypotheses.csv: ``python tests/make_hypotheses.py [--keep DIR]`` (some minutes a machine).

With ``--keep`` results are kept in a folder, and a run that was stopped can resume.
"""

import argparse
import csv
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from simulator.reproduce.execute import missing_jobs, run_jobs  # noqa: E402
from simulator.reproduce.hypotheses import COLUMNS, FILE, cells, machines, rows  # noqa: E402
from simulator.reproduce.store import open_store  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="folder of what is simulated already")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="number of processes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        jobs = [machine.job(trace, dataflow) for machine in machines() for dataflow, trace in cells()]
        with open_store(folder) as store:
            found, missing = missing_jobs(jobs, store)
            found |= run_jobs(missing, store, options.jobs, lambda line: print(line, file=sys.stderr, flush=True))
    with (ROOT / "configs" / "reproduce" / FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows(found))


if __name__ == "__main__":
    main()
