"""The PE array as a dataflow sees it."""

from typing import Annotated

from pydantic import Field

from workloads.validation import StrictModel

Extent = Annotated[int, Field(ge=1, le=1 << 20)]  # far above any array; keeps products of extents within 64 bits


class PEArray(StrictModel):
    """`rows` x `columns` processing elements, one multiply-accumulate a PE and cycle.

    Attributes
    ----------
    weight_port_words_per_cycle : int
        Words of the stationary operand that enter the array in a cycle.
    input_port_words_per_cycle : int
        Words of the moving operand that enter the array in a cycle.
    output_port_words_per_cycle : int
        Results or partial sums that leave the array in a cycle.
    """

    rows: Extent
    columns: Extent
    weight_port_words_per_cycle: Extent
    input_port_words_per_cycle: Extent
    output_port_words_per_cycle: Extent

    @property
    def pes(self) -> int:
        """Number of processing elements."""
        return self.rows * self.columns
