"""Change the code in one place at a time, and tell which changes no test notices.

    python -m tests.mutation simulator/engine simulator/energy workloads/shapes.py --sample 50

Results are in `.mutation/mutants.csv`; a run that was stopped can resume. A change is tried on the test files that
import its file by the fewest others: first the nearest, and if it lives those up to `--reach`. Of these run the tests
that enter the changed function, the quick ones first. Which enter it is known from watching each file once; a file that
changed is watched again. Named tests may do without (`--tests FILE --unwatched`).
"""

import argparse
import csv
import random
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import chain
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

from .examples import EXAMPLES
from .guards import NOTES, ROOT, GuardMap, importers, nearest
from .mutants import Mutant, mutants_of
from .trial import Copy, Verdict

FOLDER = ROOT / ".mutation"
EQUIVALENT = Path(__file__).parent / "equivalent.csv"
COLUMNS = ("path", "function", "line", "kind", "before", "after", "outcome", "killer", "seconds")
NEAREST = 2  # files of tests that are tried first
FEW = 10  # examples of a property that are watched: they enter what the others enter
LONGEST_WATCH = 60  # seconds of a file, on average; tests that did not come to run by then guard nothing
Key = tuple[str, str, str, str]


def main() -> int:
    """Run the command and return its exit code: 1 where a mutant lives."""
    arguments = parse()
    FOLDER.mkdir(exist_ok=True)
    copies: SimpleQueue[Copy] = SimpleQueue()
    for index in range(arguments.jobs):
        copies.put(Copy(ROOT, FOLDER / f"copy-{index}"))
    areas = {path: sampled(path, arguments.sample, arguments.seed) for path in arguments.paths}
    mutants = list(dict.fromkeys(mutant for drawn in areas.values() for mutant in drawn))
    results, equivalent = read_results(), read_equivalent()
    watch, draws = Watch(arguments.tests, arguments.budget), (arguments.seed, arguments.examples)
    excused = [mutant for mutant in mutants if key(mutant) in equivalent]
    mutants = [mutant for mutant in mutants if key(mutant) not in equivalent]

    def known_verdict(mutant: Mutant) -> bool:
        return key(mutant) in results and not (arguments.again and results[key(mutant)]["outcome"] == "survived")

    def judge(mutant: Mutant) -> tuple[Mutant, Verdict]:
        copy = copies.get()
        try:
            if arguments.unwatched:
                return mutant, copy.trial(mutant, arguments.tests, limit(arguments.budget), *draws)
            return mutant, watch.trial(copy, mutant, arguments.reach, *draws)
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
    parser.add_argument("--reach", type=int, default=12, help="nearest files of tests for a change (default: 12)")
    parser.add_argument("--examples", type=int, metavar="N", help="at most N examples of each property (default: all)")
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


class Watch:
    """What is known about tests, of some files or of all, which are watched when they are asked for.

    Parameters
    ----------
    files : list of str, optional
        Files and folders of tests that may run.
    budget : float
        Seconds of tests for a change.
    """

    def __init__(self, files: list[str] | None, budget: float) -> None:
        self.path = FOLDER / "guards.json"
        self.known = GuardMap.read(self.path)
        self.files = None if files is None else set(python_files(files))
        self.budget = budget
        self.wires = importers(ROOT)
        self.lock = Lock()

    def trial(self, copy: Copy, mutant: Mutant, reach: int, seed: int, examples: int | None) -> Verdict:
        """Run tests on a mutant until one fails, those of the nearest files first."""
        near = [file for file in nearest(mutant.path, self.wires) if self.files is None or file in self.files]
        spent = 0.0
        for files in (near[: min(NEAREST, reach)], near[NEAREST:reach]):
            known = self.watched(copy, files)
            tests, seconds = known.guards(mutant.path, mutant.function, self.wires, self.budget)
            verdict = Verdict("survived", "", 0.0)
            if tests:
                verdict = copy.trial(mutant, tests, limit(seconds), seed, examples)
            spent += verdict.seconds
            if verdict.outcome != "survived":
                break
        return verdict._replace(seconds=round(spent, 1))

    def watched(self, copy: Copy, files: list[str]) -> GuardMap:
        """Return what is known about the tests of some files, after those that changed are watched."""
        with self.lock:
            stale = sorted({*files} & {*self.known.stale(ROOT)})
            if stale:
                notes = FOLDER / "notes"
                shutil.rmtree(notes, ignore_errors=True)
                notes.mkdir()
                print("watching " + ", ".join(stale), file=sys.stderr)
                plugins = "no:cacheprovider", "tests.mutation.guards", "tests.mutation.examples"
                arguments = ["-q", "-n", "0", *chain.from_iterable(("-p", plugin) for plugin in plugins), *stale]
                copy.pytest(arguments, LONGEST_WATCH * len(stale), **{NOTES: str(notes), EXAMPLES: str(FEW)})
                self.known.watched(ROOT, stale, notes)
                self.known.write(self.path)
            return self.known.of(files)


def limit(seconds: float) -> float:
    """Return the seconds after which tests that take so many do not end: kernels are compiled anew, too."""
    return 60 + 4 * seconds


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
