"""Inception-V3 (Szegedy et al., CVPR 2016) and Inception-V4 (Szegedy et al., AAAI 2017)."""

from typing import TYPE_CHECKING

from workloads.networks.image_classes import image_recipes

if TYPE_CHECKING:
    from torch import nn


def build_v3(classes: int, small: bool) -> "nn.Module":
    """Return torchvision's Inception-V3 without its auxiliary classifier; its small form has a stem for 32 x 32."""
    from torch import nn
    from torchvision import models

    network: nn.Module = models.inception_v3(weights=None, num_classes=classes, aux_logits=False, init_weights=False)
    if small:
        _keep_size(network.Conv2d_1a_3x3.conv)
        _keep_size(network.Conv2d_2a_3x3.conv)
        network.maxpool1 = nn.Identity()
        network.maxpool2 = nn.Identity()
    return network


def build_v4(classes: int, small: bool) -> "nn.Module":
    """Return timm's Inception-V4; its small form has a stem for 32 x 32."""
    from timm.models.inception_v4 import InceptionV4

    network: nn.Module = InceptionV4(num_classes=classes)
    if small:
        first, second, _, mixed_3a, mixed_4a, mixed_5a = network.features[:6]
        first.conv.stride = (1, 1)  # its lack of padding leaves 30 x 30, as in Inception-V3's small form
        for layer in (
            second.conv,
            mixed_3a.conv.conv,
            mixed_4a.branch0[-1].conv,
            mixed_4a.branch1[-1].conv,
            mixed_5a.conv.conv,
        ):
            _keep_size(layer)
        for pool in (mixed_3a.maxpool, mixed_5a.maxpool):
            pool.stride, pool.padding = 1, 1
    return network


def _keep_size(convolution: "nn.Module") -> None:
    """Let a convolution of 3 x 3 give an image as large as its input."""
    convolution.stride, convolution.padding = (1, 1), (1, 1)


_SMALL = "The grids are 30 x 30, 14 x 14 and 6 x 6 where the ImageNet form has 35, 17 and 8; all blocks are unchanged."

RECIPES = (
    *image_recipes(
        "inception-v3",
        "Inception-V3",
        build_v3,
        small_note="torchvision's inception_v3 without its auxiliary classifier, with a stem for 32 x 32 of our own: "
        f"stride 1, no max-pooling, no padding in its last convolution only. {_SMALL}",
        large_note="torchvision's inception_v3 without its auxiliary classifier.",
        large_size=299,
    ),
    *image_recipes(
        "inception-v4",
        "Inception-V4",
        build_v4,
        small_note="timm's inception_v4 with a stem for 32 x 32 of our own: stride 1 throughout (the max-poolings "
        f"beside convolutions too), no padding in its first convolution only. {_SMALL}",
        large_note="timm's inception_v4.",
        large_size=299,
    ),
)
