"""A trace's file: it is whole, and the same when it is written and read again."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from simulator.testing.ladder import Ladder, hold
from workloads.foundation.shipped import shipped_names
from workloads.trace import load_trace
from workloads.trace_writer import write_trace


def check(name: str) -> None:
    """Check that a trace is read and written."""
    trace = load_trace(name)
    with TemporaryDirectory() as folder:
        write_trace(trace, Path(folder) / "trace.yaml")
        hold(load_trace(Path(folder) / "trace.yaml") == trace, "it is another trace when it is read again")


LADDER = Ladder("traces", "the same when it is written and read again", partial(shipped_names, "traces"), check)
