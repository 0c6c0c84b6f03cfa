"""The tape: which layer made which tensor, while a model runs.

Views are transparent. A tensor is looked up as a `View` of a `Value`; all views of one tensor
share its value, so an operator that works in place through one of them is seen through all.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod

import torch
from torch.utils.weak import WeakTensorKeyDictionary

from workloads.graph import Shape
from workloads.layers import Conv2d, Layer, Linear, VectorKind, VectorLayer


@dataclass(frozen=True, slots=True)
class Place:
    """Where an operator ran: the module, the how-manieth call of any module, and whether it has children."""

    path: str
    call: int
    leaf: bool


@dataclass(slots=True, eq=False)
class Value:
    """What a tensor holds: the output of the layer `source`, or a part of `whole` that no layer has read yet."""

    source: str | None
    whole: "Value | None" = None
    shape: Shape = ()
    op: str = "reshape"
    place: Place = Place("", 0, False)


@dataclass(frozen=True, slots=True)
class View:
    """How one tensor shows a value: through which view operator, run where."""

    value: Value
    op: str
    place: Place


@dataclass(frozen=True, slots=True)
class Constant:
    """A tensor that does not depend on the network's inputs.

    `parameters` are the names of those it is computed from; `random` tells a dropout mask.
    """

    parameters: tuple[str, ...] = ()
    random: bool = False


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a layer comes from; `inserted` if only to convert a shape between two others.

    `parameters` are the names of those that a layer without multiply-accumulates uses.
    """

    place: Place
    name: str
    parameters: tuple[str, ...] = ()
    inserted: bool = False


NO_CONSTANT = Constant()
_PLACES = 3  # so many are named in a note, the others counted


