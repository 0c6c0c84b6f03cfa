"""Every memo answers what is computed from scratch, whatever machines were simulated before.

A memo is whatever `functools` remembers by its arguments, in the packages that a simulation enters; they are found, not
listed. A network is simulated on machines that agree in all but one key: a memo whose key lacks something, or whose
answer is changed by someone who was given it, answers wrongly then.
"""

import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from importlib import import_module
from itertools import chain, cycle, islice
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from networks import chains, make_trace
from registries import DESIGNS

from dataflows.array import PEArray
from dataflows.dataflow import Dataflow, dataflows
from dataflows.plans import choice
from dataflows.plans.cuts import Cuts, cuts_of
from simulator.batch.operations import Operations
from simulator.dram.transfer_time import TransferMemory, memory_of
from simulator.engine.work import plan_tables
from simulator.machine.spec import Accelerator
from simulator.machine.spec_loading import load_accelerator
from simulator.run.results import RunResult
from simulator.run.simulation import Simulation
from workloads.foundation.errors import InputError
from workloads.foundation.shipped import shipped_names
from workloads.passes import Product
from workloads.trace import Trace, load_trace

PACKAGES = (
    "dataflows",
    "simulator.batch",
    "simulator.dram",
    "simulator.engine",
    "simulator.energy",
    "simulator.phases",
)
ROOMS = {"workloads", *(name.partition(".")[0] for name in PACKAGES)}
MEMO = type(lru_cache(maxsize=1)(int))


def modules() -> Iterator[ModuleType]:
    """Yield the packages and all that is in them."""
    for name in PACKAGES:
        package = import_module(name)
        yield package
        for found in walk_packages(package.__path__, f"{name}."):
            yield import_module(found.name)


TOOLS = ("simulator.energy.sources",)  # they make tables of other tools' prices; no simulation asks them

FOUND = dict.fromkeys(
    value for module in modules() for value in vars(module).values()
    if isinstance(value, MEMO) and value.__module__ not in TOOLS
)  # fmt: skip
MEMOS: dict[str, Any] = {f"{memo.__module__}.{memo.__qualname__}": memo for memo in FOUND}


def forget() -> None:
    """Empty every memo."""
    for memo in MEMOS.values():
        memo.cache_clear()


class Call(NamedTuple):
    """What a memo was asked, and what it answered."""

    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    answer: Any


class Run(NamedTuple):
    """What was simulated, and what came of it."""

    trace: Trace
    spec: Accelerator
    result: RunResult


class Session:
    """Many simulations in one process, and a sample of what every memo answered in them."""

    def __init__(self, kept: int) -> None:
        self.kept = kept
        self.random = random.Random(0)
        self.calls: defaultdict[tuple[str, bool], list[Call]] = defaultdict(list)
        self.asked: Counter[tuple[str, bool]] = Counter()
        self.first: dict[tuple[str, int], int] = {}
        self.runs: list[Run] = []
        self.turn = 0

    def keep(self, sample: list[Any], seen: int, one: Any) -> None:
        """Keep one of `seen` so far, each as likely as any other."""
        if len(sample) < self.kept:
            sample.append(one)
        elif (place := self.random.randrange(seen)) < self.kept:
            sample[place] = one

    def listening(self, name: str) -> Callable[..., Any]:
        """Return a memo that is listened to."""
        memo = MEMOS[name]

        def ask(*arguments: Any, **keywords: Any) -> Any:
            answer = memo(*arguments, **keywords)
            known = name, self.first.setdefault((name, id(answer)), self.turn) < self.turn
            self.asked[known] += 1
            self.keep(self.calls[known], self.asked[known], Call(arguments, keywords, answer))
            return answer

        return ask

    def given(self, name: str) -> list[Call]:
        """Return calls whose answer an earlier simulation was given; any calls if there is none."""
        return self.calls[name, True] or self.calls[name, False]

    def simulate(self, trace: Trace, spec: Accelerator) -> None:
        """Simulate, unless the machine is too small for the network."""
        self.turn += 1
        try:
            self.keep(self.runs, self.turn, Run(trace, spec, Simulation(trace, spec).run()))
        except InputError:
            return


