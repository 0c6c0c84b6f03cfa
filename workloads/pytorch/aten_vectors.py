"""Record what only PyTorch does without multiply-accumulates: a mean by its arguments, and writes in place."""

from workloads.pytorch.aten_call import Call
from workloads.recording import vectors
from workloads.recording.call import record_other, record_unknown
from workloads.recording.tape import Tape


def mean(tape: Tape, call: Call) -> None:
    """``mean(image, dims, keepdim)``."""
    vectors.mean(tape, call, call.args[0], call.args[1] if len(call.args) > 1 and call.args[1] else ())


def copy(tape: Tape, call: Call) -> None:
    """``destination.copy_(source)``: the destination is the source now, and what it is a part of changes with it."""
    source = call.args[1]
    if tape.is_activation(source) and source.shape == call.out.shape:
        tape.write(call.out, tape.read(source))
    elif tape.is_activation(source):
        record_other(tape, call)


def restride(tape: Tape, call: Call) -> None:
    """``tensor.as_strided_(size, stride)``, ``tensor.transpose_(0, 1)``: another order in memory, which is no layer."""
    if call.out is not call.args[0]:
        record_unknown(tape, call)
