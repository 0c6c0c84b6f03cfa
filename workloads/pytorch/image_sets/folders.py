"""Images in a folder for each class, of any size: `train/CLASS/*.png` and `val/CLASS/*.png`, bmp and jpeg too."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from workloads.foundation.errors import InputError, nearest
from workloads.pytorch.image_sets.image_set import ImageSet, Part, Parts

# More than this is no data set to hold in memory, but a mistake in the image size or a job for `per_class`.
_MOST_BYTES = 16 * 2**30
_BYTES_OF_A_PIXEL = 3 * 4  # three colours, float32
_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".png"}


def _classes(folder: Path, size: int, per_class: int | None) -> Parts:
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
    needed = _BYTES_OF_A_PIXEL * size * size * sum(len(files) for files in listed)
    if needed > _MOST_BYTES:
        problem = f"its images take {needed / 2**30:.0f} GiB of memory at {size} x {size}"
        raise InputError(str(folder), "", problem, "give a smaller image size or fewer images of a class")

    def read(files: Sequence[tuple[Path, int]]) -> Part:
        images = np.stack([_decoded(path, size) for path, _ in files])
        return images, np.array([label for _, label in files], dtype=np.int64)

    return read(listed[0]), read(listed[1])


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


IMAGE_SETS = (ImageSet("ImageNet", _classes),)
