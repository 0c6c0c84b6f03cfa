"""MobileNet-V2 (Sandler et al., CVPR 2018)."""

from typing import TYPE_CHECKING

from workloads.networks.image_classes import image_recipes

if TYPE_CHECKING:
    from torch import nn

# Expansion, channels, blocks and first stride of each stage, as published but for the stride of the second.
_SMALL_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 1),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def build(classes: int, small: bool) -> "nn.Module":
    """Return torchvision's MobileNet-V2; its small form keeps 32 x 32 up to its third stage, and ends at 4 x 4."""
    from torchvision import models

    stages = [list(stage) for stage in _SMALL_STAGES] if small else None
    network: nn.Module = models.mobilenet_v2(weights=None, num_classes=classes, inverted_residual_setting=stages)
    if small:
        network.features[0][0].stride = (1, 1)
    return network


RECIPES = image_recipes(
    "mobilenet-v2",
    "MobileNet-V2",
    build,
    small_note="torchvision's mobilenet_v2 for 32 x 32: its first convolution and the first block of its second stage "
    "(24 channels) have stride 1 where the ImageNet form has 2.",
    large_note="torchvision's mobilenet_v2.",
)
