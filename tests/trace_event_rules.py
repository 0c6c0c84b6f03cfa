"""The rules of the Trace Event format that Perfetto holds a JSON timeline to, for the events that ours has.

From the format's description ("Trace Event Format", Google, linked on perfetto.dev) and from Perfetto's "Visualizing
external trace formats": a complete event (X) has a start and a duration in microseconds, the complete events of a
thread nest, a counter (C) is known by its process and name and has numbers for arguments, metadata (M) name processes
and threads, events come in any order. Numbers of JSON are exact below 2**53. Two rules are ours, since the format
leaves the outcome open: names come before what they name, and a counter has one event a cycle.
"""

from collections import defaultdict
from typing import Any

NEEDED = {"X": {"ph", "name", "ts", "dur", "pid", "tid"}, "C": {"ph", "name", "ts", "pid", "args"},
          "M": {"ph", "name", "pid", "args"}}  # fmt: skip
OPTIONAL = {"X": {"args", "cat", "cname", "tts", "tdur", "id"}, "C": {"tid", "id", "cat"}, "M": {"tid", "cat", "ts"}}
EXACT = 1 << 53


def faults(timeline: Any) -> list[str]:
    """Return what breaks a rule in a timeline as `json.loads` reads it."""
    if not isinstance(timeline, dict) or not isinstance(timeline.get("traceEvents"), list):
        return ["the timeline has no list of traceEvents"]
    found = []
    if timeline.get("displayTimeUnit", "ms") not in ("ms", "ns"):
        found.append("displayTimeUnit is neither ms nor ns")
    well_formed = []
    for place, event in enumerate(timeline["traceEvents"]):
        wrong = _event_faults(event)
        found += [f"event {place}: {fault}" for fault in wrong]
        if not wrong:
            well_formed.append(event)
    return found + _name_faults(well_formed) + _nesting_faults(well_formed) + _counter_faults(well_formed)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def _event_faults(event: Any) -> list[str]:
    if not isinstance(event, dict) or event.get("ph") not in NEEDED:
        return ["is none of the phases X, C and M"]
    phase = event["ph"]
    if missing := NEEDED[phase] - set(event):
        return [f"lacks {sorted(missing)}"]
    found = [f"has the unknown field {key}" for key in set(event) - NEEDED[phase] - OPTIONAL[phase]]
    if not isinstance(event["name"], str) or not event["name"]:
        found.append("has no name")
    found += [
        f"{key} is no whole number of 32 bits"
        for key in ("pid", "tid")
        if key in event and not (type(event[key]) is int and 0 <= event[key] < 1 << 32)
    ]
    times = {key: event[key] for key in ("ts", "dur") if key in event}
    wrong = [key for key, value in times.items() if not (_is_number(value) and value >= 0)]
    found += [f"{key} is no number from 0 on" for key in wrong]
    if not wrong and not (all(type(value) is int for value in times.values()) and sum(times.values()) < EXACT):
        found.append("its end is not exact")
    arguments = event.get("args", {})
    if not isinstance(arguments, dict):
        found.append("args are no object")
    elif phase == "C" and not (arguments and all(map(_is_number, arguments.values()))):
        found.append("args are not numbers")
    elif phase == "M" and not (isinstance(arguments.get("name"), str) and arguments["name"]):
        found.append("args give no name")
    return found


def _name_faults(events: list[dict]) -> list[str]:
    """Return what has no name, or two, or that of another, or has it late."""
    found: list[str] = []
    names: dict[tuple, str] = {}
    for event in events:
        process, thread = (event["pid"],), (event["pid"], event.get("tid", 0))
        if event["ph"] == "M":
            if event["name"] not in ("process_name", "thread_name"):
                found.append(f"metadata {event['name']} is unknown")
                continue
            key = process if event["name"] == "process_name" else thread
            taken = {text for one, text in names.items() if len(one) == len(key) and one[:-1] == key[:-1]}
            if key in names or event["args"]["name"] in taken:
                found.append(f"{event['name']} {event['args']['name']} is given twice")
            names[key] = event["args"]["name"]
        elif process not in names:
            found.append(f"process {process} has no name before {event['name']}")
        elif thread not in names:
            found.append(f"thread {thread} has no name before {event['name']}")
    return found


def _nesting_faults(events: list[dict]) -> list[str]:
    threads: dict[tuple[int, int], list[dict]] = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            threads[event["pid"], event["tid"]].append(event)
    found = []
    for thread, spans in threads.items():
        open_ends: list[int] = []
        for span in sorted(spans, key=lambda span: (span["ts"], -span["dur"])):
            while open_ends and open_ends[-1] <= span["ts"]:
                open_ends.pop()
            if open_ends and span["ts"] + span["dur"] > open_ends[-1]:
                found.append(f"{span['name']} overlaps another on thread {thread}")
            open_ends.append(span["ts"] + span["dur"])
    return found


def _counter_faults(events: list[dict]) -> list[str]:
    found = []
    series: dict[tuple, set[str]] = {}
    seen: set[tuple] = set()
    for event in events:
        if event["ph"] == "C":
            counter = (event["pid"], event["name"], event.get("id"))
            if series.setdefault(counter, set(event["args"])) != set(event["args"]):
                found.append(f"counter {counter} changes its series")
            if (*counter, event["ts"]) in seen:
                found.append(f"counter {counter} has two values at {event['ts']}")
            seen.add((*counter, event["ts"]))
    return found
