"""Jobs that misbehave, for tests of what runs them."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from workloads.foundation.errors import InputError


@dataclass(frozen=True)
class Odd:
    """A job that does as its order says.

    Attributes
    ----------
    number : int
        Its result is twice this.
    deed : str
        `kill`: kills its process, always. `kill-once`: the first time. `hang`, `refuse`, `fault`, or nothing.
    notes : str
        Folder in which each job notes that it ran.
    """

    number: int
    deed: str
    notes: str


def double(job: Odd) -> int:
    """Return twice the job's number, or do as its order says."""
    note = Path(job.notes) / str(job.number)
    ran_before = note.exists()
    with note.open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    if job.deed == "kill" or (job.deed == "kill-once" and not ran_before):
        os.kill(os.getpid(), signal.SIGKILL)
    if job.deed == "hang":
        time.sleep(3600)
    if job.deed == "refuse":
        raise InputError("here", "number", f"is {job.number}", "give another")
    if job.deed == "fault":
        raise ZeroDivisionError("of\nno number")
    return 2 * job.number
