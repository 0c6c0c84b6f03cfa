"""The three data sets of images and their classes, and recipes of one network for all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from workloads.networks.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

# The paper states no batch size; 128 is that of the customary CIFAR recipes, and the same for ImageNet,
# so that only image and network differ between the traces of a network.
BATCH_SIZE = 128


@dataclass(frozen=True, slots=True)
class ImageClasses:
    """A data set of square RGB images.

    Attributes
    ----------
    name : str
        What a trace calls it.
    training_samples : int
        Images of its training part.
    classes : int
        Number of classes.
    small : bool
        Whether its images are CIFAR's 32 x 32, for which networks have another form.
    """

    name: str
    training_samples: int
    classes: int
    small: bool


# ImageNet is ILSVRC 2012.
IMAGE_CLASSES = (
    ImageClasses("CIFAR10", 50_000, 10, small=True),
    ImageClasses("CIFAR100", 50_000, 100, small=True),
    ImageClasses("ImageNet", 1_281_167, 1000, small=False),
)

# Makes a network for (number of classes, whether in its form for small images).
Build = Callable[[int, bool], "nn.Module"]


def image_recipes(
    name: str, network: str, build: Build, small_note: str, large_note: str, large_size: int = 224
) -> tuple[Recipe, ...]:
    """Return the recipes of a network for CIFAR10, CIFAR100 and ImageNet.

    Parameters
    ----------
    name, network : str
        Beginning of the recipes' names, and what a trace calls the network.
    build : callable
        Makes the network of a number of classes, in its form for small images or not.
    small_note, large_note : str
        Where the two forms come from; ``{classes}`` in them is the number of classes.
    large_size : int
        Height and width of an ImageNet image.
    """
    return tuple(
        Recipe(
            name=f"{name}-{data.name.lower()}",
            network=network,
            dataset=data.name,
            training_samples=data.training_samples,
            input_shapes=((3, 32, 32) if data.small else (3, large_size, large_size),),
            batch_size=BATCH_SIZE,
            build=partial(build, data.classes, data.small),
            notes=((small_note if data.small else large_note).format(classes=data.classes),),
        )
        for data in IMAGE_CLASSES
    )
