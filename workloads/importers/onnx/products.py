"""Record ONNX's operators with multiply-accumulates: which operand is what."""

from collections.abc import Sequence
from math import prod

from workloads.foundation.errors import InputError
from workloads.importers.onnx.einsum import extents_of, parsed
from workloads.importers.onnx.tensors import Operation, Tensor, tensor_of
from workloads.layers import VectorLayer
from workloads.recording import products, vectors
from workloads.recording.call import lost_product, record_other
from workloads.recording.recurrent import direction
from workloads.recording.tape import Tape
from workloads.recording.values import Place


def convolution(tape: Tape, call: Operation, weight: int = 1, bias: int = 2) -> None:
    """``Conv(X, W, B)``, or one whose weight and bias are other operands."""
    image, kernel, added = call.tensors[0], call.inputs[weight], _trained(tape, call.input(bias))
    assert kernel is not None
    groups, size = call.attributes.get("group", 1), kernel.shape[2:]
    _check_convolution(call, image, kernel, groups)
    strides = call.attributes.get("strides") or [1] * len(size)
    dilations = call.attributes.get("dilations") or [1] * len(size)
    before, after = _pads(call, image.shape[2:], size, strides, dilations)
    if before != after and tape.is_activation(image) and len(size) <= 2:
        image = _padded(tape, call, image, before, after)
        before = [0] * len(size)
    products.convolution(tape, call, image, kernel, added, strides, before, dilations, groups)


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
    """``ConvTranspose(X, W, B)``."""
    lost_product(tape, call, "transposed convolution")


def gemm(tape: Tape, call: Operation) -> None:
    """``Gemm(A, B, C)``: matrices, each transposed or not, and what is added."""
    left, right = call.tensors[:2]
    across, down = bool(call.attributes.get("transA", 0)), bool(call.attributes.get("transB", 0))
    M, C = reversed(left.shape) if across else left.shape
    K = right.shape[0 if down else 1]
    added = _trained(tape, call.input(2))
    bias = added if added is not None and added.numel() == K and not tape.is_activation(added) else None
    by_left, by_right = tape.is_weight(left), tape.is_weight(right)
    if by_right and not by_left and not _grows(tape, left, 0 if across else 1):
        products.linear(tape, call, left, right, C, K, bias)
    elif by_left and not by_right and not _grows(tape, right, 1 if down else 0):
        products.linear(tape, call, right, left, C, M, None)
    elif by_left or by_right:
        lost_product(tape, call)
    else:
        products.matmul(tape, call, left, right, 1, M, C, K)
        bias = None
    if added is not None and bias is None:
        vectors.elementwise(tape, Operation("Add", call.place, (call.out, added), (call.out,), {}), "add")


def _trained(tape: Tape, bias: Tensor | None) -> Tensor | None:
    """Return what is added to a product, if it is more than zeros that an exporter puts there."""
    known = bias is not None and (tape.is_activation(bias) or tape.values.parameters([bias]))
    return bias if known else None


def _grows(tape: Tape, tensor: Tensor, axis: int) -> bool:
    """Tell whether a dimension grows with the batch: a sum over it mixes samples."""
    doubled = tape.values.doubled(tensor)
    return doubled is not None and doubled[axis] != tensor.shape[axis]


