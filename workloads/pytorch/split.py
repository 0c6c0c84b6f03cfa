"""What a network is trained and tested on."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Split:
    """A data set of a classification task: images (samples, C, H, W) and class numbers (samples,)."""

    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor
