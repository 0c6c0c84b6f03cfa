"""What passes between memories and array in a tiling."""

from dataflows.plans.cut_tables import Cut, Extents, Folds
from workloads.foundation.kernels import njit_inside


@njit_inside
def array_side_words(
    extents: Extents, folds: Folds, ifmap_pass: int, vectors: Cut, reduction: Cut, columns: Cut
) -> tuple[int, int, int]:
    """Return the ifmap, the filter and the psum words between memories and array.

    Parameters
    ----------
    ifmap_pass : int
        Words that one pass over the ifmap brings.
    """
    positions = extents.images * extents.rows * extents.row_positions
    made = positions * extents.filters * extents.groups
    weights = extents.channels * extents.filters * extents.kernel * extents.groups
    results, filters = (weights, made) if extents.reduces_space else (made, weights)
    all_vectors = extents.channels * extents.kernel if extents.reduces_space else positions
    unit = 1 if extents.reduces_space else extents.kernel
    if folds.streamed == 0:
        split = vectors.passes_one * reduction.passes_one + vectors.passes_more * reduction.passes_more
        ifmap, filter_ = ifmap_pass * columns.passes_one, extents.groups * extents.filters * unit * split
    elif folds.streamed == 2:
        split = columns.passes_one * reduction.passes_one + columns.passes_more * reduction.passes_more
        ifmap, filter_ = extents.groups * all_vectors * unit * split, filters * vectors.passes_one
    else:
        ifmap, filter_ = ifmap_pass * columns.passes_one, filters * vectors.passes_one
    blocks = reduction.tiles
    if folds.accumulated == 0 and folds.streamed != 1:
        blocks = (reduction.work_one + reduction.work_more) * folds.each
    return ifmap, filter_, 2 * results * (blocks - 1)
