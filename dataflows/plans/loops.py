"""The loops over the tiles of a product, by name, and how an order of its axes is an order of them.

`vectors`, `reduction` and `columns` are the axes of a product. Each is some loops over the convolution's own extents:
images, rows and positions of the ofmap, channels of the ifmap with the rows and columns of the kernel, and filters.
"""

from collections.abc import Sequence

from dataflows.plans.loopnest import LoopNest

SPACE = ("images", "rows", "positions")
TAPS = ("channels", "kernel_rows", "kernel_columns")
LOOPS = ("groups", *SPACE, *TAPS, "filters")
AXIS_NAMES = ("vectors", "reduction", "columns")


def axes_of(nest: LoopNest) -> dict[str, tuple[str, ...]]:
    """Return the loops of each axis, the outermost first."""
    vectors, reduction = (TAPS, SPACE) if nest.reduces_space else (SPACE, TAPS)
    return {"vectors": vectors, "reduction": reduction, "columns": ("filters",)}


def expanded(order: Sequence[str], nest: LoopNest) -> tuple[str, ...]:
    """Return an order of loops or axes as one of all loops: axes as their loops, and loops that it leaves out first.

    A loop that is left out is of one tile, or `groups`.
    """
    axes = axes_of(nest)
    named = [loop for name in order for loop in axes.get(name, (name,))]
    return (*(loop for loop in LOOPS if loop not in named), *named)


def totals_of(nest: LoopNest) -> dict[str, int]:
    """Return the extent of each loop."""
    shape = nest.product.shape
    return {
        "groups": nest.groups, "images": nest.images, "rows": nest.rows, "positions": nest.row_positions,
        "channels": nest.channels, "kernel_rows": shape.R, "kernel_columns": shape.S, "filters": nest.filters,
    }  # fmt: skip


def loops_of(nest: LoopNest) -> dict[str, tuple[str, ...]]:
    """Return the loops that each tensor of a product spans, by its name."""
    ifmap, ofmap, weights = ("groups", *SPACE, *TAPS), ("groups", *SPACE, "filters"), ("groups", *TAPS, "filters")
    filter_, result = (ofmap, weights) if nest.reduces_space else (weights, ofmap)
    return {"ifmap": ifmap, "filter": filter_, "result": result}
