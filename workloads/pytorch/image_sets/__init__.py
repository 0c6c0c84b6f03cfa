"""Image data sets that a user has on disk: one file a format, each with its `IMAGE_SETS`.

The images are held in memory, scaled to 0..1 and standardised by the training part's mean and deviation of each
channel. Nothing is augmented.
"""

from functools import cache
from pathlib import Path

import torch

from workloads.foundation.errors import InputError, nearest
from workloads.foundation.registry import parts
from workloads.pytorch.image_sets.image_set import ImageSet, Part
from workloads.pytorch.split import Split

_WHITE = 255.0


@cache
def _image_sets() -> dict[str, ImageSet]:
    return {one.name: one for _, sets in parts(__name__, "IMAGE_SETS", beside=("image_set",)) for one in sets}


def load_images(dataset: str, folder: Path, image_size: int = 224, per_class: int | None = None) -> Split:
    """Read a data set from a folder.

    Parameters
    ----------
    dataset : str
        ``CIFAR10`` or ``CIFAR100`` for the python batches as their authors give them out, unpacked;
        ``Fashion-MNIST`` for the four IDX files, compressed or not;
        ``ImageNet`` for any ``train/CLASS/*.png`` and ``val/CLASS/*.png`` (bmp and jpeg too).
    folder : Path
        Where it lies.
    image_size : int
        Height and width of the images. Those of a folder of classes are scaled by their shorter side, and cut; those
        of IDX files get a black border.
    per_class : int, optional
        Take the first images of each class only, in the order of their names.

    Raises
    ------
    InputError
        If a file is missing or is not what it should be.
    """
    sets = _image_sets()
    if dataset not in sets:
        raise InputError("dataset", dataset, "is no data set that can be read", nearest(dataset, sets))
    if not folder.is_dir():
        raise InputError(str(folder), "", "is no folder", f"give the one that {dataset} lies in")
    for name, value in (("image size", image_size), ("images of a class", 1 if per_class is None else per_class)):
        if value < 1:
            raise InputError(name, "", f"is {value}", "give at least 1")
    return _split(*sets[dataset].read(folder, image_size, per_class))


def _split(train: Part, test: Part) -> Split:
    scaled = torch.from_numpy(train[0]).float() / _WHITE
    mean, deviation = scaled.mean(dim=(0, 2, 3), keepdim=True), scaled.std(dim=(0, 2, 3), keepdim=True)
    # A channel of one colour has no deviation, and nothing to standardise.
    deviation = torch.where(deviation > 0, deviation, 1.0)
    return Split(
        train_images=(scaled - mean) / deviation, train_labels=torch.from_numpy(train[1]),
        test_images=(torch.from_numpy(test[0]).float() / _WHITE - mean) / deviation,
        test_labels=torch.from_numpy(test[1]),
    )  # fmt: skip
