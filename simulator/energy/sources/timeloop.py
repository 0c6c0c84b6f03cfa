"""Timeloop's energy reference tables (ERT), as Accelergy writes them: NAME.ERT.yaml, versions 0.3 and 0.4."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from simulator.energy.sources import EnergySource, Prices, SourceRequest, Term
from workloads.foundation.errors import InputError, nearest
from workloads.foundation.strict_yaml import read_yaml

_COPIES = re.compile(r"\[[^\]]*\]")  # system.PE[0..167].mac: so many copies of a component


@dataclass(frozen=True, slots=True)
class _Entry:
    names: tuple[str, ...]  # the whole path, and without copies, and the last word of that
    action: str
    arguments: Mapping[str, Any]
    energy_pj: float


@dataclass(frozen=True, slots=True)
class ErtPrices:
    """The energies of an ERT, in picojoules an action."""

    path: str
    entries: tuple[_Entry, ...]

    @property
    def provenance(self) -> str:
        """Where prices are from."""
        return f"Timeloop's ERT {Path(self.path).name}"

    def energy_pj(self, term: Term) -> float:
        """Return the energy of one action of a component, which its last word may name.

        Raises
        ------
        InputError
            If there is none, or several with different energies.
        """
        components = [one for one in self.entries if term.component in one.names]
        if not components:
            known = dict.fromkeys(one.names[-1] for one in self.entries)
            raise InputError(self.path, term.component, "no such component", nearest(term.component, known))
        if len({one.names[0] for one in components}) > 1:
            paths = ", ".join(dict.fromkeys(one.names[0] for one in components))
            raise InputError(self.path, term.component, "names several components", f"give one of {paths}")
        actions = [one for one in components if one.action == term.action]
        if not actions:
            known = dict.fromkeys(one.action for one in components)
            raise InputError(self.path, str(term), "no such action", nearest(term.action, known))
        found = [one for one in actions if term.arguments.items() <= one.arguments.items()]
        energies = {one.energy_pj for one in found}
        if len(energies) != 1:
            example = ",".join(f"{key}={value}" for key, value in actions[-1].arguments.items())
            problem = f"has {len(energies)} energies" if found else "has no action with these arguments"
            remedy = f"give its arguments, such as {term.component}({example}).{term.action}"
            raise InputError(self.path, str(term), problem, remedy)
        return energies.pop()

    def own_prices(self) -> Sequence[str]:
        """Return nothing: which of our actions a component's is, only the user knows."""
        return ()

    def leakage_mw(self) -> Mapping[str, tuple[float, int]]:
        """Return nothing: an ERT has energy a cycle of the machine that it was made for."""
        return {}


def read_ert(path: Path) -> ErtPrices:
    """Read an ERT.

    Raises
    ------
    InputError
        If the file is none.
    """
    data = read_yaml(path)
    ert = data.get("ERT") if isinstance(data, Mapping) else None
    tables = ert.get("tables") if isinstance(ert, Mapping) else None
    if not isinstance(tables, list | tuple) or not tables:
        raise InputError(
            str(path), "ERT.tables", "missing, or no list", "give the NAME.ERT.yaml of Accelergy 0.3 or 0.4"
        )
    return ErtPrices(str(path), tuple(_entries(str(path), tables)))


def _entries(path: str, tables: Sequence[Any]) -> Iterator[_Entry]:
    for place, table in enumerate(tables):
        where = f"ERT.tables.{place}"
        name = table.get("name") if isinstance(table, Mapping) else None
        actions = table.get("actions") if isinstance(table, Mapping) else None
        if not isinstance(name, str) or not isinstance(actions, list | tuple):
            raise InputError(path, where, "has no name, or no list of actions", "give both, as Accelergy does")
        bare = _COPIES.sub("", name)
        for number, action in enumerate(actions):
            what = action.get("name") if isinstance(action, Mapping) else None
            energy = action.get("energy") if isinstance(action, Mapping) else None
            arguments = (action.get("arguments") or {}) if isinstance(action, Mapping) else {}
            if (
                not isinstance(what, str)
                or not isinstance(energy, int | float)
                or isinstance(energy, bool)
                or not isfinite(energy)
                or not isinstance(arguments, Mapping)
            ):
                raise InputError(path, f"{where}.actions.{number}", "is no action with an energy",
                                 "give its name, its arguments and its energy in pJ")  # fmt: skip
            yield _Entry((name, bare, bare.rpartition(".")[2]), what, arguments, float(energy))


def _open(request: SourceRequest) -> Prices:
    assert request.file is not None, "the caller's own check"
    return read_ert(request.file)


ENERGY_SOURCE = EnergySource(
    "timeloop", "an energy reference table of Timeloop and Accelergy, NAME.ERT.yaml", True, _open
)
