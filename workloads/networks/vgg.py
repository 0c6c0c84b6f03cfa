"""VGG (Simonyan and Zisserman, ICLR 2015) with batch norm, in its form for CIFAR images."""

from functools import partial
from typing import TYPE_CHECKING

from workloads.networks.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

_CLASSES = 10


def build(depth: int) -> "nn.Module":
    """Return torchvision's VGG features with one linear layer: five poolings leave 1 x 1 of 32 x 32."""
    from collections import OrderedDict

    from torch import nn
    from torchvision import models

    features = getattr(models, f"vgg{depth}_bn")(weights=None).features
    return nn.Sequential(
        OrderedDict[str, nn.Module](features=features, flatten=nn.Flatten(), classifier=nn.Linear(512, _CLASSES))
    )


RECIPES = tuple(
    Recipe(
        name=f"vgg{depth}-cifar10",
        network=f"VGG{depth}",
        dataset="CIFAR10",
        training_samples=50000,
        input_shape=(3, 32, 32),
        batch_size=128,
        build=partial(build, depth),
        notes=(
            f"The features are torchvision's vgg{depth}_bn; one linear layer of 512 x 10 stands for the three "
            "linear layers of the ImageNet form.",
        ),
    )
    for depth in (13, 16, 19)
)
