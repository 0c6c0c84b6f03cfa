"""A dataflow on an array: its closed form, its stepped kernel and numpy give the same cycles, counts and numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataflows.array import PEArray
from dataflows.convolution import Sliding
from dataflows.dataflow import Dataflow, dataflows
from dataflows.operands import ConvolutionOperands, SteppedProduct
from simulator.testing.arrays import array_of, choices
from simulator.testing.ladder import hold

SEEDS = 12  # convolutions on each array


def random_convolution(seed: int) -> ConvolutionOperands:
    """Draw a small convolution."""
    numbers = np.random.default_rng(seed)
    groups, images, channels, filters = numbers.integers(1, [3, 3, 5, 6]).tolist()
    rows, columns, filter_rows, filter_columns, *sliding = numbers.integers(1, [4, 4, 4, 4, 3, 3, 3, 3]).tolist()
    sy, sx, dy, dx = sliding
    height, width = (rows - 1) * sy + (filter_rows - 1) * dy + 1, (columns - 1) * sx + (filter_columns - 1) * dx + 1
    return ConvolutionOperands(
        numbers.integers(-99, 100, (groups, images, channels, height, width)),
        numbers.integers(-99, 100, (groups, filters, channels, filter_rows, filter_columns)),
        rows, columns, Sliding((sy, sx), (dy, dx)), "forward",
    )  # fmt: skip


def naive_product(operands: ConvolutionOperands) -> NDArray[Any]:
    """Y[g][a][m][y][x] = sum of F[g][m][b][i][j] I[g][a][b][y sy + i dy][x sx + j dx], as it is written."""
    (sy, sx), (dy, dx) = operands.sliding
    groups, filters, _, filter_rows, filter_columns = operands.filters.shape
    result = np.zeros((groups, operands.image.shape[1], filters, operands.rows, operands.columns), np.int64)
    for i in range(filter_rows):
        for j in range(filter_columns):
            last_y, last_x = i * dy + (operands.rows - 1) * sy + 1, j * dx + (operands.columns - 1) * sx + 1
            words = operands.image[:, :, :, i * dy : last_y : sy, j * dx : last_x : sx]
            result += np.einsum("gabyx,gmb->gamyx", words, operands.filters[:, :, :, i, j])
    return result


def check_closed_form(flow: Dataflow, array: PEArray, operands: ConvolutionOperands, stepped: SteppedProduct) -> None:
    """Hold what an array counted, step by step, against the closed form of the same product."""
    tiles, results = operands.tiles, stepped.result.size
    timing = flow.timing(array, tiles)
    cycles = timing.fill_cycles + int(timing.stream_cycles[0]) + timing.drain_cycles
    on = f"{flow.name} on {array}, a convolution of {operands.image.shape} with {operands.filters.shape}"
    hold(timing.gap_cycles.tolist() == [0], f"{on}: a product alone has a gap of {timing.gap_cycles.tolist()} cycles")
    hold(stepped.cycles == cycles, f"{on}: {stepped.cycles} cycles stepped, {cycles} by the closed form")
    hold(stepped.macs == int(tiles.macs[0]), f"{on}: {stepped.macs} MACs stepped, {int(tiles.macs[0])} in the product")
    traffic = flow.traffic(array, tiles, results)
    hold(stepped.traffic == traffic, f"{on}: {stepped.traffic} stepped, {traffic} by the closed form")


def check_product(flow: Dataflow, array: PEArray, operands: ConvolutionOperands) -> None:
    """Hold closed form, stepped kernel and numpy against each other for one product."""
    stepped = flow.step(array, operands)
    on = f"{flow.name} on {array}, a convolution of {operands.image.shape} with {operands.filters.shape}"
    hold(np.array_equal(stepped.result, naive_product(operands)), f"{on}: the numbers are not numpy's")
    check_closed_form(flow, array, operands, stepped)


def check_runs(kind: str, name: str) -> None:
    """Check a dataflow on a kind of array: small arrays, narrow and wide ports, each of the kind's own words."""
    flow = dataflows()[kind, name]
    for own in choices(kind, flow):
        for seed in range(SEEDS):
            sizes = np.random.default_rng(seed).integers(1, [6, 6, 12, 12, 12]).tolist()
            check_product(flow, array_of(kind, sizes[0], sizes[1], tuple(sizes[2:]), **own), random_convolution(seed))
