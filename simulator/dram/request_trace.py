"""Request traces in the forms of other DRAM simulators."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from workloads.foundation.atomic import atomic_file
from workloads.foundation.errors import InputError


def write_dramsim3_trace(path: Path, addresses: ArrayLike, is_write: ArrayLike, cycles: ArrayLike) -> None:
    """Write ``0xADDRESS READ|WRITE CYCLE`` lines, as DRAMsim3's trace-based CPU reads them.

    Parameters
    ----------
    path : Path
    addresses, is_write, cycles : [requests]
        Byte addresses, directions, and memory cycles before which requests may not enter.

    Raises
    ------
    InputError
        If the arrays differ in length or the file cannot be written.
    """
    rows = _rows(addresses, is_write, cycles)
    _write(path, (f"0x{address:x} {'WRITE' if write else 'READ'} {cycle}\n" for address, write, cycle in rows))


def write_ramulator2_trace(path: Path, addresses: ArrayLike, is_write: ArrayLike, cycles: ArrayLike) -> None:
    """Write ``LD|ST 0xADDRESS`` lines, as Ramulator 2's ``LoadStoreTrace`` reads them.

    The form has no place for cycles: a request follows the one before as soon as there is room.

    Raises
    ------
    InputError
        If a request may not enter at once (a cycle above 0), if the arrays differ in length, or if the file cannot be
        written.
    """
    rows = _rows(addresses, is_write, cycles)
    if np.any(np.asarray(cycles) > 0):
        raise InputError(str(path), "cycles", "this form has no cycles", "give 0 for all, or write DRAMsim3's form")
    _write(path, (f"{'ST' if write else 'LD'} 0x{address:x}\n" for address, write, _ in rows))


def _rows(addresses: ArrayLike, is_write: ArrayLike, cycles: ArrayLike) -> Iterator[tuple[int, bool, int]]:
    columns = np.asarray(addresses, np.int64), np.asarray(is_write, np.bool_), np.asarray(cycles, np.int64)
    if any(column.shape != columns[0].shape for column in columns):
        raise InputError("request trace", "addresses", "arrays differ in length", "give one of each a request")
    return zip(*(column.tolist() for column in columns), strict=True)


def _write(path: Path, lines: Iterator[str]) -> None:
    with atomic_file(path) as file:
        file.writelines(lines)
