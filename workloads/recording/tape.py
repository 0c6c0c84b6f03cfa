"""The tape: the layers recorded so far.

`values` says what tensors hold, and a `Flow` where gradients flow; a layer is recorded when an operator
with a place in the trace runs, or when such an operator reads a tensor in a shape that no layer made.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from math import prod
from typing import Any

from workloads.graph import DETACH, Shape, is_detach, without_gradient
from workloads.layers import Conv2d, Layer, Linear, VectorKind, VectorLayer
from workloads.recording.flow import Flow
from workloads.recording.lost import Lost, told_share
from workloads.recording.values import NOWHERE, Place, Tensor, Value, Values, behind, reached


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a layer comes from; `inserted` if only to convert a shape between two others.

    `parameters` are the names of those that a layer without multiply-accumulates uses.
    """

    place: Place
    name: str
    parameters: tuple[str, ...] = ()
    inserted: bool = False


_PLACES = 3  # so many are named in a note, the others counted


class Tape:
    """The layers recorded so far.

    Ids are provisional until `finish`, since a module's path is the id of a layer only if the
    module turns out to have made just one.

    Parameters
    ----------
    batch_size : int
        Samples in the batch.
    parameters : mapping
        The model's parameters by name.
    flow : Flow
        Tells where gradients flow.
    keyed : callable
        Makes a mapping whose keys are tensors.
    """

    def __init__(
        self,
        batch_size: int,
        parameters: Mapping[str, Tensor],
        flow: Flow,
        keyed: Callable[[], MutableMapping[Any, Any]] = dict,
    ) -> None:
        self.batch_size = batch_size
        self.values = Values(batch_size, parameters, keyed)
        self.flow = flow
        self.place = NOWHERE
        self.paused = False
        self._notes: dict[str, list[str]] = {}
        self.missing: dict[str, Lost] = {}
        self.layers: list[Layer] = []
        self.shapes: dict[str, Shape] = {}
        self.inputs: list[str] = []
        self._origins: list[_Origin] = []
        self._carries: dict[str, bool] = {}
        self._reshaped: dict[tuple[str, Shape], str] = {}
        self._detached: dict[str, str] = {}
        self._constants: dict[tuple[Value, Shape], str] = {}
        self._parameters = dict(parameters)
        self._untouched = dict.fromkeys(parameters)
        self._batch_first = True
        self._weights: dict[tuple[str, int, int, int], str] = {}

    @property
    def here(self) -> str:
        """Where the operator of now runs, for a note."""
        return self.place.path or "the top"

    def note(self, what: str, where: str = "") -> None:
        """Note something that is not recorded as it is; the same thing elsewhere goes into the same line."""
        self._notes.setdefault(what, []).append(where)

    def lose(self, note: str, what: str, lost: Lost, where: str = "") -> None:
        """Note a product that is not simulated, done by the operator `what`."""
        self.note(note, where)
        self.missing[what] = self.missing.get(what, Lost()) + lost

    def selects(self, op: str) -> None:
        """Note an operator that selects by the values of activations."""
        self.note(
            f"values decide what runs after {op}: another batch may run other layers, or other sizes of them",
            self.here,
        )

    def notes(self) -> tuple[str, ...]:
        """Return one line for each thing that is not recorded as it is, with the places or how often."""
        return tuple(_told(what, wheres) for what, wheres in self._notes.items())

    def unsimulated(self) -> str:
        """Return which share of the multiply-accumulates is not simulated, and what does them; or nothing."""
        return told_share(self.missing, self.layers, self.batch_size)

    def unreached(self) -> str:
        """Return which parameters no operator read, or nothing."""
        names = list(self._untouched)
        count = sum(self._parameters[name].numel() for name in names)
        what = f"{len(names)} parameters ({count:,} numbers) are reached by no operator, and counted all the same"
        return _told(what, names) if names else ""

    def add_input(self, name: str, tensor: Tensor) -> None:
        """Make `tensor` an input of the network."""
        self._batch_first = self._batch_first and tensor.shape[:1] == (self.batch_size,)
        self.inputs.append(name)
        self._carries[name] = False
        self.values.set_source(tensor, name, self.place)
        self.shapes[name] = self.sample_shape(tensor)

    def sample_shape(self, tensor: Tensor) -> Shape:
        """Return a tensor's shape without the batch.

        The batch is the dimension that grows with it. Where that is not known it is the first dimension of that size;
        in a network with the batch first, a first dimension that is a multiple of it (windows, heads) comes before
        other dimensions that happen to be as large.
        """
        return self._sample(tuple(tensor.shape), self.values.doubled(tensor))

    def _sample(self, shape: Shape, doubled: Shape | None) -> Shape:
        grown = [axis for axis, (one, two) in enumerate(zip(shape, doubled or (), strict=False)) if one != two]
        if len(grown) == 1 and shape[grown[0]] % self.batch_size == 0:
            (axis,) = grown
            windows = shape[axis] // self.batch_size
            return shape[:axis] + ((windows,) if windows > 1 else ()) + shape[axis + 1 :]
        multiple = bool(shape) and shape[0] % self.batch_size == 0
        if self.batch_size in shape and not (multiple and self._batch_first):
            axis = shape.index(self.batch_size)
            return shape[:axis] + shape[axis + 1 :]
        if multiple:
            windows = shape[0] // self.batch_size
            return shape[1:] if windows == 1 else (windows, *shape[1:])
        if prod(shape) % self.batch_size == 0:
            return (prod(shape) // self.batch_size,)
        if shape:
            self.note("a shape is no multiple of the batch and is recorded whole", f"{shape} at {self.here}")
        return shape

    def touch(self, tensors: Iterable[Tensor]) -> None:
        """Notice which parameters an operator reads."""
        for name in self.values.parameters(tensors) if self._untouched else ():
            self._untouched.pop(name, None)

    def is_activation(self, tensor: object) -> bool:
        """Tell whether the network's inputs reach this tensor."""
        return self.values.is_activation(tensor)

    def is_weight(self, tensor: Tensor) -> bool:
        """Tell whether a tensor is made of parameters or constants, and the same for every sample."""
        if self.is_activation(tensor):
            return False
        return self.values.is_cut_of_parameter(tensor) or not self.values.batched(tensor)

    def read(self, tensor: Tensor, shape: Shape | None = None, any_shape: bool = False) -> str:
        """Return the layer that gives `tensor` to a layer that reads it in the shape of one sample.

        A reshape is recorded where a layer reads another shape than the one before it made;
        with `any_shape` only the sizes have to agree. A constant with rows for every sample becomes a layer here.
        """
        view = self.values.view(tensor)
        wanted = self.sample_shape(tensor) if shape is None else shape
        source = self._resolve(view.value) if reached(view.value) else self._constant(tensor, view.value)
        if self._carries[source] and not self.flow.through(tensor):
            source = self._detach(source)
        have = self.shapes[source]
        if have == wanted or (any_shape and prod(have) == prod(wanted)):
            return source
        if (source, wanted) not in self._reshaped:
            self._reshaped[source, wanted] = self._convert((source,), wanted, view.op, view.place)
        return self._reshaped[source, wanted]

    def _constant(self, tensor: Tensor, value: Value) -> str:
        """Record a constant that is read like an activation: it takes nothing of the input but the batch's size."""
        shape = self.sample_shape(tensor)
        if (value, shape) not in self._constants:
            self._constants[value, shape] = self._convert(
                (self.inputs[0],), shape, value.op, self.place, behind(value), "other"
            )
        return self._constants[value, shape]

    def _detach(self, source: str) -> str:
        if source not in self._detached:
            layer = VectorLayer(id="new", kind="other", op=DETACH, inputs=(source,), shape=self.shapes[source])
            origin = _Origin(self.place, _below(self.place, DETACH), inserted=True)
            self._detached[source] = self._append(layer, origin, False)
        return self._detached[source]

    def _resolve(self, value: Value) -> str:
        if value.source is None:
            inputs = tuple(dict.fromkeys(self._resolve(part) for part in value.parts))
            shape = self._sample(value.shape, value.doubled)
            if not value.computed and self.shapes[inputs[0]] == shape:  # a copy
                value.source = inputs[0]
            else:
                kind: VectorKind | None = "other" if value.computed else None
                value.source = self._convert(inputs, shape, value.op, value.place, value.parameters, kind)
        return value.source

    def _convert(
        self, inputs: tuple[str, ...], shape: Shape, op: str, place: Place, parameters: tuple[str, ...] = (),
        kind: VectorKind | None = None,
    ) -> str:  # fmt: skip
        before, after = prod(self.shapes[inputs[0]]), prod(shape)
        kind = kind or ("reshape" if before == after else "select" if before > after else "other")
        layer = VectorLayer(id="new", kind=kind, op=op, inputs=inputs, shape=shape)
        return self._append(layer, _Origin(place, _below(place, op), parameters, True), self._train(parameters))

    def _train(self, parameters: Iterable[str]) -> bool:
        return self.flow.on and any(self._parameters[name].requires_grad for name in parameters)

    def trains(self, tensor: Tensor) -> bool:
        """Tell whether a gradient reaches the parameters behind a constant, here."""
        if self.flow.unknown:
            return self._train(self.values.parameters([tensor]))
        return self.flow.through(tensor)

    def emit(self, layer: Layer, out: Tensor | None, label: str, parameters: tuple[str, ...] = ()) -> str:
        """Record a layer that ran here and made `out`, with its parameters' names; return its provisional id."""
        origin = _Origin(self.place, _below(self.place, label), parameters)
        made = self._append(layer, origin, self._train(parameters))
        if out is not None:
            self.write(out, made)
        return made

    def write(self, out: Tensor, source: str) -> None:
        """Make `out` the output of the layer `source`; in place, if it held something already."""
        if self.values.known(out):
            self._assign(self.values.view(out).value, source)
        else:
            self.values.set_source(out, source, self.place)

    def _assign(self, value: Value, source: str) -> None:
        before, value.source = value.source, source
        if value.aliases:  # a part was written: the whole is another one now
            whole = value.parts[0]
            op, base = "slice_scatter", (self._resolve(whole),) if reached(whole) else ()
            shape = self._sample(whole.shape, whole.doubled) if not base else self.shapes[base[0]]
            merged = VectorLayer(id="new", kind="other", op=op, inputs=(*base, source), shape=shape)
            self._assign(whole, self.emit(merged, None, op))
        elif before is None:
            value.parts = ()

    def emit_weighted(self, layer: Conv2d | Linear, out: Tensor | None, weight: Tensor, part: int = 0) -> str:
        """Record a layer with weights, or with a part of them; one that uses those of an earlier layer says so.

        Weights that no parameter is behind are constants: they are frozen.
        """
        names = self.values.parameters([weight])
        name = names[0] if names else _below(self.place, "constant")
        if len(names) > 1:
            self.note("weights are computed from several parameters, which is not recorded", name)
        trains = self.trains(weight)
        key = (name, weight.storage_offset(), layer.product_shape(1).weight_words, part)
        first = self._weights.get(key)
        shared = self.layers[int(first[1:])] if first is not None else None
        if isinstance(shared, Conv2d | Linear) and _same_weights(shared, layer) and shared.trainable == trains:
            layer = layer.model_copy(update={"shares_weights_with": first})
        elif isinstance(shared, Conv2d | Linear):
            how = "in two shapes" if shared.trainable == trains else "frozen and trained"
            self.note(f"weights are used {how} and recorded as two weights", name)
        owner = name.removesuffix("weight").rstrip("._") or name
        made = self._append(layer, _Origin(self.place, owner), trains)
        self._weights.setdefault(key, made)
        if out is not None:
            self.write(out, made)
        return made

    def add_bias(self, source: str, bias: Tensor) -> bool:
        """Make a parameter, added right after a linear layer, its bias; tell whether that fits."""
        layer = self.layers[-1] if self.layers else None
        if layer is None or layer.id != source or not isinstance(layer, Linear) or layer.bias:
            return False
        if self.trains(bias) and not layer.trainable:
            return False
        self.layers[-1] = layer.model_copy(update={"bias": True})
        return True

    def _append(self, layer: Layer, origin: "_Origin", trains: bool) -> str:
        provisional = f"%{len(self.layers)}"
        frozen = {"trainable": False} if not trains and _has_parameters(layer, origin) else {}
        self.layers.append(layer.model_copy(update={"id": provisional, **frozen}))
        self.shapes[provisional] = layer.output_shape
        self._origins.append(origin)
        through = not is_detach(layer) and any(self._carries[name] for name in layer.inputs)
        self._carries[provisional] = trains or through
        return provisional

    def _end(self) -> None:
        """Let no gradient come back to a result that nothing reads and nobody keeps, but to every one that is kept."""
        kept = self.values.kept_sources()
        ends = {name for name, carries in self._carries.items() if carries} - kept
        for name in sorted(ends - {name for layer in self.layers for name in layer.inputs}):
            self._detach(name)
        for name in sorted(kept & without_gradient(self.layers)):  # what reads it is cut off, but it is an output
            self._convert((name,), self.shapes[name], "output", self.place)

    def finish(self) -> tuple[Layer, ...]:
        """Return the layers under their final, unique ids; the model's outputs are still there."""
        if not self.flow.unknown:
            self._end()
        operators = Counter((origin.place.path, origin.place.call) for origin in self._origins if not origin.inserted)
        ids = {name: name for name in self.inputs}
        used = Counter(self.inputs)
        for index, origin in enumerate(self._origins):
            place = origin.place
            alone = operators[place.path, place.call] == (0 if origin.inserted else 1)
            base = place.path if place.leaf and place.path and alone else origin.name
            used[base] += 1
            ids[f"%{index}"] = base if used[base] == 1 else f"{base}#{used[base]}"
        lost = self._without_gradient()
        layers = [
            _finished(layer, ids, count, layer.id in lost)
            for layer, count in zip(self.layers, self._parameter_counts(), strict=True)
        ]
        return (*self._unreached(used), *layers)

    def _unreached(self, taken: Mapping[str, int]) -> tuple[Layer, ...]:
        """Return a layer of the parameters that no operator read: they are kept, and updated by another batch."""
        if not self._untouched:
            return ()
        names = list(self._untouched)
        count = sum(self._parameters[name].numel() for name in names)
        id_ = next(name for name in ("unreached", *(f"unreached#{n}" for n in range(2, 99))) if name not in taken)
        trainable = any(self._parameters[name].requires_grad for name in names)
        return (
            VectorLayer(id=id_, kind="other", op="unreached", inputs=(self.inputs[0],), shape=(1,), parameters=count,
                        trainable=trainable),
        )  # fmt: skip

    def _without_gradient(self) -> set[str]:
        """Return the layers that are frozen since no gradient comes back to them."""
        lost = without_gradient(self.layers)
        # Weights that another layer trains too stay trainable where they stand.
        return lost - {
            layer.shares_weights_with
            for layer in self.layers
            if isinstance(layer, Conv2d | Linear) and layer.shares_weights_with and layer.id not in lost
        }

    def _parameter_counts(self) -> list[int]:
        """Return the trainable numbers of each layer without multiply-accumulates.

        A parameter counts once in a network, and not here if it is the weight of a convolution or linear layer too,
        as a tied embedding is.
        """
        counted = {name for name, *_ in self._weights}
        counts = []
        for origin in self._origins:
            counts.append(sum(self._parameters[name].numel() for name in origin.parameters if name not in counted))
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


def _has_parameters(layer: Layer, origin: _Origin) -> bool:
    return isinstance(layer, Conv2d | Linear) or bool(origin.parameters)


def _finished(layer: Layer, ids: dict[str, str], parameters: int, lost: bool) -> Layer:
    update: dict[str, object] = {"id": ids[layer.id], "inputs": tuple(ids[name] for name in layer.inputs)}
    if isinstance(layer, Conv2d | Linear) and layer.shares_weights_with is not None:
        update["shares_weights_with"] = ids[layer.shares_weights_with]
    if isinstance(layer, VectorLayer):
        update["parameters"] = parameters
    if isinstance(layer, VectorLayer) and (not parameters or lost):
        update["trainable"] = not parameters
    if isinstance(layer, Conv2d | Linear):
        trainable = layer.trainable and not lost
        update |= {"trainable": trainable, "predicted": trainable}
    return layer.model_copy(update=update)
