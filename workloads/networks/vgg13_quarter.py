"""VGG13 at a quarter of its width on Fashion-MNIST: the paper's depth, in a size that one core trains in minutes."""

from pathlib import Path
from typing import TYPE_CHECKING

from workloads.foundation.errors import InputError
from workloads.networks.digits_cnn import CONSTANT_RATES
from workloads.networks.recipe import Recipe, Training

if TYPE_CHECKING:
    from torch import nn

    from workloads.pytorch.split import Split

# Channels of the convolutions between poolings: VGG's configuration B (its table 1), divided by four.
CHANNELS = ((16, 16), (32, 32), (64, 64), (128, 128), (128, 128))
IMAGE_SIZE = 32  # of 28, with a black border: five poolings leave one pixel
# Images of each class that are trained on. With all 6,000 a run takes nine times as long.
PER_CLASS, TEST_PER_CLASS = 640, 500
# Where Debian's package dataset-fashion-mnist has them.
FOLDER = Path("/usr/share/datasets/fashion-mnist")


def build() -> "nn.Module":
    """Return the network: ten convolutions with batch norm, five poolings, one linear layer."""
    from collections import OrderedDict

    from torch import nn

    features: list[nn.Module] = []
    inputs = 1
    for block in CHANNELS:
        for outputs in block:
            features += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
            inputs = outputs
        features.append(nn.MaxPool2d(2))
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            features=nn.Sequential(*features), flatten=nn.Flatten(), classifier=nn.Linear(inputs, 10)
        )
    )


def _load() -> "Split":
    from workloads.pytorch.image_sets import load_images

    if not FOLDER.is_dir():
        remedy = "install Debian's package dataset-fashion-mnist, or give the folder of the four files (--data)"
        raise InputError(str(FOLDER), "", "is not here", remedy)
    return load_images("Fashion-MNIST", FOLDER, IMAGE_SIZE, PER_CLASS).first_of_test(TEST_PER_CLASS)


RECIPES = (
    Recipe(
        name="vgg13-quarter-fashion",
        network="VGG13-quarter",
        dataset="Fashion-MNIST",
        training_samples=10 * PER_CLASS,
        input_shapes=((1, IMAGE_SIZE, IMAGE_SIZE),),
        batch_size=64,
        build=build,
        # The network's learning rate is the paper's (section 5.2), and the momentum customary, as in digits-cnn. So is
        # the predictor's rate, which is for runs of few batches: docs/predictor.md.
        training=Training(load_data=_load, learning_rate=0.001, momentum=0.9, predictor_learning_rate=0.01),
        notes=(
            "VGG13 with batch norm at a quarter of its width; images of 28 x 28 have a black border to 32 x 32.",
            f"Trained on the first {PER_CLASS} images of each class, tested on the first {TEST_PER_CLASS} of the test "
            "part.",
            CONSTANT_RATES,
        ),
    ),
)
