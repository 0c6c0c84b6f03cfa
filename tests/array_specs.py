"""Arrays of every kind for tests, from the registry."""

from hypothesis import strategies as st

from dataflows.actions import ACTIONS
from dataflows.array import PEArray, Way, arrays
from dataflows.arrays.job import Geometry, JobArray, Ports
from dataflows.dataflow import Dataflow, dataflows
from simulator.testing.arrays import array_of, choices

__all__ = [
    "INSIDE", "IN_FLOATS", "JOB_ARRAYS", "JOB_ARRAY_NAMES", "RUNS", "RUN_IN_FLOATS", "RUN_NAMES", "STAYS",
    "STAYS_NAMES", "array_of", "choices", "part_name", "runs_of", "specs",
]  # fmt: skip

INSIDE = [name for name in ACTIONS if "register" in name or "scratchpad" in name or name.endswith("_pitches")]
RUNS = [(flow, kind) for (kind, _), flow in dataflows().items()]
RUN_NAMES = [f"{flow.name}-{kind}" for flow, kind in RUNS]


def part_name(one: Dataflow | str) -> str:
    """Return what a test's name calls a dataflow or a kind of array."""
    return one if isinstance(one, str) else one.name


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

# A dtype is a kernel that takes seconds to compile. In floats the default run has the array with the fewest registers.
_SMALL = Geometry(2, 2, Ports(2, 2, 2))
IN_FLOATS = min(JOB_ARRAYS, key=lambda array: len(array.registers(_SMALL)))
RUN_IN_FLOATS = next(
    (flow, kind) for flow, kind in RUNS if flow.way != "rows stay" and array_of(kind).job_array(flow.way) == IN_FLOATS
)


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