SETTINGS = {
    "array.rows": (3, 4, 8),
    "array.columns": (3, 4),
    "array.input_port_words_per_cycle": (1, 4),
    "array.accumulator_sums": (0, 16),
    "global_buffer.bank_bytes": (256, 1024, 8192),
    "global_buffer.bank_port_bytes": (1, 2),
    "precision.word_bits": (8, 16),
    "precision.partial_sum_bits": (32, 64),
    "tiling_slack_percent": ("null", 0, 2),
    "dgrad": ("dense", "decomposed"),
    "batch_mean": ("reread", "drain"),
    "frequency_hz": (200_000_000, 1_000_000_000),
    "vector_unit.costed": ("[]", "[activation,pool]"),
}
DRAMS = [
    (), ("dram.latency_ns=0",), ("dram.latency_ns=500",), ("dram.peak_bytes_per_second=100000000",),
    ("dram.model=commands", "dram.part=ddr3-1600"), ("dram.model=commands", "dram.part=ddr4-2400"),
]  # fmt: skip
RUNS = [(kind, flow) for kind, flow in dataflows()]
MAPPING = "{version: 1, default: {forward: {tile: {filters: 2}}}}"
BEYOND_THE_SEARCH = "{version: 1, default: {forward: {tile: {images: 1, rows: 1}, reload_operands: true}}}"
NEIGHBOURS = 3  # of each machine

Choices = dict[str, list[tuple[str, ...]]]


def choices_with(mapping: Path) -> Choices:
    """Return by key the settings that machines choose from."""
    settings: Choices = {key: [(), *((f"{key}={value}",) for value in values)] for key, values in SETTINGS.items()}
    designs = [(f"design={design}",) for design in DESIGNS]
    return {**settings, "dram": DRAMS, "mapping": [(), (), (f"mapping={mapping}",)], "design": designs}


def rare(mapping: Path) -> Iterator[tuple[Trace, Accelerator]]:
    """Yield what draws seldom come to: vector work, a mapping beyond the search's, a transfer that a refresh cuts.

    And a layer on every machine that is shipped, which may have keys that are not drawn.
    """
    small = load_trace("digits-cnn")
    yield small, load_accelerator(overrides=["vector_unit.costed=[activation,pool]"])
    tiny = {"id": "tiny", "kind": "conv2d", "inputs": ("input",), "C": 2, "H": 4, "W": 4, "K": 3, "R": 1, "S": 1}
    one_layer = make_trace([{**tiny, "P": 4, "Q": 4}], 2)
    yield one_layer, load_accelerator(overrides=[f"mapping={mapping}"])
    for name in shipped_names("configs/accelerators"):
        yield one_layer, load_accelerator(name)
    wide = [{"id": "wide", "kind": "linear", "inputs": ("input",), "C": 2048, "K": 2048}]
    large = ["dram.model=commands", "global_buffer.bank_bytes=1048576"]
    yield make_trace(wide, 1, {"input": (2048,)}), load_accelerator(overrides=large)


