"""How tensors lie in DRAM, and what pieces of them a tile is.

Tensors lie as PyTorch keeps them: images as [N, C, H, W], weights as [K, C/groups, R, S], each from the start of a row
of DRAM. A tile is pieces of equal size at equal distances; where it is nested (channels of several groups or images),
the distance is that of the innermost ones. A part of a decomposed dgrad is laid out as a tensor of its own.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dataflows.integers import Integers
from dataflows.plans.loopnest import LoopNest


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of a tensor, in elements; one entry a tile."""

    count: Integers
    words: Integers
    distance: Integers


def image_pieces(
    nest: LoopNest, tensor: Literal["ifmap", "ofmap"], images: Integers, groups: Integers, channels: Integers,
    words: Integers,
) -> Pieces:  # fmt: skip
    """Return the pieces of tiles of an image tensor.

    Parameters
    ----------
    nest : LoopNest
        The product.
    tensor : str
        The product's ifmap or its ofmap.
    images, groups, channels : int64[tiles]
        Extent of the tiles; channels of one group.
    words : int64[tiles]
        All words of each tile.
    """
    all_channels, plane = nest.channels, nest.ifmap_plane_words
    if tensor == "ofmap":
        all_channels, plane = nest.filters, nest.ofmap_plane_words
    planes = images * groups * channels
    whole_rows = words == planes * plane
    whole_channels = whole_rows & (channels == all_channels)
    whole_images = whole_channels & (groups == nest.groups)
    count = np.where(whole_images, 1, np.where(whole_channels, images, np.where(whole_rows, images * groups, planes)))
    image = plane * all_channels * nest.groups
    distance = np.where(whole_channels, image, np.where(whole_rows, plane * all_channels, plane))
    return Pieces(count, words // count, distance)


def weight_pieces(nest: LoopNest, groups: Integers, filters: Integers, channels: Integers, words: Integers) -> Pieces:
    """Return the pieces of tiles of a tensor [K, C/groups, R, S]: `filters` of K and `channels` of C/groups a group."""
    shape = nest.product.shape
    all_filters, all_channels = shape.K // shape.groups, shape.C // shape.groups
    whole_channels = channels == all_channels
    whole_filters = whole_channels & (filters == all_filters)
    count = np.where(whole_filters, 1, np.where(whole_channels, groups, groups * filters))
    distance = np.where(whole_channels, all_filters * all_channels, all_channels) * nest.kernel
    return Pieces(count, words // count, distance)
