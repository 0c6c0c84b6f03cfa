"""SCALE-Sim's rule for cycles, naively: fold after fold (Samajdar et al., ISPASS 2020, section III, and its reports).

Its rows are read here by hand, so that nothing of the importer is under test and in the expectation at once.
"""

from dataclasses import dataclass

FLOWS = ("ws", "is", "os")


@dataclass(frozen=True)
class Layer:
    """`runs` times a product of (positions x reduction) by (reduction x filters)."""

    positions: int
    reduction: int
    filters: int
    runs: int = 1


def convolution(cells: list[str], batch: int = 1) -> Layer:
    """Read name, ifmap h and w, filter h and w, channels, filters, stride; `DP` runs channel by channel."""
    height, width, R, S, channels, filters, stride = map(int, cells[1:8])
    rows = -(-(height - R + stride) // stride)
    columns = -(-(width - S + stride) // stride)
    if "DP" in cells[0]:
        return Layer(batch * rows * columns, R * S, filters, runs=channels)
    return Layer(batch * rows * columns, R * S * channels, filters)


def product(cells: list[str]) -> Layer:
    """Read name, M, N, K."""
    M, N, K = map(int, cells[1:4])
    return Layer(M, K, N)


def cycles(layer: Layer, flow: str, rows: int, columns: int) -> int:
    """Count the cycles of a layer: what lies along the rows and the columns of the array is cut into folds.

    With an operand that stays (ws, is) a fold loads it row by row, streams the others past, skewed, and drains; sums
    that stay (os) need no loading.
    """
    along_rows, along_columns, streamed = {
        "ws": (layer.reduction, layer.filters, layer.positions),
        "is": (layer.reduction, layer.positions, layer.filters),
        "os": (layer.positions, layer.filters, layer.reduction),
    }[flow]
    total = 0
    for _ in range(0, along_rows, rows):
        for _ in range(0, along_columns, columns):
            load = 0 if flow == "os" else rows
            total += load + streamed + (rows - 1) + (columns - 1)
    return layer.runs * total
