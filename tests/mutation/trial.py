"""A copy of the tree in which mutants are put on trial."""

import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from .examples import EXAMPLES
from .mutants import Mutant


class Verdict(NamedTuple):
    """What became of a mutant: `killed`, `timeout` or `survived`; the test that noticed it, and the seconds it took."""

    outcome: str
    killer: str
    seconds: float


class Copy:
    """A copy of the working tree with a cache of compiled kernels of its own.

    A changed file gets a time stamp that none had before, since caches of compiled code know a file by its size and
    time stamp; after the trial the file is as before, time stamp included.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = root, folder
        self.stamp = int(time.time())
        listed = subprocess.run(
            ["git", "ls-files", "-coz", "--exclude-standard"], cwd=root, capture_output=True, check=True
        )
        names = [name for name in os.fsdecode(listed.stdout).split("\0") if name]
        for old in folder.iterdir() if folder.is_dir() else ():
            if old.name != ".cache":
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        for name in names:
            if (root / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, folder / name)

    def pytest(self, arguments: list[str], limit: float, **environment: str) -> tuple[int | None, str]:
        """Run pytest in the copy and return its exit code, None where it took too long, and what it said.

        Parameters
        ----------
        limit : float
            Seconds that a process may compute, however busy the machine is. One that waits may wait ten times as long.
        """
        shutil.rmtree(self.folder / ".hypothesis", ignore_errors=True)
        paths = os.pathsep.join((str(self.folder), str(self.folder / "tests")))
        own = {"PYTHONPATH": paths, "NUMBA_CACHE_DIR": str(self.folder / ".cache" / "numba"), "MPLBACKEND": "Agg"}
        own["WHOLE_PROPERTIES"] = "1"  # tests/property_depth.py: all examples, though sweeps are left out
        process = subprocess.Popen(
            ["sh", "-c", f'ulimit -t {math.ceil(limit)}; exec "$@"', "sh", sys.executable, "-m", "pytest", *arguments],
            cwd=self.folder, env=os.environ | own | environment, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            said, _ = process.communicate(timeout=10 * limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return None, ""
        return None if -process.returncode in (signal.SIGKILL, signal.SIGXCPU) else process.returncode, said

    def trial(self, mutant: Mutant, tests: list[str], limit: float, seed: int, examples: int | None = None) -> Verdict:
        """Run tests on a mutant until one fails.

        Parameters
        ----------
        limit : float
            Seconds after which the tests do not end; unless they take as long without the change.
        examples : int, optional
            The most of each property; all that it draws if nothing is given.
        """
        path = self.folder / mutant.path
        original, times = path.read_bytes(), path.stat()
        self.stamp = max(self.stamp + 1, int(time.time()))
        path.write_bytes(mutant.applied(original))
        os.utime(path, (self.stamp, self.stamp))
        chosen = self.folder / ".cache" / "tests"
        chosen.parent.mkdir(exist_ok=True)
        chosen.write_text("\n".join(tests), encoding="utf-8")
        options = ["-x", "-q", "--tb=no", "-n", "0", "-p", "no:cacheprovider", f"--hypothesis-seed={seed}"]
        fewer = {} if examples is None else {EXAMPLES: str(examples)}
        options += ["-p", "tests.mutation.examples"] * bool(fewer)
        start = time.monotonic()
        try:
            code, said = self.pytest([*options, f"@{chosen}"], limit, **fewer)
        finally:
            path.write_bytes(original)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        seconds = round(time.monotonic() - start, 1)
        if code is None:
            ends = self.pytest([*options, f"@{chosen}"], limit, **fewer)[0] is not None
            return Verdict("timeout" if ends else "survived", "", seconds)
        failed = re.search(r"(?m)^(?:FAILED|ERROR) (.+?)(?: - .*)?$", said)
        return Verdict("survived" if code == 0 else "killed", failed[1] if failed and code else "", seconds)
