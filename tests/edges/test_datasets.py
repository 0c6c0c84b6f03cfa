"""Data sets on disk: tiny ones that the test writes, read back, and broken ones refused in one line."""

import gzip
import pickle
import struct
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the torch extra")

from workloads.foundation.errors import InputError  # noqa: E402
from workloads.pytorch.image_sets import load_images  # noqa: E402

CIFAR_FILES = {"CIFAR10": [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"], "CIFAR100": ["train", "test"]}
KEYS = {"CIFAR10": b"labels", "CIFAR100": b"fine_labels"}
SAMPLES = 4


def cifar_batch(dataset: str, index: int) -> dict:
    random = np.random.RandomState(index)
    images = random.randint(0, 256, (SAMPLES, 3072)).astype(np.uint8)
    return {b"data": images, KEYS[dataset]: [(index + i) % 3 for i in range(SAMPLES)], b"batch_label": b"tiny"}


def write_cifar(folder, dataset: str):
    for index, name in enumerate(CIFAR_FILES[dataset]):
        (folder / name).write_bytes(pickle.dumps(cifar_batch(dataset, index), protocol=2))
    return folder


def write_classes(folder, size: int = 6):
    image = pytest.importorskip("PIL.Image", reason="needs pillow")
    for part, count in (("train", 3), ("val", 2)):
        for label, name in enumerate(("cat", "dog")):
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = np.full((size, size + 2, 3), 100 * label + 10 * number, dtype=np.uint8)
                image.fromarray(pixels).save(folder / part / name / f"{number}.png")
    return folder


@pytest.mark.parametrize("dataset", ["CIFAR10", "CIFAR100"])
def test_cifar_is_read_in_order_and_standardised(tmp_path, dataset):
    split = load_images(dataset, write_cifar(tmp_path, dataset))
    batches = [cifar_batch(dataset, index) for index in range(len(CIFAR_FILES[dataset]))]
    pixels = np.concatenate([batch[b"data"] for batch in batches[:-1]]).reshape(-1, 3, 32, 32) / 255
    mean = pixels.mean(axis=(0, 2, 3), keepdims=True)
    deviation = pixels.std(axis=(0, 2, 3), keepdims=True, ddof=1)
    np.testing.assert_allclose(split.train_images.numpy(), (pixels - mean) / deviation, atol=1e-5)
    test = batches[-1][b"data"].reshape(-1, 3, 32, 32) / 255
    np.testing.assert_allclose(split.test_images.numpy(), (test - mean) / deviation, atol=1e-5)
    assert split.train_labels.tolist() == [label for batch in batches[:-1] for label in batch[KEYS[dataset]]]
    assert split.test_labels.tolist() == batches[-1][KEYS[dataset]]
    assert split.train_images.dtype == torch.float32
    assert split.train_labels.dtype == torch.int64


def test_first_images_of_each_class(tmp_path):
    whole = load_images("CIFAR10", write_cifar(tmp_path, "CIFAR10"))
    few = load_images("CIFAR10", tmp_path, per_class=2)
    # The classes of the file begin 0 1 2 0 1 2 0 1, so its first six images are the two of each class.
    assert few.train_labels.tolist() == [0, 1, 2, 0, 1, 2] == whole.train_labels.tolist()[:6]
    assert len(few.test_labels) == SAMPLES


def test_folders_of_classes(tmp_path):
    split = load_images("ImageNet", write_classes(tmp_path), image_size=4)
    assert tuple(split.train_images.shape) == (6, 3, 4, 4)
    assert tuple(split.test_images.shape) == (4, 3, 4, 4)
    assert split.train_labels.tolist() == [0, 0, 0, 1, 1, 1]
    values = np.array([0, 10, 20, 100, 110, 120]) / 255
    pixels = np.repeat(values, 16)
    np.testing.assert_allclose(split.train_images[:, 0, 0, 0], (values - values.mean()) / pixels.std(ddof=1), atol=1e-5)
    assert len(load_images("ImageNet", tmp_path, 4, per_class=1).train_labels) == 2


def test_images_of_one_colour_stay_finite(tmp_path):
    write_classes(tmp_path)
    for path in (*tmp_path.glob("*/*/1.png"), *tmp_path.glob("*/*/2.png"), *tmp_path.glob("*/dog/*.png")):
        path.write_bytes((tmp_path / "train/cat/0.png").read_bytes())
    assert load_images("ImageNet", tmp_path, 4).train_images.abs().max() < 1e-5


def refused(pattern: str, dataset: str, folder, **options) -> None:
    with pytest.raises(InputError, match=pattern) as caught:
        load_images(dataset, folder, **options)
    assert "\n" not in str(caught.value)


def test_unknown_names_and_folders(tmp_path):
    refused("did you mean CIFAR10", "CIFAR1", tmp_path)
    refused("is no folder; give the one that CIFAR10 lies in", "CIFAR10", tmp_path / "none")
    refused(r"data_batch_1: cannot be read: No such file.*; unpack", "CIFAR10", tmp_path)
    refused("image size: is 0; give at least 1", "ImageNet", tmp_path, image_size=0)
    refused("images of a class: is 0", "CIFAR10", tmp_path, per_class=0)
    refused(r"train: has no folder of a class", "ImageNet", tmp_path)


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        ({b"data": np.zeros((SAMPLES, 3000), dtype=np.uint8)}, "data: is uint8 of .*; give rows of 3072 bytes"),
        ({b"data": np.zeros((SAMPLES, 3072))}, "data: is float64"),
        ({b"data": np.zeros((0, 3072), dtype=np.uint8), b"labels": []}, "data: is uint8"),
        ({b"labels": [0, 1, 2]}, "labels: is no list of classes"),
        ({b"labels": [0, 1, 2, 10]}, "give numbers from 0 to 9"),
        ({b"labels": [0, 1, 2, "cat"]}, "labels: is no list of classes"),
    ],
)
def test_batches_that_do_not_fit(tmp_path, change, pattern):
    write_cifar(tmp_path, "CIFAR10")
    (tmp_path / "data_batch_3").write_bytes(pickle.dumps(cifar_batch("CIFAR10", 2) | change, protocol=4))
    refused(pattern, "CIFAR10", tmp_path)


