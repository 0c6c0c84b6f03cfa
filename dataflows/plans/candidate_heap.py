"""A heap of the first candidates by their keys, whose root is the last of them."""

from numba import njit

from dataflows.plans.transfers import Integers


@njit
def before(one: Integers, other: Integers) -> bool:
    """Whether a key comes before another."""
    for place in range(len(one)):
        if one[place] != other[place]:
            return one[place] < other[place]
    return False


@njit
def _copy(keys: Integers, found: Integers, place: int, to: int) -> None:
    """Copy a candidate to another place, number by number: Numba takes seconds to compile copies of slices."""
    for column in range(5):
        keys[to, column], found[to, column] = keys[place, column], found[place, column]


@njit
def keep(keys: Integers, found: Integers, count: int, key: Integers, row: tuple[int, int, int, int, int]) -> int:
    """Put a candidate into the heap of the first ones, whose root is the last of them; return how many there are."""
    wanted = len(keys)
    if count < wanted:
        place = count
        while place > 0 and before(keys[(place - 1) // 2], key):
            _copy(keys, found, (place - 1) // 2, place)
            place = (place - 1) // 2
    else:
        place = 0
        while 2 * place + 1 < wanted:
            child = 2 * place + 1
            if child + 1 < wanted and before(keys[child], keys[child + 1]):
                child += 1
            if not before(key, keys[child]):
                break
            _copy(keys, found, child, place)
            place = child
    for column in range(5):
        keys[place, column], found[place, column] = key[column], row[column]
    return min(count + 1, wanted)
