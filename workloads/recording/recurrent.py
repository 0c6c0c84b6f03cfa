"""Record the recurrent layers that come as one operator, as the products that they consist of."""

from workloads.layers import Linear, VectorLayer
from workloads.recording.tape import Tape
from workloads.recording.values import Tensor


def direction(
    tape: Tape, image: Tensor, w_ih: Tensor, w_hh: Tensor, bias: bool, hidden: Tensor, steps: int, features: int,
    rows: int = 1,
) -> list[str]:  # fmt: skip
    """Record one direction of one layer; return the layers that make the state after each step.

    The products of all steps' input with `w_ih` are one linear layer; those of the hidden state with `w_hh` follow
    one another as linear layers that share their weights. A sample has `rows` sequences.
    """
    gates, width = w_ih.shape[-2], hidden.shape[-1]
    state_shape = (width,) if rows == 1 else (rows, width)
    L = steps * rows
    source = tape.read(image, (L, features) if L > 1 else (features,), any_shape=True)
    into = Linear(id="new", kind="linear", inputs=(source,), L=L, C=features, K=gates, bias=bias)
    gated = tape.emit_weighted(into, None, w_ih)
    state, states = tape.read(hidden, state_shape, any_shape=True), []
    for _ in range(steps):
        step = Linear(id="new", kind="linear", inputs=(state,), L=rows, C=width, K=gates, bias=bias)
        inputs = (tape.emit_weighted(step, None, w_hh), gated)
        cell = VectorLayer(id="new", kind="other", op="cell", inputs=inputs, shape=state_shape)
        state = tape.emit(cell, None, "cell")
        states.append(state)
    return states
