"""scikit-learn's handwritten digits: 1797 images of 8 x 8, a task that trains in seconds on any machine."""

import numpy as np
import torch
from sklearn.datasets import load_digits

from workloads.pytorch.split import Split

TRAINING_SAMPLES = 1437
# The split is part of the data set here; the seed of a run does not change it. numpy has frozen the numbers that
# RandomState gives, which it has not done for its newer generators.
_SPLIT_SEED = 0
_WHITE = 16.0


def digits() -> Split:
    """Return the images (1, 8, 8), scaled to 0..1, as 1437 for training and 360 for testing."""
    found = load_digits()
    order = np.random.RandomState(_SPLIT_SEED).permutation(len(found.target))
    images = torch.tensor(found.images[order] / _WHITE, dtype=torch.float32).unsqueeze(1)
    labels = torch.tensor(found.target[order], dtype=torch.long)
    return Split(
        train_images=images[:TRAINING_SAMPLES], train_labels=labels[:TRAINING_SAMPLES],
        test_images=images[TRAINING_SAMPLES:], test_labels=labels[TRAINING_SAMPLES:],
    )  # fmt: skip
