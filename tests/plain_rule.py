"""The rule by which plans compete, run without Numba on candidates that a test makes up."""

from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest.mock import patch

import numpy as np

from dataflows.plans import contest
from dataflows.plans.choice import NO_LIMIT, NO_TABLE
from dataflows.plans.tiling_time import Measured

# (time, DRAM bytes, buffer bytes, tiles)
MadeUp = tuple[int, int, int, int]


def as_it_is(function=None, **_):
    """Return a function without compiling it."""
    return function if function is not None else as_it_is


@cache
def plain_module() -> ModuleType:
    """Return the module of the rule in plain Python, with made-up candidates in place of tilings."""
    module = ModuleType("plain_contest")
    text = Path(contest.__file__).read_text(encoding="utf-8")
    with patch("numba.njit", as_it_is), patch("workloads.foundation.kernels.njit_inside", as_it_is):
        exec(compile(text, contest.__file__, "exec"), module.__dict__)
    module.zero_rows = lambda rows, columns: np.zeros((rows, columns), np.int64)
    module.list_candidates = list_candidates
    module.candidate_at = lambda place, mapping, made_up: SimpleNamespace(mapping=mapping, space=0, place=place)
    module.axes_of = lambda made_up, mapping: SimpleNamespace(more=0)
    module.space_at = lambda made_up, at: SimpleNamespace(ifmap_pass=0)
    module.measure = measure
    return module


class MadeUpTables(SimpleNamespace):
    """Candidates, listed by bounds that are `loose` too low."""

    found: list[MadeUp]
    loose: int


def list_candidates(tables, extents, memory, rate, orders, criteria, most_time, most_first, keys, wanted, _):
    """List candidates as `dataflows.plans.tiling_search` does; the quick list has the last one alone."""
    listed = []
    for index, (time, moved, passed, tiles) in enumerate(tables.cuts.found):
        bounds = (max(0, time - tables.cuts.loose), moved, passed, max(0, time - tables.cuts.loose))
        key = (*(bounds[i] for i in criteria), tiles, index, 0)
        quick = criteria[0] == 3
        comes = bounds[0] <= most_time and key[0] <= most_first and key > tuple(keys[wanted + 1])
        if comes and (not quick or index == len(tables.cuts.found) - 1):
            listed.append(key)
    for at, key in enumerate(sorted(listed)[:wanted]):
        keys[at] = key
    least = min((max(0, time - tables.cuts.loose) for time, *_ in tables.cuts.found), default=NO_LIMIT)
    return min(wanted, len(listed)), least


def measure(candidate, tables, *_):
    """Return what a made-up candidate is."""
    time, moved, passed, tiles = tables.cuts.found[candidate.place]
    return Measured(time, moved, passed, tiles, 0, 0)


def winner_of(found: list[MadeUp], slack: int | None, loose: int = 0) -> int | None:
    """Return the index of the candidate that the rule takes."""
    rule = plain_module()
    stage = rule.BY_BYTES if slack is None else rule.QUICK
    state = rule.new_state(stage, NO_LIMIT, NO_LIMIT, rule.BY_BYTES)
    facts = np.zeros(28, np.int64)
    facts[22] = -1 if slack is None else slack
    lists = np.empty((2, rule.LONGEST_LIST + 2, rule.KEY), np.int64)
    made_up = MadeUpTables(found=found, loose=loose)
    rule.contest(state, lists, made_up, None, None, None, None, facts, 0.0, None, NO_TABLE, NO_TABLE)
    return int(state[rule.BEST, 0]) if state[rule.NOW, rule.FOUND] else None
