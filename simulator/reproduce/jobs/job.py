"""A job: something to simulate, whose result is plain data.

A job is a frozen dataclass of plain values. Its result depends on these, on the shipped files and on the code that
computes it (`simulator.reproduce.sources`), so it can be kept and made in any process (`simulator.reproduce.execute`).
"""

import json
from collections.abc import Hashable, Mapping
from dataclasses import asdict
from typing import Any, ClassVar, Protocol

Plain = Any  # what JSON holds: dicts with string keys, lists, numbers, strings, None
Findings = Mapping["Job", Plain]


class Job(Hashable, Protocol):
    """What an exhibit can ask for; several may ask for the same."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def trace(self) -> str:
        """Name of the shipped trace that it reads."""

    @property
    def family(self) -> str:
        """Jobs of one family run one after the other in one process, where they share tiles."""

    @property
    def weight(self) -> int:
        """How long it takes beside others, roughly: the longest families start first."""

    def compute(self) -> Plain:
        """Return the result, as JSON would give it back."""


def job_key(job: Job) -> str:
    """Return what tells a job from every other one."""
    return f"{type(job).__name__} {json.dumps(asdict(job), sort_keys=True)}"
