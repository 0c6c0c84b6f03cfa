"""The shapes of a graph's inputs, and which of their dimensions is the batch."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workloads.foundation.errors import InputError, nearest
from workloads.graph import Shape
from workloads.importers import InputOptions

_BATCH_NAME = re.compile(r"n|b|bs|.*batch.*", re.IGNORECASE)
_NO_BATCH_NAME = re.compile(r".*(seq|len|time|frame|token|height|width).*", re.IGNORECASE)
_LARGEST = 2**40  # what is above is no size
_ANY_BATCH = 13  # a size that hardly any other dimension has


@dataclass(frozen=True, slots=True)
class Batch:
    """A size of the batch to run a graph with, and the shapes of the inputs at it and at twice of it.

    Attributes
    ----------
    size : int
        Samples.
    shapes : dict
        The inputs' shapes.
    doubled : dict
        The same at twice the batch.
    """

    size: int
    shapes: dict[str, Shape]
    doubled: dict[str, Shape]


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a graph.

    Attributes
    ----------
    candidates : tuple of Batch
        Batches to try; the last is the file's own.
    batch_note : str
        What was taken for the batch, in a sentence.
    """

    candidates: tuple[Batch, ...]
    batch_note: str


def find_inputs(file: str, model: Any, options: InputOptions) -> Inputs:
    """Return the inputs' shapes, from the file and the options.

    Raises
    ------
    InputError
        If a dimension is not fixed, or an option does not fit.
    """
    declared = _declared(file, model)
    for option, names in (("--shape", options.shapes), ("--batch-axis", options.batch_axes)):
        for name in names:
            if name and name not in declared:
                raise InputError(option, name, f"is no input of {file}", nearest(name, declared))
    for name, shape in options.shapes.items():
        if declared[name] and len(declared[name]) != len(shape):
            problem = f"has {len(shape)} dimensions, and the file {len(declared[name])}"
            raise InputError("--shape", name, problem, f"give {len(declared[name])}")
    sizes = _named_sizes(declared, options.shapes)
    dims = {name: tuple(options.shapes.get(name, found)) for name, found in declared.items()}
    chosen = {name: axis for name, found in dims.items() for axis in _chosen_axis(name, len(found), options.batch_axes)}
    axes = chosen | _open_axes({name: found for name, found in declared.items() if name not in chosen})
    is_open = any(axis is not None and isinstance(_at(declared[name], axis), str) for name, axis in axes.items())
    shapes = {name: _shape(file, name, found, sizes, axes.get(name)) for name, found in dims.items()}
    if not is_open:
        axes = _fixed_axes(shapes, chosen)
    own = next((shapes[name][axis] for name, axis in axes.items() if axis is not None), 1)
    for name, axis in axes.items():
        if axis is not None and not is_open and shapes[name][axis] != own:
            problem = f"has {shapes[name][axis]} samples where another input has {own}"
            raise InputError(file, name, problem, f"give --batch-axis {name}=AXIS, or none")
    batches = [_batch(size, shapes, axes) for size in ((_ANY_BATCH, own) if is_open else (own,))]
    return Inputs(tuple(batches), _batch_note(axes, own, is_open))


def _declared(file: str, model: Any) -> dict[str, Sequence[int | str]]:
    """Return the inputs and their dimensions; one that is not fixed as its name, empty if it has none."""
    held = {one.name for one in model.graph.initializer}
    found: dict[str, Sequence[int | str]] = {}
    for value in model.graph.input:
        if value.name in held:
            continue
        if not value.type.HasField("tensor_type"):
            raise InputError(file, value.name, "is no tensor but a sequence, a map or optional", "export it as tensors")
        dims = value.type.tensor_type.shape.dim
        found[value.name] = [one.dim_value if 0 < one.dim_value < _LARGEST else one.dim_param for one in dims]
    if not any(found.values()):
        raise InputError(file, "graph.input", "no input with a shape", "give --shape NAME=1x3x224x224")
    return found


def _named_sizes(declared: Mapping[str, Sequence[int | str]], given: Mapping[str, Shape]) -> dict[str, int]:
    """Return what the given shapes say of dimensions that other inputs have too, by their name."""
    sizes: dict[str, int] = {}
    for name, shape in given.items():
        for dim, size in zip(declared[name], shape, strict=False):
            if isinstance(dim, str) and dim:
                sizes.setdefault(dim, size)
    return sizes


