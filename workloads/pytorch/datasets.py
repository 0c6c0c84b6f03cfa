"""Image data sets that a user has on disk: CIFAR's python batches, and a folder of images for each class.

The images are held in memory, scaled to 0..1 and standardised by the training part's mean and
deviation of each channel. Nothing is augmented.
"""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

from workloads.foundation.errors import InputError, nearest
from workloads.pytorch.split import Split

_CIFAR_SHAPE = (3, 32, 32)
_WHITE = 255.0
# More than this is no data set to hold in memory, but a mistake in the image size or a job for `per_class`.
_MOST_BYTES = 16 * 2**30
# What numpy's arrays are made of in a pickle; everything else could run a stranger's code.
_PICKLED = {
    ("_codecs", "encode"), ("numpy", "dtype"), ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
}  # fmt: skip
_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".png"}

# Files of the training part and of the test part, the key of the labels, the number of classes.
_CIFAR: dict[str, tuple[tuple[str, ...], tuple[str, ...], bytes, int]] = {
    "CIFAR10": (tuple(f"data_batch_{number}" for number in range(1, 6)), ("test_batch",), b"labels", 10),
    "CIFAR100": (("train",), ("test",), b"fine_labels", 100),
}
DATASETS = (*_CIFAR, "ImageNet")


def load_images(dataset: str, folder: Path, image_size: int = 224, per_class: int | None = None) -> Split:
    """Read a data set from a folder.

    Parameters
    ----------
    dataset : str
        ``CIFAR10`` or ``CIFAR100`` for the python batches as their authors give them out, unpacked;
        ``ImageNet`` for any ``train/CLASS/*.png`` and ``val/CLASS/*.png`` (bmp and jpeg too).
    folder : Path
        Where it lies.
    image_size : int
        Height and width of the images of a folder of classes: they are scaled by their shorter side, and cut.
    per_class : int, optional
        Take the first images of each class only, in the order of their names.

    Raises
    ------
    InputError
        If a file is missing or is not what it should be.
    """
    if dataset not in DATASETS:
        raise InputError("dataset", dataset, "is no data set that can be read", nearest(dataset, DATASETS))
    if not folder.is_dir():
        raise InputError(str(folder), "", "is no folder", f"give the one that {dataset} lies in")
    for name, value in (("image size", image_size), ("images of a class", 1 if per_class is None else per_class)):
        if value < 1:
            raise InputError(name, "", f"is {value}", "give at least 1")
    if dataset in _CIFAR:
        return _cifar(dataset, folder, per_class)
    return _classes(folder, image_size, per_class)


def _cifar(dataset: str, folder: Path, per_class: int | None) -> Split:
    train_files, test_files, key, classes = _CIFAR[dataset]
    parts = []
    for names in (train_files, test_files):
        pieces = [_batch(folder / name, key, classes) for name in names]
        images, labels = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
        rows = _first_of_each(labels, per_class)
        parts.append((images[rows], labels[rows]))
    return _split(*parts)


def _batch(path: Path, key: bytes, classes: int) -> tuple[np.ndarray, np.ndarray]:
    try:
        with path.open("rb") as file:
            found = _ArrayUnpickler(file, encoding="bytes").load()
    except OSError as error:
        raise InputError(str(path), "", f"cannot be read: {error.strerror}", "unpack the python version here") from None
    except Exception as error:  # a broken pickle raises whatever its bytes happen to say
        raise InputError(str(path), "", f"is no batch of CIFAR ({error})", "unpack the python version again") from None
    if not isinstance(found, dict) or b"data" not in found or key not in found:
        raise InputError(str(path), "", f"lacks data or {key.decode()}", "give the data set that the network is for")
    images, labels = np.asarray(found[b"data"]), np.asarray(found[key])
    pixels = int(np.prod(_CIFAR_SHAPE))
    if images.dtype != np.uint8 or images.ndim != 2 or images.shape[1] != pixels or len(images) == 0:
        problem = f"is {images.dtype} of {images.shape}"
        raise InputError(str(path), "data", problem, f"give rows of {pixels} bytes, as CIFAR's authors do")
    if (
        labels.shape != images.shape[:1]
        or labels.dtype.kind not in "iu"
        or not 0 <= labels.min() <= labels.max() < classes
    ):
        raise InputError(
            str(path), key.decode(), "is no list of classes, one an image", f"give numbers from 0 to {classes - 1}"
        )
    return images.reshape(-1, *_CIFAR_SHAPE), labels.astype(np.int64)


