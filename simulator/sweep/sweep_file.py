"""The file of a sweep: which traces, which settings, and what is asked of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from simulator.sweep.expressions import Expression
from workloads.foundation.errors import InputError
from workloads.foundation.shipped import is_there, resolve, shipped_names
from workloads.foundation.strict_yaml import read_yaml
from workloads.foundation.validation import StrictModel, VersionOne, validate

FOLDER = "configs/sweeps"
Value = str | int | float | bool | None | tuple[Any, ...]
Direction = Literal["min", "max"]
MOST_POINTS = 10_000_000
_LARGEST = 1 << 53  # of an interval's numbers, and of its steps: a share of its width has so many bits


class Interval(StrictModel):
    """Numbers between two, both included."""

    lowest: int | float
    """The least value."""
    highest: int | float
    """The largest value."""
    step: int | float | None = None
    """Distance of two values; without it every whole number, or every number where a border is none."""
    log: bool = False
    """Whether small numbers are as likely as large ones: values are drawn on a logarithmic scale."""

    @model_validator(mode="after")
    def _borders_fit(self) -> "Interval":
        for name in ("lowest", "highest"):
            if abs(getattr(self, name)) > _LARGEST:
                raise InputError("", name, f"is {getattr(self, name)}", f"give a number of at most {_LARGEST}")
        if self.lowest > self.highest:
            raise InputError("", "highest", f"is {self.highest}, below lowest, {self.lowest}", "exchange the two")
        if self.log and (self.lowest <= 0 or self.step is not None):
            raise InputError("", "log", "needs a lowest above zero and no step", "correct the interval")
        if self.step is not None and self.step <= 0:
            raise InputError("", "step", f"is {self.step}", "give a number above zero")
        if self.step is not None and self.highest - self.lowest > _LARGEST * self.step:
            raise InputError("", "step", f"is {self.step}, which makes too many values", "give a larger step")
        return self

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers."""
        return all(isinstance(one, int) for one in (self.lowest, self.highest, 1 if self.step is None else self.step))


Range = Interval | Annotated[tuple[Value, ...], Field(min_length=1)]
"""What a key may be: numbers of an interval, or one of some values."""


class Sample(StrictModel):
    """Points that are drawn."""

    method: Literal["random", "latin-hypercube", "sobol"]
    """How points are spread. `latin-hypercube` and `sobol` cover a space more evenly than `random`; they take SciPy."""
    points: Annotated[int, Field(ge=1, le=MOST_POINTS)]
    """Number of points."""
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 0
    """The same seed draws the same points."""
    keys: Annotated[dict[str, Range], Field(min_length=1)]
    """By key: what it may be."""


class Search(StrictModel):
    """A search by Optuna, for a space that is too large to walk."""

    trials: Annotated[int, Field(ge=1, le=MOST_POINTS)]
    """Number of settings that are tried."""
    sampler: Literal["tpe", "nsga2", "random"] = "tpe"
    """Optuna's sampler."""
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 0
    """The same seed makes the same search."""
    at_once: Annotated[int, Field(ge=1, le=4096)] = 16
    """Settings that are tried before the sampler learns from them; the search does not depend on the workers."""
    keys: Annotated[dict[str, Range], Field(min_length=1)]
    """By key: what it may be."""


class SweepFile(StrictModel):
    """A sweep. Its points are all combinations of `grid` with each entry of `list`, `sample` or `search`.

    A key is one of the machine's, such as ``array.rows``, or `trace`, `design`, `batch_size` or `schedule`.
    """

    version: VersionOne = 1
    """Version of the format."""
    trace: str | Annotated[tuple[str, ...], Field(min_length=1)]
    """A shipped trace or a file, or several."""
    machine: str | None = None
    """The machine that the settings change: a shipped name or a file; else the shipped one."""
    settings: dict[str, Value] = {}
    """Settings that all points share."""
    grid: dict[str, Annotated[tuple[Value, ...], Field(min_length=1)]] = {}
    """By key: the values that it takes."""
    list: tuple[dict[str, Value], ...] = ()
    """Settings, point by point."""
    sample: Sample | None = None
    """Points that are drawn."""
    search: Search | None = None
    """Points that Optuna chooses."""
    derived: dict[str, str] = {}
    """By key: an expression that gives its value at each point. A later one may read an earlier one."""
    constraints: tuple[str, ...] = ()
    """Expressions; a point is left out where one is false."""
    objectives: dict[str, Direction] = {"cycles": "min", "energy_pj": "min"}
    """By result, or by an expression over results and settings: whether less or more is better."""

    @model_validator(mode="after")
    def _one_kind_of_points(self) -> "SweepFile":
        kinds = [name for name in ("list", "sample", "search") if getattr(self, name)]
        if len(kinds) > 1:
            raise InputError("", kinds[1], f"is given beside {kinds[0]}", "keep one of list, sample and search")
        if not self.objectives:
            raise InputError("", "objectives", "is empty", "name a result, such as speedup: max")
        places: dict[str, str] = {"trace": "trace"}
        inner = self.sample or self.search
        keys = {
            "settings": list_of(self.settings), "grid": list_of(self.grid), "derived": list_of(self.derived),
            "list": list_of(*self.list), "sample": list_of(inner.keys) if inner else [],
        }  # fmt: skip
        for place, names in keys.items():
            for name in names:
                if name in places and {place, places[name]} != {"settings", "list"}:
                    raise InputError("", f"{place}.{name}", f"is in {places[name]}, too", "keep one of the two")
                places[name] = place
        return self

    @property
    def traces(self) -> tuple[str, ...]:
        """The traces."""
        return (self.trace,) if isinstance(self.trace, str) else self.trace


def list_of(*mappings: Mapping[str, object]) -> "list[str]":
    """Return the keys of mappings, each once."""
    return list(dict.fromkeys(key for mapping in mappings for key in mapping))


def read_sweep(name_or_path: str | Path) -> tuple[SweepFile, Path]:
    """Return a sweep and its file, given by a shipped name or a path.

    Raises
    ------
    InputError
        If the file is missing or says something wrong.
    """
    path = resolve(str(name_or_path), FOLDER, "sweep")
    return sweep_of(read_yaml(path), str(path)), path


def sweep_of(data: Any, where: str) -> SweepFile:
    """Return the sweep of plain data.

    Raises
    ------
    InputError
        If something in it is wrong.
    """
    found = validate(SweepFile, data, where)
    for key, text in found.derived.items():
        Expression.of(text, where, f"derived.{key}")
    for index, text in enumerate(found.constraints):
        Expression.of(text, where, f"constraints[{index}]")
    for text in found.objectives:
        Expression.of(text, where, f"objectives.{text}")
    return found


def beside(path: Path, name: str, folder: str) -> str:
    """Return what a sweep's file means by a name: a shipped part, or a file beside it."""
    near = path.parent / name
    return name if not name or name in shipped_names(folder) or not is_there(near) else str(near)
