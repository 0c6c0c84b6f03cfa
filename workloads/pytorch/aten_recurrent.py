"""Record the recurrent layers that a device runs as one operator, as the products that other devices run."""

from workloads.layers import VectorLayer
from workloads.pytorch.aten_call import Call
from workloads.recording.recurrent import direction
from workloads.recording.tape import Tape


def mkldnn_rnn_layer(tape: Tape, call: Call) -> None:
    """``mkldnn_rnn_layer(image, w_ih, w_hh, b_ih, b_hh, h0, c0, ...)``: one direction of one layer, (L, N, C)."""
    image, w_ih, w_hh, b_ih, b_hh, hidden = call.args[:6]
    steps, width = image.shape[0], hidden.shape[-1]
    bias = bool(tape.values.parameters([b_ih, b_hh]))
    states = direction(tape, image, w_ih, w_hh, bias, hidden, steps, image.shape[2])
    joined = VectorLayer(id="new", kind="concat", op="stack", inputs=tuple(states), shape=(steps, width))
    tape.emit(joined, call.out[0], "stack")
    for last in call.out[1:3]:
        tape.write(last, states[-1])
