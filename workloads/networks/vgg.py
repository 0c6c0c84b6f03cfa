"""VGG (Simonyan and Zisserman, ICLR 2015): as published, and with batch norm in its form for CIFAR images."""

from functools import partial
from typing import TYPE_CHECKING

from workloads.networks.image_classes import image_recipes

if TYPE_CHECKING:
    from torch import nn


def build(depth: int, classes: int, small: bool) -> "nn.Module":
    """Return torchvision's VGG; of its small form the features, with one linear layer.

    Five poolings leave 1 x 1 of 32 x 32, so that the linear layer reads 512 features.
    """
    from collections import OrderedDict

    from torch import nn
    from torchvision import models

    if not small:
        network: nn.Module = getattr(models, f"vgg{depth}")(weights=None, init_weights=False, num_classes=classes)
        return network
    features = getattr(models, f"vgg{depth}_bn")(weights=None, init_weights=False).features
    return nn.Sequential(
        OrderedDict[str, nn.Module](features=features, flatten=nn.Flatten(), classifier=nn.Linear(512, classes))
    )


RECIPES = tuple(
    recipe
    for depth in (13, 16, 19)
    for recipe in image_recipes(
        f"vgg{depth}",
        f"VGG{depth}",
        partial(build, depth),
        small_note=f"The features are torchvision's vgg{depth}_bn; one linear layer of 512 x {{classes}} replaces "
        "the three linear layers of the ImageNet form.",
        large_note=f"torchvision's vgg{depth}: without batch norm, as published. Its first linear layer makes the "
        "predictor 25,088 wide.",
    )
)
