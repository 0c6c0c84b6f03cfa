"""CIFAR's python batches, as their authors give them out."""

import pickle
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from workloads.foundation.errors import InputError
from workloads.pytorch.image_sets.image_set import ImageSet, Part, Parts, first_of_each

_SHAPE = (3, 32, 32)
# What numpy's arrays are made of in a pickle; everything else could run a stranger's code.
_PICKLED = {
    ("_codecs", "encode"), ("numpy", "dtype"), ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
}  # fmt: skip


def _cifar(
    files: tuple[tuple[str, ...], tuple[str, ...]], key: bytes, classes: int, folder: Path, _: int,
    per_class: int | None,
) -> Parts:  # fmt: skip
    def part(names: tuple[str, ...]) -> Part:
        pieces = [_batch(folder / name, key, classes) for name in names]
        images, labels = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
        return first_of_each(images, labels, per_class)

    return part(files[0]), part(files[1])


def _batch(path: Path, key: bytes, classes: int) -> Part:
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
    pixels = int(np.prod(_SHAPE))
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
    return images.reshape(-1, *_SHAPE), labels.astype(np.int64)


class _ArrayUnpickler(pickle.Unpickler):
    """Reads arrays and plain values, and nothing that could do more than be data."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        super().__init__(file, encoding=encoding)

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _PICKLED:
            raise pickle.UnpicklingError(f"it holds a {module}.{name}")
        return super().find_class(module, name)


_CIFAR10 = (tuple(f"data_batch_{number}" for number in range(1, 6)), ("test_batch",))
IMAGE_SETS = (
    ImageSet("CIFAR10", partial(_cifar, _CIFAR10, b"labels", 10)),
    ImageSet("CIFAR100", partial(_cifar, (("train",), ("test",)), b"fine_labels", 100)),
)
