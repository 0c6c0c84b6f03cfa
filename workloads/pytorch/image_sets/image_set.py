"""A kind of image data set that a user has on disk."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Images (samples, C, H, W) of bytes, and their class numbers (samples,).
Part = tuple[np.ndarray, np.ndarray]
# The part to train on, and the part to test on.
Parts = tuple[Part, Part]


@dataclass(frozen=True, slots=True)
class ImageSet:
    """How one kind of data set is read.

    Attributes
    ----------
    name : str
        What recipes and traces call it.
    read : callable
        Gives the parts of (folder, height and width of an image, the most images of a class or None).
    """

    name: str
    read: Callable[[Path, int, int | None], Parts]


def first_of_each(images: np.ndarray, labels: np.ndarray, per_class: int | None) -> Part:
    """Return the first samples of each class, in the order of the file; all of them if no number is given."""
    if per_class is None:
        return images, labels
    rows = np.sort(np.concatenate([np.flatnonzero(labels == label)[:per_class] for label in np.unique(labels)]))
    return images[rows], labels[rows]
