"""Record the recurrent layers that a device runs as one operator, as the products that other devices run."""

from workloads.layers import Linear, VectorLayer
from workloads.pytorch.aten_call import Call
from workloads.recording.tape import Tape


def mkldnn_rnn_layer(tape: Tape, call: Call) -> None:
    """``mkldnn_rnn_layer(image, w_ih, w_hh, b_ih, b_hh, h0, c0, ...)``: one direction of one layer, (L, N, C).

    The products of all L steps' input with `w_ih` are one linear layer; those of the hidden state with `w_hh` follow
    one another as L linear layers that share their weights.
    """
    image, w_ih, w_hh, b_ih, b_hh, hidden = call.args[:6]
    steps, features, width, gates = image.shape[0], image.shape[2], hidden.shape[-1], w_ih.shape[0]
    bias = bool(tape.values.parameters([b_ih, b_hh]))
    source = tape.read(image, (steps, features) if steps > 1 else (features,), any_shape=True)
    into = Linear(id="new", kind="linear", inputs=(source,), L=steps, C=features, K=gates, bias=bias)
    gated = tape.emit_weighted(into, None, w_ih)
    state, states = tape.read(hidden, (width,), any_shape=True), []
    for _ in range(steps):
        step = Linear(id="new", kind="linear", inputs=(state,), C=width, K=gates, bias=bias)
        inputs = (tape.emit_weighted(step, None, w_hh), gated)
        state = tape.emit(VectorLayer(id="new", kind="other", op="cell", inputs=inputs, shape=(width,)), None, "cell")
        states.append(state)
    joined = VectorLayer(id="new", kind="concat", op="stack", inputs=tuple(states), shape=(steps, width))
    tape.emit(joined, call.out[0], "stack")
    for last in call.out[1:3]:
        tape.write(last, state)
