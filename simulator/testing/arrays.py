"""Small arrays of every kind, from the registry."""

from itertools import product
from typing import Any, get_args

from dataflows.array import PEArray, arrays
from dataflows.array_checks import check_array
from dataflows.dataflow import PORTS, Dataflow
from workloads.foundation.errors import InputError

SMALL_PADS = {"input_words": 4, "filter_words": 24, "partial_sum_words": 3}


def array_of(
    kind: str, rows: int = 4, columns: int = 3, ports: tuple[int, int, int] = (4, 3, 2), **own: Any
) -> PEArray:
    """Return an array of a kind, with the weight, input and output port; keys that its kind does not have pass by."""
    given = {"accumulator_sums": 0, "scratchpads": SMALL_PADS, **own}
    model = arrays()[kind]
    sizes: dict[str, Any] = {"kind": kind, "rows": rows, "columns": columns, **dict(zip(PORTS, ports, strict=True))}
    return model(**sizes, **{key: value for key, value in given.items() if key in model.model_fields})


def choices(kind: str, flow: Dataflow | None = None) -> list[dict[str, str]]:
    """Return every combination of the values that a kind's keys can take, where these are words.

    What a dataflow refuses is left out, where one is given.
    """
    fields = arrays()[kind].model_fields
    words = {name: get_args(field.annotation) for name, field in fields.items() if name != "kind"}
    words = {name: values for name, values in words.items() if values and all(isinstance(v, str) for v in values)}
    found = [dict(zip(words, values, strict=True)) for values in product(*words.values())]
    return found if flow is None else [own for own in found if _takes(flow, array_of(kind, **own))]


def _takes(flow: Dataflow, array: PEArray) -> bool:
    try:
        check_array(array, flow, "", "")
    except InputError:
        return False
    return True
