"""Change the code in one place at a time, and tell which changes no test notices.

    python -m tests.mutation simulator/engine simulator/energy workloads/shapes.py --sample 50

Results stand in `.mutation/mutants.csv`; a run goes on where it was stopped. The first run watches every test once,
in some ten minutes, to know which tests enter which functions; later runs watch only test files that changed. Named
tests may do without (`--tests tests/ladder/test_sram.py --unwatched`).
"""

import argparse
import csv
import random
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from queue import SimpleQueue

from .guards import NOTES, ROOT, GuardMap, digests, importers
from .mutants import Mutant, mutants_of
from .trial import Copy, Verdict

FOLDER = ROOT / ".mutation"
EQUIVALENT = Path(__file__).parent / "equivalent.csv"
COLUMNS = ("path", "function", "line", "kind", "before", "after", "outcome", "killer", "seconds")
Key = tuple[str, str, str, str]


def main() -> int:
    """Run the command and return its exit code: 1 where a mutant lives."""
    arguments = parse()
    FOLDER.mkdir(exist_ok=True)
    copies: SimpleQueue[Copy] = SimpleQueue()
    for index in range(arguments.jobs):
        copies.put(Copy(ROOT, FOLDER / f"copy-{index}"))
    known = None if arguments.unwatched else watched(copies, arguments.jobs, arguments.tests)
    areas = {path: sampled(path, arguments.sample, arguments.seed) for path in arguments.paths}
    mutants = list(dict.fromkeys(mutant for drawn in areas.values() for mutant in drawn))
    results, equivalent, wires = read_results(), read_equivalent(), importers(ROOT)
    excused = [mutant for mutant in mutants if key(mutant) in equivalent]
    mutants = [mutant for mutant in mutants if key(mutant) not in equivalent]

    def known_verdict(mutant: Mutant) -> bool:
        return key(mutant) in results and not (arguments.again and results[key(mutant)]["outcome"] == "survived")

    def judge(mutant: Mutant) -> tuple[Mutant, Verdict]:
        if known is None:
            tests, seconds = arguments.tests, arguments.budget
        else:
            tests, seconds = known.guards(mutant.path, mutant.function, wires, arguments.budget)
        if not tests:
            return mutant, Verdict("survived", "", 0.0)
        copy = copies.get()
        try:
            return mutant, copy.trial(mutant, tests, 60 + 4 * seconds, arguments.seed)
        finally:
            copies.put(copy)

    todo = [mutant for mutant in mutants if not known_verdict(mutant)]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for done, (mutant, verdict) in enumerate(pool.map(judge, todo), 1):
            results[key(mutant)] = row(mutant, verdict)
            write_results(results)
            print(
                f"[{done}/{len(todo)}] {verdict.outcome:8} {mutant.path}:{mutant.line} {mutant.kind}", file=sys.stderr
            )
    report_areas(areas, results)
    return report(mutants, results, len(excused))


def parse() -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("paths", nargs="+", help="modules, or folders of modules, that are changed")
    parser.add_argument("--tests", nargs="+", help="files of tests that may run (default: all)")
    parser.add_argument("--sample", type=int, metavar="N", help="only N changes of each path, drawn by --seed")
    parser.add_argument("--seed", type=int, default=0, help="of the sample, and of hypothesis (default: 0)")
    parser.add_argument("--budget", type=float, default=60, help="seconds of tests for a change (default: 60)")
    parser.add_argument("--jobs", type=int, default=2, help="changes on trial at once (default: 2)")
    parser.add_argument("--again", action="store_true", help="try changes again that lived")
    parser.add_argument(
        "--unwatched", action="store_true",
        help="run all of --tests, in their order, on every change; quicker for a few quick files",
    )  # fmt: skip
    arguments = parser.parse_args()
    if arguments.unwatched and not arguments.tests:
        parser.error("--unwatched runs all of --tests: name them")
    return arguments


def sampled(path: str, size: int | None, seed: int) -> list[Mutant]:
    """Return the changes of a module or a folder, or so many of them, drawn at random."""
    mutants = [mutant for file in python_files([path]) for mutant in mutants_of(ROOT, file)]
    return mutants if size is None or size >= len(mutants) else random.Random(seed).sample(mutants, size)


