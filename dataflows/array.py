"""What all kinds of PE array have, and where a kind is found by its name.

A kind of array is one folder or file in `dataflows/arrays/` with an object `ARRAY`: its parameters, a subclass of
`PEArray`.
"""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from dataflows.arrays.job import JobArray
from workloads.foundation.registry import registry
from workloads.foundation.validation import StrictModel

if TYPE_CHECKING:
    from dataflows.arrays.broadcast.row_stationary import RowArray

MOST_WORDS = 1 << 20  # far above any array; keeps products of extents within 64 bits
Extent = Annotated[int, Field(ge=1, le=MOST_WORDS)]
Side = Literal["rows", "columns"]
Way = Literal["operand stays", "sums stay", "rows stay"]
Stays = Literal["operand stays", "sums stay"]
OnRows = Literal["channels_and_taps", "channels"]
Split = Literal["columns", "vectors"]


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
    """

    ways: ClassVar[Mapping[Way, Sides]] = {}

    kind: str
    """Kind of array."""
    rows: Extent
    """Rows of PEs."""
    columns: Extent
    """Columns of PEs."""
    count: Annotated[int, Field(ge=1, le=1024)] = 1
    """Equal arrays that share the buffer and each tile; all other keys are those of one of them (docs/machine.md,
    "Several arrays")."""
    split: Split | Literal["either"] = "either"
    """What each of several arrays has a share of: the `columns` of a product, its `vectors`, or for each product the
    one of `either` that the search for tilings takes. Without effect on one array."""
    weight_port_words_per_cycle: Extent
    """Words of filters that enter the array in a cycle: a number, or `rows` or `columns`. A port that is left out is as
    wide as the side that it feeds under the dataflow (docs/microarchitecture.md)."""
    input_port_words_per_cycle: Extent
    """Words of the ifmap that enter the array in a cycle; as the filters' port."""
    output_port_words_per_cycle: Extent
    """Results or psums that leave the array in a cycle; as the filters' port."""
    accumulator_sums: Annotated[int, Field(ge=0, le=1 << 30)]
    """Psums that each column's accumulator memory holds under `ws` and `is`; 0: psums go to the global buffer."""
    reduction_on_rows: OnRows = "channels_and_taps"
    """The words of the reduction that a fold has on its rows under `ws` and `is`. `channels_and_taps`: any words, so
    that taps of the kernel fill rows that channels leave. `channels`: channels of one tap, as in Gemmini; the next tap
    is another fold."""

    @property
    def pes(self) -> int:
        """Number of processing elements of all arrays."""
        return self.count * self.rows * self.columns

    @property
    def title(self) -> str:
        """Its kind, and how many there are of it."""
        return f"{self.kind} array" if self.count == 1 else f"{self.count} {self.kind} arrays"

    @property
    def splits(self) -> tuple[Split, ...]:
        """The ways to split a product that compete."""
        return ("columns", "vectors") if self.split == "either" else (self.split,)

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
    beside = ("activity", "first_folds", "geometry", "job", "rtl", "several", "stepped", "vcd", "wires")
    return registry("dataflows.arrays", "ARRAY", "arrays", PEArray, _kind_of, beside=beside)


def _kind_of(array: type[PEArray]) -> str:
    kind: str = array.model_fields["kind"].annotation.__args__[0]  # type: ignore[union-attr]
    return kind
