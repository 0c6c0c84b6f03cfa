"""The part of the reduction on the rows: channels and taps, or channels of one tap (docs/microarchitecture.md)."""

import numpy as np
import pytest

from dataflows.convolution import whole_convolution
from dataflows.dataflow import find_dataflow
from simulator.machine.spec_loading import load_accelerator
from simulator.testing.arrays import array_of
from workloads.foundation.errors import InputError
from workloads.passes import Product
from workloads.shapes import ConvShape

CHANNELS = {"reduction_on_rows": "channels"}
# One image of 5 x 5 and 6 channels, 7 filters of 3 x 3, an ofmap of 3 x 3.
SHAPE = ConvShape(N=1, C=6, H=5, W=5, K=7, R=3, S=3, P=3, Q=3)


@pytest.mark.parametrize(("role", "whole", "channels"), [
    # 54 words of a reduction on 4 rows: 14 blocks, or 2 for each of 9 taps. Of 7 columns on 3: 3 blocks.
    ("forward", 14 * 3, 18 * 3),
    # 63 words: 16 blocks, or 2 for each tap; 6 columns on 3 are 2 blocks.
    ("dgrad", 16 * 2, 18 * 2),
    # The reduction is 9 positions, which have no taps: 3 blocks either way.
    ("wgrad", 3 * 3, 3 * 3),
])  # fmt: skip
def test_folds_by_hand(role: str, whole: int, channels: int) -> None:
    tiles = whole_convolution(Product(SHAPE, role))
    flow = find_dataflow("ws", "systolic", "", "")
    for folds, own in ((whole, {}), (channels, CHANNELS)):
        array = array_of("systolic", 4, 3, (3, 4, 3), **own)
        vectors = int(tiles.vectors[0])
        fold = 4 + vectors + 4 + 3 - 2
        assert flow.timing(array, tiles).stream_cycles.tolist() == [folds * fold]
        assert flow.formula(array, tiles).folds == folds
        # each fold writes a psum of each real column, but for the results
        results = vectors * int(tiles.filters[0])
        blocks = folds // -(-int(tiles.filters[0]) // 3)
        assert flow.traffic(array, tiles, results).partial_sum_reads == (blocks - 1) * results


def test_a_short_reduction_of_several_taps_is_accumulated() -> None:
    """Channels fill a block, but their taps are several folds, whose psums an accumulator of 4 sums must hold."""
    tiles = whole_convolution(Product(SHAPE, "forward"))
    flow = find_dataflow("ws", "broadcast", "", "")
    array = array_of("broadcast", 6, 7, (42, 6, 7), accumulator_sums=4, **CHANNELS)
    # 9 vectors in pieces of 4, 4, 1; 9 folds of each; a fold loads for 2 cycles behind the one before
    assert flow.timing(array, tiles).stream_cycles.tolist() == [9 * 4 + 9 * 4 + 8 * 2 + 1]
    assert int(np.prod(flow.blocks(array, tiles).jobs.V)) == 16


@pytest.mark.parametrize("flow", ["os", "rs"])
def test_a_dataflow_without_a_reduction_on_the_rows_refuses_it(flow: str) -> None:
    told = f"is channels, but {flow} has no reduction on the rows; leave it out, or take is or ws"
    with pytest.raises(InputError, match=told):
        load_accelerator(design="baseline", dataflow=flow, overrides={"array.reduction_on_rows": "channels"})