def watched(copies: "SimpleQueue[Copy]", jobs: int, files: list[str] | None) -> GuardMap:
    """Return what is known about tests, of some files or of all, after those that changed are watched."""
    path = FOLDER / "guards.json"
    known = GuardMap.read(path)
    wanted = set(digests(ROOT) if files is None else python_files(files))
    stale = sorted(wanted & set(known.stale(ROOT)))
    if stale:
        notes = FOLDER / "notes"
        shutil.rmtree(notes, ignore_errors=True)
        notes.mkdir()
        print(f"watching the tests of {len(stale)} files", file=sys.stderr)
        copy = copies.get()
        copy.pytest(["-q", "-n", str(jobs), "-p", "tests.mutation.guards", *stale], **{NOTES: str(notes)})
        copies.put(copy)
        known.watched(ROOT, stale, notes)
        known.write(path)
    return GuardMap(known.digests, [guard for guard in known.tests if guard.file in wanted])


def python_files(paths: list[str]) -> list[str]:
    """Return the modules that paths name, relative to the root."""
    found = []
    for name in paths:
        path = (ROOT / name).resolve()
        if not path.exists():
            sys.exit(f"{name}: no such file or folder")
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        found += [file.relative_to(ROOT).as_posix() for file in files]
    return found


@cache
def key(mutant: Mutant) -> Key:
    """Return what a mutant is known by when lines move: its place, and its lines before and after.

    It is taken when the run begins, so that files may be edited meanwhile.
    """
    before, after = mutant.lines((ROOT / mutant.path).read_bytes())
    return mutant.path, mutant.function, before, after


def row(mutant: Mutant, verdict: Verdict) -> dict[str, str]:
    """Return a mutant's row of the table."""
    path, function, before, after = key(mutant)
    values = (path, function, mutant.line, mutant.kind, before, after, *verdict)
    return dict(zip(COLUMNS, map(str, values), strict=True))


def read_results() -> dict[Key, dict[str, str]]:
    """Return the rows of earlier runs."""
    path = FOLDER / "mutants.csv"
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {(one["path"], one["function"], one["before"], one["after"]): one for one in rows}


def write_results(results: dict[Key, dict[str, str]]) -> None:
    """Write all rows, whole or not at all."""
    path = FOLDER / "mutants.csv"
    fresh = path.with_suffix(".new")
    with fresh.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(results.values())
    fresh.replace(path)


def read_equivalent() -> set[Key]:
    """Return the changes that change nothing, each with its reason in the table."""
    if not EQUIVALENT.is_file():
        return set()
    with EQUIVALENT.open(newline="", encoding="utf-8") as file:
        return {(one["path"], one["function"], one["before"], one["after"]) for one in csv.DictReader(file)}


def report_areas(areas: dict[str, list[Mutant]], results: dict[Key, dict[str, str]]) -> None:
    """Print how many of each path's changes died; those that change nothing do not count."""
    for path, mutants in areas.items():
        outcomes = [results[key(mutant)]["outcome"] for mutant in mutants if key(mutant) in results]
        print(f"{path}: {len(outcomes) - outcomes.count('survived')} of {len(outcomes)} died")


def report(mutants: list[Mutant], results: dict[Key, dict[str, str]], equivalent: int) -> int:
    """Print what lives, and the share that died."""
    rows = [results[key(mutant)] for mutant in mutants]
    living = [one for one in rows if one["outcome"] == "survived"]
    for one in living:
        print(
            f"\n{one['path']}:{one['line']} {one['function']} ({one['kind']})\n  - {one['before']}\n  + {one['after']}"
        )
    dead = len(rows) - len(living)
    share = 100 * dead / len(rows) if rows else 100.0
    print(f"\n{dead} of {len(rows)} died ({share:.1f} %), {len(living)} live; {equivalent} more change nothing")
    return 1 if living else 0


if __name__ == "__main__":
    sys.exit(main())
