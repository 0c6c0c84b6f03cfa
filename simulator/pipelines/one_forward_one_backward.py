"""The order that most schedules are made of: one forward, one backward (1F1B)."""

from collections.abc import Sequence

from simulator.pipelines.operation import Operation, backward, forward


def one_forward_one_backward(stage: int, stages: int, micro_batches: Sequence[int]) -> list[Operation]:
    """Return a stage's order: as many forwards as there are stages from here on, then backward and forward in turn.

    So no stage keeps the activations of more than ``stages - stage`` micro-batches.
    """
    ahead = min(stages - stage, len(micro_batches))
    order = [forward(m, stage) for m in micro_batches[:ahead]]
    for done, micro_batch in enumerate(micro_batches):
        order.append(backward(micro_batch, stage))
        order += [forward(m, stage) for m in micro_batches[ahead + done : ahead + done + 1]]
    return order
