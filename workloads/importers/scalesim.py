"""SCALE-Sim's topologies: comma-separated tables of convolutions, or of matrix products (M, N, K).

A convolution's row is name, ifmap height, ifmap width, filter height, filter width, channels, filters, stride; a
product's is name, M, N, K. Trailing commas, empty lines and further columns (such as sparsity) are passed over.
Neither says how layers are connected, so each follows the one before, and where shapes differ a layer of kind
`other` stands between them.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from workloads.foundation.errors import InputError
from workloads.foundation.strict_yaml import read_text
from workloads.importers import Imported, Importer
from workloads.layers import Conv2d, Layer, Linear, VectorLayer

_CONVOLUTION = ("ifmap height", "ifmap width", "filter height", "filter width", "channels", "filters", "stride")
_PRODUCT = ("M", "N", "K")


def read_topology(path: Path) -> Imported:
    """Read a topology file.

    Raises
    ------
    InputError
        With the file, its line and column if a number is missing, no number, or below one.
    """
    rows = list(_rows(path))
    if not rows:
        raise InputError(str(path), "", "no layers", "give a SCALE-Sim topology")
    header = [cell.lower() for cell in rows[0][1]]
    products = header[1:4] == ["m", "n", "k"]
    words = ("ifmap", "ifmap", "filter", "filter", "channel", "filter", "stride")
    convolutions = len(header) > len(words) and all(w in cell for w, cell in zip(words, header[1:], strict=False))
    if not products and not convolutions:
        remedy = (
            "give SCALE-Sim's in its order: name, M, N, K, or name, ifmap height and width, filter height and width, "
            "channels, filters, strides"
        )
        raise InputError(str(path), f"line {rows[0][0]}", f"the columns are {', '.join(rows[0][1])}", remedy)
    if any("stride" in cell for cell in header[len(words) + 1 :]):
        raise InputError(str(path), f"line {rows[0][0]}", "a second stride", "give one stride for both axes")
    layers: list[Layer] = []
    notes = ["A topology does not say how its layers are connected; each follows the one before."]
    inputs: dict[str, tuple[int, ...]] = {}
    for number, cells in rows[1:]:
        names = _PRODUCT if products else _CONVOLUTION
        sizes = [_size(path, number, cells, index + 1, name) for index, name in enumerate(names)]
        layer_id = _unique(cells[0] or f"layer{len(layers)}", layers)
        shape: tuple[int, ...] = (sizes[0], sizes[2]) if products else (sizes[4], sizes[0], sizes[1])
        if products and sizes[0] == 1:
            shape = (sizes[2],)
        if not products and (sizes[2] > sizes[0] or sizes[3] > sizes[1]):
            problem = f"the filter is larger than the ifmap ({sizes[2]} x {sizes[3]} on {sizes[0]} x {sizes[1]})"
            raise InputError(str(path), f"line {number}", problem, "give a smaller filter")
        if not products:
            shape, note = _whole_windows(layer_id, sizes)
            notes += note
        before = _connect(layer_id, shape, layers, inputs)
        layers.append(_product(layer_id, before, sizes) if products else _convolution(layer_id, before, shape, sizes))
    if not layers:
        raise InputError(str(path), "", "a header and no layers", "give a row for each layer")
    return Imported(inputs, tuple(layers), tuple(notes), connections="assumed")


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    for number, cells in enumerate(csv.reader(io.StringIO(read_text(path))), start=1):
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield number, stripped


def _size(path: Path, line: int, cells: list[str], index: int, name: str) -> int:
    text = cells[index] if index < len(cells) else ""
    try:
        size = int(text)
    except ValueError:
        problem = f"{name} is {text!r}" if text else f"{name} is missing"
        raise InputError(str(path), f"line {line}", problem, "give a whole number") from None
    if not 1 <= size <= 1 << 31:
        raise InputError(str(path), f"line {line}", f"{name} is {size}", f"give 1 to {1 << 31}")
    return size


def _whole_windows(layer_id: str, sizes: list[int]) -> tuple[tuple[int, int, int], list[str]]:
    """Return the input's shape with as many rows and columns as SCALE-Sim's windows read.

    It counts ceil((H - R + stride) / stride) windows, the last of which may reach past the edge.
    """
    H, W, R, S, C, _, stride = sizes
    P, Q = _windows(H, R, stride), _windows(W, S, stride)
    rows, columns = (P - 1) * stride + R, (Q - 1) * stride + S
    note = (
        f"{layer_id}: its last window reaches past the edge; the input is taken as {max(rows, H)} x {max(columns, W)}."
    )
    return (C, max(rows, H), max(columns, W)), [note] if rows > H or columns > W else []


def _windows(extent: int, kernel: int, stride: int) -> int:
    return max(1, -(-(extent - kernel + stride) // stride))


def _convolution(layer_id: str, before: str, shape: tuple[int, ...], sizes: list[int]) -> Conv2d:
    H, W, R, S, C, K, stride = sizes
    return Conv2d(
        id=layer_id, kind="conv2d", inputs=(before,), C=C, H=shape[1], W=shape[2], K=K, R=R, S=S,
        P=_windows(H, R, stride), Q=_windows(W, S, stride), stride=(stride, stride),
    )  # fmt: skip


def _product(layer_id: str, before: str, sizes: list[int]) -> Linear:
    M, N, K = sizes
    return Linear(id=layer_id, kind="linear", inputs=(before,), L=M, C=K, K=N)


def _connect(layer_id: str, shape: tuple[int, ...], layers: list[Layer], inputs: dict[str, tuple[int, ...]]) -> str:
    """Return what a layer reads: the network's input, the layer before, or an adapter behind it."""
    if not layers:
        inputs["input"] = shape
        return "input"
    if layers[-1].output_shape == shape:
        return layers[-1].id
    adapter = _unique(f"{layer_id}.input", layers)
    layers.append(VectorLayer(id=adapter, kind="other", op="unknown", inputs=(layers[-1].id,), shape=shape))
    return adapter


def _unique(name: str, layers: list[Layer]) -> str:
    taken = {layer.id for layer in layers} | {"input"}
    if name not in taken:
        return name
    number = 2
    while f"{name}#{number}" in taken:
        number += 1
    return f"{name}#{number}"


IMPORTER = Importer("scalesim", "SCALE-Sim topologies, convolutions or matrix products (M, N, K)", read_topology)