def test_one_cifar_is_not_the_other(tmp_path):
    for name in CIFAR_FILES["CIFAR10"]:
        (tmp_path / name).write_bytes(pickle.dumps(cifar_batch("CIFAR100", 0), protocol=2))
    refused("lacks data or labels", "CIFAR10", tmp_path)


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps([1])[:-2], pickle.dumps([1])])
def test_broken_batches(tmp_path, content):
    write_cifar(tmp_path, "CIFAR10")
    (tmp_path / "test_batch").write_bytes(content)
    refused(r"test_batch: (is no batch of CIFAR|lacks data)", "CIFAR10", tmp_path)


def test_a_batch_that_would_run_code_is_refused(tmp_path):
    class Code:
        def __reduce__(self):
            return (print, ("it ran",))

    write_cifar(tmp_path, "CIFAR10")
    (tmp_path / "test_batch").write_bytes(pickle.dumps(Code()))
    refused("is no batch of CIFAR .it holds a builtins.print", "CIFAR10", tmp_path)


def test_class_folders_that_do_not_fit(tmp_path):
    write_classes(tmp_path)
    refused("take 100 GiB of memory", "ImageNet", tmp_path, image_size=29_910)
    (tmp_path / "val/cow").mkdir()
    refused("val: cow: is no class of train", "ImageNet", tmp_path)
    (tmp_path / "val/cow").rmdir()
    (tmp_path / "train/dog/1.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    refused(r"1\.png: is no image that can be read", "ImageNet", tmp_path, image_size=4)
    for path in tmp_path.glob("val/*/*.png"):
        path.unlink()
    refused("val: has no image", "ImageNet", tmp_path, image_size=4)


def test_missing_pillow_is_told(tmp_path, monkeypatch):
    write_classes(tmp_path)
    monkeypatch.setitem(sys.modules, "PIL", None)
    refused("Pillow is needed to read images and not installed; install pillow", "ImageNet", tmp_path, image_size=4)


def idx(values: np.ndarray) -> bytes:
    """Return an IDX file as its authors describe it: 0, 0, 8 for bytes, the dimensions, each size, then the values."""
    return (
        struct.pack(">BBBB", 0, 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()
    )


def write_idx(folder, compressed: bool = False, size: int = 3):
    for part, first in (("train", 0), ("t10k", 100)):
        images = (first + np.arange(6 * size * size)).astype(np.uint8).reshape(6, size, size)
        labels = np.array([0, 1, 0, 1, 0, 1], dtype=np.uint8)
        for name, values in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", labels)):
            if compressed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(idx(values)))
            else:
                (folder / name).write_bytes(idx(values))
    return folder


@pytest.mark.parametrize("compressed", [False, True])
def test_idx_files_get_a_black_border(tmp_path, compressed):
    split = load_images("Fashion-MNIST", write_idx(tmp_path, compressed), image_size=6, per_class=2)
    assert tuple(split.train_images.shape) == (4, 1, 6, 6)
    assert split.train_labels.tolist() == [0, 1, 0, 1]
    # A border of three: one row and column before, two after. The second image holds 9 to 17.
    pixels = np.zeros((4, 1, 6, 6))
    pixels[:, 0, 1:4, 1:4] = np.arange(36).reshape(4, 3, 3) / 255
    expected = (pixels - pixels.mean()) / pixels.std(ddof=1)
    np.testing.assert_allclose(split.train_images.numpy(), expected, atol=1e-5)


def test_first_test_samples_of_each_class(tmp_path):
    split = load_images("Fashion-MNIST", write_idx(tmp_path), image_size=3)
    few = split.first_of_test(1)
    assert few.test_labels.tolist() == [0, 1]
    assert torch.equal(few.test_images, split.test_images[:2])
    assert len(few.train_labels) == 6


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("train-images-idx3-ubyte", lambda found: found[:-1], "says .6, 3, 3., and has 53 bytes"),
        ("train-images-idx3-ubyte", lambda found: b"PNG" + found, "no IDX file of 3 dimensions"),
        ("train-labels-idx1-ubyte", lambda _: idx(np.zeros(5, dtype=np.uint8)), "5 labels for 6 images"),
        ("t10k-images-idx3-ubyte", lambda _: idx(np.zeros((6, 3, 4), dtype=np.uint8)), "square"),
        ("t10k-images-idx3-ubyte", lambda _: idx(np.zeros((6, 9, 9), dtype=np.uint8)), "9 x 9.*reads 3 x 3"),
        ("t10k-images-idx3-ubyte", lambda _: b"", "no IDX file"),
        ("t10k-labels-idx1-ubyte", None, "t10k-labels-idx1-ubyte.*cannot be read"),
    ],
)
def test_broken_idx_files_are_told_in_one_line(tmp_path, name, change, words):
    path = write_idx(tmp_path) / name
    if change is None:
        path.unlink()
    else:
        path.write_bytes(change(path.read_bytes()))
    with pytest.raises(InputError, match=words):
        load_images("Fashion-MNIST", tmp_path, image_size=3)


def test_a_cut_off_gzip_file_is_told_in_one_line(tmp_path):
    path = write_idx(tmp_path, compressed=True) / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(InputError, match="cut off"):
        load_images("Fashion-MNIST", tmp_path, image_size=3)
