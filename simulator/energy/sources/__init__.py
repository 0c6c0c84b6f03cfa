"""Sources of prices outside the project, one file each with an object `ENERGY_SOURCE`.

A source gives the energy of one action of one of its components. `simulator.energy.own_table` makes a table of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

from simulator.machine.spec import Accelerator
from workloads.foundation.errors import InputError, nearest, spelt
from workloads.foundation.registry import registry


@dataclass(frozen=True, slots=True)
class Term:
    """An action of a component, as a source names both; with the arguments that tell it from others of the name."""

    component: str
    action: str
    arguments: Mapping[str, int | float | str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return it as it is written."""
        given = ",".join(f"{key}={value}" for key, value in self.arguments.items())
        return f"{self.component}{f'({given})' if given else ''}.{self.action}"


class Prices(Protocol):
    """What a source knows, once it is opened."""

    @property
    def provenance(self) -> str:
        """What a table says of where its prices are from."""

    def energy_pj(self, term: Term) -> float:
        """Return the energy of one action, in picojoules.

        Raises
        ------
        InputError
            If the source has no such action.
        """

    def own_prices(self) -> Sequence[str]:
        """Return the prices that the source gives by itself, as a user would write them."""

    def leakage_mw(self) -> Mapping[str, tuple[float, int]]:
        """Return milliwatts of a memory of the machine and its bytes, by the memory's name."""


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """What a source is opened for: its file, if it has one, and the machine and node of its components."""

    file: Path | None
    spec: Accelerator
    node_nm: int | None


@dataclass(frozen=True, slots=True)
class EnergySource:
    """A source by name; `takes_file` says whether its prices lie in a file that the user gives."""

    name: str
    description: str
    takes_file: bool
    open: Callable[[SourceRequest], Prices]


@cache
def energy_sources() -> dict[str, EnergySource]:
    """Return every source by name."""
    return registry(__name__, "ENERGY_SOURCE", "energy_sources", EnergySource)


def find_energy_source(name: str) -> EnergySource:
    """Return the source of a name.

    Raises
    ------
    InputError
        If there is none.
    """
    name = spelt(name, energy_sources())
    if name not in energy_sources():
        raise InputError(f"source {name}", "", "no such source of energies", nearest(name, energy_sources()))
    return energy_sources()[name]
