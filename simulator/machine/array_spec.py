"""The arrays of a spec: each is of one kind, and has that kind's parameters and no others."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import Field, PositiveInt, create_model

from dataflows.array import PEArray, arrays
from dataflows.dataflow import PORTS, dataflows

ARRAYS = ("array", "second_array")


class SecondArray(PEArray):
    """The predictor's array also says how many banks of the global buffer serve it."""

    buffer_banks: PositiveInt
    """Banks of the global buffer that serve this array."""


def _second(kind: type[PEArray]) -> type[PEArray]:
    """Return a kind's parameters with those of a second array."""
    name = f"Second{kind.__name__}"
    model = cast("type[PEArray]", create_model(name, __base__=(kind, SecondArray), __module__=__name__))
    globals()[name] = model  # where pickle looks for it
    return model


if TYPE_CHECKING:
    ArraySpec = PEArray
    SecondArraySpec = SecondArray
else:
    ArraySpec = Annotated[reduce(or_, arrays().values()), Field(discriminator="kind")]
    SecondArraySpec = Annotated[reduce(or_, map(_second, arrays().values())), Field(discriminator="kind")]


def array_keys(kind: object) -> set[str]:
    """Return the keys of a second array of a kind, which are a first one's and more; none for an unknown kind."""
    known = arrays()
    return {*known[kind].model_fields, "buffer_banks"} if isinstance(kind, str) and kind in known else set()


def with_port_widths(data: Any) -> Any:
    """Return a spec's data with each array's ports in words.

    A port that is left out is as wide as the side of the array that it feeds under the spec's dataflow; `rows` and
    `columns` name a side. What is no array or no dataflow is left for the spec to refuse.
    """
    if not isinstance(data, Mapping):
        return data
    found = {key: data[key] for key in ARRAYS if isinstance(data.get(key), Mapping)}
    return {**data, **{key: _with_widths(array, data.get("dataflow")) for key, array in found.items()}}


def stated_ports(data: Any) -> dict[str, dict[str, Any]]:
    """Return what a spec's data says of the ports of each array: a number, a side, or None where it says nothing."""
    if not isinstance(data, Mapping):
        return {}
    found = {key: data[key] for key in ARRAYS if isinstance(data.get(key), Mapping)}
    return {key: {port: array.get(port) for port in PORTS} for key, array in found.items()}


def with_stated_ports(data: Mapping[str, Any], stated: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a spec's data with its ports as they were stated, where that still gives their widths."""
    given = {key: {**data[key], **ports} for key, ports in stated.items() if isinstance(data.get(key), Mapping)}
    again = with_port_widths({**data, **given})
    return {**data, **{key: array for key, array in given.items() if again[key] == data[key]}}


def _sides(array: Mapping[str, Any], flow: object) -> dict[str, str]:
    """Return the side of an array, `rows` or `columns`, that each of its ports feeds."""
    kind, sides = array.get("kind"), dict.fromkeys(PORTS, "rows")
    if isinstance(kind, str) and isinstance(flow, str) and (kind, flow) in dataflows():
        sides.update(dataflows()[kind, flow].sides(arrays()[kind]))
    return sides


def _with_widths(array: Mapping[str, Any], flow: object) -> dict[str, Any]:
    widths = dict(array)
    for port, side in _sides(array, flow).items():
        given = array.get(port)
        named = side if given is None else given
        widths[port] = array.get(named) if named in ("rows", "columns") else given
    return widths
