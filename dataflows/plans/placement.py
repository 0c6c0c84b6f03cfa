"""Where the operands of a product lie before it and its result after it."""

from dataclasses import dataclass
from typing import Literal

Place = Literal["dram", "buffer", "predictor_sram"]


@dataclass(frozen=True, slots=True)
class Operand:
    """An operand that is read.

    Attributes
    ----------
    place : str
        `dram`: tiles of it are loaded. `buffer`: all of it lies in the global buffer already.
        `predictor_sram`: it is read from there and takes no room in the buffer.
    tensors : int
        Tensors of this shape that are read together; 2 where the operand is the difference of
        the predicted and the true gradient.
    """

    place: Place = "dram"
    tensors: int = 1


@dataclass(frozen=True, slots=True)
class Placement:
    """Places of a product's operands and of its result; the ifmap is the image of `workloads.passes.Product`."""

    ifmap: Operand = Operand()
    filter: Operand = Operand()
    result: Place = "dram"

    @property
    def uses_predictor_sram(self) -> bool:
        """Whether an operand or the result lies in the predictor SRAM."""
        return "predictor_sram" in (self.ifmap.place, self.filter.place, self.result)


ALL_IN_DRAM = Placement()
