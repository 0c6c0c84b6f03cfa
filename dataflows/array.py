"""What all kinds of PE array have, and where a kind is found by its name.

A kind of array is one folder or file in `dataflows/arrays/` with an object `ARRAY`: its parameters, a subclass of
`PEArray`.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from dataflows import arrays as folder
from dataflows.arrays.job import JobArray
from workloads.foundation.validation import StrictModel

if TYPE_CHECKING:
    from dataflows.arrays.broadcast.row_stationary import RowArray

Extent = Annotated[int, Field(ge=1, le=1 << 20)]  # far above any array; keeps products of extents within 64 bits
Side = Literal["rows", "columns"]
Way = Literal["operand stays", "sums stay", "rows stay"]
Stays = Literal["operand stays", "sums stay"]


class Sides(NamedTuple):
    """The side of the array that each port feeds; a port that is left out is as wide as its side."""

    stationary: Side
    moving: Side
    output: Side


class PEArray(StrictModel):
    """`rows` x `columns` processing elements, one multiply-accumulate a PE and cycle.

    A kind of array adds its own parameters, says in `ways` how it can work, and returns what does each way's jobs.

    Attributes
    ----------
    ways : mapping of str to Sides
        How the array can work, and which side each port feeds then.
    kind : str
        Name of the kind.
    weight_port_words_per_cycle, input_port_words_per_cycle : int
        Words of filters and of images that enter the array in a cycle.
    output_port_words_per_cycle : int
        Results or psums that leave the array in a cycle.
    accumulator_sums : int
        Psums that each column's accumulator memory holds, where an operand stays; 0 for an array without, whose psums
        go to the global buffer.
    """

    ways: ClassVar[Mapping[Way, Sides]] = {}

    kind: str
    rows: Extent
    columns: Extent
    weight_port_words_per_cycle: Extent
    input_port_words_per_cycle: Extent
    output_port_words_per_cycle: Extent
    accumulator_sums: Annotated[int, Field(ge=0, le=1 << 30)]

    @property
    def pes(self) -> int:
        """Number of processing elements."""
        return self.rows * self.columns

    def job_array(self, way: Stays) -> JobArray:
        """Return what does jobs in one of the array's `ways`."""
        raise NotImplementedError(f"{self.kind}: {way}")

    def row_array(self) -> "RowArray":
        """Return the array as row stationary uses it, where `ways` has "rows stay"."""
        raise NotImplementedError(f"{self.kind}: rows stay")

    def largest_scratchpad_bits(self, word_bits: int, psum_bits: int) -> int | None:
        """Return the bits of the largest of a PE's scratchpads; None for an array without."""
        return None


@cache
def arrays() -> dict[str, type[PEArray]]:
    """Return the parameters of every kind of array by its name."""
    found: dict[str, type[PEArray]] = {}
    for module in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}."):
        kind: type[PEArray] | None = getattr(importlib.import_module(module.name), "ARRAY", None)
        if kind is not None:
            found[kind.model_fields["kind"].annotation.__args__[0]] = kind  # type: ignore[union-attr]
    return found
