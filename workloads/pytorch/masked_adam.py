"""Adam for the predictor, which leaves the masked outputs alone."""

from bisect import bisect_right
from collections.abc import Sequence

import torch
from torch.optim.adam import adam

from workloads.pytorch.predictor_module import GradientPredictor

_BETAS = (0.9, 0.999)
_EPS = 1e-8
# What a milestone multiplies the learning rate with: the default of torch's MultiStepLR.
GAMMA = 0.1


def multi_step(initial: float, milestones: Sequence[int], epochs_done: int) -> float:
    """Return the learning rate of torch's `MultiStepLR` after some epochs.

    In closed form: `MultiStepLR` itself wants an optimizer of torch's, which `MaskedAdam` is not.
    """
    return initial * GAMMA ** bisect_right(sorted(milestones), epochs_done)


class MaskedAdam:
    """Adam on the predictor's weights that a layer uses.

    With `torch.optim.Adam`, whose step takes in every weight, old moments would move the weights of
    masked outputs, and the hardware would have to read and write them for every layer. So only the
    rows in use have a step here, with one count of steps for all rows, as in `torch.optim.SparseAdam`.
    """

    def __init__(self, predictor: GradientPredictor, learning_rate: float) -> None:
        self._whole, self._masked = list(predictor.conv.parameters()), list(predictor.linear.parameters())
        self._initial = self._learning_rate = learning_rate
        self._moments = {
            weight: (torch.zeros_like(weight), torch.zeros_like(weight), torch.zeros(()))
            for weight in (*self._whole, *self._masked)
        }

    @torch.no_grad()
    def step(self, width: int) -> None:
        """Update the convolution and the first `width` rows of the fully connected layer; drop the gradients."""
        every = [(weight, len(weight)) for weight in self._whole] + [(weight, width) for weight in self._masked]
        for weight, rows in every:
            mean, square, steps = self._moments[weight]
            adam(
                [weight[:rows]], [weight.grad[:rows]], [mean[:rows]], [square[:rows]], [], [steps], foreach=False,
                amsgrad=False, beta1=_BETAS[0], beta2=_BETAS[1], lr=self._learning_rate, weight_decay=0.0, eps=_EPS,
                maximize=False,
            )  # fmt: skip
            weight.grad = None

    @property
    def learning_rate(self) -> float:
        """The rate of the steps that follow."""
        return self._learning_rate

    def follow(self, milestones: Sequence[int], epochs_done: int) -> None:
        """Take the learning rate of a step schedule after some epochs."""
        self._learning_rate = multi_step(self._initial, milestones, epochs_done)

    def state_dict(self) -> dict[str, object]:
        """Return the moments and counts of steps: copies, so that later steps do not change them."""
        moments = [[tensor.clone() for tensor in one] for one in self._moments.values()]
        return {"moments": moments, "learning_rate": self._learning_rate}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, object]) -> None:
        """Take over a state that `state_dict` gave."""
        moments = state["moments"]
        assert isinstance(moments, list)
        for own, saved in zip(self._moments.values(), moments, strict=True):
            for mine, theirs in zip(own, saved, strict=True):
                mine.copy_(theirs)
        rate = state["learning_rate"]
        assert isinstance(rate, float)
        self._learning_rate = rate
