"""Choose how a convolution lies on a row-stationary array.

A set of PEs (filter rows x output rows) keeps its rows where they fit in the array's rows, and its columns where they
fit in the array's columns, as in Eyeriss. It is replicated over filters, channels and groups to fill the array. What
does not fit is folded. Where sets are free (always for a wgrad, whose filter is as tall as a feature map), they are
folded wherever that is faster.

The mapping whose positions take the fewest cycles wins. Among equals it is the one with the fewest working PEs, then
the fewest cycles with the loading of filters, then the fewest image words over the port.

The search is exhaustive as far as sets are not kept whole (t and p: the least that cut filters into as many blocks; d:
the most groups that fit).
"""

from functools import lru_cache

import numpy as np
from numba import njit

from dataflows.arrays.broadcast.row_stationary import RowArray, RowMapping
from dataflows.convolution import ConvolutionTiles
from dataflows.integers import Integers
from workloads.foundation.kernels import njit_inside

PortWords = tuple[int, int, int]  # of the filter, the image and the output port


def choose_mapping(array: RowArray, tiles: ConvolutionTiles) -> RowMapping:
    """Return the mapping for the largest tile.

    Raises
    ------
    ValueError
        If the array has a port or a scratchpad of no words.
    """
    return choose_mappings(array, ((array.filter_port, array.image_port, array.output_port),), tiles)[0]


def choose_mappings(array: RowArray, ports: tuple[PortWords, ...], tiles: ConvolutionTiles) -> tuple[RowMapping, ...]:
    """Return the mapping for the largest tile, for each of several widths of the array's ports.

    Parameters
    ----------
    ports : tuple of (int, int, int)
        Words of the filter, the image and the output port.

    Raises
    ------
    ValueError
        If a port or a scratchpad has no words.
    """
    if min(*(min(words) for words in ports), array.filter_words, array.input_words, array.sum_words) < 1:
        raise ValueError(f"no row-stationary array: {array}")
    sizes = (tiles.groups, tiles.images, tiles.channels, tiles.filters, tiles.filter_rows, tiles.rows)
    largest = tuple(int(size.max()) for size in sizes)
    windows = (tiles.filter_columns, tiles.columns, *tiles.sliding.stride, *tiles.sliding.dilation)
    pads = (array.filter_words, array.input_words, array.sum_words)
    whole_sets = array.whole_sets and tiles.role != "wgrad"
    return _choose((array.rows, array.columns), ports, pads, (*largest, *windows), whole_sets)


@lru_cache(maxsize=65536)
def _choose(
    sides: tuple[int, int], ports: tuple[PortWords, ...], pads: tuple[int, int, int], sizes: tuple[int, ...],
    whole_sets: bool,
) -> tuple[RowMapping, ...]:  # fmt: skip
    found = _search_each(*sides, np.array(ports), np.array(pads), np.array(sizes), whole_sets)
    return tuple(RowMapping(*mapping) for mapping in found.tolist())


@njit(cache=True)
def _search_each(
    rows: int, columns: int, ports: Integers, pads: Integers, sizes: Integers, whole_sets: bool
) -> Integers:  # fmt: skip
    """Return the best mapping for each width of the ports; none is slower than the best of the width before."""
    found = np.zeros((len(ports), 8), np.int64)
    most = np.int64(1) << 62
    for i in range(len(ports)):
        if i > 0:
            most = _streaming(found[i - 1], ports[i], sizes)
        found[i] = _search(rows, columns, ports[i], pads, sizes, whole_sets, most)
    return found


