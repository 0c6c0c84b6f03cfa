"""The points of a sweep: every combination that its file names and its constraints allow."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from itertools import product
from math import exp, floor, log, prod
from pathlib import Path
from typing import Any

import numpy as np

from simulator.machine.reference import spec_keys
from simulator.machine.spec_layers import file_layers
from simulator.phases.design import designs, find_design
from simulator.sweep.expressions import Expression
from simulator.sweep.point import BESIDE_BASELINE, RUN_KEYS, TOTALS, Point, Settings
from simulator.sweep.sweep_file import MOST_POINTS, Interval, Range, Sample, SweepFile, beside, list_of
from workloads.foundation.errors import InputError, nearest
from workloads.foundation.shipped import resolve
from workloads.trace import load_trace


class Space:
    """The points of a sweep, in an order that does not depend on how they are run.

    Parameters
    ----------
    sweep : SweepFile
    where : str
        Its file, for errors.
    folder : Path
        Where the files lie that it names.
    """

    def __init__(self, sweep: SweepFile, where: str, folder: Path) -> None:
        self.sweep, self.where = sweep, where
        self._place = folder / "sweep"
        self._derived = {key: Expression.of(text, where, f"derived.{key}") for key, text in sweep.derived.items()}
        self._constraints = [
            Expression.of(text, where, f"constraints[{index}]") for index, text in enumerate(sweep.constraints)
        ]
        self.objectives = {
            text: Expression.of(text, where, f"objectives.{text}") for text in sweep.objectives
        }  # fmt: skip
        self.machine = None if sweep.machine is None else beside(self._place, sweep.machine, "configs/accelerators")
        self._designs = tuple(designs())

    def points(self, inner: Iterable[Settings] | None = None) -> Iterator[Point]:
        """Yield the points; designs of one machine follow each other.

        Parameters
        ----------
        inner : iterable of mapping, optional
            Settings that are combined with the grid; by default those of `list` or `sample`.

        Raises
        ------
        InputError
            If an expression has no value.
        """
        grid: dict[str, tuple[Any, ...]] = {"trace": self.sweep.traces, **self.sweep.grid}
        chosen = self._all_designs(grid.pop("design", self._designs))
        for own in self._inner() if inner is None else inner:
            of_own = chosen if "design" not in own else self._all_designs([own["design"]])
            for combination in product(*grid.values()):
                values = {**self.sweep.settings, **dict(zip(grid, combination, strict=True)), **own}
                for design in of_own:
                    point = self._point({**values, "design": design})
                    if point is not None:
                        yield point

    def _all_designs(self, given: Iterable[Any]) -> list[str]:
        """Return designs by their names, and before them the baseline where a speedup is asked for."""
        wanted = self.sweep.settings.get("design")
        chosen = [find_design(str(name), self.where, "design").name for name in ([wanted] if wanted else given)]
        needed = any(name in BESIDE_BASELINE for one in self.objectives.values() for name in one.keys)
        return list(dict.fromkeys([*(["baseline"] if needed else []), *chosen]))

    def _inner(self) -> Iterator[Settings]:
        if self.sweep.sample is not None:
            yield from drawn(self.sweep.sample)
        else:
            yield from self.sweep.list or ({},)

    def _point(self, values: dict[str, Any]) -> Point | None:
        """Return the point of values, or None where a constraint is false."""
        values["trace"] = beside(self._place, values["trace"], "traces")
        if values.get("schedule") is not None:
            values["schedule"] = beside(self._place, str(values["schedule"]), "configs/schedules")
        for key, expression in self._derived.items():
            values[key] = expression.value(lambda name: self._value(values, name))
        if not all(one.value(lambda name: self._value(values, name)) for one in self._constraints):
            return None
        return Point.of(values, self.machine)

    def check_keys(self) -> None:
        """Check every key that the sweep names, before a point is made.

        Raises
        ------
        InputError
            If the machine has no such key.
        """
        sweep = self.sweep
        inner = sweep.sample or sweep.search
        places: dict[str, list[Mapping[str, Any]]] = {
            "settings": [sweep.settings], "grid": [sweep.grid], "derived": [sweep.derived],
            "list": list(sweep.list), "keys": [inner.keys] if inner else [],
        }  # fmt: skip
        known = {key.key for key in spec_keys()} | {*RUN_KEYS}
        for place, mappings in places.items():
            for key in list_of(*mappings):
                if key not in known:
                    raise InputError(self.where, f"{place}.{key}", "unknown key", nearest(key, known))
        results = {*TOTALS, *BESIDE_BASELINE}
        for objective, expression in self.objectives.items():
            for key in expression.keys:
                if key not in known | results:
                    problem = f"{key} is no result and no key of the machine"
                    raise InputError(self.where, f"objectives.{objective}", problem, nearest(key, known | results))

    def check_size(self) -> None:
        """Count the combinations that the sweep names, before a point is made.

        Raises
        ------
        InputError
            If there are more than can be walked.
        """
        sweep = self.sweep
        drawn_points = sweep.search.trials if sweep.search else sweep.sample.points if sweep.sample else len(sweep.list)
        count = prod(map(len, sweep.grid.values())) * len(sweep.traces) * max(1, drawn_points)
        if count > MOST_POINTS:
            problem = f"has {count:,} combinations, more than {MOST_POINTS:,}"
            raise InputError(self.where, "grid", problem, "name fewer values, or draw points with sample or search")

    def check_traces(self) -> None:
        """Read every trace and the machine that the sweep names, before a point is made.

        Raises
        ------
        InputError
            If there is no such trace or machine.
        """
        for name in self.sweep.traces:
            found = beside(self._place, name, "traces")
            with self._named("trace"):
                path = resolve(found, "traces", "trace")
            if path.exists() and not path.is_file():
                remedy = "give a file: every point reads it again"
                raise InputError(self.where, "trace", f"{name} is no regular file", remedy)
            load_trace(found)
        with self._named("machine"):
            file_layers(self.machine)

    @contextmanager
    def _named(self, key: str) -> Iterator[None]:
        """Name the sweep's file and key where a name in it is unknown."""
        try:
            yield
        except InputError as error:
            if error.key:  # of something in the file that was found
                raise
            raise InputError(self.where, key, f"{error.where}: {error.problem}", error.remedy) from None

    def _value(self, values: Settings, name: str) -> Any:
        """Return the value of a key at a point: of the sweep, or of its machine."""
        if name in values:
            return values[name]
        return machine_values(self.machine, values["design"], str(values.get("dataflow", "")))[name]


