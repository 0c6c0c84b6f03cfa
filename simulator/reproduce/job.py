"""A job: something to simulate, whose result is plain data.

A job is a frozen dataclass of plain values. Its result depends on these, the shipped files and the code alone, so it
can be kept (`simulator.reproduce.store`) and made in any process (`simulator.reproduce.execute`).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar, Protocol

Plain = Any  # what JSON holds: dicts with string keys, lists, numbers, strings, None
Findings = Mapping["Job", Plain]


class Job(Protocol):
    """What can be asked for."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def family(self) -> str:
        """Jobs of one family run one after the other in one process, where they share tiles."""

    @property
    def weight(self) -> int:
        """How long it takes beside others, roughly: the longest families start first."""

    def compute(self) -> Plain:
        """Return the result, as JSON would give it back."""

    def __hash__(self) -> int:
        """Exhibits may ask for the same job."""


def job_key(job: Job) -> str:
    """Return what tells a job from every other one."""
    return f"{type(job).__name__} {json.dumps(asdict(job), sort_keys=True)}"
