"""Arrays of every kind for tests, from the registry."""

from itertools import product
from typing import Any, get_args

from hypothesis import strategies as st

from dataflows.array import PEArray, Way, arrays
from dataflows.arrays.job import JobArray
from dataflows.dataflow import PORTS, Dataflow, dataflows

RUNS = [(flow, kind) for (kind, _), flow in dataflows().items()]
RUN_NAMES = [f"{flow.name}-{kind}" for flow, kind in RUNS]
SMALL_PADS = {"input_words": 4, "filter_words": 24, "partial_sum_words": 3}


def part_name(one: Dataflow | str) -> str:
    """Return what a test's name calls a dataflow or a kind of array."""
    return one if isinstance(one, str) else one.name


def array_of(
    kind: str, rows: int = 4, columns: int = 3, ports: tuple[int, int, int] = (4, 3, 2), **own: Any
) -> PEArray:
    """Return an array of a kind, with the weight, input and output port; keys that its kind does not have pass by."""
    given = {"accumulator_sums": 0, "scratchpads": SMALL_PADS, **own}
    model = arrays()[kind]
    sizes = {"kind": kind, "rows": rows, "columns": columns, **dict(zip(PORTS, ports, strict=True))}
    return model(**sizes, **{key: value for key, value in given.items() if key in model.model_fields})


def choices(kind: str) -> list[dict[str, str]]:
    """Return every combination of the values that a kind's own keys can take, where these are words."""
    fields = arrays()[kind].model_fields
    words = {name: get_args(field.annotation) for name, field in fields.items() if name != "kind"}
    words = {name: values for name, values in words.items() if values and all(isinstance(v, str) for v in values)}
    return [dict(zip(words, values, strict=True)) for values in product(*words.values())]


def job_arrays() -> list[tuple[JobArray, Way]]:
    """Return what does jobs in each way of each kind of array, once each, and the way."""
    found = [
        (array_of(kind, **own).job_array(way), way)
        for kind, model in arrays().items()
        for own in choices(kind)
        for way in model.ways
        if way != "rows stay"
    ]
    return list(dict.fromkeys(found))


STAYS = job_arrays()
STAYS_NAMES = [f"{array.name}-{way.replace(' ', '-')}" for array, way in STAYS]
JOB_ARRAYS = list(dict.fromkeys(array for array, _ in STAYS))
JOB_ARRAY_NAMES = [array.name for array in JOB_ARRAYS]


@st.composite
def specs(draw: st.DrawFn, kind: str, most: int = 6) -> PEArray:
    """Draw a small array of a kind, with any ports and any of its own words."""
    side, width = st.integers(1, most), st.integers(1, 2 * most)
    ports = (draw(width), draw(width), draw(width))
    own = draw(st.sampled_from(choices(kind)))
    sums = draw(st.sampled_from([0, 1, 3, 1000]))
    pads = {key: draw(st.integers(1, most)) for key in ("input_words", "partial_sum_words")}
    pads["filter_words"] = draw(st.integers(1, 4 * most))
    return array_of(kind, draw(side), draw(side), ports, accumulator_sums=sums, scratchpads=pads, **own)


def runs_of(flow: Dataflow) -> list[str]:
    """Return the kinds of array that a dataflow runs on."""
    return [kind for one, kind in RUNS if one is flow]