@njit_inside
def _streaming(mapping: Integers, ports: Integers, sizes: Integers) -> int:
    """Return the cycles of a mapping's positions."""
    groups, images, channels, filters, filter_rows, out_rows = sizes[:6]
    filter_columns, out_columns, sy, sx, dy, dx = sizes[6:]
    h, w, q, p, r, e, t, d = mapping
    divisor = _common_divisor(dx, sx)
    runs = min(dx // divisor, out_columns)
    words = _seen(e, h, sy, dy) * r * q * d
    steps, leave = w * q * p, -(-e * t * d * p // ports[2])
    first = max(steps, -(-words * w // ports[1]), leave)
    after = max(steps, -(-words * min(w, sx // divisor) // ports[1]), leave)
    folds = (
        -(-groups // d) * -(-filters // (t * p)) * -(-channels // (r * q)) * -(-filter_rows // h)
        * -(-filter_columns // w)
    )  # fmt: skip
    return folds * images * -(-out_rows // e) * (runs * first + (out_columns - runs) * after)


@njit_inside
def _search(
    rows: int, columns: int, ports: Integers, pads: Integers, sizes: Integers, whole_sets: bool, most: int
) -> Integers:  # fmt: skip
    """Return the best mapping, whose positions take `most` cycles at most."""
    groups, images, channels, filters, filter_rows, out_rows = sizes[:6]
    filter_columns, out_columns, sy, sx, dy, dx = sizes[6:]
    divisor = _common_divisor(dx, sx)
    runs, moved = min(dx // divisor, out_columns), sx // divisor
    best = np.zeros(8, np.int64)
    best_streaming = np.int64(most)
    best_cycles = best_pes = best_words = np.int64(1) << 62
    tallest = min(rows, filter_rows)
    widest = min(pads[1], pads[0], filter_columns)
    for h in range(tallest if whole_sets else 1, tallest + 1):
        chains_whole = rows // h * columns
        row_blocks = -(-filter_rows // h)
        for e in range(1, min(out_rows, chains_whole) + 1):
            if whole_sets and out_rows <= columns and e != out_rows:
                continue
            strips = -(-out_rows // e)
            seen = _seen(e, h, sy, dy)
            for r in range(1, min(rows // h, channels) + 1):
                places = rows // (h * r) * columns // e  # sets side by side
                if places == 0:
                    break
                for w in range(widest if widest == filter_columns else 1, widest + 1):
                    column_blocks = -(-filter_columns // w)
                    for q in range(1, min(pads[1] // w, pads[0] // w, -(-channels // r)) + 1):
                        most = min(pads[2], pads[0] // (q * w))
                        channel_folds = -(-channels // (r * q)) * row_blocks * column_blocks
                        before = 0
                        for t in range(1, min(places, filters) + 1):
                            each = -(-filters // t)
                            if each == before:
                                continue
                            before = each
                            d = min(places // t, groups)
                            lines = images * strips
                            other_folds = -(-groups // d) * channel_folds
                            if other_folds * w * q * each * lines * out_columns > best_streaming:
                                continue
                            for p in range(min(most, each), 0, -1):
                                filter_folds = -(-each // p)
                                if p > 1 and filter_folds == -(-each // (p - 1)):
                                    continue
                                steps, folds = w * q * p, other_folds * filter_folds
                                load = -(-h * r * t * d * steps // ports[0])
                                words = seen * r * q * d
                                run = -(-words * w // ports[1])
                                move = -(-words * min(w, moved) // ports[1])
                                leave = -(-e * t * d * p // ports[2])
                                first, after = max(steps, run, leave), max(steps, move, leave)
                                row = runs * first + (out_columns - runs) * after
                                streaming = folds * lines * row
                                if streaming > best_streaming:
                                    continue
                                pes = h * r * e * t * d
                                cycles = (
                                    max(load, run) + folds * (lines * row - first)
                                    + (folds - 1) * max(steps + load, run, leave) + steps + h * r + 1
                                )  # fmt: skip
                                crossing = folds * lines * words * (runs * w + (out_columns - runs) * min(w, moved))
                                if streaming != best_streaming:
                                    better = True
                                elif pes != best_pes:
                                    better = pes < best_pes
                                elif cycles != best_cycles:
                                    better = cycles < best_cycles
                                else:
                                    better = crossing < best_words
                                if not better:
                                    continue
                                best_streaming, best_pes, best_cycles, best_words = streaming, pes, cycles, crossing
                                best[0], best[1], best[2], best[3] = h, w, q, p
                                best[4], best[5], best[6], best[7] = r, e, t, d
    return best


@njit_inside
def _seen(e: int, h: int, sy: int, dy: int) -> int:
    """Count the different values of y * sy + i * dy for y < e and i < h."""
    # value(y, i) = value(y + dy/g, i - sy/g): a pair is counted where no such partner with a larger y exists
    divisor = _common_divisor(dy, sy)
    step_y, step_i = dy // divisor, sy // divisor
    return e * h - max(0, e - step_y) * max(0, h - step_i)


@njit_inside
def _common_divisor(one: int, other: int) -> int:
    while other:
        one, other = other, one % other
    return one
