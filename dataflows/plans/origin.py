"""What a plan was made from: the work, how it lies on the array, and the formula of its cycles with its numbers."""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Protocol

from dataflows.array import PEArray
from dataflows.convolution import ConvolutionTiles
from dataflows.dataflow import Dataflow
from dataflows.formula import FilledFormula, Formula
from dataflows.integers import Integers
from dataflows.plans.budget import BufferBudget
from dataflows.plans.placement import Placement
from dataflows.plans.tiling import Tiling
from workloads.passes import Product

_LANES = Formula(
    where={"ports_in": "IP + WP"},
    fill="1",
    stream="max(ceil(n * operations / PEs), ceil(n * words_in / ports_in), ceil(n * words_out / OP))",
    drain="2",
)
_VECTOR = Formula(where={}, fill="1", stream="ceil(n / lanes)", drain="1")
_TRANSFER = Formula(where={}, stream="0")


class Origin(Protocol):
    """What a plan was made from."""

    @property
    def title(self) -> str:
        """The work in a line."""

    @property
    def mapping(self) -> dict[str, Any]:
        """How the work lies on the array and how it is cut, as plain values; empty where there is nothing to choose."""

    @property
    def formula(self) -> FilledFormula:
        """The formula of the plan's cycles, with its numbers."""


@dataclass(frozen=True)
class ProductOrigin:
    """A product under a tiling and a mapping of a dataflow."""

    product: Product
    placement: Placement
    dataflow: Dataflow
    array: PEArray
    budget: BufferBudget
    tiling: Tiling

    @property
    def title(self) -> str:
        """The product's role and extents."""
        p = self.product
        groups = f"{p.shape.groups} x " if p.shape.groups > 1 else ""
        return f"{p.role} product, {groups}{p.vectors} vectors x {p.reduction} reduction x {p.columns} columns"

    @property
    def mapping(self) -> dict[str, Any]:
        """Order of the loops over tiles, sizes of tiles, and what lies on rows, columns and time."""
        sizes = {loop: size for loop, size in asdict(self.tiling).items() if size is not None}
        order, reload = sizes.pop("order"), sizes.pop("reload_operands")
        return {
            "loop_order": list(order) if "groups" in order else ["groups", *order],
            "tile": sizes,
            **({"reload_operands": True} if reload else {}),
            "spatial": self.dataflow.spatial(self.array, self.product),
        }

    @cached_property
    def parts(self) -> ConvolutionTiles:
        """The tiles in the order in which they run."""
        from dataflows.plans.tile_sequence import tile_sequence

        return tile_sequence(self.product, self.tiling).parts

    @property
    def formula(self) -> FilledFormula:
        """The array's formula."""
        return self.dataflow.formula(self.array, self.parts)


@dataclass(frozen=True)
class LaneOrigin:
    """Arithmetic on words, with every PE a lane; `each` is operations, words in and words out of a word."""

    words: int
    each: tuple[int, int, int]
    array: PEArray
    pieces: Integers

    @property
    def title(self) -> str:
        """How many words, and what each takes."""
        operations, words_in, words_out = self.each
        return f"{self.words} words, each {operations} operations, {words_in} words in, {words_out} out"

    @property
    def mapping(self) -> dict[str, Any]:
        """The size of a piece."""
        return {"tile": {"words": int(self.pieces[0])}}

    @property
    def formula(self) -> FilledFormula:
        """The slowest of PEs, ports in and port out."""
        operations, words_in, words_out = self.each
        array = self.array
        fixed = {
            "operations": operations, "words_in": words_in, "words_out": words_out, "PEs": array.pes,
            "IP": array.count * array.input_port_words_per_cycle,
            "WP": array.count * array.weight_port_words_per_cycle,
            "OP": array.count * array.output_port_words_per_cycle,
        }  # fmt: skip
        return FilledFormula(_LANES, fixed, {"n": self.pieces})


@dataclass(frozen=True)
class VectorOrigin:
    """Operations of the vector unit; a piece has at most so many words or operations."""

    operations: int
    lanes: int
    pieces: Integers

    @property
    def title(self) -> str:
        """How many operations."""
        return f"{self.operations} operations of the vector unit"

    @property
    def mapping(self) -> dict[str, Any]:
        """Nothing is chosen but the pieces."""
        return {"tile": {"words": int(self.pieces.max())}}

    @property
    def formula(self) -> FilledFormula:
        """A word a lane and cycle."""
        return FilledFormula(_VECTOR, {"lanes": self.lanes}, {"n": self.pieces})


@dataclass(frozen=True)
class TransferOrigin:
    """Bytes that move with no arithmetic; `pieces` is a zero for each transfer."""

    load_bytes: int
    store_bytes: int
    pieces: Integers

    @property
    def title(self) -> str:
        """How many bytes."""
        return f"{self.load_bytes} bytes loaded, {self.store_bytes} bytes stored"

    @property
    def mapping(self) -> dict[str, Any]:
        """There is none."""
        return {}

    @property
    def formula(self) -> FilledFormula:
        """The array waits."""
        return FilledFormula(_TRANSFER, {}, {"n": self.pieces})
