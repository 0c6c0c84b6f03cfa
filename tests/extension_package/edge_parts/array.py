"""A systolic array whose results wait in a buffer: SCALE-Sim's, under a name and with a key of its own."""

from typing import Literal

from dataflows.arrays.systolic import SystolicArray


class BufferedArray(SystolicArray):
    """A systolic array beside a result buffer."""

    kind: Literal["buffered"]
    result_buffer_words: int = 64
    """Words of the buffer; it changes no cycle."""


ARRAY = BufferedArray
