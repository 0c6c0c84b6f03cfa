"""Run jobs: those that are not in the store yet, over several processes."""

from collections.abc import Callable, Iterable, Sequence

from simulator.jobs.local import Here, Processes
from simulator.jobs.outcome import Done, Workers
from simulator.reproduce.jobs.job import Findings, Job, Plain, job_key
from simulator.reproduce.store import Store
from workloads.foundation.errors import InputError

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
    families = _families(jobs)
    workers: Workers = Here() if processes == 1 or len(families) < 2 else Processes(min(processes, len(families)))
    for answers in workers.run(compute, families):
        pairs = []
        for job, outcome in answers:
            if not isinstance(outcome, Done):
                raise InputError("reproduce", job_key(job), outcome.reason, "correct it; then run the command again")
            pairs.append((job, outcome.result))
        store.keep(pairs)
        results.update(pairs)
        for job, _ in pairs:
            on_done(job.family)
    return results


def _families(jobs: Sequence[Job]) -> list[Family]:
    """Return jobs by family, the heaviest family first, so that none is left to run alone at the end."""
    by_name: dict[str, list[Job]] = {}
    for job in jobs:
        by_name.setdefault(job.family, []).append(job)
    return sorted((tuple(family) for family in by_name.values()), key=lambda family: -sum(job.weight for job in family))


def compute(job: Job) -> Plain:
    """Return the result of a job."""
    return job.compute()
