"""Record the recurrent layers that come as one operator, as the products that they consist of."""

from collections.abc import Sequence
from typing import NamedTuple

from workloads.layers import Linear
from workloads.recording.tape import Tape
from workloads.recording.values import Tensor


class Direction(NamedTuple):
    """The weights of one direction, whether there are biases beside them, and the state before its first step."""

    w_ih: Tensor
    w_hh: Tensor
    bias: bool
    hidden: Tensor


def recurrent(
    tape: Tape, image: Tensor, directions: Sequence[Direction], steps: int, rows: int, every: Tensor | None,
    last: Sequence[Tensor],
) -> None:  # fmt: skip
    """Record a layer that makes the states of `every` step, and the `last` ones; a sample has `rows` sequences."""
    width, count = directions[0].hidden.shape[-1], len(directions)
    vectors = (width,) if rows == 1 else (rows, width)
    states = [_states(tape, image, one, steps, rows, vectors) for one in directions]
    if every is not None:
        turns = [state for step in zip(*states, strict=True) for state in step]
        tape.vector("concat", "stack", turns, (steps, *((count,) if count > 1 else ()), *vectors), every)
    for out in last:
        if count == 1:
            tape.write(out, states[0][-1])
        else:
            tape.vector("concat", "stack", [one[-1] for one in states], (count, *vectors), out)


def _states(
    tape: Tape, image: Tensor, weights: Direction, steps: int, rows: int, state_shape: tuple[int, ...]
) -> list[str]:
    """Record one direction; return the layers that make the state after each step.

    The products of all steps' input with `w_ih` are one linear layer; those of the hidden state with `w_hh` follow
    one another as linear layers that share their weights.
    """
    w_ih, w_hh, bias, hidden = weights
    gates, width, features, L = w_ih.shape[-2], state_shape[-1], image.shape[-1], steps * rows
    source = tape.read(image, (L, features) if L > 1 else (features,), any_shape=True)
    into = Linear(id="new", kind="linear", inputs=(source,), L=L, C=features, K=gates, bias=bias)
    gated = tape.emit_weighted(into, None, w_ih)
    state, states = tape.read(hidden, state_shape, any_shape=True), []
    for _ in range(steps):
        step = Linear(id="new", kind="linear", inputs=(state,), L=rows, C=width, K=gates, bias=bias)
        state = tape.vector("other", "cell", (tape.emit_weighted(step, None, w_hh), gated), state_shape)
        states.append(state)
    return states
