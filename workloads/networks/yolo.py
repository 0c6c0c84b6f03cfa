"""YOLO-v3 (Redmon and Farhadi, 2018) on Darknet-53, as its configuration file lays it out."""

from functools import cache
from typing import TYPE_CHECKING

from workloads.networks.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

_CLASSES = 20
_BOXES = 3  # anchors of each cell and scale
# Residual blocks of Darknet-53 behind each of its convolutions at stride 2.
_BLOCKS = (1, 2, 8, 8, 4)
# Channels of the three heads, the coarsest grid first.
_HEADS = (512, 256, 128)


@cache
def _module() -> "type[nn.Module]":
    """Define the module; torch is needed only when it is made."""
    import torch
    from torch import nn

    def unit(before: int, after: int, kernel: int, stride: int = 1) -> nn.Module:
        convolution = nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.LeakyReLU(0.1))

    class Residual(nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()
            self.narrow, self.wide = unit(channels, channels // 2, 1), unit(channels // 2, channels, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.wide(self.narrow(x))

    class YoloV3(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = unit(3, 32, 3)
            widths = [64 << stage for stage in range(len(_BLOCKS))]
            self.stages = nn.ModuleList(
                nn.Sequential(unit(width // 2, width, 3, stride=2), *(Residual(width) for _ in range(blocks)))
                for width, blocks in zip(widths, _BLOCKS, strict=True)
            )
            self.necks, self.outputs, self.laterals = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
            before = widths[-1]
            for index, width in enumerate(_HEADS):
                inner = [unit(2 * width, width, 1) if at % 2 else unit(width, 2 * width, 3) for at in range(4)]
                self.necks.append(nn.Sequential(unit(before, width, 1), *inner))
                final = nn.Conv2d(2 * width, _BOXES * (5 + _CLASSES), kernel_size=1)
                self.outputs.append(nn.Sequential(unit(width, 2 * width, 3), final))
                if index + 1 < len(_HEADS):
                    self.laterals.append(nn.Sequential(unit(width, width // 2, 1), nn.Upsample(scale_factor=2)))
                    before = width // 2 + widths[-2 - index]

        def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
            x = self.stem(x)
            scales = []
            for stage in self.stages:
                x = stage(x)
                scales.append(x)
            results = []
            for index, (neck, output) in enumerate(zip(self.necks, self.outputs, strict=True)):
                x = neck(x)
                results.append(output(x))
                if index < len(self.laterals):
                    x = torch.cat([self.laterals[index](x), scales[-2 - index]], dim=1)
            return results

    return YoloV3


def build() -> "nn.Module":
    """Return the network: Darknet-53, and heads on grids of 13, 26 and 52 for images of 416 x 416."""
    return _module()()


RECIPES = (
    Recipe(
        name="yolo-v3-voc",
        network="YOLO-v3",
        dataset="PascalVOC",
        training_samples=16_551,
        input_shapes=((3, 416, 416),),
        batch_size=32,
        build=build,
        notes=(
            "Darknet-53 and three heads as in the authors' yolov3.cfg, with 20 classes: 75 channels a head. The "
            "decoding of boxes and the loss are not part of it.",
            "A batch has 32 images, as is usual for this network: 128 would keep 12.4 GB for the backward pass, more "
            "than the 8 GiB of the shipped accelerators' DRAM.",
            "The training samples are those of VOC 2007 and 2012, trainval: 5,011 + 11,540.",
        ),
    ),
)