class Tape:
    """The layers recorded so far.

    Ids are provisional until `finish`, since a module's path is the id of a layer only if the
    module turns out to have made just one.
    """

    def __init__(self, batch_size: int, parameters: dict[str, torch.Tensor]) -> None:
        self.batch_size = batch_size
        self.place = Place("", 0, False)
        self.paused = False
        self._notes: dict[str, list[str]] = {}
        self.layers: list[Layer] = []
        self.shapes: dict[str, Shape] = {}
        self._origins: list[_Origin] = []
        self._views = WeakTensorKeyDictionary()
        self._constants = WeakTensorKeyDictionary()
        self._reshaped: dict[tuple[str, Shape], str] = {}
        self._sizes = {name: tensor.numel() for name, tensor in parameters.items()}
        self._batch_first = True
        self._weights: dict[tuple[str, int, int], str] = {}
        for name, tensor in parameters.items():
            self._constants[tensor] = Constant((name,))

    @property
    def here(self) -> str:
        """Where the operator of now runs, for a note."""
        return self.place.path or "the top"

    def note(self, what: str, where: str = "") -> None:
        """Note something that is not recorded as it is; the same thing elsewhere is told in the same line."""
        self._notes.setdefault(what, []).append(where)

    def notes(self) -> tuple[str, ...]:
        """Return one line for each thing that is not recorded as it is, with the places or how often."""
        return tuple(_told(what, wheres) for what, wheres in self._notes.items())

    def add_input(self, name: str, tensor: torch.Tensor) -> None:
        """Make `tensor` an input of the network."""
        self._batch_first = self._batch_first and tensor.shape[0] == self.batch_size
        self.shapes[name] = self.sample_shape(tensor)
        self._views[tensor] = View(Value(name), "reshape", self.place)

    def sample_shape(self, tensor: torch.Tensor) -> Shape:
        """Return a tensor's shape without the batch.

        The batch is the first dimension of that size; in a network with the batch first, a first dimension
        that is a multiple of it (windows, heads) comes before other dimensions that happen to be as large.
        """
        shape = tuple(tensor.shape)
        multiple = bool(shape) and shape[0] % self.batch_size == 0
        if self.batch_size in shape and not (multiple and self._batch_first):
            axis = shape.index(self.batch_size)
            return shape[:axis] + shape[axis + 1 :]
        if multiple:
            windows = shape[0] // self.batch_size
            return shape[1:] if windows == 1 else (windows, *shape[1:])
        if tensor.numel() % self.batch_size == 0:
            return (tensor.numel() // self.batch_size,)
        self.note("a shape is no multiple of the batch and is recorded whole", f"{shape} at {self.here}")
        return shape

    def is_activation(self, tensor: object) -> bool:
        """Tell whether the network's inputs reach this tensor."""
        return isinstance(tensor, torch.Tensor) and tensor in self._views

    def constant(self, tensor: torch.Tensor) -> Constant:
        """Return what is known of a tensor that is no activation."""
        found: Constant = self._constants.get(tensor, NO_CONSTANT)
        return found

    def set_constant(self, tensor: torch.Tensor, origins: Iterable[Constant], random: bool = False) -> None:
        """Make `tensor` a constant computed from `origins`."""
        known = list(origins)
        names = tuple(dict.fromkeys(name for origin in known for name in origin.parameters))
        random = random or any(origin.random for origin in known)
        if names or random:
            self._constants[tensor] = Constant(names, random)

    def parameters(self, tensors: Iterable[torch.Tensor]) -> tuple[str, ...]:
        """Return the names of the parameters behind those of the tensors that are constants."""
        constants = (self.constant(tensor) for tensor in tensors if not self.is_activation(tensor))
        return tuple(dict.fromkeys(name for constant in constants for name in constant.parameters))

    def show(self, out: torch.Tensor, base: torch.Tensor, op: str, copies: bool) -> None:
        """Make `out` a view (or a copy) of the activation `base`, or of a part of it."""
        view: View = self._views[base]
        if out.numel() == base.numel():
            value = replace(view.value) if copies else view.value
            # A copy or a detach keeps the name of the operator that changed the shape.
            changed = out.shape != base.shape
            self._views[out] = View(value, op if changed else view.op, self.place if changed else view.place)
        else:
            value = Value(None, view.value, self.sample_shape(out), op, self.place)
            self._views[out] = View(value, op, self.place)

    def read(self, tensor: torch.Tensor, shape: Shape | None = None, any_shape: bool = False) -> str:
        """Return the layer that gives `tensor` to a layer that reads it in the shape of one sample.

        A reshape is recorded where a layer reads another shape than the one before it made;
        with `any_shape` only the sizes have to agree.
        """
        view: View = self._views[tensor]
        source = self._resolve(view.value)
        wanted = self.sample_shape(tensor) if shape is None else shape
        have = self.shapes[source]
        if have == wanted or (any_shape and prod(have) == prod(wanted)):
            return source
        if (source, wanted) not in self._reshaped:
            self._reshaped[source, wanted] = self._convert(source, wanted, view.op, view.place)
        return self._reshaped[source, wanted]

    def _resolve(self, value: Value) -> str:
        if value.source is None:
            assert value.whole is not None
            value.source = self._convert(self._resolve(value.whole), value.shape, value.op, value.place)
        return value.source

    def _convert(self, source: str, shape: Shape, op: str, place: Place) -> str:
        before, after = prod(self.shapes[source]), prod(shape)
        kind: VectorKind = "reshape" if before == after else "select" if before > after else "other"
        return self._append(
            VectorLayer(id="new", kind=kind, op=op, inputs=(source,), shape=shape),
            _Origin(place, _below(place, op), inserted=True),
        )

    def emit(self, layer: Layer, out: torch.Tensor | None, label: str, parameters: tuple[str, ...] = ()) -> str:
        """Record a layer that ran here and made `out`, with its parameters' names; return its provisional id."""
        made = self._append(layer, _Origin(self.place, _below(self.place, label), parameters))
        if out is not None:
            self.write(out, made)
        return made

    def write(self, out: torch.Tensor, source: str) -> None:
        """Make `out` the output of the layer `source`; in place, if it was an activation already."""
        view: View | None = self._views.get(out)
        if view is None:
            self._views[out] = View(Value(source), "reshape", self.place)
        else:
            self._assign(view.value, source)

    def _assign(self, value: Value, source: str) -> None:
        value.source = source
        if value.whole is not None:  # a part was written: the whole is another one now
            base = self._resolve(value.whole)
            op, shape = "slice_scatter", self.shapes[base]
            merged = VectorLayer(id="new", kind="other", op=op, inputs=(base, source), shape=shape)
            self._assign(value.whole, self.emit(merged, None, op))

    def emit_weighted(self, layer: Conv2d | Linear, out: torch.Tensor, weight: torch.Tensor) -> None:
        """Record a layer with weights; one that uses the weights of an earlier layer says so."""
        names = self.constant(weight).parameters
        name = names[0]
        if len(names) > 1:
            self.note("weights are computed from several parameters, which is not recorded", name)
        key = (name, weight.storage_offset(), weight.numel())
        first = self._weights.get(key)
        if first is not None and _same_weights(self.layers[int(first[1:])], layer):
            layer = layer.model_copy(update={"shares_weights_with": first})
        elif first is not None:
            self.note("weights are used in two shapes and recorded as two weights", name)
        owner = name.removesuffix("weight").rstrip("._") or name
        made = self._append(layer, _Origin(self.place, owner))
        self._weights.setdefault(key, made)
        self.write(out, made)

    def add_bias(self, source: str) -> bool:
        """Make a parameter, added right after a linear layer, its bias; tell whether that fits."""
        layer = self.layers[-1] if self.layers else None
        if layer is None or layer.id != source or not isinstance(layer, Linear) or layer.bias:
            return False
        self.layers[-1] = layer.model_copy(update={"bias": True})
        return True

    def _append(self, layer: Layer, origin: "_Origin") -> str:
        provisional = f"%{len(self.layers)}"
        self.layers.append(layer.model_copy(update={"id": provisional}))
        self.shapes[provisional] = layer.output_shape
        self._origins.append(origin)
        return provisional

    def finish(self, inputs: Sequence[str]) -> tuple[Layer, ...]:
        """Return the layers under their final, unique ids."""
        operators = Counter((origin.place.path, origin.place.call) for origin in self._origins if not origin.inserted)
        ids = {name: name for name in inputs}
        used = Counter(inputs)
        for index, origin in enumerate(self._origins):
            place = origin.place
            alone = operators[place.path, place.call] == (0 if origin.inserted else 1)
            base = place.path if place.leaf and place.path and alone else origin.name
            used[base] += 1
            ids[f"%{index}"] = base if used[base] == 1 else f"{base}#{used[base]}"
        counts = self._parameter_counts()
        return tuple(_finished(layer, ids, count) for layer, count in zip(self.layers, counts, strict=True))

    def _parameter_counts(self) -> list[int]:
        """Return the trainable numbers of each layer without multiply-accumulates.

        A parameter counts once in a network, and not here if it is the weight of a convolution or linear layer too,
        as a tied embedding is.
        """
        counted = {name for name, _, _ in self._weights}
        counts = []
        for origin in self._origins:
            counts.append(sum(self._sizes[name] for name in origin.parameters if name not in counted))
            counted.update(origin.parameters)
        return counts


def _told(what: str, wheres: list[str]) -> str:
    places = list(dict.fromkeys(where for where in wheres if where))
    text = f"{what}: {', '.join(places[:_PLACES])}" if places else what
    if len(places) > _PLACES:
        text += f" and {len(places) - _PLACES} more"
    return text if len(wheres) == max(len(places), 1) else f"{text} ({len(wheres)} times)"


def _below(place: Place, op: str) -> str:
    return f"{place.path}.{op}" if place.path else op


def _same_weights(layer: Layer, other: Conv2d | Linear) -> bool:
    mine, theirs = layer.product_shape(1), other.product_shape(1)  # type: ignore[union-attr]
    return (mine.K, mine.C, mine.R, mine.S, mine.groups) == (theirs.K, theirs.C, theirs.R, theirs.S, theirs.groups)


def _finished(layer: Layer, ids: dict[str, str], parameters: int) -> Layer:
    update: dict[str, object] = {"id": ids[layer.id], "inputs": tuple(ids[name] for name in layer.inputs)}
    if isinstance(layer, Conv2d | Linear) and layer.shares_weights_with is not None:
        update["shares_weights_with"] = ids[layer.shares_weights_with]
    if isinstance(layer, VectorLayer):
        update["parameters"] = parameters
    return layer.model_copy(update=update)
