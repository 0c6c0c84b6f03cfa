"""Record ONNX's operators with multiply-accumulates: which operand is what."""

from collections.abc import Sequence
from math import prod

from workloads.foundation.errors import InputError
from workloads.importers.onnx.einsum import extents_of, parsed
from workloads.importers.onnx.tensors import Operation, Tensor, tensor_of
from workloads.recording import products
from workloads.recording.other import lost_product, record_other
from workloads.recording.recurrent import Direction
from workloads.recording.recurrent import recurrent as recurrent_layer
from workloads.recording.tape import Tape
from workloads.recording.values import Place


def convolution(tape: Tape, call: Operation, weight: int = 1, bias: int = 2) -> None:
    """``Conv(X, W, B)``, or one whose weight and bias are other operands."""
    image, kernel = call.tensors[0], call.inputs[weight]
    assert kernel is not None
    groups, size = call.attributes.get("group", 1), kernel.shape[2:]
    _check_convolution(call, image, kernel, groups)
    strides = call.attributes.get("strides") or [1] * len(size)
    dilations = call.attributes.get("dilations") or [1] * len(size)
    before, after = _pads(call, image.shape[2:], size, strides, dilations)
    if before != after and tape.is_activation(image) and len(size) <= 2:
        image = _padded(tape, call, image, before, after)
        before = [0] * len(size)
    products.convolution(tape, call, image, kernel, call.input(bias), strides, before, dilations, groups)


def _check_convolution(call: Operation, image: Tensor, kernel: Tensor, groups: int) -> None:
    given = call.attributes.get("kernel_shape", kernel.shape[2:])
    problem = ""
    if groups < 1:
        problem = f"group is {groups}"
    elif image.dim() != kernel.dim():
        problem = f"a filter of {list(kernel.shape)} does not fit an image of {list(image.shape)}"
    elif image.shape[1] != kernel.shape[1] * groups or kernel.shape[0] % groups:
        problem = (
            f"{image.shape[1]} channels and {kernel.shape[0]} filters of {kernel.shape[1]} channels do not divide into"
            f" {groups} groups"
        )
    elif tuple(given) != kernel.shape[2:]:
        problem = f"kernel_shape is {list(given)}, the filters are {list(kernel.shape[2:])}"
    if problem:
        raise InputError("", "", f"{call.kind}: {problem}", "check the model")