class _ArrayUnpickler(pickle.Unpickler):
    """Reads arrays and plain values, and nothing that could do more than be data."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        super().__init__(file, encoding=encoding)

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _PICKLED:
            raise pickle.UnpicklingError(f"it holds a {module}.{name}")
        return super().find_class(module, name)


def _classes(folder: Path, size: int, per_class: int | None) -> Split:
    names = _class_names(folder / "train")
    unknown = sorted(set(_class_names(folder / "val")) - set(names))
    if unknown:
        raise InputError(str(folder / "val"), unknown[0], "is no class of train", nearest(unknown[0], names))
    listed = []
    for part in ("train", "val"):
        files = [(path, label) for label, name in enumerate(names)
                 for path in _images(folder / part / name)[:per_class]]  # fmt: skip
        if not files:
            raise InputError(str(folder / part), "", "has no image", f"give {', '.join(sorted(_SUFFIXES))} files")
        listed.append(files)
    needed = 3 * size * size * torch.finfo(torch.float32).bits // 8 * sum(len(files) for files in listed)
    if needed > _MOST_BYTES:
        problem = f"its images take {needed / 2**30:.0f} GiB of memory at {size} x {size}"
        raise InputError(str(folder), "", problem, "give a smaller image size or fewer images of a class")
    parts = []
    for files in listed:
        images = np.stack([_decoded(path, size) for path, _ in files])
        parts.append((images, np.array([label for _, label in files], dtype=np.int64)))
    return _split(*parts)


def _class_names(folder: Path) -> list[str]:
    names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if not names:
        raise InputError(str(folder), "", "has no folder of a class", "give train/CLASS/*.png and val/CLASS/*.png")
    return names


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES)


def _decoded(path: Path, size: int) -> np.ndarray:
    """Return an image (3, size, size): scaled by its shorter side, its middle cut out."""
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise InputError(str(path), "", "Pillow is needed to read images and not installed", "install pillow") from None
    try:
        with Image.open(path) as image:
            fitted = ImageOps.fit(image.convert("RGB"), (size, size), Image.Resampling.BILINEAR)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise InputError(str(path), "", "is no image that can be read", "delete it, or replace it") from None
    return np.asarray(fitted, dtype=np.uint8).transpose(2, 0, 1)


def _first_of_each(labels: np.ndarray, per_class: int | None) -> np.ndarray:
    """Return the rows of the first samples of each class, in the order of the file."""
    if per_class is None:
        return np.arange(len(labels))
    rows: Sequence[np.ndarray] = [np.flatnonzero(labels == label)[:per_class] for label in np.unique(labels)]
    return np.sort(np.concatenate(rows))


def _split(train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> Split:
    scaled = torch.from_numpy(train[0]).float() / _WHITE
    mean, deviation = scaled.mean(dim=(0, 2, 3), keepdim=True), scaled.std(dim=(0, 2, 3), keepdim=True)
    # A channel of one colour has no deviation, and nothing to standardise.
    deviation = torch.where(deviation > 0, deviation, 1.0)
    return Split(
        train_images=(scaled - mean) / deviation, train_labels=torch.from_numpy(train[1]),
        test_images=(torch.from_numpy(test[0]).float() / _WHITE - mean) / deviation,
        test_labels=torch.from_numpy(test[1]),
    )  # fmt: skip
