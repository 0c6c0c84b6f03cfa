"""What a network is trained and tested on."""

from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True, slots=True)
class Split:
    """A data set of a classification task: images (samples, C, H, W) and class numbers (samples,)."""

    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor

    def first_of_test(self, per_class: int) -> "Split":
        """Return it with the first test samples of each class only, in their order."""
        found = [(self.test_labels == label).nonzero()[:per_class, 0] for label in self.test_labels.unique()]
        rows = torch.cat(found).sort().values
        return replace(self, test_images=self.test_images[rows], test_labels=self.test_labels[rows])
