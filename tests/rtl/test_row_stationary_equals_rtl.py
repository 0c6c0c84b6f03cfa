"""The stepped row-stationary array against RTL: cycles, numbers, and every register after every cycle."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from row_stationary_simulator import RowJob, run_icarus
from rtl_simulator import RtlResult, flat, have_icarus
from samples import sampled

from dataflows.arrays.broadcast.row_stationary import RowArray, RowMapping
from dataflows.arrays.broadcast.row_stationary_mapping import choose_mapping
from dataflows.arrays.broadcast.row_stationary_stepped import step_rows
from dataflows.convolution import Sliding
from dataflows.operands import ConvolutionOperands, SteppedProduct

pytestmark = pytest.mark.skipif(not have_icarus(), reason="needs Icarus Verilog (Debian package iverilog)")
ARRAYS = [
    RowArray(1, 1, 1, 1, 1, 4, 2, 2),
    RowArray(2, 3, 3, 2, 1, 12, 4, 3),
    RowArray(4, 2, 2, 5, 2, 9, 3, 3),
    RowArray(4, 4, 16, 16, 16, 12, 4, 3),
    RowArray(6, 3, 4, 3, 2, 12, 6, 4),
    RowArray(3, 5, 64, 64, 64, 8, 4, 2),
]


def draw(seed: int) -> tuple[RowArray, RowMapping, ConvolutionOperands]:
    """Draw an array, a convolution and a mapping: any that fits, or (one in four) the one that would be chosen."""
    numbers = np.random.default_rng(seed)

    def upto(most: int) -> int:
        return int(numbers.integers(1, most + 1))

    array = ARRAYS[seed % len(ARRAYS)]
    rows, columns, filter_rows, filter_columns = (upto(4) for _ in range(4))
    sliding = Sliding((upto(3), upto(3)), (upto(3), upto(3)))
    height = (rows - 1) * sliding.stride[0] + (filter_rows - 1) * sliding.dilation[0] + 1
    width = (columns - 1) * sliding.stride[1] + (filter_columns - 1) * sliding.dilation[1] + 1
    groups, images, channels, filters = upto(3), upto(2), upto(3), upto(4)
    operands = ConvolutionOperands(
        numbers.integers(-128, 128, (groups, images, channels, height, width)),
        numbers.integers(-128, 128, (groups, filters, channels, filter_rows, filter_columns)),
        rows, columns, sliding, "forward",
    )  # fmt: skip
    if seed % 4 == 0:
        return array, choose_mapping(replace(array, whole_sets=bool(seed % 8)), operands.tiles), operands
    h = upto(array.rows)
    r = upto(array.rows // h)
    w = upto(min(array.input_words, array.filter_words))
    q = upto(min(array.input_words, array.filter_words) // w)
    p = upto(min(array.sum_words, array.filter_words // (q * w)))
    chains = array.rows // (h * r) * array.columns
    e = upto(chains)
    t = upto(chains // e)
    return array, RowMapping(h, w, q, p, r, e, t, upto(chains // (e * t))), operands


def both(
    array: RowArray, mapping: RowMapping, operands: ConvolutionOperands, folder: Path
) -> tuple[SteppedProduct, RtlResult]:
    """Run a job on the stepped array and on the RTL, with registers."""
    job = RowJob(
        rows=array.rows, columns=array.columns, filter_port=array.filter_port, image_port=array.image_port,
        output_port=array.output_port, filter_words=array.filter_words, input_words=array.input_words,
        psum_words=array.sum_words,
        mapping=mapping,
        image=operands.image, filters=operands.filters, out_rows=operands.rows, out_columns=operands.columns,
        stride=operands.sliding.stride, dilation=operands.sliding.dilation,
    )  # fmt: skip
    return step_rows(array, mapping, operands, dump_cycles=20_000), run_icarus(job, folder, dump=True)


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("row-stationary")


@pytest.mark.parametrize("seed", sampled(range(60), lambda seed: seed < 2 * len(ARRAYS)))
def test_every_register_after_every_cycle(seed: int, build: Path) -> None:
    stepped, rtl = both(*draw(seed), build)
    assert stepped.cycles == rtl.cycles
    assert np.array_equal(stepped.result, rtl.y)
    product, chain, leaving = rtl.writes
    inside = stepped.traffic.inside
    assert (inside.product_register_writes, inside.passing_sum_register_writes) == (product, chain + leaving)
    assert set(stepped.registers) == set(rtl.registers)
    for name, values in flat(stepped.registers).items():
        wrong = np.nonzero((values != rtl.registers[name]).any(axis=1))[0]
        assert len(wrong) == 0, f"{name} differs first after cycle {wrong[0]}"
