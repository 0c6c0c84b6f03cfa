"""The tape: the layers recorded so far.

`values` says what tensors hold, and a `Flow` where gradients flow; a layer is recorded when an operator
with a place in the trace runs, or when such an operator reads a tensor in a shape that no layer made.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from workloads.graph import DETACH, Shape, is_detach, same_weights, without_gradient
from workloads.layers import Conv2d, Layer, Linear, Matmul, VectorKind, VectorLayer
from workloads.recording.call import Call
from workloads.recording.flow import Flow
from workloads.recording.notes import Lost, note_line, unsimulated_share
from workloads.recording.parameters import parameter_counts
from workloads.recording.values import NOWHERE, Place, Tensor, Value, Values, behind, reached


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a layer comes from; `inserted` if only to convert a shape between two others.

    `parameters` are the names of those that the layer uses.
    """

    place: Place
    name: str
    parameters: tuple[str, ...] = ()
    inserted: bool = False


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
        # Layers between two that read one another, by what they are made of and their shape: each is made once.
        self._inserted: dict[tuple[object, ...], str] = {}
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

    def notes(self) -> tuple[str, ...]:
        """Return one line for each thing that is not recorded as it is, with the places or how often."""
        return tuple(note_line(what, wheres) for what, wheres in self._notes.items())

    def unsimulated(self) -> str:
        """Return which share of the multiply-accumulates is not simulated, and what does them; or nothing."""
        return unsimulated_share(self.missing, self.layers, self.batch_size)

    def unreached(self) -> str:
        """Return which parameters no operator read, or nothing."""
        names = list(self._untouched)
        count = sum(self._parameters[name].numel() for name in names)
        what = f"{len(names)} parameters ({count:,} numbers) are reached by no operator, and counted all the same"
        return note_line(what, names) if names else ""

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
        multiple = bool(shape) and shape[0] % self.batch_size == 0
        axis = 0
        if len(grown) == 1 and shape[grown[0]] % self.batch_size == 0:
            axis = grown[0]
        elif self.batch_size in shape and not (multiple and self._batch_first):
            axis = shape.index(self.batch_size)
        elif not multiple and prod(shape) % self.batch_size == 0:
            return (prod(shape) // self.batch_size,)
        elif not multiple:
            if shape:
                self.note("a shape is no multiple of the batch and is recorded whole", f"{shape} at {self.here}")
            return shape
        windows = shape[axis] // self.batch_size
        return shape[:axis] + ((windows,) if windows > 1 else ()) + shape[axis + 1 :]

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
        through = self.flow.through(tensor)
        if self._carries[source] != through and not (through and self.flow.unknown):
            source = self._gate(source, through)
        have = self.shapes[source]
        if have == wanted or (any_shape and prod(have) == prod(wanted)):
            return source
        if (source, wanted) not in self._inserted:
            self._inserted[source, wanted] = self._convert((source,), wanted, view.op, view.place)
        return self._inserted[source, wanted]

    def _constant(self, tensor: Tensor, value: Value) -> str:
        """Record a constant that is read like an activation: it takes nothing of the input but the batch's size."""
        shape, trains = self.sample_shape(tensor), self.trains(tensor)
        key = value, shape, trains
        if key not in self._inserted:
            inputs = (self.inputs[0],)
            self._inserted[key] = self._convert(inputs, shape, value.op, self.place, behind(value), "other", trains)
        return self._inserted[key]

    def _gate(self, source: str, opens: bool) -> str:
        """Let no gradient through to a layer, or ask for one that nothing behind it needs."""
        if (source, None) not in self._inserted:
            op = "requires_grad" if opens else DETACH
            made = self._convert((source,), self.shapes[source], op, self.place, kind="other", trains=opens)
            self._inserted[source, None] = made
        return self._inserted[source, None]

    def _resolve(self, value: Value) -> str:
        if value.source is None:
            inputs = tuple(dict.fromkeys(self._resolve(part) for part in value.parts))
            shape = self._sample(value.shape, value.doubled)
            if not value.computed and self.shapes[inputs[0]] == shape:  # a copy
                value.source = inputs[0]
            else:
                kind: VectorKind | None = "other" if value.computed else None
                names, trains = value.parameters, self._train(value.parameters)
                value.source = self._convert(inputs, shape, value.op, value.place, names, kind, trains)
        return value.source

    def _convert(
        self, inputs: tuple[str, ...], shape: Shape, op: str, place: Place, parameters: tuple[str, ...] = (),
        kind: VectorKind | None = None, trains: bool = False,
    ) -> str:  # fmt: skip
        before, after = prod(self.shapes[inputs[0]]), prod(shape)
        kind = kind or ("reshape" if before == after else "select" if before > after else "other")
        layer = VectorLayer(id="new", kind=kind, op=op, inputs=inputs, shape=shape)
        return self._append(layer, _Origin(place, _below(place, op), parameters, inserted=True), trains, None)

    def _train(self, parameters: Iterable[str]) -> bool:
        return self.flow.on and any(self._parameters[name].requires_grad for name in parameters)

    def trains(self, tensor: Tensor) -> bool:
        """Tell whether a gradient reaches the parameters behind a constant, here."""
        if self.flow.unknown:
            return self._train(self.values.parameters([tensor]))
        return self.flow.through(tensor)

    def record_vector(
        self,
        call: Call,
        kind: VectorKind,
        out: Tensor,
        inputs: Sequence[str],
        shape: Shape | None = None,
        op: str = "",
    ) -> None:
        """Record an operator as a layer without multiply-accumulates that made `out` of the layers `inputs`."""
        shape = self.sample_shape(out) if shape is None else shape
        self.vector(kind, op or call.op, inputs, shape, out, call.tensors)

    def vector(
        self, kind: VectorKind, op: str, inputs: Sequence[str], shape: Shape, out: Tensor | None = None,
        operands: Collection[Tensor] = (),
    ) -> str:  # fmt: skip
        """Record a layer without multiply-accumulates that ran here; return its provisional id.

        It has the parameters behind those of its operands that are constants.
        """
        layer = VectorLayer(id="new", kind=kind, op=op, inputs=tuple(inputs), shape=shape)
        trains = any(self.trains(tensor) for tensor in operands if self.values.parameters([tensor]))
        origin = _Origin(self.place, _below(self.place, op), self.values.parameters(operands))
        return self._append(layer, origin, trains, out)

    def compute(
        self, call: Call, operands: Iterable[Tensor], outs: Iterable[Tensor] | None = None, random: bool = False
    ) -> None:
        """Make what an operator returns, or some of it, a function of some operands that is no layer yet."""
        for out in call.outputs if outs is None else outs:
            self.values.compute(out, operands, call.op, self.place, random)

    def emit(self, layer: Matmul, out: Tensor | None, label: str) -> str:
        """Record a product of activations that ran here and made `out`; return its provisional id."""
        return self._append(layer, _Origin(self.place, _below(self.place, label)), False, out)

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
            self._assign(whole, self.vector("other", op, (*base, source), shape))
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
        if isinstance(shared, Conv2d | Linear) and same_weights(shared, layer) and shared.trainable == trains:
            layer = layer.model_copy(update={"shares_weights_with": first})
        elif isinstance(shared, Conv2d | Linear):
            how = "in two shapes" if shared.trainable == trains else "frozen and trained"
            self.note(f"weights are used {how} and recorded as two weights", name)
        owner = name.removesuffix("weight").rstrip("._") or name
        made = self._append(layer, _Origin(self.place, owner, names[:1]), trains, out)
        self._weights.setdefault(key, made)
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

    def _append(self, layer: Layer, origin: "_Origin", trains: bool, out: Tensor | None) -> str:
        provisional = f"%{len(self.layers)}"
        trainable = {} if isinstance(layer, Matmul) else {"trainable": trains}
        self.layers.append(layer.model_copy(update={"id": provisional, **trainable}))
        self.shapes[provisional] = layer.output_shape
        self._origins.append(origin)
        through = not is_detach(layer) and any(self._carries[name] for name in layer.inputs)
        self._carries[provisional] = trains or through
        if out is not None:
            self.write(out, provisional)
        return provisional

    def _end(self) -> None:
        """Let no gradient come back to a result that nothing reads and nobody keeps, but to every one that is kept."""
        kept = self.values.kept_sources()
        ends = {name for name, carries in self._carries.items() if carries} - kept
        for name in sorted(ends - {name for layer in self.layers for name in layer.inputs}):
            self._gate(name, opens=False)
        for name in sorted(kept & without_gradient(self.layers)):  # what reads it is cut off, but it is an output
            self._convert((name,), self.shapes[name], "output", self.place)

    def finish(self) -> tuple[Layer, ...]:
        """Return the layers under their final, unique ids; the model's outputs are still there."""
        if not self.flow.unknown:
            self._end()
        if self.flow.runs_again:
            self.note("checkpointing: the backward pass runs layers again, which is not recorded")
        if self._untouched:  # they are kept, and updated by another batch
            names = tuple(self._untouched)
            self._convert((self.inputs[0],), (1,), "unreached", NOWHERE, names, "other", self._train(names))
        operators = Counter((origin.place.path, origin.place.call) for origin in self._origins if not origin.inserted)
        ids = {name: name for name in self.inputs}
        used = Counter(self.inputs)
        for index, origin in enumerate(self._origins):
            place = origin.place
            alone = operators[place.path, place.call] == (0 if origin.inserted else 1)
            base = place.path if place.leaf and place.path and alone else origin.name
            used[base] += 1
            ids[f"%{index}"] = base if used[base] == 1 else f"{base}#{used[base]}"
        lost, uses = self._without_gradient(), [origin.parameters for origin in self._origins]
        sizes = {name: tensor.numel() for name, tensor in self._parameters.items()}
        layers = tuple(
            _finished(layer, ids, count, layer.id in lost)
            for layer, count in zip(self.layers, parameter_counts(self.layers, uses, sizes, lost), strict=True)
        )
        first = len(layers) - bool(self._untouched)  # that of parameters nobody reads keeps no input alive
        return layers[first:] + layers[:first]

    def _without_gradient(self) -> set[str]:
        """Return the layers that are frozen since no gradient comes back to them."""
        lost = without_gradient(self.layers)
        # Weights that another layer trains too stay trainable where they stand.
        return lost - {
            layer.shares_weights_with
            for layer in self.layers
            if isinstance(layer, Conv2d | Linear) and layer.shares_weights_with and layer.id not in lost
        }


def _below(place: Place, op: str) -> str:
    return f"{place.path}.{op}" if place.path else op


def _finished(layer: Layer, ids: dict[str, str], parameters: int, lost: bool) -> Layer:
    update: dict[str, object] = {"id": ids[layer.id], "inputs": tuple(ids[name] for name in layer.inputs)}
    if isinstance(layer, VectorLayer):
        trains = layer.trainable and not lost
        update |= {"parameters": parameters, "trainable": not parameters or trains}
        update["wants_gradient"] = trains and not parameters
    elif isinstance(layer, Conv2d | Linear):
        trainable = layer.trainable and not lost
        shared = layer.shares_weights_with and ids[layer.shares_weights_with]
        update |= {"trainable": trainable, "predicted": trainable, "shares_weights_with": shared}
    return layer.model_copy(update=update)
