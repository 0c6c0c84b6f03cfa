"""The wires of an array in PE pitches (docs/microarchitecture.md, "Wires")."""

from typing import NamedTuple

from dataflows.arrays.geometry import Geometry


class Lines(NamedTuple):
    """Lines that carry each stationary and each moving word from its port into the array."""

    stationary: int
    moving: int


ONE_LINE = Lines(1, 1)


def lines(side: int, across: int, port: int) -> int:
    """Return the lines of each row (column): one, or as many as a port has that is wider than its side.

    Parameters
    ----------
    side : int
        Rows (columns) that the port feeds.
    across : int
        PEs of a row (column).
    port : int
        Words a cycle.
    """
    return min(across, max(1, port // side))


def bus_pitches(count: int, across: int) -> int:
    """Return the length of so many lines along `across` PEs: each ends at the last PE of its share."""
    return sum(-(-(line + 1) * across // count) for line in range(count))


def row_by_row_pitches(array: Geometry, port: int) -> int:
    """Return the length of a bus between a port that goes through the PEs row by row, and a PE.

    A port of whole rows has a bus down each column; any other has one along the side, too.
    """
    return array.rows if port % array.columns == 0 else array.rows + array.columns


def shifted(size: int) -> list[int]:
    """Return the pitches that 0, 1, ... `size` words take together that enter a line of PEs, to PE 0, 1, and so on."""
    return [count * (count + 1) // 2 for count in range(size + 1)]


def shifted_out(size: int) -> list[int]:
    """Return the pitches that the sums of the first 0, 1, ... `size` PEs of a line take to its end, together."""
    return [count * size - count * (count - 1) // 2 for count in range(size + 1)]


def tree_pitches(rows: int) -> list[int]:
    """Return the length of an adder tree over a column whose first 0, 1, ... `rows` products are real.

    A node is in its first row. Row r begins the second child of one node, which is as many rows above as the
    lowest bit of r says.
    """
    found = [0, 0]
    for row in range(1, rows):
        found.append(found[-1] + (row & -row))
    return found
