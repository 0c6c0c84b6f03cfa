"""The PE array as a dataflow sees it."""

from pydantic import PositiveInt

from workloads.validation import StrictModel


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

    rows: PositiveInt
    columns: PositiveInt
    weight_port_words_per_cycle: PositiveInt
    input_port_words_per_cycle: PositiveInt
    output_port_words_per_cycle: PositiveInt

    @property
    def pes(self) -> int:
        """Number of processing elements."""
        return self.rows * self.columns
