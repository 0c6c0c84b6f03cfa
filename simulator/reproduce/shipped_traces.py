"""Shipped traces, each read once in a process: jobs of one family ask for the same ones."""

from functools import lru_cache

from workloads.trace import Trace, load_trace


@lru_cache(maxsize=64)
def shipped_trace(name: str) -> Trace:
    """Return a shipped trace by name."""
    return load_trace(name)