@pytest.fixture(scope="module", params=[len(RUNS), pytest.param(200, marks=pytest.mark.long)])
def session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Simulate networks, each on a machine and its neighbours: they share kind of array and dataflow."""
    folder = tmp_path_factory.mktemp("mappings")
    mapping, beyond = folder / "mapping.yaml", folder / "beyond.yaml"
    mapping.write_text(MAPPING, encoding="utf-8")
    beyond.write_text(BEYOND_THE_SEARCH, encoding="utf-8")
    found, turns = Session(20 if request.param < 100 else 400), cycle(RUNS)
    choices = choices_with(mapping)
    keys = cycle(choices)

    @settings(
        max_examples=request.param, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck)
    )
    @given(chains(), st.data())
    def simulate(trace: Trace, data: st.DataObject) -> None:
        if request.param == len(RUNS):  # each kind and key in turn
            (kind, flow), changed = next(turns), list(islice(keys, NEIGHBOURS))
        else:
            kind, flow = data.draw(st.sampled_from(RUNS))
            changed = data.draw(st.permutations(list(choices)))[:NEIGHBOURS]
        base = {key: data.draw(st.sampled_from(values)) for key, values in choices.items()}
        others = [{key: data.draw(st.sampled_from(choices[key]))} for key in changed]
        for machine in (base, *({**base, **other} for other in others)):
            overrides = [f"array.kind={kind}", *chain.from_iterable(machine.values())]
            found.simulate(trace, load_accelerator(dataflow=flow, overrides=overrides))

    forget()
    with pytest.MonkeyPatch.context() as patch:
        listening = {id(memo): found.listening(name) for name, memo in MEMOS.items()}
        for module in [module for name, module in sys.modules.items() if name.partition(".")[0] in ROOMS]:
            for name, value in list(vars(module).items()):
                if id(value) in listening:
                    patch.setattr(module, name, listening[id(value)])
        for trace, spec in rare(beyond):
            found.simulate(trace, spec)
        simulate()
    return found


def same(one: Any, other: Any) -> bool:
    """Whether two answers are alike through and through; what is worked out later by itself does not count."""
    if one is other:
        return True
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if is_dataclass(one):
        return type(one) is type(other) and all(
            same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one) if field.compare
        )
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def transfers(found: TransferMemory, part: Any, depth: int) -> Iterator[tuple[Any, Any]]:
    """Yield what transfers took, and what each takes by itself."""
    known = found.table[found.table["segments"] > 0][:4]
    for entry in known:
        columns = (np.array([int(entry[name])]) for name in ("segments", "segment_bytes", "stride_bytes", "write"))
        (alone,) = TransferMemory(part, depth).times(*columns)
        yield [int(entry[name]) for name in alone.dtype.names], list(alone.tolist())


def passes(found: Cuts, product: Product, flow: Dataflow, array: PEArray, *given: Any) -> Iterator[tuple[Any, Any]]:
    """Yield cuts, and what they are from scratch; a pass over the ifmap is worked out where it is asked for."""
    fresh = cuts_of.__wrapped__(product, flow, array, *given)
    learned = (found.tables.more != fresh.tables.more) & (fresh.tables.more < 0)
    for line, at in np.argwhere(learned):
        rows = int(fresh.tables.more[1, at])
        yield found.tables.more[line, at], choice._ifmap_pass.__wrapped__(product, flow, array, rows)
    yield found.tables._replace(more=np.where(learned, fresh.tables.more, found.tables.more)), fresh.tables
    yield found.extents, fresh.extents


FILLED_LATER: dict[Any, Callable[..., Iterator[tuple[Any, Any]]]] = {
    memory_of: transfers, cuts_of: passes,
}  # fmt: skip
"""Memos whose answers remember things themselves, and what these are."""


@pytest.mark.parametrize("name", MEMOS)
def test_a_memo_answers_as_from_scratch(name: str, session: Session) -> None:
    memo = MEMOS[name]
    pairs = FILLED_LATER.get(memo, lambda answer, *said, **named: [(answer, memo.__wrapped__(*said, **named))])
    assert session.given(name), "no simulation asks it: let one be drawn that does"
    for arguments, keywords, answer in session.given(name):
        forget()
        assert all(same(*pair) for pair in pairs(answer, *arguments, **keywords)), (arguments, keywords)


def test_a_run_is_the_same_after_others(session: Session) -> None:
    assert len(session.runs) >= 10
    for trace, spec, result in session.runs:
        forget()
        again = Simulation(trace, spec).run()
        assert same(result, again)
        assert same(result.rows, again.rows)


def test_tasks_share_plans_that_are_equal(session: Session) -> None:
    """A batch plans once what it holds to be equal; each task's own plans are no others."""
    for trace, spec, _ in session.runs:
        batches, operations = Simulation(trace, spec).batches, Operations(trace, spec)
        for kind in batches.kinds:
            for step, works in zip(batches.steps(kind), batches.works(kind), strict=True):
                tasks = [*((task, 0) for task in step.first), *((task, 1) for task in step.second)]
                for (task, array), one in zip(tasks, works, strict=True):
                    assert same(one.plans, tuple(operations.plans(task, kind, array)))


def test_a_plan_knows_its_tiles_on_every_channel(session: Session) -> None:
    """A plan remembers them by channel, for all machines that share it."""
    asked = 0
    for trace, spec, _ in session.runs:
        batches = Simulation(trace, spec).batches
        for kind in batches.kinds:
            batches.run(kind)
            for plan in chain.from_iterable(one.plans for works in batches.works(kind) for one in works):
                for channel, table in plan.tables.items():
                    (again,) = plan_tables([plan], channel.model, channel.frequency_hz)
                    assert np.array_equal(table.tiles, again.tiles)
                    assert table[1:] == again[1:]
                    asked += 1
    assert asked
