"""The models of hwcomponents (Python 3.12 or later) and of its plug-ins, at the sizes of a machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.energy.sources import EnergySource, Prices, SourceRequest, Term
from simulator.machine.spec import Accelerator
from workloads.foundation.errors import InputError

_BUFFER_BITS = 64  # of an access of a bank, as in the shipped tables
_REGISTERS = ("stationary", "operand", "product", "passing_sum", "kept_sum")
_NODES_NM = (1, 1000)


@dataclass(frozen=True)
class HwcomponentsPrices:
    """Energies by hwcomponents; a component takes the node, and what a term gives, as its attributes."""

    spec: Accelerator
    node_nm: int
    library: Any
    provenance: str

    def energy_pj(self, term: Term) -> float:
        """Return the energy of one action of a component, in picojoules.

        Raises
        ------
        InputError
            If hwcomponents has no model that takes it.
        """
        try:
            cost = self.library.get_action_cost(term.component, self._attributes(term), term.action, {})
        except Exception as error:  # whatever a plug-in raises
            raise _refused(term, error) from None
        return 1e12 * float(cost.energy)

    def own_prices(self) -> Sequence[str]:
        """Return SRAM at the size of each memory's bank, and registers by the bit; arithmetic is left to the table."""
        spec, prices = self.spec, []
        word, psum = spec.precision.word_bits, spec.precision.partial_sum_bits
        for name, memory in (("buffer", spec.global_buffer), ("predictor_sram", spec.predictor_sram)):
            if memory is not None:
                prices += _accesses(f"{name}_{{}}_bytes", memory.bank_bytes, _BUFFER_BITS)
        if spec.array.accumulator_sums:
            prices += _accesses("accumulator_{}_bytes", spec.array.accumulator_sums * psum // 8, psum)
        largest = spec.array.largest_scratchpad_bits(word, psum)
        if largest is not None:
            prices += _accesses("scratchpad_{}s", largest // 8, word)
            prices += _accesses("scratchpad_sum_{}s", largest // 8, psum)
        return [*prices, *(f"{name}_register_writes=AladdinRegister(width=1).write/1" for name in _REGISTERS)]

    def leakage_mw(self) -> Mapping[str, tuple[float, int]]:
        """Return what the banks of each memory leak, and the memory's bytes."""
        leaks = {}
        for name, memory in (("global_buffer", self.spec.global_buffer), ("predictor_sram", self.spec.predictor_sram)):
            if memory is not None:
                term = Term("SRAM", "leak", {"size": 8 * memory.bank_bytes, "width": _BUFFER_BITS})
                try:
                    watts = self.library.get_leak_power(term.component, self._attributes(term))
                except Exception as error:
                    raise _refused(term, error) from None
                leaks[name] = (1e3 * float(watts) * memory.banks, memory.capacity_bytes)
        return leaks

    def _attributes(self, term: Term) -> dict[str, Any]:
        return {"tech_node": self.node_nm / 1e9, **term.arguments}


def _accesses(action: str, size_bytes: int, width_bits: int) -> list[str]:
    return [
        f"{action.format(access)}=SRAM(size={8 * size_bytes},width={width_bits}).{access}/{width_bits}"
        for access in ("read", "write")
    ]


def _refused(term: Term, error: Exception) -> InputError:
    lines = [line.strip(" |") for line in str(error).splitlines()]
    problems = [line for line in lines if "Exception" in line or "Error" in line] or lines or [type(error).__name__]
    remedy = "hwc --list shows components and their attributes"
    if "CACTI failed" in problems[-1]:
        remedy = "build CACTI for this computer: make, in the folder cacti of hwcomponents_cacti"
    return InputError("hwcomponents", str(term), f"gives no energy: {problems[-1][:200]}", remedy)


def _open(request: SourceRequest) -> Prices:
    node = request.node_nm
    if node is None or not _NODES_NM[0] <= node <= _NODES_NM[1]:
        problem = "missing" if node is None else f"is {node}"
        raise InputError("--node-nm", "", problem, "give the node of the components in nanometres, such as 22")
    try:
        import hwcomponents
    except ImportError:
        remedy = "pip install '.[hwcomponents]' in a clone, under Python 3.12 or later"
        raise InputError("hwcomponents", "", "is not installed", remedy) from None
    from importlib.metadata import version

    return HwcomponentsPrices(request.spec, node, hwcomponents, f"hwcomponents {version('hwcomponents')}, {node} nm")


ENERGY_SOURCE = EnergySource("hwcomponents", "the models of hwcomponents and its plug-ins, where they are installed",
                             False, _open)  # fmt: skip
