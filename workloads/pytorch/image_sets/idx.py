"""IDX files, as the authors of MNIST and Fashion-MNIST give them out, compressed or not."""

import gzip
import zlib
from pathlib import Path

import numpy as np

from workloads.foundation.errors import InputError
from workloads.pytorch.image_sets.image_set import ImageSet, Part, Parts, first_of_each

# Two zeros, the code of unsigned bytes, the number of dimensions; then each size as four bytes, the high one first.
_UNSIGNED_BYTES = b"\0\0\x08"
_MOST_BYTES = 1 << 30


def _idx(folder: Path, size: int, per_class: int | None) -> Parts:
    return _part(folder, "train", size, per_class), _part(folder, "t10k", size, per_class)


def _part(folder: Path, part: str, size: int, per_class: int | None) -> Part:
    images_path, images = _array(folder, f"{part}-images-idx3-ubyte", 3)
    labels_path, labels = _array(folder, f"{part}-labels-idx1-ubyte", 1)
    if len(images) == 0 or images.shape[1] != images.shape[2]:
        raise InputError(str(images_path), "", f"has images of {images.shape}", "give square ones, one at least")
    if len(labels) != len(images):
        problem = f"has {len(labels)} labels for {len(images)} images"
        raise InputError(str(labels_path), "", problem, "give both files of one data set")
    border = size - images.shape[1]
    if border < 0:
        problem = f"its images are {images.shape[1]} x {images.shape[1]}, and the network reads {size} x {size}"
        raise InputError(str(images_path), "", problem, "give smaller images")
    chosen, classes = first_of_each(images, labels.astype(np.int64), per_class)
    before = border // 2
    padded = np.pad(chosen, ((0, 0), (before, border - before), (before, border - before)))
    return padded[:, None], classes


def _array(folder: Path, name: str, dimensions: int) -> tuple[Path, np.ndarray]:
    """Return a file, compressed or not, and the bytes that it holds."""
    path = folder / name if (folder / name).exists() else folder / f"{name}.gz"
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            found = file.read(_MOST_BYTES)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputError(str(path), "", "is no gzip file, or is cut off", "fetch it again") from None
    except OSError as error:
        raise InputError(str(path), "", f"cannot be read: {error.strerror}", f"give the folder of {name}") from None
    head = 4 + 4 * dimensions
    if found[:4] != _UNSIGNED_BYTES + bytes([dimensions]) or len(found) < head:
        raise InputError(str(path), "", f"is no IDX file of {dimensions} dimensions of bytes", "fetch it again")
    shape = np.frombuffer(found[4:head], dtype=">u4").astype(np.int64).tolist()
    if np.prod(shape, dtype=object) != len(found) - head:
        raise InputError(str(path), "", f"says {shape}, and has {len(found) - head} bytes", "fetch it again")
    return path, np.frombuffer(found[head:], dtype=np.uint8).reshape(shape)


IMAGE_SETS = (ImageSet("Fashion-MNIST", _idx),)
