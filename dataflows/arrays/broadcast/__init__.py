"""The paper's array: operands go to all PEs of a row or column at once, sums through an adder tree or staying in place.

It also runs row stationary, as Eyeriss does: its PEs have scratchpads.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

from dataflows.array import Extent, PEArray, Sides, Stays, Way
from dataflows.arrays.broadcast.output import BROADCAST_OUTPUT
from dataflows.arrays.broadcast.row_stationary import RowArray
from dataflows.arrays.broadcast.stationary import BROADCAST_STATIONARY
from dataflows.arrays.job import JobArray
from workloads.foundation.validation import StrictModel


class Scratchpads(StrictModel):
    """A PE's scratchpads for row stationary, in words (psums in sums); by default Eyeriss's (JSSC 2017, section V)."""

    input_words: Extent = 12
    """Words of the ifmap that a PE keeps."""
    filter_words: Extent = 224
    """Words of filters that a PE keeps."""
    partial_sum_words: Extent = 24
    """Psums that a PE keeps."""


class BroadcastArray(PEArray):
    """The broadcast array's own parameters."""

    ways: ClassVar[Mapping[Way, Sides]] = {
        "operand stays": Sides("rows", "rows", "columns"),
        "sums stay": Sides("columns", "rows", "columns"),
        "rows stay": Sides("rows", "rows", "columns"),
    }

    kind: Literal["broadcast"]
    scratchpads: Scratchpads = Scratchpads()
    """What a PE keeps under `rs`."""
    row_stationary_sets: Literal["whole", "free"] = "whole"
    """Sets of PEs under `rs`. `whole`: a set that fits in the array is not folded, as in Eyeriss. `free`: it is folded
    where that is faster. A wgrad's sets, as tall as a feature map, are always free."""

    def job_array(self, way: Stays) -> JobArray:
        """Return what does jobs."""
        return BROADCAST_STATIONARY if way == "operand stays" else BROADCAST_OUTPUT

    def row_array(self) -> RowArray:
        """Return the array as row stationary uses it."""
        ports = (self.weight_port_words_per_cycle, self.input_port_words_per_cycle, self.output_port_words_per_cycle)
        pads = self.scratchpads
        sizes = (pads.filter_words, pads.input_words, pads.partial_sum_words)
        return RowArray(self.rows, self.columns, *ports, *sizes, whole_sets=self.row_stationary_sets == "whole")

    def largest_scratchpad_bits(self, word_bits: int, psum_bits: int) -> int:
        """Return the bits of the largest of a PE's three scratchpads."""
        pads = self.scratchpads
        words = max(pads.input_words, pads.filter_words) * word_bits
        return max(words, pads.partial_sum_words * psum_bits)


ARRAY = BroadcastArray