def _pads(
    call: Operation, extents: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Return the padding before and after each dimension."""
    automatic = call.attributes.get("auto_pad", b"NOTSET")
    if automatic in (b"NOTSET", b"VALID"):
        pads = list(call.attributes.get("pads") or [0] * (2 * len(kernel)))
        return pads[: len(kernel)], pads[len(kernel) :]
    needed = [
        max(0, (-(-extent // stride) - 1) * stride + dilation * (size - 1) + 1 - extent)
        for extent, size, stride, dilation in zip(extents, kernel, strides, dilations, strict=True)
    ]
    less, more = [one // 2 for one in needed], [one - one // 2 for one in needed]
    return (less, more) if automatic == b"SAME_UPPER" else (more, less)


def _padded(tape: Tape, call: Operation, image: Tensor, before: Sequence[int], after: Sequence[int]) -> Tensor:
    """Record the padding of a convolution that is not the same on both sides."""
    sizes = [size + a + b for size, a, b in zip(image.shape[2:], before, after, strict=True)]
    padded = tensor_of(f"{image.name}.pad", image.kind, (*image.shape[:2], *sizes))
    doubled = tape.values.doubled(image)
    if doubled is not None:
        tape.values.set_doubled(padded, (*doubled[:2], *sizes))
    here = tape.place
    tape.place = Place(f"{here.path}.pad", here.call, here.leaf)
    record_other(tape, Operation("Pad", tape.place.path, (image,), (padded,), {}))
    tape.place = here
    return padded


def transposed_convolution(tape: Tape, call: Operation) -> None:
    """``ConvTranspose(X, W, B)``, with as much cut off on both sides."""
    image, kernel = call.tensors[:2]
    groups, sizes = call.attributes.get("group", 1), kernel.shape[2:]
    if image.dim() != kernel.dim() or image.shape[1] != kernel.shape[0] or image.shape[1] % max(groups, 1):
        problem = f"a filter of {list(kernel.shape)} does not fit an image of {list(image.shape)}"
        raise InputError("", "", f"{call.kind}: {problem}", "check the model")
    strides, dilations = (list(call.attributes.get(name) or [1] * len(sizes)) for name in ("strides", "dilations"))
    more = call.attributes.get("output_padding") or [0] * len(sizes)
    pads = list(call.attributes.get("pads") or [0] * (2 * len(sizes)))
    whole = [
        stride * (extent - 1) + added + dilation * (size - 1) + 1
        for extent, size, stride, dilation, added in zip(image.shape[2:], sizes, strides, dilations, more, strict=True)
    ]
    cut = [before - after for before, after in zip(whole, call.out.shape[2:], strict=True)]
    if any(one % 2 or one < 0 for one in cut) or pads[: len(sizes)] != pads[len(sizes) :]:
        lost_product(tape, call)
    else:
        padding = [one // 2 for one in cut]
        products.convolution(
            tape, call, image, kernel, call.input(2), strides, padding, dilations, groups, transposed=True
        )


def gemm(tape: Tape, call: Operation) -> None:
    """``Gemm(A, B, C)``: matrices, each transposed or not, and what is added."""
    left, right = call.tensors[:2]
    across, down = bool(call.attributes.get("transA", 0)), bool(call.attributes.get("transB", 0))
    M, C = reversed(left.shape) if across else left.shape
    weighted = tape.is_weight(left) or tape.is_weight(right)
    if weighted and (_grows(tape, left, 0 if across else 1) or _grows(tape, right, 1 if down else 0)):
        lost_product(tape, call)
    else:
        products.product(tape, call, left, right, M, C, right.shape[0 if down else 1], call.input(2))


def _grows(tape: Tape, tensor: Tensor, axis: int) -> bool:
    """Tell whether a dimension grows with the batch: a sum over it mixes samples."""
    doubled = tape.values.doubled(tensor)
    return doubled is not None and doubled[axis] != tensor.shape[axis]


def matmul(tape: Tape, call: Operation, right: int = 1) -> None:
    """``MatMul(A, B)``, or one whose second operand is at another place: of matrices, stacks of them, or vectors."""
    a, b = call.tensors[0], call.inputs[right]
    assert b is not None
    M, K = (a.shape[-2] if a.dim() > 1 else 1), (b.shape[-1] if b.dim() > 1 else 1)
    products.product(tape, call, a, b, M, a.shape[-1], K)


def einsum(tape: Tape, call: Operation) -> None:
    """``Einsum(A, B)``: a matrix product, if every label is of the batch, of one operand, or summed over."""
    equation, shapes = call.attributes["equation"], [one.shape for one in call.tensors]
    terms, result = parsed(equation, shapes)
    sizes, (left, *others) = extents_of(equation, shapes), map(set, terms)
    right = others[0] if others else set()
    alone = (left ^ right) - set(result)  # summed over in one operand before the product
    spread = any(sizes[label] != size for term, shape in zip(terms, shapes, strict=True)
                 for label, size in zip(term, shape, strict=True))  # fmt: skip
    if len(terms) != 2 or alone or spread or any(len(term) != len(set(term)) for term in terms):
        lost_product(tape, call)
        return
    M, C, K = (prod(map(sizes.__getitem__, one)) for one in (left - right, left & right - set(result), right - left))
    products.product(tape, call, call.tensors[0], call.tensors[1], M, C, K)


def attention(tape: Tape, call: Operation) -> None:
    """``Attention(Q, K, V, mask, past_key, past_value)``: (N, heads, L, features), or heads side by side."""
    query, key, value = call.tensors[:3]
    if call.input(4) is not None or len(call.outputs) > 1:  # keys of earlier steps, or the scores as a result
        lost_product(tape, call)
        return
    heads = query.shape[1] if query.dim() == 4 else call.attributes["q_num_heads"]
    groups = key.shape[1] if key.dim() == 4 else call.attributes["kv_num_heads"]
    features, width = (one.shape[-1] // (1 if one.dim() == 4 else groups) for one in (key, value))
    products.attention(
        tape, call, query, key, value, query.shape[0] * heads, query.shape[-2], features, key.shape[-2], width
    )


def recurrent(tape: Tape, call: Operation) -> None:
    """``LSTM(X, W, R, B, sequence_lens, initial_h, ...)``, GRU or RNN: one direction, or two of (directions, ...)."""
    image, into, across = call.tensors[:3]
    _check_recurrent(call, image, into, across)
    batch_axis = 0 if call.attributes.get("layout", 0) else 1
    steps = image.shape[1 - batch_axis]
    rows, rest = divmod(image.shape[batch_axis], tape.batch_size)
    over_batch = _grows(tape, image, 1 - batch_axis)
    if over_batch:
        tape.note(f"the steps of {call.kind} are the dimension that was taken for the batch", tape.here)
    if rest or over_batch or not (tape.is_weight(into) and tape.is_weight(across)):
        lost_product(tape, call)
        return
    count, initial = across.shape[0], call.input(5)
    if initial is None:
        initial = _zeros(tape, image, batch_axis, count, across.shape[2])
    directions = [
        Direction(_part(tape, into, index), _part(tape, across, index), call.input(3) is not None,
                  _part(tape, initial, index))
        for index in range(count)
    ]  # fmt: skip
    recurrent_layer(tape, image, directions, steps, rows, call.results[0], list(filter(None, call.results[1:])))


def _check_recurrent(call: Operation, image: Tensor, into: Tensor, across: Tensor) -> None:
    width = call.attributes.get("hidden_size", across.shape[-1])
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[call.kind] * width
    count = 2 if call.attributes.get("direction") == b"bidirectional" else 1
    wanted = (count, gates, image.shape[-1]), (count, gates, width)
    if (into.shape, across.shape) != wanted:
        problem = f"weights of {list(into.shape)} and {list(across.shape)}, not {list(wanted[0])} and {list(wanted[1])}"
        raise InputError("", "", f"{call.kind}: {problem}", "check the model")


def _part(tape: Tape, tensor: Tensor, index: int) -> Tensor:
    """Return what a tensor holds for one direction."""
    if tensor.shape[0] == 1:
        return tensor
    part = tensor_of(f"{tensor.name}/{index}", tensor.kind, tensor.shape[1:])
    doubled = tape.values.doubled(tensor)
    if doubled is not None:
        tape.values.set_doubled(part, doubled[1:])
    names = tape.values.parameters([tensor])
    if len(names) == tensor.shape[0]:  # an exporter has put the directions' weights together
        tape.values.compute(part, (), "select", tape.place, random=False)
        tape.values.view(part).value.parameters = (names[index],)
    else:
        tape.values.show(part, tensor, "select", tape.place, copies=False)
    return part


def _zeros(tape: Tape, image: Tensor, batch_axis: int, count: int, width: int) -> Tensor:
    """Return the states before the first step, (directions, samples, width): zeros for every sample of `image`."""
    zeros = tensor_of("zeros", "FLOAT", (count, image.shape[batch_axis], width))
    doubled = tape.values.doubled(image)
    if doubled is not None:
        tape.values.set_doubled(zeros, (count, doubled[batch_axis], width))
    tape.values.compute(zeros, (), "zeros", tape.place, random=False)
    return zeros
