"""`sweep` from Python."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from simulator.api.messages import pythonic
from simulator.jobs.local import Here, Processes
from simulator.jobs.outcome import Workers
from simulator.sweep.results import SweepResults
from simulator.sweep.run import Sweep, results_of, run_sweep


def _silent(_done: int, _total: int, _word: str) -> None:
    return


@pythonic
def sweep(
    file: str | Path | Mapping[str, Any],
    out: str | Path | None = None,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    store: str | Path | None = None,
    time_limit_seconds: float = 600.0,
    progress: Callable[[int, int, str], Any] = _silent,
) -> SweepResults:
    """Simulate many machines (docs/how-to/sweep.md).

    Parameters
    ----------
    file : str, Path or mapping
        A YAML file, a shipped name, or what such a file says:
        ``{"trace": "vgg13-cifar10", "grid": {"array.rows": [6, 8], "design": ["baseline", "max"]}}``.
    out : str or Path, optional
        Folder of the results, where an earlier sweep goes on; by default nothing is kept.
    workers : int, optional
        Processes; else one a core. 0: in this process, without a time limit.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers run the sweep.
    store : str or Path, optional
        A store that several sweeps share; else results.sqlite in `out`.
    time_limit_seconds : float
        A point that takes longer fails, and all others go on.
    progress : callable
        Called with how many points of how many are done, and a word about the last ones.

    Returns
    -------
    SweepResults
        A row for each point, and the front of the best ones.

    Raises
    ------
    InputError
        If the file is wrong. A point that is wrong, hangs or kills its process is a row with its reason.
    """
    chosen: Workers = Here() if workers == 0 else Processes(workers or os.cpu_count() or 1, time_limit_seconds)
    if scheduler is not None:
        from simulator.jobs.cluster import Cluster

        chosen = Cluster(scheduler, time_limit_seconds)
    given = dict(file) if isinstance(file, Mapping) else file
    place = None if store is None else Path(store)
    if out is not None:
        return run_sweep(Sweep.of(given, Path(out), place), chosen, progress)
    with TemporaryDirectory() as folder:
        return run_sweep(Sweep.of(given, Path(folder) / "sweep", place), chosen, progress)


@pythonic
def sweep_results(out: str | Path) -> SweepResults:
    """Return what the sweep in a folder has come to so far; nothing is computed.

    Raises
    ------
    InputError
        If the folder holds no sweep.
    """
    return results_of(Sweep.kept_in(Path(out)))
