"""What a test bench must know of an array's RTL."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Rtl:
    """An array's RTL in `rtl/`, `MODULE.sv`.

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
    datapath : bool
        Whether registers and arithmetic are a module of their own, `MODULE_datapath` with the PE `MODULE_pe`, which
        can be synthesised.
    """

    module: str
    bench: Literal["jobs", "convolutions"] = "jobs"
    sources: tuple[str, ...] = ()
    lanes: str = "C"
    reads_sums: bool = False
    parameters: tuple[tuple[str, int], ...] = ()
    datapath: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """Every file of the array in `rtl/`, without `.sv`; `port_stage` and `fold_counter` are all arrays'."""
        parts = (f"{self.module}_pe", f"{self.module}_datapath") if self.datapath else ()
        return (*self.sources, *parts, self.module)
