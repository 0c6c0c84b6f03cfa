"""Energy from action counts, through a table that can be swapped without simulating again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property

from dataflows.actions import ACTIONS, SUM_WIDE, ActionCounts
from dataflows.array import PEArray
from simulator.energy.energy_table import (
    Action,
    EnergyComponent,
    EnergyTableFile,
    Leakage,
    LeakingMemory,
    Memory,
    SramAccess,
    load_energy_table,
)
from simulator.energy.wires import pe_pitch_mm, way_to_the_buffer_mm, wire_pj
from simulator.machine.spec import Accelerator, BankedMemory
from workloads.foundation.errors import InputError

__all__ = ["ENERGY_PARTS", "ActionEnergy", "Energy", "EnergyTable", "energy_table_of", "load_energy_table"]


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy by component, in picojoules."""

    pe_array: float = 0.0
    array_network: float = 0.0
    accumulator: float = 0.0
    global_buffer: float = 0.0
    predictor_sram: float = 0.0
    dram_access: float = 0.0
    dram_background: float = 0.0
    dram_refresh: float = 0.0
    leakage: float = 0.0

    @property
    def dram(self) -> float:
        """All that DRAM takes: accesses, background and refreshes."""
        return self.dram_access + self.dram_background + self.dram_refresh

    @property
    def memory(self) -> float:
        """Memory energy: accumulators, the global buffer, the predictor SRAM and all of DRAM (docs/energy.md)."""
        return self.accumulator + self.global_buffer + self.predictor_sram + self.dram

    @property
    def total(self) -> float:
        """Everything."""
        return self.pe_array + self.array_network + self.memory + self.leakage


ENERGY_PARTS: tuple[str, ...] = tuple(field.name for field in fields(Energy))


@dataclass(frozen=True, slots=True)
class ActionEnergy:
    """Energy of one access, in picojoules, on one machine; `counts_per_access` of the action's counts make one.

    `energy_pj` is None where the machine lacks the memory, and then nothing may be counted.
    """

    component: EnergyComponent
    energy_pj: float | None
    counts_per_access: int


@dataclass(frozen=True)
class EnergyTable:
    """What every action costs on one machine, and what its memories leak (milliwatts, all banks).

    Attributes
    ----------
    actions : mapping of str to ActionEnergy
        By no array; accesses to memories that only arrays have cost None.
    by_array : tuple of mappings like `actions`
        By each array, whose accumulators and scratchpads are as large as that array's.
    """

    name: str
    actions: Mapping[str, ActionEnergy]
    by_array: tuple[Mapping[str, ActionEnergy], ...]
    leakage_mw: Mapping[LeakingMemory, float]

    def energy(self, counts: ActionCounts, array: int | None) -> Energy:
        """Return the energy of an array's actions by component; what costs by time is not among them.

        Parameters
        ----------
        counts : ActionCounts
            What was done.
        array : int or None
            The array that did it, 0 or 1; None for what no array did.
        """
        parts = [0.0] * len(ENERGY_PARTS)
        costs = self._costs[-1 if array is None else array]
        for count, (part, energy_pj, counts_per_access) in zip(counts, costs, strict=True):
            if count:
                if energy_pj is None:
                    raise ValueError(f"{counts} on a machine that lacks one of the memories")
                parts[part] += count * energy_pj / counts_per_access
        return Energy(*parts)

    @cached_property
    def _costs(self) -> list[tuple[tuple[int, float | None, int], ...]]:
        """By array, the last by none, in the order of `ACTIONS`: place in `ENERGY_PARTS`, energy, counts an access."""
        return [
            tuple((ENERGY_PARTS.index(one.component), one.energy_pj, one.counts_per_access)
                  for one in (actions[name] for name in ACTIONS))
            for actions in (*self.by_array, self.actions)
        ]  # fmt: skip

    def leakage_pj(self, cycles: int, frequency_hz: int) -> float:
        """Return what all memories leak in so many cycles, in picojoules (1 mW = 1e9 pJ a second)."""
        return sum(power * 1e9 * (cycles / frequency_hz) for power in self.leakage_mw.values())


