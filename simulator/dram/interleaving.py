"""How a transfer lies on several channels (docs/dram.md, "Several channels")."""

import numpy as np

from dataflows.integers import Integers


def busiest_share(
    channels: int, interleave_bytes: int | None, segments: Integers, size: Integers, stride: Integers
) -> tuple[Integers, Integers, Integers]:
    """Return the part of patterns that the channel with the most of it moves.

    Parameters
    ----------
    channels : int
    interleave_bytes : int, optional
        Bytes that follow each other in a channel before the next one has its turn; None: every segment is spread over
        all channels in equal shares.
    segments, size, stride : int64[...]
        Patterns, as `TransferPattern` has them.

    Returns
    -------
    (int64[...], int64[...], int64[...])
        Segments, their bytes and their stride on that channel.
    """
    if channels == 1:
        return segments, size, stride
    if interleave_bytes is None:
        share = -(-size // channels)
        return segments, share, np.maximum(share, -(-stride // channels))
    touching = (segments > 1) & (stride == size)  # they are one
    size = np.where(touching, segments * size, size)
    stride = np.where(touching, size, stride)
    segments = np.where(touching, 1, segments)
    wide = np.clip(-(-size // interleave_bytes), 1, channels)
    beside = channels // wide
    share = -(-size // wide)
    return -(-segments // beside), share, np.maximum(share, -(-stride * beside // channels))
