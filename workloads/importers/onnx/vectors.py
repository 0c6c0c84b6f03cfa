"""Record ONNX's operators without multiply-accumulates, where it takes more than a rule for all."""

from collections.abc import Sequence
from dataclasses import replace

from workloads.importers.onnx.tensors import Operation
from workloads.recording import vectors
from workloads.recording.other import record_other
from workloads.recording.tape import Tape


def view(tape: Tape, call: Operation) -> None:
    """Show the first operand through another shape, or a part of it."""
    base = call.tensors[0]
    for out in call.outputs:
        if out.numel() == base.numel():
            out.origin = base.origin
        tape.values.show(out, base, call.op, tape.place, copies=False)


def batch_norm(tape: Tape, call: Operation) -> None:
    """``BatchNormalization(X, scale, B, mean, variance)``: the statistics do not train."""
    vectors.keeps_shape(tape, replace(call, inputs=call.inputs[:3]), "batch_norm")


def pool(tape: Tape, call: Operation) -> None:
    """Pool one or two dimensions."""
    if call.tensors[0].dim() in (3, 4):
        vectors.pool(tape, call)
    else:
        record_other(tape, call)


def mean_of_image(tape: Tape, call: Operation) -> None:
    """``GlobalAveragePool(X)``, and its like."""
    vectors.mean(tape, call, range(2, call.tensors[0].dim()))


def mean(tape: Tape, call: Operation) -> None:
    """``ReduceMean(data, axes)``, the axes an attribute in older models."""
    vectors.mean(tape, call, _axes(call))


def _axes(call: Operation) -> Sequence[int]:
    given = call.input(1)
    if given is None:
        return call.attributes.get("axes", ())
    return [] if given.data is None else [int(axis) for axis in given.data.ravel()]


def gather(tape: Tape, call: Operation) -> None:
    """``Gather(data, indices)``: parts of an activation, or of a table that activations look up in."""
    indices = call.tensors[1]
    if indices.dim() == 0 and not tape.is_activation(indices):
        view(tape, call)
    else:
        vectors.select(tape, call)
