"""The tiles of a given mapping, word by word, in plain loops (docs/machine.md, "Tiles")."""

from itertools import product
from typing import Any

LOOPS = ("groups", "images", "rows", "positions", "channels", "kernel_rows", "kernel_columns", "filters")


def totals(shape: Any, role: str) -> dict[str, int]:
    """Return the extent of each loop."""
    dgrad = role == "dgrad"
    channels, filters = shape.C // shape.groups, shape.K // shape.groups
    return {
        "groups": shape.groups, "images": shape.N, "rows": shape.H if dgrad else shape.P,
        "positions": shape.W if dgrad else shape.Q, "channels": filters if dgrad else channels,
        "kernel_rows": shape.R, "kernel_columns": shape.S, "filters": channels if dgrad else filters,
    }  # fmt: skip


def in_image(shape: Any, role: str, axis: int, place: int, tap: int) -> int | None:
    """Return the row (axis 0) or column (1) of the ifmap that a tap reads for a place of the ofmap, or None."""
    stride, padding, dilation = shape.stride[axis], shape.padding[axis], shape.dilation[axis]
    if role == "dgrad":
        at = place + padding - tap * dilation
        size = (shape.P, shape.Q)[axis]
        return at // stride if at % stride == 0 and 0 <= at // stride < size else None
    at = place * stride - padding + tap * dilation
    return at if 0 <= at < (shape.H, shape.W)[axis] else None


def pieces(total: int, size: int) -> list[range]:
    return [range(first, min(first + size, total)) for first in range(0, total, size)]


def naive_tiles(shape: Any, role: str, sizes: dict[str, int], order: list[str]) -> list[dict[str, Any]]:
    """Return each tile: its extents, and the words of the ifmap, the filter operand and the result as sets."""
    extents = totals(shape, role)
    width = shape.Q if role == "dgrad" else shape.W
    whole_rows = sizes["positions"] == extents["positions"] and sizes["kernel_columns"] == extents["kernel_columns"]
    found = []
    for chosen in product(*(pieces(extents[loop], sizes[loop]) for loop in order)):
        at = dict(zip(order, chosen, strict=True))
        rows = {in_image(shape, role, 0, y, i) for y in at["rows"] for i in at["kernel_rows"]} - {None}
        columns = {in_image(shape, role, 1, x, j) for x in at["positions"] for j in at["kernel_columns"]} - {None}
        columns = set(range(width)) if whole_rows else columns
        ofmap = set(product(*(at[loop] for loop in ("groups", "images", "rows", "positions", "filters"))))
        weights = set(
            product(*(at[loop] for loop in ("groups", "channels", "kernel_rows", "kernel_columns", "filters")))
        )
        ifmap = set(product(at["groups"], at["images"], at["channels"], rows, columns))
        filter_, result = (ofmap, weights) if role == "wgrad" else (weights, ofmap)
        n = {loop: len(at[loop]) for loop in LOOPS}
        pixels, taps = n["images"] * n["rows"] * n["positions"], n["channels"] * n["kernel_rows"] * n["kernel_columns"]
        V, D = (taps, pixels) if role == "wgrad" else (pixels, taps)
        names = {"ifmap": tuple(at[loop] for loop in LOOPS if loop != "filters"), "filter": filter_, "result": result}
        found.append({"ifmap": ifmap, "filter": filter_, "result": result, "names": names,
                      "job": (n["groups"], V, D, n["filters"])})  # fmt: skip
    return found


def naive_traffic(tiles: list[dict[str, Any]], reduction_macs: int, reload: bool = False) -> dict[str, Any]:
    """Return what tiles load and store, and the bytes of the largest, with words of 2 bytes and psums of 4.

    `reduction_macs` is what makes a word of the result.
    """
    loads, stores, early = [], [], False
    made: dict[Any, int] = {}
    left: dict[Any, int] = {}
    for number, tile in enumerate(tiles):
        before = tiles[number - 1] if number else None
        after = tiles[number + 1] if number + 1 < len(tiles) else None
        one = next(iter(tile["result"]))
        load = sum(
            2 * len(tile[name])
            for name in ("ifmap", "filter")
            if reload or before is None or before["names"][name] != tile["names"][name]
        )
        if one in made and before["result"] != tile["result"]:
            load += 4 * len(tile["result"])
            early |= number - left[one] < 4
        made[one] = made.get(one, 0) + tile["job"][2]
        store = 0
        if made[one] == reduction_macs:
            store = 2 * len(tile["result"])
        elif after is None or after["result"] != tile["result"]:
            store, left[one] = 4 * len(tile["result"]), number
        loads.append(load)
        stores.append(store)
    held = max(2 * (2 * len(tile["ifmap"]) + 2 * len(tile["filter"]) + 4 * len(tile["result"])) for tile in tiles)
    return {"loads": loads, "stores": stores, "held": held, "early": early}
