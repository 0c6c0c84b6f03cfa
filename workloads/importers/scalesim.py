"""SCALE-Sim's topologies: tables of convolutions, or of matrix products (M, N, K).

A convolution's row is name, ifmap height, ifmap width, filter height, filter width, channels, filters, stride; a
product's is name, M, N, K. Behind these may stand a second stride, a batch size and a sparsity (N:M), as the header
says. Neither table says how layers are connected, so each follows the one before. A layer of kind `other` is between
them: nobody knows what it does. docs/trace-format.md says what becomes of the rest.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import gcd
from pathlib import Path

from workloads.foundation.errors import InputError
from workloads.foundation.reading import read_text
from workloads.importers import NO_OPTIONS, Imported, Importer, InputOptions, listed
from workloads.layers import Conv2d, Layer, Linear, Sparsity, VectorLayer
from workloads.trace import NOT_RECORDED

_CONVOLUTION = ("ifmap height", "ifmap width", "filter height", "filter width", "channels", "filters", "stride")
_CONVOLUTION_WORDS = ("ifmap", "ifmap", "filter", "filter", "channel", "filter", "stride")
_PRODUCT = ("M", "N", "K")
_DEPTHWISE = "DP"  # in a convolution's name: SCALE-Sim runs it channel by channel
_RATIO = re.compile(r"(\d{1,9})\s*:\s*(\d{1,9})")
_DELIMITERS = ",\t;"


@dataclass(frozen=True)
class _Columns:
    """What the columns behind the name hold: the sizes in order, then what the header names."""

    header: tuple[str, ...]
    products: bool

    @property
    def sizes(self) -> tuple[str, ...]:
        return _PRODUCT if self.products else _CONVOLUTION

    @property
    def further(self) -> range:
        """Places of the columns behind the sizes."""
        return range(1 + len(self.sizes), len(self.header))

    def place(self, word: str) -> int | None:
        """Return the place of the further column whose name has a word in it."""
        return next((index for index in self.further if word in self.header[index].lower()), None)


@dataclass(frozen=True)
class _Row:
    """A layer as its row has it; `ratio` is its N:M."""

    name: str
    sizes: tuple[int, ...]
    second_stride: int | None
    batch: int
    ratio: tuple[int, int]


@dataclass
class _Table:
    """A topology while it is read."""

    path: Path
    columns: _Columns
    rows: list[_Row] = field(default_factory=list)
    sections: list[str] = field(default_factory=list)
    passed_over: dict[str, list[str]] = field(default_factory=dict)

    def add(self, line: int, cells: Sequence[str]) -> None:
        """Read a row: a layer, or a name alone, the title of a section."""
        if not any(cells[1:]):
            self._add_section(line, cells[0])
            return
        name = cells[0] or f"layer{len(self.rows)}"
        sizes = tuple(self._size(line, cells, index, what) for index, what in enumerate(self.columns.sizes, start=1))
        stride, batch, sparsity = (self.columns.place(word) for word in ("stride", "batch", "spars"))
        used = {place for place in (stride, batch) if place is not None}
        self.rows.append(_Row(
            name, sizes,
            None if stride is None else self._size(line, cells, stride, self.columns.header[stride]),
            self._size(line, cells, batch, "batch size") if batch is not None and _cell(cells, batch) else 1,
            self._ratio(line, cells, sparsity, used),
        ))  # fmt: skip
        if not self.columns.products and (sizes[2] > sizes[0] or sizes[3] > sizes[1]):
            problem = f"the filter is larger than the ifmap ({sizes[2]} x {sizes[3]} on {sizes[0]} x {sizes[1]})"
            raise self._wrong(line, problem, "give a smaller filter, or an ifmap with its padding")
        for index in range(1 + len(sizes), len(cells)):
            if cells[index] and index not in used:
                title = _cell(self.columns.header, index)
                self.passed_over.setdefault(f"column {title}" if title else repr(cells[index]), []).append(name)

    def _add_section(self, line: int, title: str) -> None:
        words = re.split(rf"[\s{_DELIMITERS}]+", title)
        if sum(word.isdigit() for word in words) > 1:  # a layer in another form, and no title
            problem = f"{title[:40]!r} is one cell, where the header has {len(self.columns.header)}"
            raise self._wrong(line, problem, "separate its numbers as the header does")
        self.sections.append(title)

    def _ratio(self, line: int, cells: Sequence[str], place: int | None, used: set[int]) -> tuple[int, int]:
        """Return N and M; SCALE-Sim takes a further cell of the form N:M for them, whatever the header says."""
        behind = range(1 + len(self.columns.sizes), len(cells))
        for index in behind if place is None else [place]:
            text = _cell(cells, index)
            found = _RATIO.fullmatch(text)
            if found is not None and 1 <= int(found[1]) <= int(found[2]):
                used.add(index)
                return int(found[1]), int(found[2])
            if text and place is not None:
                raise self._wrong(line, f"sparsity is {text[:40]!r}", "give N:M, N of M weights that are not zero: 2:4")
        return 1, 1

    def _size(self, line: int, cells: Sequence[str], index: int, name: str) -> int:
        text = _cell(cells, index)
        try:
            size = int(text)
        except ValueError:
            problem = f"{name} is {text[:40]!r}" if text else f"{name} is missing"
            raise self._wrong(line, problem, "give a whole number") from None
        if not 1 <= size <= 1 << 31:
            raise self._wrong(line, f"{name} is {text[:40]}", f"give 1 to {1 << 31}")
        return size

    def _wrong(self, line: int, problem: str, remedy: str) -> InputError:
        return InputError(str(self.path), f"line {line}", problem, remedy)

    def notes(self) -> list[str]:
        """Return the values for what the table does not say, and the cells that are skipped."""
        notes = ["A topology does not say how its layers are connected; each follows the one before."]
        if self.sections:
            notes.append(
                f"Names alone are taken for titles of sections, which make one network: {listed(self.sections)}."
            )
        wide = [row for row in self.rows if row.ratio[0] < row.ratio[1]]
        if wide:
            ratios = listed([f"{row.name} ({row.ratio[0]}:{row.ratio[1]})" for row in wide])
            notes.append(f"{NOT_RECORDED}N:M sparsity: {ratios}; their zeros are multiplied too, as SCALE-Sim does "
                         "without SparsitySupport")  # fmt: skip
        if self.passed_over:
            places = [f"{what} of {listed(names)}" for what, names in self.passed_over.items()]
            notes.append(f"Passed over: {listed(places, '; ')}.")
        return notes


def read_topology(path: Path, options: InputOptions = NO_OPTIONS) -> Imported:
    """Read a topology file.

    Raises
    ------
    InputError
        With the file, its line and column if a number is missing, no number, or below one.
    """
    lines = _lines(path)
    if not lines:
        raise InputError(str(path), "", "no layers", "give a SCALE-Sim topology")
    table = _Table(path, _columns(path, *lines[0]))
    for line, cells in lines[1:]:
        table.add(line, cells)
    if not table.rows:
        raise InputError(str(path), "", "a header and no layers", "give a row for each layer")
    batch = gcd(*(row.batch for row in table.rows))
    network = _Network(batch)
    for row in table.rows:
        network.add(row, depthwise=not table.columns.products and _DEPTHWISE in row.name)
    return Imported(network.inputs, tuple(network.layers), tuple(table.notes() + network.notes()), batch)


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Return the lines that are not empty, by number, as cells; ended by a line feed, a carriage return or both."""
    try:
        text = read_text(path)
    except InputError as error:
        if error.problem == "not UTF-8 text":
            raise InputError(str(path), "", error.problem, "save the table as CSV in UTF-8") from None
        raise
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((line for line in lines if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    found = []
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip() for cell in _cells(path, number, line, delimiter)]
        if any(cells):
            found.append((number, cells))
    return found


def _cells(path: Path, number: int, line: str, delimiter: str) -> list[str]:
    """Return a line's cells; a spreadsheet puts a name that has a delimiter in it in quotes."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error as error:
        remedy = "close its quotes, or leave them out"
        raise InputError(str(path), f"line {number}", f"cannot be split: {error}", remedy) from None


def _cell(cells: Sequence[str], index: int) -> str:
    return cells[index] if index < len(cells) else ""


def _columns(path: Path, line: int, header: list[str]) -> _Columns:
    names = [cell.lower() for cell in header]
    while header and not header[-1]:
        header.pop()
    if names[1:4] == ["m", "n", "k"]:
        return _Columns(tuple(header), products=True)
    words = len(_CONVOLUTION_WORDS)
    if len(header) > words and all(word in name for word, name in zip(_CONVOLUTION_WORDS, names[1:], strict=False)):
        return _Columns(tuple(header), products=False)
    remedy = (
        "give SCALE-Sim's in its order: name, M, N, K, or name, ifmap height and width, filter height and width, "
        "channels, filters, strides"
    )
    shown = ", ".join(cell[:40] for cell in header[:12])
    raise InputError(str(path), f"line {line}", f"the columns are {shown}", remedy)


@dataclass
class _Network:
    """The layers that rows become, in batches of `batch` images."""

    batch: int
    layers: list[Layer] = field(default_factory=list)
    inputs: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=lambda: {"input"})
    _past_edge: list[str] = field(default_factory=list)
    _depthwise: list[str] = field(default_factory=list)
    _batches: set[int] = field(default_factory=set)

    def add(self, row: _Row, depthwise: bool) -> None:
        """Add a row's layer behind the one before."""
        self._batches.add(row.batch)
        name = self._unique(row.name)
        product = None if depthwise else _as_product(row)
        layer = self._convolution(row, name, depthwise) if product is None else self._product(row, name, *product)
        if self.layers:
            adapter = self._unique(f"{name}.input")
            shape = layer.input_shapes[0]
            self.layers.append(
                VectorLayer(id=adapter, kind="other", op="unknown", inputs=(self.layers[-1].id,), shape=shape)
            )
            layer = layer.model_copy(update={"inputs": (adapter,)})
        else:
            self.inputs["input"] = layer.input_shapes[0]
        self.layers.append(layer)

    def _product(self, row: _Row, name: str, M: int, N: int, K: int) -> Linear:
        return Linear(
            id=name, kind="linear", inputs=("input",), L=M * (row.batch // self.batch), C=K, K=N,
            sparsity=_sparsity(row),
        )  # fmt: skip

    def _convolution(self, row: _Row, name: str, depthwise: bool) -> Conv2d:
        """Return a convolution whose input has as many rows and columns as SCALE-Sim's windows read.

        It counts ceil((H - R + stride) / stride) windows; the last may reach past the edge.
        """
        H, W, R, S, C, K, stride = row.sizes
        strides = (stride, row.second_stride or stride)
        P, Q = _windows(H, R, strides[0]), _windows(W, S, strides[1])
        rows, columns = max(H, (P - 1) * strides[0] + R), max(W, (Q - 1) * strides[1] + S)
        if (rows, columns) != (H, W):
            self._past_edge.append(f"{name} ({rows} x {columns})")
        if depthwise:
            self._depthwise.append(f"{name} ({C} x {K})")
        groups = C if depthwise else 1
        return Conv2d(
            id=name, kind="conv2d", inputs=("input",), N_per_sample=row.batch // self.batch,
            C=C, H=rows, W=columns, K=K * groups, R=R, S=S, P=P, Q=Q, stride=strides, groups=groups,
            sparsity=_sparsity(row),
        )  # fmt: skip

    def notes(self) -> list[str]:
        """Return what was taken for what a row does not say."""
        notes = []
        if self._batches != {1}:
            notes.append(f"Its batch size is taken: {self.batch} images.")
        if len(self._batches) > 1:
            sizes = f"{min(self._batches)} to {max(self._batches)}"
            notes.append(f"Batch sizes differ, {sizes}: a layer with more images has more of them a sample.")
        if self._depthwise:
            notes.append(f"{_DEPTHWISE} in its name makes a row depthwise, as in SCALE-Sim, each channel by itself "
                         f"(channels x filters of each): {listed(self._depthwise)}.")  # fmt: skip
        if self._past_edge:
            notes.append(
                f"The last window reaches past the edge; the input is taken larger: {listed(self._past_edge)}."
            )
        return notes

    def _unique(self, name: str) -> str:
        """Return a name that no layer has, in a time that does not grow with their number."""
        number, found = self._numbers.get(name, 1), name
        while found in self._taken:
            number += 1
            found = f"{name}#{number}"
        self._numbers[name] = number
        self._taken.add(found)
        return found


def _as_product(row: _Row) -> tuple[int, int, int] | None:
    """Return M, N and K of a product, or of a convolution that SCALE-Sim writes one as; None for any other.

    It writes an M x K matrix as an ifmap of one channel, and filters of one row that is as wide.
    """
    if len(row.sizes) == len(_PRODUCT):
        M, N, K = row.sizes
        return M, N, K
    H, W, R, S, C, filters, stride = row.sizes
    return (H, filters, W) if (R, S, C, stride) == (1, W, 1, 1) and W > 1 else None


def _windows(extent: int, kernel: int, stride: int) -> int:
    return max(1, -(-(extent - kernel + stride) // stride))


def _sparsity(row: _Row) -> Sparsity | None:
    N, M = row.ratio
    return Sparsity(weights=1 - N / M) if N < M else None


IMPORTER = Importer(
    "scalesim",
    (".csv", ".tsv"),
    "SCALE-Sim topologies, convolutions or matrix products (M, N, K)",
    read_topology,
)
