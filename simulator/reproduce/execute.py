"""Run jobs: those that are not in the store yet, over several processes."""

import gc
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import active_children, get_context, parent_process
from threading import Thread

from simulator.reproduce.jobs.job import Findings, Job, Plain
from simulator.reproduce.store import Store

OnDone = Callable[[str], None]
Family = tuple[Job, ...]


def missing_jobs(jobs: Iterable[Job], store: Store) -> tuple[dict[Job, Plain], list[Job]]:
    """Return what the store has, and the jobs that it lacks, each once."""
    kept = {job: store.find(job) for job in dict.fromkeys(jobs)}
    return {job: one for job, one in kept.items() if one is not None}, [job for job in kept if kept[job] is None]


def run_jobs(jobs: Sequence[Job], store: Store, processes: int, on_done: OnDone) -> Findings:
    """Return the results of jobs, and keep each family's as soon as it is there.

    Parameters
    ----------
    jobs : sequence of Job
        All of them are run; results do not depend on their order, nor on the number of processes.
    on_done : callable
        Called with a line for each job that is done.

    Raises
    ------
    InputError
        If a job cannot be run.
    """
    results: dict[Job, Plain] = {}
    for family, found in _computed(_families(jobs), processes):
        pairs = list(zip(family, found, strict=True))
        store.keep(pairs)
        results.update(pairs)
        for job in family:
            on_done(job.family)
    return results


def _families(jobs: Sequence[Job]) -> list[Family]:
    """Return jobs by family, the heaviest family first, so that none is left to run alone at the end."""
    by_name: dict[str, list[Job]] = {}
    for job in jobs:
        by_name.setdefault(job.family, []).append(job)
    return sorted((tuple(family) for family in by_name.values()), key=lambda family: -sum(job.weight for job in family))


def _computed(families: Sequence[Family], processes: int) -> Iterator[tuple[Family, list[Plain]]]:
    if processes == 1 or len(families) < 2:
        for family in families:
            yield family, compute_family(family)
        return
    # New processes, not forked ones: the parent may have threads, of a progress bar for one.
    count, context = min(processes, len(families)), get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context, initializer=_begin) as pool:
        waiting: dict[Future[list[Plain]], Family] = {pool.submit(compute_family, one): one for one in families}
        try:
            while waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield waiting.pop(future), future.result()
        except BaseException:
            for process in active_children():  # what they compute is not wanted any more, and may take minutes
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin() -> None:
    """Prepare a process for jobs.

    It looks for cycles of garbage less often: plans make many objects and no cycles, and the search takes a fifth. It
    ends with the process that started it, and only so: Ctrl-C reaches both.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def compute_family(family: Family) -> list[Plain]:
    """Return the results of jobs that share tiles."""
    return [job.compute() for job in family]
