"""The graph of a network's layers: do shapes chain, who needs a gradient, what is alive."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import prod

from workloads.foundation.errors import InputError, nearest
from workloads.layers import Conv2d, Layer, Linear, Matmul, VectorLayer, WeightedLayer

Shape = tuple[int, ...]
# The `op` of a layer through which no gradient flows back.
DETACH = "detach"


def check_graph(layers: Sequence[Layer], network_inputs: Mapping[str, Shape]) -> None:
    """Check that ids are unique, inputs come first, and every shape follows from its inputs.

    Raises
    ------
    InputError
        With the key of the layer that does not fit.
    """
    shapes: dict[str, Shape] = dict(network_inputs)
    weighted: dict[str, WeightedLayer] = {}
    for index, layer in enumerate(layers):
        key = f"layers[{index}]"
        if layer.id in shapes:
            raise InputError("", f"{key}.id", f"{layer.id!r} is taken", "give every layer an id of its own")
        for name in layer.inputs:
            if name not in shapes:
                raise InputError("", f"{key}.inputs", f"{name!r} is no earlier layer", nearest(name, shapes))
        found = [shapes[name] for name in layer.inputs]
        problem = _misfit(layer, found)
        if problem:
            raise InputError(
                "",
                key,
                f"the shapes do not chain: {layer.id} {problem}",
                "correct this layer or the ones in its inputs",
            )
        if isinstance(layer, WeightedLayer):
            _check_sharing(layer, key, weighted)
            weighted[layer.id] = layer
        shapes[layer.id] = layer.output_shape


def _check_sharing(layer: WeightedLayer, key: str, weighted: Mapping[str, WeightedLayer]) -> None:
    if layer.shares_weights_with is None:
        return
    other = weighted.get(layer.shares_weights_with)
    if other is None:
        raise InputError(
            "",
            f"{key}.shares_weights_with",
            f"{layer.shares_weights_with!r} is no earlier layer with weights",
            nearest(layer.shares_weights_with, weighted),
        )
    if not same_weights(layer, other):
        raise InputError(
            "",
            f"{key}.shares_weights_with",
            f"weights of {layer.id} and {other.id} differ in shape",
            "let them share or give this layer weights of its own",
        )


def same_weights(layer: WeightedLayer, other: WeightedLayer) -> bool:
    """Tell whether the weights of two layers have the same shape."""
    mine, theirs = (one.product_shape(1) for one in (layer, other))  # type: ignore[attr-defined]
    return (mine.K, mine.C, mine.R, mine.S, mine.groups) == (theirs.K, theirs.C, theirs.R, theirs.S, theirs.groups)


def _misfit(layer: Layer, found: list[Shape]) -> str:
    if isinstance(layer, VectorLayer):
        return _VECTOR_RULES.get(layer.kind, _anything)(layer, found)
    expected = layer.input_shapes
    if isinstance(layer, Matmul):
        sizes = [prod(shape) for shape in found]
        needed = [prod(shape) for shape in expected]
        if len(sizes) == 1:  # both operands are cut from one tensor, as in packed attention
            return ""
        return "" if sizes == needed else f"needs {expected}, its inputs are {found}"
    if len(found) != 1:
        return f"takes one input, not {len(found)}"
    fits = prod(found[0]) == prod(expected[0]) if isinstance(layer, Linear) else found[0] == expected[0]
    return "" if fits else f"needs {expected[0]}, its input {layer.inputs[0]} is {found[0]}"


def _anything(layer: VectorLayer, found: list[Shape]) -> str:
    return ""


def _same_shape(layer: VectorLayer, found: list[Shape]) -> str:
    return "" if found[0] == layer.shape else f"keeps its input's shape {found[0]}, but is {layer.shape}"


def _same_size(layer: VectorLayer, found: list[Shape]) -> str:
    return "" if prod(found[0]) == prod(layer.shape) else f"cannot make {layer.shape} of {found[0]}"


def _broadcast(layer: VectorLayer, found: list[Shape]) -> str:
    wrong = [shape for shape in found if not broadcasts(shape, layer.shape)]
    return f"cannot broadcast {wrong[0]} to {layer.shape}" if wrong else ""


def broadcasts(shape: Shape, target: Shape) -> bool:
    """Tell whether a shape is spread to another by repeating dimensions of 1 and those that it lacks."""
    padded = (1,) * (len(target) - len(shape)) + shape
    return len(padded) == len(target) and all(a in (1, b) for a, b in zip(padded, target, strict=True))


def _joined(layer: VectorLayer, found: list[Shape]) -> str:
    total = sum(prod(shape) for shape in found)
    return "" if total == prod(layer.shape) else f"joins {found}, which is not {layer.shape}"


def _pooled(layer: VectorLayer, found: list[Shape]) -> str:
    fits = len(found[0]) == len(layer.shape) and found[0][:-2] == layer.shape[:-2]
    return "" if fits else f"pools {found[0]}, which cannot give {layer.shape}"


_VECTOR_RULES: dict[str, Callable[[VectorLayer, list[Shape]], str]] = {
    "activation": _same_shape,
    "add": _broadcast,
    "batch_norm": _same_shape,
    "concat": _joined,
    "dropout": _same_shape,
    "layer_norm": _same_shape,
    "multiply": _broadcast,
    "pool": _pooled,
    "reshape": _same_size,
    "softmax": _same_shape,
}


def input_gradients(layers: Sequence[Layer]) -> dict[str, tuple[bool, ...]]:
    """Tell for each input of each layer whether anything trainable comes before it, and a gradient comes back to it.

    The first layer of a network needs no dgrad: nobody uses the gradient of the data. The same holds for all layers
    below the lowest one that trains, and on either side of a `detach`.
    """
    lost, carry = without_gradient(layers), carriers(layers)
    return {
        layer.id: tuple(layer.id not in lost and not is_detach(layer) and name in carry for name in layer.inputs)
        for layer in layers
    }


def needs_input_gradient(layers: Sequence[Layer]) -> dict[str, bool]:
    """Tell for each layer whether a gradient of any of its inputs is computed."""
    return {name: any(needed) for name, needed in input_gradients(layers).items()}


def carriers(layers: Sequence[Layer]) -> set[str]:
    """Return the layers that train, or that pass a gradient on to one that does."""
    found: set[str] = set()
    for layer in layers:
        if trains(layer) or (not is_detach(layer) and any(name in found for name in layer.inputs)):
            found.add(layer.id)
    return found


def without_gradient(layers: Sequence[Layer]) -> set[str]:
    """Return the layers all of whose readers are cut off: no gradient comes back to them."""
    wanted: dict[str, list[bool]] = {}
    lost = set()
    for layer in reversed(layers):
        comes = any(wanted.get(layer.id, [True]))
        if not comes:
            lost.add(layer.id)
        for name in layer.inputs:
            wanted.setdefault(name, []).append(comes and not is_detach(layer))
    return lost


def is_detach(layer: Layer) -> bool:
    """Tell whether a gradient stops here."""
    return isinstance(layer, VectorLayer) and layer.op == DETACH


def trains(layer: Layer) -> bool:
    """Tell whether a layer has parameters that have a gradient, or wants one all the same."""
    if isinstance(layer, VectorLayer):
        return layer.trainable and (layer.parameters > 0 or layer.wants_gradient)
    return isinstance(layer, WeightedLayer) and layer.trainable


def peak_live_words(layers: Sequence[Layer], network_inputs: Mapping[str, Shape]) -> int:
    """Return the largest number of elements a sample that are alive at once in a forward pass.

    A tensor is alive from the layer that makes it to the last one that reads it. Activations,
    normalisations, dropout and reshapes work in place.
    """
    last_use: dict[str, int] = {}
    for index, layer in enumerate(layers):
        for name in layer.inputs:
            last_use[name] = index
    sizes = {name: prod(shape) for name, shape in network_inputs.items()}
    alive, peak = dict(sizes), sum(sizes.values())
    for index, layer in enumerate(layers):
        in_place = isinstance(layer, VectorLayer) and layer.kind in (
            "activation", "batch_norm", "dropout", "reshape", "softmax",
        )  # fmt: skip
        if in_place and last_use.get(layer.inputs[0]) == index:
            alive.pop(layer.inputs[0], None)
        alive[layer.id] = prod(layer.output_shape)
        peak = max(peak, sum(alive.values()))
        alive = {name: size for name, size in alive.items() if last_use.get(name, -1) > index or name == layer.id}
    return peak


def handed_on(layers: Sequence[Layer]) -> dict[str, str]:
    """Tell which layers with multiply-accumulates hand their output to the next such layer and to nobody else.

    Between the two may be layers that read nothing else (an activation, a normalisation, pooling) and have no more
    words than they read. So the next layer reads words that were written. What a layer of kind `other` does is not
    known, and a `matmul` that cuts both its operands from one tensor reads them in two places: nothing is handed over
    either.
    """
    readers: dict[str, list[Layer]] = {}
    for layer in layers:
        for name in layer.inputs:
            readers.setdefault(name, []).append(layer)
    with_macs = [layer for layer in layers if isinstance(layer, Conv2d | Linear | Matmul)]
    found = {}
    for layer, following in pairwise(with_macs):
        reader: Layer = layer
        while True:
            those = readers.get(reader.id, [])
            if len(those) != 1 or len(those[0].inputs) != 1 or isinstance(those[0], Matmul):
                break
            words, reader = prod(reader.output_shape), those[0]
            if not isinstance(reader, VectorLayer):
                break
            if reader.kind == "other" or prod(reader.shape) > words:
                break
        if reader is following:
            found[layer.id] = following.id
    return found
