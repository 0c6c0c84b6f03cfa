"""The PE array as a dataflow sees it."""

from typing import Annotated, Literal

from pydantic import Field

from workloads.foundation.validation import StrictModel

Interconnect = Literal["broadcast", "systolic"]
Extent = Annotated[int, Field(ge=1, le=1 << 20)]  # far above any array; keeps products of extents within 64 bits


class Scratchpads(StrictModel):
    """A PE's scratchpads for row stationary, in words (partial sums in sums)."""

    input_words: Extent
    filter_words: Extent
    partial_sum_words: Extent


class PEArray(StrictModel):
    """`rows` x `columns` processing elements, one multiply-accumulate a PE and cycle.

    Attributes
    ----------
    interconnect : str
        `broadcast`: operands go to all PEs of a row or column at once, sums through an adder tree (the paper's).
        `systolic`: operands and sums move from PE to PE (SCALE-Sim's).
    weight_port_words_per_cycle : int
        Words of the stationary operand that enter the array in a cycle.
    input_port_words_per_cycle : int
        Words of the moving operand that enter the array in a cycle.
    output_port_words_per_cycle : int
        Results or partial sums that leave the array in a cycle.
    systolic_os_drain : str
        Whether sums of an output-stationary systolic array leave over wires of their own (`free`, SCALE-Sim's
        count) or are shifted out row by row (`serial`, its published analysis).
    accumulator_sums : int
        Partial sums that each column's accumulator memory holds; 0 for an array without, whose partial sums go to the
        global buffer. Row-stationary PEs have their own, and theirs go to the buffer.
    scratchpads : Scratchpads
        What a row-stationary PE keeps.
    row_stationary_sets : str
        Whether row stationary keeps the rows and the columns of a set of PEs whole where they fit in the array's, as
        Eyeriss does (`whole`), or folds them where that is faster (`free`). A wgrad's sets, as tall as a feature map,
        are always free.
    """

    interconnect: Interconnect
    rows: Extent
    columns: Extent
    weight_port_words_per_cycle: Extent
    input_port_words_per_cycle: Extent
    output_port_words_per_cycle: Extent
    systolic_os_drain: Literal["free", "serial"]
    accumulator_sums: Annotated[int, Field(ge=0, le=1 << 30)]
    scratchpads: Scratchpads
    row_stationary_sets: Literal["whole", "free"]

    @property
    def pes(self) -> int:
        """Number of processing elements."""
        return self.rows * self.columns
