"""DenseNet with bottlenecks and compression (Huang et al., CVPR 2017)."""

from functools import partial
from typing import TYPE_CHECKING

from workloads.networks.image_classes import image_recipes

if TYPE_CHECKING:
    from torch import nn


def build(depth: int, classes: int, small: bool) -> "nn.Module":
    """Return torchvision's DenseNet; its small form starts at stride 1, without max-pooling."""
    from torch import nn
    from torchvision import models

    network: nn.Module = getattr(models, f"densenet{depth}")(weights=None, num_classes=classes)
    if small:
        channels = network.features.conv0.out_channels
        network.features.conv0 = nn.Conv2d(3, channels, kernel_size=3, stride=1, padding=1, bias=False)
        network.features.pool0 = nn.Identity()
    return network


RECIPES = tuple(
    recipe
    for depth in (121, 161, 169, 201)
    for recipe in image_recipes(
        f"densenet{depth}",
        f"DenseNet{depth}",
        partial(build, depth),
        small_note=f"torchvision's densenet{depth} with a stem for 32 x 32: one convolution of 3 x 3 at stride 1, no "
        "max-pooling.",
        large_note=f"torchvision's densenet{depth}.",
    )
)
