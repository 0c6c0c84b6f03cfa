"""ResNet with bottlenecks (He et al., CVPR 2016)."""

from functools import partial
from typing import TYPE_CHECKING

from workloads.networks.image_classes import image_recipes

if TYPE_CHECKING:
    from torch import nn


def build(depth: int, classes: int, small: bool) -> "nn.Module":
    """Return torchvision's ResNet; its small form starts at stride 1, without max-pooling."""
    from torch import nn
    from torchvision import models

    network: nn.Module = getattr(models, f"resnet{depth}")(weights=None, num_classes=classes)
    if small:
        network.conv1 = nn.Conv2d(3, 64, kernel_size=3, stride=1, padding=1, bias=False)
        network.maxpool = nn.Identity()
    return network


RECIPES = tuple(
    recipe
    for depth in (50, 101, 152)
    for recipe in image_recipes(
        f"resnet{depth}",
        f"ResNet{depth}",
        partial(build, depth),
        small_note=f"torchvision's resnet{depth} with a stem for 32 x 32: one convolution of 3 x 3 at stride 1, no "
        "max-pooling.",
        large_note=f"torchvision's resnet{depth}: a bottleneck's stride is in its 3 x 3 convolution (ResNet v1.5).",
    )
)
