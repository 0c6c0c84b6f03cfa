"""Energy from action counts, through a table that can be swapped without simulating again."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from dataflows.actions import ACTIONS, ActionCounts
from workloads.errors import InputError, nearest
from workloads.shipped import resolve
from workloads.strict_yaml import read_yaml
from workloads.validation import StrictModel, VersionOne, validate

EnergyComponent = Literal["pe_array", "array_network", "global_buffer", "predictor_sram", "dram"]
NonNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy by component, in picojoules."""

    pe_array: float = 0.0
    array_network: float = 0.0
    global_buffer: float = 0.0
    predictor_sram: float = 0.0
    dram: float = 0.0
    leakage: float = 0.0

    @property
    def memory(self) -> float:
        """Accesses to the global buffer, the predictor SRAM and DRAM."""
        return self.global_buffer + self.predictor_sram + self.dram

    @property
    def total(self) -> float:
        """Everything."""
        return self.pe_array + self.array_network + self.memory + self.leakage


ENERGY_PARTS: tuple[str, ...] = tuple(field.name for field in fields(Energy))


class Action(StrictModel):
    """Energy of one access; `counts_per_access` of the action's counts make one."""

    component: EnergyComponent
    energy_pj: NonNegative
    counts_per_access: PositiveInt = 1
    source: Annotated[str, Field(min_length=1)]


class Leakage(StrictModel):
    """Static power of a memory of `for_bytes`; others are scaled with their size."""

    power_mw: NonNegative
    for_bytes: PositiveInt
    source: Annotated[str, Field(min_length=1)]


class LeakageTable(StrictModel):
    """Leakage of each memory; one that is left out leaks nothing."""

    global_buffer: Leakage | None = None
    predictor_sram: Leakage | None = None


class EnergyTable(StrictModel):
    """Energies of every action, each with its unit and its source, for numbers of the stated widths."""

    version: VersionOne
    name: str
    description: str
    word_bits: PositiveInt
    partial_sum_bits: PositiveInt
    actions: dict[str, Action]
    leakage: LeakageTable

    @model_validator(mode="after")
    def _actions_are_complete(self) -> "EnergyTable":
        for name in self.actions:
            if name not in ACTIONS:
                raise InputError("", f"actions.{name}", "unknown action", nearest(name, ACTIONS))
        for name in ACTIONS:
            if name not in self.actions:
                raise InputError("", f"actions.{name}", "missing", "give every action its energy")
        return self

    def energy(self, counts: ActionCounts) -> Energy:
        """Return the energy of some actions by component; what costs by time is not among them."""
        parts = dict.fromkeys(ENERGY_PARTS, 0.0)
        for name in ACTIONS:
            action = self.actions[name]
            parts[action.component] += getattr(counts, name) * action.energy_pj / action.counts_per_access
        return Energy(**parts)

    def leakage_pj(self, memory: Literal["global_buffer", "predictor_sram"], capacity_bytes: int, cycles: int,
                   frequency_hz: int) -> float:  # fmt: skip
        """Return what a memory leaks in so many cycles, in picojoules (1 mW = 1e9 pJ a second)."""
        leakage: Leakage | None = getattr(self.leakage, memory)
        if leakage is None:
            return 0.0
        return leakage.power_mw * 1e9 * (capacity_bytes / leakage.for_bytes) * (cycles / frequency_hz)


def load_energy_table(name_or_path: str | Path) -> EnergyTable:
    """Read an energy table, given by its path or by the name of a shipped one.

    Raises
    ------
    InputError
        If the file is missing or does not follow the format.
    """
    path = resolve(str(name_or_path), "configs/energy", "energy table")
    return validate(EnergyTable, read_yaml(path), str(path))