@lru_cache(maxsize=64)
def machine_values(machine: str | None, design: str, dataflow: str) -> Mapping[str, Any]:
    """Return the values of a machine by dotted key, without a sweep's settings."""
    from simulator.machine.spec_loading import load_accelerator

    found: dict[str, Any] = {}

    def gather(values: Mapping[str, Any], path: str) -> None:
        for key, value in values.items():
            if isinstance(value, Mapping):
                gather(value, f"{path}{key}.")
            else:
                found[f"{path}{key}"] = value

    gather(load_accelerator(machine, design, dataflow or None).model_dump(exclude_none=True), "")
    return found


def drawn(sample: Sample) -> Iterator[dict[str, Any]]:
    """Yield the settings of a sample; the same seed gives the same ones.

    Raises
    ------
    InputError
        If its method takes SciPy, and SciPy is not installed.
    """
    keys = list(sample.keys)
    for row in _unit_points(sample, len(keys)):
        yield {key: value_at(sample.keys[key], float(share)) for key, share in zip(keys, row, strict=True)}


def _unit_points(sample: Sample, dimensions: int) -> Any:
    """Return points of the unit cube, [points, dimensions]."""
    if sample.method == "random":
        return np.random.default_rng(sample.seed).random((sample.points, dimensions))
    try:
        from scipy.stats import qmc
    except ImportError:
        problem = f"{sample.method} takes SciPy, which is not installed"
        raise InputError("the sweep", "sample.method", problem, "pip install '.[sweep]' in a clone") from None
    if sample.method == "latin-hypercube":
        return qmc.LatinHypercube(dimensions, rng=sample.seed).random(sample.points)
    engine = qmc.Sobol(dimensions, rng=sample.seed)  # drawn in a power of two, which is what balances them
    return engine.random_base2(max(0, sample.points - 1).bit_length())[: sample.points]


def value_at(choices: Range, share: float) -> Any:
    """Return the value at a share of the way through a range, 0 <= share < 1."""
    if not isinstance(choices, Interval):
        return choices[floor(share * len(choices))]
    low, high = choices.lowest, choices.highest
    if choices.step is not None:
        steps = floor((high - low) / choices.step) + 1
        return low + floor(share * steps) * choices.step
    if choices.log:
        top = high + 1 if choices.whole else high
        value = exp(log(low) + share * (log(top) - log(low)))
        return min(high, floor(value)) if choices.whole else value
    return low + floor(share * (high - low + 1)) if choices.whole else low + share * (high - low)
