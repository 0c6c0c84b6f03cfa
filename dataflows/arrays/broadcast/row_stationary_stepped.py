"""Step a convolution on a row-stationary array: real numbers, every PE, every cycle."""

import numpy as np

from dataflows.arrays.broadcast.row_stationary import RowArray, RowMapping, row_counts
from dataflows.arrays.broadcast.row_stationary_steps import run_row_stationary
from dataflows.arrays.stepped import new_dump, registers_by_name
from dataflows.operands import ConvolutionOperands, SteppedProduct
from dataflows.traffic import ArrayTraffic


def step_rows(
    array: RowArray, mapping: RowMapping, operands: ConvolutionOperands, dump_cycles: int = 0
) -> SteppedProduct:
    """Step a convolution.

    Parameters
    ----------
    array, mapping : RowArray, RowMapping
        The PEs, and how the convolution lies on them.
    operands : ConvolutionOperands
        Integers are computed in 64 bits and wrap, other types as float64 unless they are float32.
    dump_cycles : int
        How many cycles of registers to keep, from the first on; 0 for none.

    Raises
    ------
    ValueError
        If the mapping does not fit on the array or in its scratchpads, or windows leave the image.
    """
    _check(array, mapping, operands)
    both = np.result_type(operands.image, operands.filters)
    dtype = np.int64 if np.issubdtype(both, np.integer) else np.float32 if both == np.float32 else np.float64
    layout = array.registers
    dump = new_dump(layout, dump_cycles, dtype)
    m = mapping
    result, numbers = run_row_stationary(
        np.ascontiguousarray(operands.image, dtype),
        np.ascontiguousarray(operands.filters, dtype),
        operands.rows,
        operands.columns,
        np.array([*operands.sliding.stride, *operands.sliding.dilation]),
        np.array([array.rows, array.columns, array.filter_port, array.image_port, array.output_port]),
        np.array([array.filter_words, array.input_words, array.sum_words]),
        np.array([m.h, m.w, m.q, m.p, m.r, m.e, m.t, m.d]),
        dump,
    )
    cycles, macs, image_words, filter_words, sums, read_back, row_sums, *writes = numbers.tolist()
    traffic = ArrayTraffic(
        image_words,
        filter_words,
        partial_sum_writes=sums - result.size,
        partial_sum_reads=read_back,
        network_words=image_words + filter_words,
        inside=row_counts(array, writes, macs, (image_words, filter_words, sums + read_back, row_sums)),
        sums_return=True,
    )
    registers = registers_by_name(layout, dump[:cycles]) if dump_cycles else None
    return SteppedProduct(result, cycles, macs, traffic, registers)


def _check(array: RowArray, m: RowMapping, operands: ConvolutionOperands) -> None:
    if min(m.h, m.w, m.q, m.p, m.r, m.e, m.t, m.d) < 1:
        raise ValueError(f"a mapping's numbers are at least 1: {m}")
    if m.e * m.t * m.d > array.rows // (m.h * m.r) * array.columns:
        raise ValueError(f"{m} does not fit on {array.rows} x {array.columns} PEs")
    if m.p * m.q * m.w > array.filter_words or m.q * m.w > array.input_words or m.p > array.sum_words:
        raise ValueError(f"{m} does not fit in scratchpads of {array}")
    image, filters = operands.image.shape, operands.filters.shape
    if len(image) != 5 or len(filters) != 5 or image[0] != filters[0] or image[2] != filters[2]:
        raise ValueError(f"operands {image} and {filters} are no image and filters of the same groups and channels")
    if min(*image, *filters, operands.rows, operands.columns) < 1:
        raise ValueError("an operand is empty")
    for axis, extent in enumerate((operands.rows, operands.columns)):
        stride, dilation = operands.sliding.stride[axis], operands.sliding.dilation[axis]
        if (extent - 1) * stride + (filters[3 + axis] - 1) * dilation >= image[3 + axis]:
            raise ValueError(f"windows leave the image {image}")
