"""A heap of the first candidates by their keys, whose root is the last of them; and the order of them all."""

from dataflows.integers import Integers
from workloads.foundation.kernels import njit_inside

KEY = 6  # numbers of a key: three criteria, tiles, and the place: among a mapping's candidates, and the mapping's own


@njit_inside
def comes_before(one: Integers, at: int, other: Integers, place: int) -> bool:
    """Whether a key, row `at` of a table, comes before another, row `place` of its own."""
    for column in range(KEY):
        if one[at, column] != other[place, column]:
            return one[at, column] < other[place, column]
    return False


@njit_inside
def copy_key(to: Integers, place: int, one: Integers, at: int) -> None:
    """Copy a key, number by number: Numba takes seconds to compile copies of slices."""
    for column in range(KEY):
        to[place, column] = one[at, column]


@njit_inside
def sift_down(keys: Integers, count: int, key: Integers, at: int) -> None:
    """Put a key into the heap in place of its root."""
    place = 0
    while 2 * place + 1 < count:
        child = 2 * place + 1
        if child + 1 < count and comes_before(keys, child, keys, child + 1):
            child += 1
        if not comes_before(key, at, keys, child):
            break
        copy_key(keys, place, keys, child)
        place = child
    copy_key(keys, place, key, at)


@njit_inside
def keep(keys: Integers, wanted: int, count: int, key: Integers, at: int) -> int:
    """Put a key into the heap of the first `wanted` ones, if it is among them; return how many there are."""
    if count == wanted:
        if comes_before(key, at, keys, 0):
            sift_down(keys, count, key, at)
        return count
    place = count
    while place > 0 and comes_before(keys, (place - 1) // 2, key, at):
        copy_key(keys, place, keys, (place - 1) // 2)
        place = (place - 1) // 2
    copy_key(keys, place, key, at)
    return count + 1


@njit_inside
def sort_heap(keys: Integers, count: int, spare: int) -> None:
    """Sort the keys of a heap, the first of them first; row `spare` is free for one of them."""
    while count > 1:
        count -= 1
        copy_key(keys, spare, keys, count)
        copy_key(keys, count, keys, 0)
        sift_down(keys, count, keys, spare)