def _at(dims: Sequence[int | str], axis: int) -> int | str:
    return dims[axis] if dims else ""


def _chosen_axis(name: str, rank: int, given: Mapping[str, int | None]) -> list[int | None]:
    """Return which dimension an option makes the batch, None if none; nothing if no option does."""
    if name not in given and "" not in given:
        return []
    axis = given.get(name, given.get(""))
    if axis is None or -rank <= axis < rank:
        return [None if axis is None else axis % rank]
    if name not in given:  # an option for all inputs, and this one has fewer dimensions
        return [None]
    problem = f"is {axis}, and there are {rank} dimensions"
    raise InputError("--batch-axis", name, problem, f"give 0 to {rank - 1}" if rank else f"give {name}=none")


def _open_axes(declared: Mapping[str, Sequence[int | str]]) -> dict[str, int | None]:
    """Return the dimensions that are the batch by their name, or because they are open and come first.

    If another input has such a batch, so has one with the same name elsewhere, or with one open dimension in all.
    """
    axes: dict[str, int | None] = {}
    for name, dims in declared.items():
        named = [index for index, dim in enumerate(dims) if isinstance(dim, str) and _BATCH_NAME.fullmatch(dim)]
        first = [0] if dims and isinstance(dims[0], str) and not _NO_BATCH_NAME.fullmatch(dims[0]) else []
        if named or first:
            axes[name] = (named or first)[0]
    names = {declared[name][axis] for name, axis in axes.items() if axis is not None}
    for name, dims in declared.items() if axes else ():
        alike = [index for index, dim in enumerate(dims) if isinstance(dim, str) and dim in names]
        if name not in axes and len(alike) == 1:
            axes[name] = alike[0]
    return axes


def _shape(file: str, name: str, dims: Sequence[int | str], sizes: Mapping[str, int], batch_axis: int | None) -> Shape:
    """Return an input's shape; a batch of any size is 1 here."""
    found = [sizes.get(dim, dim) if isinstance(dim, str) else dim for dim in dims]
    if batch_axis is not None and isinstance(found[batch_axis], str):
        found[batch_axis] = 1
    for index, dim in enumerate(found):
        if isinstance(dim, str):
            wanted = "x".join(str(one or f"DIM{at}") for at, one in enumerate(found))
            problem = f"dimension {index} ({dim or 'unnamed'}) is not fixed"
            raise InputError(file, name, problem, f"give --shape {name}={wanted} with a number there")
    return tuple(one for one in found if isinstance(one, int))


def _fixed_axes(shapes: Mapping[str, Shape], chosen: Mapping[str, int | None]) -> dict[str, int | None]:
    """Return where the batch is if all sizes are fixed: the size that comes first everywhere, or that all have."""
    given = [shapes[name][axis] for name, axis in chosen.items() if axis is not None]
    left = {name: shape for name, shape in shapes.items() if name not in chosen and shape}
    if not left:
        return dict(chosen)
    firsts = {shape[0] for shape in left.values()}
    common = set.intersection(*(set(shape) for shape in left.values()))
    if given:
        size = given[0]
    elif len(firsts) == 1 or not common:
        size = next(iter(left.values()))[0]
    else:
        size = min(common, key=lambda one: (sum(shape.index(one) for shape in left.values()), one))
    return {**chosen, **{name: shape.index(size) if size in shape else None for name, shape in left.items()}}


def _batch(size: int, shapes: Mapping[str, Shape], axes: Mapping[str, int | None]) -> Batch:
    return Batch(size, _with_batch(size, shapes, axes), _with_batch(2 * size, shapes, axes))


def _with_batch(size: int, shapes: Mapping[str, Shape], axes: Mapping[str, int | None]) -> dict[str, Shape]:
    found = {}
    for name, shape in shapes.items():
        axis = axes.get(name)
        found[name] = shape if axis is None else (*shape[:axis], size, *shape[axis + 1 :])
    return found


def _batch_note(axes: Mapping[str, int | None], own: int, is_open: bool) -> str:
    places = [f"dimension {axis} of {name}" for name, axis in axes.items() if axis is not None]
    if not places:
        return "No input has a batch; all is taken as one sample. --batch-axis takes a dimension."
    size = "any size" if is_open else f"{own} in the file"
    return f"The batch is {', '.join(places)} ({size}); --batch-axis takes another dimension."
