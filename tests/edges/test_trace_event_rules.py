"""The checker of timelines finds every fault that is planted in a good one."""

import copy
from typing import Any

import pytest
from trace_event_rules import faults

GOOD = [
    {"ph": "M", "name": "process_name", "pid": 1, "tid": 0, "args": {"name": "a run"}},
    {"ph": "M", "name": "thread_name", "pid": 1, "tid": 0, "args": {"name": "ops"}},
    {"ph": "X", "name": "outer", "ts": 5, "dur": 10, "pid": 1, "tid": 0},
    {"ph": "X", "name": "inner", "ts": 5, "dur": 4, "pid": 1, "tid": 0, "args": {"any": "thing"}},
    {"ph": "X", "name": "empty", "ts": 9, "dur": 0, "pid": 1, "tid": 0},
    {"ph": "X", "name": "earlier", "ts": 0, "dur": 5, "pid": 1, "tid": 0},
    {"ph": "C", "name": "bytes", "ts": 0, "pid": 1, "tid": 0, "args": {"read": 1.5}},
    {"ph": "C", "name": "bytes", "ts": 3, "pid": 1, "tid": 0, "args": {"read": 0}},
]
OUTER, COUNT = 2, 6
PLANTED: list[tuple[int, dict[str, Any], str]] = [
    (OUTER, {"ph": "Q"}, "phases"),
    (OUTER, {"ph": "B"}, "phases"),
    (OUTER, {"dur": None}, "dur is no number"),
    (OUTER, {"dur": -1}, "dur is no number"),
    (OUTER, {"dur": float("nan")}, "dur is no number"),
    (OUTER, {"ts": "5"}, "ts is no number"),
    (OUTER, {"ts": True}, "ts is no number"),
    (OUTER, {"ts": -5}, "ts is no number"),
    (OUTER, {"ts": 5.25}, "not exact"),
    (OUTER, {"ts": 1 << 53}, "not exact"),
    (OUTER, {"dur": 9.5}, "not exact"),
    (OUTER, {"dur": (1 << 53) - 5}, "not exact"),
    (OUTER, {"ts": 3}, "outer overlaps"),
    (OUTER, {"ts": 6}, "outer overlaps"),
    (OUTER, {"name": ""}, "no name"),
    (OUTER, {"pid": -1}, "pid is no whole number"),
    (OUTER, {"tid": 1 << 32}, "tid is no whole number"),
    (OUTER, {"tid": 7}, "thread (1, 7) has no name"),
    (OUTER, {"pid": 2}, "process (2,) has no name"),
    (OUTER, {"duration": 3}, "unknown field duration"),
    (OUTER, {"args": [1]}, "args are no object"),
    (COUNT, {"args": {}}, "args are not numbers"),
    (COUNT, {"args": {"read": "1"}}, "args are not numbers"),
    (COUNT, {"args": {"read": float("inf")}}, "args are not numbers"),
    (COUNT, {"args": {"write": 1}}, "changes its series"),
    (COUNT, {"ts": 3}, "two values at 3"),
    (COUNT, {"pid": 3}, "process (3,) has no name"),
    (0, {"args": {"label": "a run"}}, "args give no name"),
    (0, {"name": "proces_name"}, "metadata proces_name is unknown"),
    (0, {"name": "thread_name"}, "is given twice"),
]  # fmt: skip


def test_a_good_timeline_has_no_fault() -> None:
    assert faults({"displayTimeUnit": "ns", "traceEvents": GOOD}) == []


@pytest.mark.parametrize(("place", "change", "expected"), PLANTED, ids=[f"{p}-{c}" for p, c, _ in PLANTED])
def test_a_planted_fault_is_found(place: int, change: dict[str, Any], expected: str) -> None:
    events = copy.deepcopy(GOOD)
    events[place].update(change)
    found = faults({"traceEvents": events})
    assert any(expected in fault for fault in found), found


@pytest.mark.parametrize(
    ("place", "field"), [(p, f) for p in (0, OUTER, COUNT) for f in GOOD[p] if f != "tid" or p == OUTER]
)
def test_a_missing_field_is_found(place: int, field: str) -> None:
    events = copy.deepcopy(GOOD)
    del events[place][field]
    assert any("lacks" in fault or "phases" in fault for fault in faults({"traceEvents": events}))


def test_names_that_come_late_or_twice_are_found() -> None:
    assert any("before" in fault for fault in faults({"traceEvents": GOOD[::-1]}))
    second = [{**GOOD[0], "pid": 2}]
    assert any("given twice" in fault for fault in faults({"traceEvents": GOOD + second}))


@pytest.mark.parametrize("timeline", [None, [], {}, {"traceEvents": {}}, {"traceEvents": [3]},
                                      {"traceEvents": [], "displayTimeUnit": "cycles"}])  # fmt: skip
def test_what_is_no_timeline_is_found(timeline: Any) -> None:
    assert faults(timeline)