def matmul(tape: Tape, call: Operation, right: int = 1) -> None:
    """``MatMul(A, B)``, or one whose second operand is at another place: of matrices, stacks of them, or vectors."""
    a, b = call.tensors[0], call.inputs[right]
    assert b is not None
    M, C = a.shape[-2] if a.dim() > 1 else 1, a.shape[-1]
    K = b.shape[-1] if b.dim() > 1 else 1
    many, others = a.shape[:-2], b.shape[:-2]
    by_left, by_right = tape.is_weight(a), tape.is_weight(b)
    if by_right and prod(others) == 1:
        products.linear(tape, call, a, b, C, K, None)
    elif by_left and prod(many) == 1:
        products.linear(tape, call, b, a, C, M, None)
    elif by_right and not by_left and many[-len(others) :] == others:
        products.grouped(tape, call, a, b, prod(others), C, K)
    elif by_left and not by_right and others[-len(many) :] == many:
        products.grouped(tape, call, b, a, prod(many), C, M)
    elif by_left or by_right:
        lost_product(tape, call)
    else:
        products.matmul(tape, call, a, b, call.out.numel() // (M * K), M, C, K)


def einsum(tape: Tape, call: Operation) -> None:
    """``Einsum(A, B)``: a matrix product, if every label is of the batch, of one operand, or summed over."""
    equation, shapes = call.attributes["equation"], [one.shape for one in call.tensors]
    terms, result = parsed(equation, shapes)
    if len(terms) != 2:
        lost_product(tape, call)
        return
    sizes = extents_of(equation, shapes)
    left, right = set(terms[0]), set(terms[1])
    alone = (left ^ right) - set(result)  # summed over in one operand before the product
    spread = any(sizes[label] != size for term, shape in zip(terms, shapes, strict=True)
                 for label, size in zip(term, shape, strict=True))  # fmt: skip
    if alone or spread or any(len(term) != len(set(term)) for term in terms):
        lost_product(tape, call)
        return
    a, b = call.tensors
    G, C = (prod(sizes[label] for label in left & right & keep) for keep in (set(result), sizes.keys() - set(result)))
    M, K = prod(sizes[label] for label in left - right), prod(sizes[label] for label in right - left)
    if tape.is_weight(b) and G == 1:
        products.linear(tape, call, a, b, C, K, None)
    elif tape.is_weight(a) and G == 1:
        products.linear(tape, call, b, a, C, M, None)
    elif tape.is_weight(b) and not tape.is_weight(a):
        products.grouped(tape, call, a, b, G, C, K)
    elif tape.is_weight(a) and not tape.is_weight(b):
        products.grouped(tape, call, b, a, G, C, M)
    else:
        products.matmul(tape, call, a, b, G, M, C, K)


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
    steps, features = image.shape[1 - batch_axis], image.shape[2]
    rows, rest = divmod(image.shape[batch_axis], tape.batch_size)
    over_batch = _grows(tape, image, 1 - batch_axis)
    if over_batch:
        tape.note(f"the steps of {call.kind} are the dimension that was taken for the batch", tape.here)
    if rest or over_batch or not (tape.is_weight(into) and tape.is_weight(across)):
        lost_product(tape, call)
        return
    bias, initial = call.input(3), call.input(5)
    count, width = across.shape[0], across.shape[2]
    states: list[list[str]] = []
    for index in range(count):
        w_ih, w_hh = (_part(tape, one, index) for one in (into, across))
        hidden = _hidden(tape, image.shape[batch_axis], width, rows) if initial is None else _part(tape, initial, index)
        states.append(direction(tape, image, w_ih, w_hh, bias is not None, hidden, steps, features, rows))
    vectors = (width,) if rows == 1 else (rows, width)
    if (every := call.results[0]) is not None:
        turns = [state for step in zip(*states, strict=True) for state in step]
        shape = (steps, *((count,) if count > 1 else ()), *vectors)
        tape.emit(VectorLayer(id="new", kind="concat", op="stack", inputs=tuple(turns), shape=shape), every, "stack")
    for last in filter(None, call.results[1:]):
        if count == 1:
            tape.write(last, states[0][-1])
        else:
            ends = tuple(one[-1] for one in states)
            joined = VectorLayer(id="new", kind="concat", op="stack", inputs=ends, shape=(count, *vectors))
            tape.emit(joined, last, "stack")


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


def _hidden(tape: Tape, samples: int, width: int, rows: int) -> Tensor:
    """Return the state before the first step: zeros for every sample."""
    hidden = tensor_of("zeros", "FLOAT", (samples, width))
    tape.values.set_doubled(hidden, (2 * samples, width))
    tape.values.compute(hidden, (), "zeros", tape.place, random=False)
    return hidden
