"""What a test bench must know of an array's RTL."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Rtl:
    """An array's RTL in `tests/rtl`, `MODULE.sv`.

    Attributes
    ----------
    bench : str
        Which test bench gives it work: of jobs, or of convolutions.
    sources : tuple of str
        Further files that the module is made of, without `.sv`.
    lanes : str
        Results that can leave in a cycle, in the module's parameters.
    reads_sums : bool
        Whether psums come over a port of their own from the buffer.
    parameters : tuple of (str, int)
        The module's parameters beyond those of all arrays.
    """

    module: str
    bench: Literal["jobs", "convolutions"] = "jobs"
    sources: tuple[str, ...] = ()
    lanes: str = "C"
    reads_sums: bool = False
    parameters: tuple[tuple[str, int], ...] = ()
