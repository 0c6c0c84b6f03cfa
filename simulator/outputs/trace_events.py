"""Write the Trace Event format that Perfetto (ui.perfetto.dev) and chrome://tracing read; a cycle is 1 us there.

The format's unit of time is 1 us, so cycles stay integers. Events are written as they come: a timeline may have
millions.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Event = dict[str, Any]


def write_events(path: Path, events: Iterable[Event], network: str, batch_size: int) -> None:
    """Write events in the object form of the format, one a line."""
    metadata = {
        "time_unit": "1 us on screen = 1 cycle of the accelerator's clock",
        "network": network,
        "batch_size": batch_size,
    }
    encode = json.JSONEncoder(separators=(",", ":")).encode
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{"displayTimeUnit":"ns","metadata":{encode(metadata)},"traceEvents":[')
        separator = "\n"
        for event in events:
            file.write(separator + encode(event))
            separator = ",\n"
        file.write("\n]}\n")


def name(kind: str, text: str, process: int, thread: int) -> Event:
    """Return what gives a process (``process_name``) or a thread (``thread_name``) its name."""
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": text}}


def span(text: str, start: int, end: int, process: int, thread: int, arguments: Event | None = None) -> Event:
    """Return what is shown from one cycle to another on a thread."""
    event = {"ph": "X", "name": text, "ts": start, "dur": end - start, "pid": process, "tid": thread}
    return event if arguments is None else event | {"args": arguments}


def count(text: str, unit: str, at: int, value: float, process: int) -> Event:
    """Return what a counter shows from a cycle on; Perfetto calls its track by text and unit.

    It names thread 0, which every process has: readers that take a counter without a thread as one of the thread
    whose number is the process's would show a thread more.
    """
    return {"ph": "C", "name": text, "ts": at, "pid": process, "tid": 0, "args": {unit: value}}
