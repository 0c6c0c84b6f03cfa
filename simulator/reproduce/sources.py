"""What a job's result depends on: the model, the job's own code, and its trace."""

from hashlib import sha256

from simulator.jobs.model_version import model_version
from simulator.reproduce.jobs.job import Job
from workloads.foundation.shipped import resolve

JOBS = "simulator/reproduce/jobs/"


class Sources:
    """Digests of what jobs depend on, as it is when this object is made.

    Attributes
    ----------
    whole : str
        Digest of the code and of the machine's files, without traces.
    """

    def __init__(self) -> None:
        self.whole = model_version(JOBS)
        self._traces: dict[str, str] = {}

    def digest(self, job: Job) -> str:
        """Return a digest of the code that computes a job, of the machine's files and of its trace."""
        if job.trace not in self._traces:
            self._traces[job.trace] = sha256(resolve(job.trace, "traces", "trace").read_bytes()).hexdigest()
        return sha256((self.whole + self._traces[job.trace]).encode()).hexdigest()