def energy_table_of(spec: Accelerator, table: EnergyTableFile | None = None) -> EnergyTable:
    """Return what actions cost on a machine by a table, by default the one that its spec names.

    Raises
    ------
    InputError
        If the table cannot be read, is for other widths, or does not know a memory as large as one of the machine's.
    """
    table = load_energy_table(spec.energy_table) if table is None else table
    if spec.energy is not None:
        table = table.with_energies(spec.energy.model_dump(exclude_none=True))
    precision = spec.precision
    for key in ("word_bits", "partial_sum_bits"):
        only, found = getattr(table, key), getattr(precision, key)
        if only is not None and only != found:
            problem = f"{spec.energy_table} is for {key} {only}, and the machine's is {found}"
            raise InputError("the accelerator", "energy_table", problem, "give a table for this precision")
    by_array = tuple(_actions(table, spec, array) for array in spec.arrays)
    leaks: dict[LeakingMemory, Leakage | None] = {
        "global_buffer": table.leakage.global_buffer,
        "predictor_sram": table.leakage.predictor_sram,
    }
    memories: dict[LeakingMemory, BankedMemory | None] = {
        "global_buffer": spec.global_buffer,
        "predictor_sram": spec.predictor_sram,
    }
    powers: dict[LeakingMemory, float] = {}
    for name, leak in leaks.items():
        memory = memories[name]
        if leak is not None and memory is not None:
            powers[name] = _leakage_mw(table, leak, name, memory)
    return EnergyTable(table.name, _actions(table, spec, None), by_array, powers)


def _actions(table: EnergyTableFile, spec: Accelerator, array: PEArray | None) -> dict[str, ActionEnergy]:
    return {
        name: ActionEnergy(action.component, _energy_pj(table, name, action, spec, array), action.counts_per_access)
        for name, action in table.actions.items()
    }


def _energy_pj(
    table: EnergyTableFile, name: str, action: Action, spec: Accelerator, array: PEArray | None
) -> float | None:
    precision = spec.precision
    bits = precision.partial_sum_bits if name in SUM_WIDE else precision.word_bits
    if action.dram_command is not None:
        by_command = spec.dram.energy_pj(action.dram_command, spec.frequency_hz)
        if by_command is not None:
            return by_command * action.counts_per_access
    if action.sram is not None:
        return _access_pj(table, action.sram, spec, array)
    if action.arithmetic is not None and table.arithmetic is not None:
        return table.arithmetic.energy_pj(action.arithmetic, precision.word_bits, precision.partial_sum_bits)
    if action.energy_pj is not None and action.per_word_bits is not None:
        return action.energy_pj * bits / action.per_word_bits
    if action.wire == "buffer":
        return wire_pj(table, 8 * action.counts_per_access, way_to_the_buffer_mm(table, spec))
    if action.wire is not None:
        return None if array is None else wire_pj(table, bits, pe_pitch_mm(table, spec, array))
    return action.energy_pj


def _accumulator_bytes(spec: Accelerator, array: PEArray) -> int | None:
    """Return the bytes of a column's accumulator memory; None where the array has none."""
    return array.accumulator_sums * spec.precision.partial_sum_bits // 8 or None


def _scratchpad_bytes(spec: Accelerator, array: PEArray) -> int | None:
    """Return the bytes of the largest of a PE's scratchpads; None where PEs have none."""
    bits = array.largest_scratchpad_bits(spec.precision.word_bits, spec.precision.partial_sum_bits)
    return None if bits is None else bits // 8


# Bytes of one bank of each memory that a table may name; None where there is no such memory.
_MACHINE_BANKS: dict[Memory, Callable[[Accelerator], int | None]] = {
    "global_buffer": lambda spec: spec.global_buffer.bank_bytes,
    "predictor_sram": lambda spec: None if spec.predictor_sram is None else spec.predictor_sram.bank_bytes,
}
_ARRAY_BANKS: dict[Memory, Callable[[Accelerator, PEArray], int | None]] = {
    "accumulator": _accumulator_bytes,
    "scratchpad": _scratchpad_bytes,
}
_ARRAY_KEYS: dict[Memory, str] = {"accumulator": "accumulator_sums", "scratchpad": "scratchpads"}


def _access_pj(table: EnergyTableFile, access: SramAccess, spec: Accelerator, array: PEArray | None) -> float | None:
    if access.memory in _MACHINE_BANKS:
        key, bank_bytes = f"{access.memory}.bank_bytes", _MACHINE_BANKS[access.memory](spec)
    else:
        key = f"{'array' if array is spec.array else 'second_array'}.{_ARRAY_KEYS[access.memory]}"
        bank_bytes = None if array is None else _ARRAY_BANKS[access.memory](spec, array)
    if bank_bytes is None:
        return None
    own = {"word": spec.precision.word_bits, "sum": spec.precision.partial_sum_bits}
    width = access.width_bits if isinstance(access.width_bits, int) else own[access.width_bits]
    bank = table.bank(key, bank_bytes, width)
    return bank.read_pj if access.access == "read" else bank.write_pj


def _leakage_mw(table: EnergyTableFile, leak: Leakage, name: LeakingMemory, memory: BankedMemory) -> float:
    if leak.power_mw is not None and leak.for_bytes is not None:
        return leak.power_mw * (memory.capacity_bytes / leak.for_bytes)
    assert leak.sram_width_bits is not None, "the table's own check"
    return memory.banks * table.bank(f"{name}.bank_bytes", memory.bank_bytes, leak.sram_width_bits).leakage_mw
