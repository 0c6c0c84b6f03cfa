"""Adam for the predictor, which leaves the masked outputs alone."""

import torch
from torch.optim.adam import adam

from workloads.pytorch.predictor_module import GradientPredictor

_BETAS = (0.9, 0.999)
_EPS = 1e-8


class MaskedAdam:
    """Adam on the predictor's weights that a layer uses.

    With `torch.optim.Adam`, whose step takes in every weight, old moments would move the weights of
    masked outputs, and the hardware would have to read and write them for every layer. So only the
    rows in use have a step here, with one count of steps for all rows, as in `torch.optim.SparseAdam`.
    """

    def __init__(self, predictor: GradientPredictor, learning_rate: float) -> None:
        self._conv, self._linear = predictor.conv.weight, predictor.linear.weight
        self._learning_rate = learning_rate
        self._moments = {
            weight: (torch.zeros_like(weight), torch.zeros_like(weight), torch.zeros(()))
            for weight in (self._conv, self._linear)
        }

    @torch.no_grad()
    def step(self, width: int) -> None:
        """Update the convolution and the first `width` rows of the fully connected layer; drop the gradients."""
        for weight, rows in ((self._conv, self._conv.shape[0]), (self._linear, width)):
            mean, square, steps = self._moments[weight]
            adam(
                [weight[:rows]], [weight.grad[:rows]], [mean[:rows]], [square[:rows]], [], [steps], foreach=False,
                amsgrad=False, beta1=_BETAS[0], beta2=_BETAS[1], lr=self._learning_rate, weight_decay=0.0, eps=_EPS,
                maximize=False,
            )  # fmt: skip
            weight.grad = None
