"""The predictor's Adam with what a long run needs: a learning rate that falls in steps, and a state to save."""

from bisect import bisect_right
from collections.abc import Sequence

import torch

from workloads.pytorch.masked_adam import MaskedAdam
from workloads.pytorch.predictor_module import GradientPredictor

# What a milestone multiplies the learning rate with: the default of torch's MultiStepLR.
GAMMA = 0.1


def multi_step(initial: float, milestones: Sequence[int], epochs_done: int) -> float:
    """Return the learning rate of torch's `MultiStepLR` after some epochs.

    In closed form: `MultiStepLR` itself wants an optimizer of torch's, which `MaskedAdam` is not.
    """
    return initial * GAMMA ** bisect_right(sorted(milestones), epochs_done)


class PredictorOptimizer(MaskedAdam):
    """`MaskedAdam` whose learning rate can change and whose moments can be saved."""

    def __init__(self, predictor: GradientPredictor, learning_rate: float) -> None:
        super().__init__(predictor, learning_rate)
        self._initial = learning_rate

    @property
    def learning_rate(self) -> float:
        """The rate of the steps that follow."""
        return self._learning_rate

    def follow(self, milestones: Sequence[int], epochs_done: int) -> None:
        """Take the learning rate of a step schedule after some epochs."""
        self._learning_rate = multi_step(self._initial, milestones, epochs_done)

    def state_dict(self) -> dict[str, object]:
        """Return the moments and counts of steps: copies, so that later steps do not change them."""
        moments = [[tensor.clone() for tensor in self._moments[weight]] for weight in (self._conv, self._linear)]
        return {"moments": moments, "learning_rate": self._learning_rate}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, object]) -> None:
        """Take over a state that `state_dict` gave."""
        moments = state["moments"]
        assert isinstance(moments, list)
        for weight, saved in zip((self._conv, self._linear), moments, strict=True):
            for mine, theirs in zip(self._moments[weight], saved, strict=True):
                mine.copy_(theirs)
        rate = state["learning_rate"]
        assert isinstance(rate, float)
        self._learning_rate = rate
