"""Runs the RTL of the row stationary array in Icarus Verilog or Verilator, one job at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rtl_simulator import (
    RtlProgram,
    RtlResult,
    buffer_depth,
    build_icarus,
    build_verilator,
    check_operand,
    simulate,
    write_hex,
)

from dataflows.arrays.broadcast.row_stationary import RTL, RowMapping

__all__ = ["RowJob", "RowMapping", "run_icarus", "run_verilator"]


@dataclass(frozen=True)
class RowJob:
    """A row stationary job of docs/microarchitecture.md and the array that does it.

    Parameters
    ----------
    rows, columns : int
        PEs: R and C.
    filter_port, image_port, output_port : int
        Words a cycle: WP, IP and OP.
    filter_words, input_words, psum_words : int
        Sizes of a PE's scratchpads: FW, IW and PW.
    mapping : RowMapping
        How the array is configured.
    image : ndarray
        I with its padding, int64 [groups, images, channels, image height, image width].
    filters : ndarray
        F, int64 [groups, filters, channels, filter rows, filter columns].
    out_rows, out_columns : int
        Rows and columns of Y.
    stride, dilation : tuple of int
        (sy, sx) and (dy, dx).
    word_bits, sum_bits : int
        Widths of operands and of sums.
    """

    rows: int
    columns: int
    filter_port: int
    image_port: int
    output_port: int
    filter_words: int
    input_words: int
    psum_words: int
    mapping: RowMapping
    image: np.ndarray
    filters: np.ndarray
    out_rows: int
    out_columns: int
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    word_bits: int = 16
    sum_bits: int = 32

    def __post_init__(self) -> None:
        m = self.mapping
        ports = (self.filter_port, self.image_port, self.output_port)
        letters = (m.h, m.w, m.q, m.p, m.r, m.e, m.t, m.d)
        outputs = (self.out_rows, self.out_columns)
        if min(self.rows, self.columns, *ports, *letters, *outputs, *self.stride, *self.dilation) < 1:
            raise ValueError("PEs, ports, mapping, rows, columns, stride and dilation must be at least 1")
        if m.p * m.q * m.w > self.filter_words or m.q * m.w > self.input_words or m.p > self.psum_words:
            raise ValueError(f"{m} does not fit in the scratchpads")
        if m.h * m.r > self.rows or m.e * m.t * m.d > self.chains:
            raise ValueError(f"{m} does not fit in {self.rows} x {self.columns} PEs")
        if not 1 <= self.word_bits <= 64 or not 1 <= self.sum_bits <= 64:
            raise ValueError("word_bits and sum_bits must lie in 1 .. 64")
        if self.image.ndim != 5 or self.filters.ndim != 5 or not self.image.size or not self.filters.size:
            raise ValueError("image and filters have five dimensions of at least 1")
        groups, _, channels, height, width = self.image.shape
        if self.filters.shape[0] != groups or self.filters.shape[2] != channels:
            raise ValueError(f"shapes do not match: {self.image.shape} and {self.filters.shape}")
        (sy, sx), (dy, dx), (rows, columns) = self.stride, self.dilation, self.filters.shape[3:]
        last = ((self.out_rows - 1) * sy + (rows - 1) * dy, (self.out_columns - 1) * sx + (columns - 1) * dx)
        if last[0] >= height or last[1] >= width:
            raise ValueError(f"the last window ends at {last}, outside of the image")
        check_operand(self.image, self.word_bits)
        check_operand(self.filters, self.word_bits)

    @property
    def chains(self) -> int:
        """Chains that the array has, working or not."""
        return self.rows // (self.mapping.h * self.mapping.r) * self.columns

    @property
    def result_shape(self) -> tuple[int, int, int, int, int]:
        """Groups, images, filters, rows and columns."""
        return (*self.image.shape[:2], self.filters.shape[1], self.out_rows, self.out_columns)


def run_icarus(job: RowJob, folder: Path, dump: bool = False) -> RtlResult:
    """Run a job in Icarus Verilog.

    Parameters
    ----------
    job : RowJob
        The job.
    folder : Path
        Where compiled arrays are kept and a run's files are written.
    dump : bool
        Whether to give the registers after every cycle.

    Returns
    -------
    RtlResult
        Y, cycles and, with `dump`, registers under the page's names, elements row-major.

    Raises
    ------
    RuntimeError
        If a tool fails or writes no result.
    """
    folder = folder.resolve()
    result = _run(build_icarus(_program(job), folder), job, folder, dump)
    if result.registers is None:
        return result
    registers = dict(result.registers)
    registers["input"] = registers.pop("input_")
    unused = job.rows * job.columns - job.chains
    registers["sum"] = np.pad(registers["sum"], ((0, 0), (0, unused)))
    return replace(result, registers=registers)


def run_verilator(job: RowJob, folder: Path) -> RtlResult:
    """Run a job in Verilator.

    Parameters
    ----------
    job : RowJob
        The job.
    folder : Path
        Where built arrays are kept and a run's files are written.

    Returns
    -------
    RtlResult
        Y and cycles.

    Raises
    ------
    RuntimeError
        If a tool fails or writes no result.
    """
    folder = folder.resolve()
    return _run(build_verilator(_program(job), folder), job, folder, dump=False)


def _program(job: RowJob) -> RtlProgram:
    m = job.mapping
    parameters = {
        "R": job.rows,
        "C": job.columns,
        "WP": job.filter_port,
        "IP": job.image_port,
        "OP": job.output_port,
        "FW": job.filter_words,
        "IW": job.input_words,
        "PW": job.psum_words,
        "H": m.h,
        "W": m.w,
        "Q": m.q,
        "P": m.p,
        "RSETS": m.r,
        "E": m.e,
        "T": m.t,
        "D": m.d,
        "SY": job.stride[0],
        "SX": job.stride[1],
        "DY": job.dilation[0],
        "DX": job.dilation[1],
        "WORD": job.word_bits,
        "SUM": job.sum_bits,
        "DEPTH": buffer_depth(job.image.size, job.filters.size, int(np.prod(job.result_shape))),
    }
    sources = (*RTL.sources, "row_stationary_testbench", RTL.module)
    return RtlProgram(RTL.module, "row_stationary_testbench", sources, parameters)


def _run(command: list[str], job: RowJob, folder: Path, dump: bool) -> RtlResult:
    write_hex(folder / "image.hex", job.image, job.word_bits)
    write_hex(folder / "filters.hex", job.filters, job.word_bits)
    groups, images, channels, image_rows, image_columns = job.image.shape
    plusargs: dict[str, int | str] = {
        "GROUPS": groups,
        "IMAGES": images,
        "CHANNELS": channels,
        "FILTERS": job.filters.shape[1],
        "FILTER_ROWS": job.filters.shape[3],
        "FILTER_COLUMNS": job.filters.shape[4],
        "ROWS": job.out_rows,
        "COLUMNS": job.out_columns,
        "IMAGE_ROWS": image_rows,
        "IMAGE_COLUMNS": image_columns,
        "IMAGE_WORDS": "image.hex",
        "FILTER_WORDS": "filters.hex",
    }
    registers = dict.fromkeys(("filter", "input_"), job.word_bits)
    registers |= dict.fromkeys(("psum", "product", "chain", "sum"), job.sum_bits)
    return simulate(command, plusargs, job.result_shape, folder, registers if dump else None)
