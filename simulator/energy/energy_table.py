"""The format of an energy table: what each action costs, as a number or by what it is an access to.

A table knows no machine. `simulator.energy.energy` makes a table's entries into numbers for a spec.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import Field, PositiveInt, create_model, model_validator

from dataflows.actions import ACTIONS, SUM_WIDE
from simulator.dram.model import DramCommand
from simulator.energy.arithmetic import Area, Arithmetic, Energy, Operation, Scale, Text
from simulator.energy.sram import WIDEST_PORT_BITS, Sram, nodes_nm, sram
from workloads.foundation.errors import InputError, nearest
from workloads.foundation.overlay import chain, laid_over, missing_keys
from workloads.foundation.shipped import resolve
from workloads.foundation.validation import SparseModel, StrictModel, VersionOne, validate

EnergyComponent = Literal[
    "pe_array", "array_network", "accumulator", "global_buffer", "predictor_sram", "dram_access", "dram_background",
    "dram_refresh",
]  # fmt: skip
Memory = Literal["global_buffer", "predictor_sram", "accumulator", "scratchpad"]
LeakingMemory = Literal["global_buffer", "predictor_sram"]
Wire = Literal["pe_pitch", "buffer"]
MOST_MW = 1e6  # of one memory: a kilowatt
Power = Annotated[float, Field(ge=0.0, le=MOST_MW, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=1 << 20)]
Width = Annotated[int, Field(ge=1, le=WIDEST_PORT_BITS)]
FOLDER = "configs/energy"
_ENTRIES = ("actions", "leakage")  # parts of a table whose entries are replaced one by one
_BEGIN = "add them, or say extends: 45nm and give only what differs; adagp-sim show 45nm > my.yaml prints a whole table"


class SramAccess(StrictModel):
    """An access to a memory of the spec, at the table's node; its energy follows from the size of the memory's bank.

    `width_bits` is the port's width; `word` and `sum` mean the width of the spec's words and psums.
    """

    memory: Memory
    access: Literal["read", "write"]
    width_bits: Width | Literal["word", "sum"]


class Action(SparseModel):
    """What one access costs; `counts_per_access` of the action's counts make one.

    Exactly one of four is given. `energy_pj`: picojoules; with `per_word_bits` those of a word or psum of so many bits,
    and in proportion for others; with `dram_command` for a DRAM that is not modelled by its commands, whose part gives
    the energy otherwise. `sram`: an access to a memory. `arithmetic`: an operation of the table's `arithmetic`. `wire`:
    a word or psum over a PE pitch, or a byte over the way between the buffer's banks and the array, by the table's
    `wires`.
    """

    component: EnergyComponent
    energy_pj: Energy | None = None
    per_word_bits: Count | None = None
    sram: SramAccess | None = None
    dram_command: DramCommand | None = None
    arithmetic: Operation | None = None
    wire: Wire | None = None
    counts_per_access: Count = 1
    source: Text

    @model_validator(mode="before")
    @classmethod
    def _has_a_source(cls, given: Any) -> Any:
        if isinstance(given, int | float) and not isinstance(given, bool):
            raise InputError(
                "", "", f"is {given}, a number alone", f'write {{energy_pj: {given}, source: "where it is from"}}'
            )
        return given

    @model_validator(mode="after")
    def _says_one_thing(self) -> "Action":
        given = [name for name in ("energy_pj", "sram", "arithmetic", "wire") if getattr(self, name) is not None]
        if len(given) != 1:
            problem = f"has {' and '.join(given)}" if given else "has no energy"
            raise InputError("", "", problem, "give one of energy_pj, sram, arithmetic and wire")
        if self.dram_command is not None and self.energy_pj is None:
            raise InputError("", "dram_command", "goes with energy_pj only", "give energy_pj for other DRAM models")
        if self.per_word_bits is not None and self.energy_pj is None:
            raise InputError("", "per_word_bits", "goes with energy_pj only", "drop it")
        return self


class Wires(SparseModel):
    """Wires: energy by length, and the area of a bit of a register, from which with arithmetic a PE's pitch follows."""

    pj_per_bit_mm: Energy
    source: Text
    register_um2_per_bit: Area
    register_source: Text


class SramScaling(SparseModel):
    """How SRAM of a node that CACTI's grid lacks follows from that of one that it has; factors, and their source."""

    from_node_nm: PositiveInt
    energy: Scale
    leakage: Scale
    area: Scale
    source: Text


class Leakage(SparseModel):
    """Static power of a memory: that of `for_bytes`, in proportion for others, or of SRAM banks at the table's node."""

    power_mw: Power | None = None
    for_bytes: Annotated[int, Field(ge=1, le=1 << 60)] | None = None
    sram_width_bits: Width | None = None
    source: Text

    @model_validator(mode="after")
    def _says_one_thing(self) -> "Leakage":
        given = [value is not None for value in (self.power_mw, self.for_bytes, self.sram_width_bits)]
        if given not in ([True, True, False], [False, False, True]):
            raise InputError(
                "", "", "gives its power twice, or not at all", "give power_mw and for_bytes, or sram_width_bits"
            )
        return self


class LeakageTable(SparseModel):
    """Leakage of each memory; one that is left out leaks nothing."""

    global_buffer: Leakage | None = None
    predictor_sram: Leakage | None = None


if TYPE_CHECKING:
    Energies = StrictModel
else:
    Energies = create_model(
        "Energies", __base__=StrictModel, __module__=__name__,
        **{name: (Energy | None, Field(None, description=f"In place of the table's `actions.{name}`: energy of one."))
           for name in ACTIONS},
    )  # fmt: skip
"""Energies of actions that a spec gives in place of its table's, in picojoules of one count."""


class EnergyTableFile(SparseModel):
    """Energies of every action, each with its unit and its source.

    Attributes
    ----------
    node_nm : int, optional
        The technology node, for entries that are SRAM.
    sram_scaling : SramScaling, optional
        For a node that CACTI's grid lacks.
    word_bits, partial_sum_bits : int, optional
        The only widths that the table is for; without them, any that its arithmetic knows.
    """

    version: VersionOne
    name: str
    description: str
    node_nm: PositiveInt | None = None
    sram_scaling: SramScaling | None = None
    word_bits: PositiveInt | None = None
    partial_sum_bits: PositiveInt | None = None
    arithmetic: Arithmetic | None = None
    wires: Wires | None = None
    actions: dict[str, Action]
    leakage: LeakageTable

    def with_energies(self, energies: Mapping[str, float]) -> "EnergyTableFile":
        """Return the table with other energies of single actions, in picojoules of one count."""
        actions = {
            name: Action(
                component=self.actions[name].component, energy_pj=energy, source=f"energy.{name} of the machine"
            )
            for name, energy in energies.items()
        }
        return self.model_copy(update={"actions": self.actions | actions})

    def bank(self, key: str, capacity_bytes: int, width_bits: int) -> Sram:
        """Return what a bank of SRAM costs at the table's node; a machine's `key` gives its bytes.

        Raises
        ------
        InputError
            If the bank is larger than any in CACTI's grid, with the key.
        """
        scaling = self.sram_scaling
        node = self.node_nm if scaling is None else scaling.from_node_nm
        assert node is not None, "the table's own check"
        try:
            found = sram(node, capacity_bytes, width_bits)
        except InputError as error:
            raise InputError("the accelerator", key, error.problem, error.remedy) from None
        if scaling is None:
            return found
        return replace(
            found, read_pj=scaling.energy * found.read_pj, write_pj=scaling.energy * found.write_pj,
            leakage_mw=scaling.leakage * found.leakage_mw, area_mm2=scaling.area * found.area_mm2,
        )  # fmt: skip

    @model_validator(mode="after")
    def _actions_are_known(self) -> "EnergyTableFile":
        for name in self.actions:
            if name not in ACTIONS:
                raise InputError("", f"actions.{name}", "unknown action", nearest(name, ACTIONS))
        return self

    @model_validator(mode="after")
    def _entries_have_what_they_need(self) -> "EnergyTableFile":
        leaks = {name: getattr(self.leakage, name) for name in LeakageTable.model_fields}
        needs_node = [f"actions.{name}" for name, action in self.actions.items() if action.sram is not None]
        needs_node += [f"actions.{name}" for name, action in self.actions.items() if action.wire is not None]
        needs_node += [f"leakage.{name}" for name, leak in leaks.items() if leak is not None and leak.sram_width_bits]
        if needs_node and self.node_nm is None:
            entries = f"{', '.join(needs_node)} {'is' if len(needs_node) == 1 else 'are'} SRAM"
            raise InputError("", "node_nm", f"missing, and {entries}", "give the node, such as 45, or these in numbers")
        self._check_node()
        for name, action in self.actions.items():
            if action.arithmetic is not None and self.arithmetic is None:
                raise InputError("", "arithmetic", f"missing, and actions.{name} is arithmetic", "add it")
            if action.wire is not None and (
                self.wires is None or self.arithmetic is None or self.arithmetic.multiply_um2 is None
            ):
                lacking = "wires" if self.wires is None else "arithmetic.multiply_um2"
                raise InputError("", lacking, f"missing, and actions.{name} is a wire", "add it")
            self._check_width(name, action)
            self._check_meaning(name, action)
        return self

    def _check_node(self) -> None:
        """Refuse a node that neither CACTI's grid has nor `sram_scaling` reaches from it."""
        known = ", ".join(map(str, nodes_nm()))
        scaling = self.sram_scaling
        if scaling is not None:
            if self.node_nm is None or self.node_nm in nodes_nm():
                problem = f"is given, and {'node_nm is not' if self.node_nm is None else 'the grid has node_nm'}"
                raise InputError("", "sram_scaling", problem, "leave it out, or give a node_nm that CACTI's grid lacks")
            if scaling.from_node_nm not in nodes_nm():
                problem = f"is {scaling.from_node_nm}, and CACTI's grid lacks it"
                raise InputError("", "sram_scaling.from_node_nm", problem, f"give one of {known}")
        elif self.node_nm is not None and self.node_nm not in nodes_nm():
            raise InputError("", "node_nm", f"is {self.node_nm}, and CACTI's grid lacks it",
                             f"give one of {known}, or sram_scaling from one of them")  # fmt: skip

    def _check_meaning(self, name: str, action: Action) -> None:
        """Refuse an action with the price of another one: its name says what it counts."""
        component = _component_of(name)
        if action.component != component:
            problem = f"is {action.component}, and this action is of {component}"
            raise InputError("", f"actions.{name}.component", problem, f"write {component}")
        if action.sram is not None:
            if not _is_of(name, action.sram.memory):
                problem = f"is {action.sram.memory}, which the action does not count"
                raise InputError("", f"actions.{name}.sram.memory", problem, "name the memory of the action")
            if f"_{action.sram.access}" not in name:
                problem = f"is {action.sram.access}, which the action does not count"
                raise InputError("", f"actions.{name}.sram.access", problem, "write the other of read and write")
        if action.wire is not None and action.wire != _WIRES.get(name):
            problem = f"is {action.wire}, which the action does not count"
            wire = _WIRES.get(name)
            raise InputError("", f"actions.{name}.wire", problem, f"write {wire}" if wire else "give energy_pj")
        if action.dram_command is not None and not name.startswith(f"dram_{action.dram_command}"):
            problem = f"is {action.dram_command}, which the action does not count"
            raise InputError("", f"actions.{name}.dram_command", problem, "name the command of the action")

    def _check_width(self, name: str, action: Action) -> None:
        """Refuse an SRAM access whose width is not what is counted: bytes by the width, words one at a time."""
        if action.sram is None:
            return
        width, own = action.sram.width_bits, "sum" if name in SUM_WIDE else "word"
        wanted = 1 if isinstance(width, str) else width // 8
        fits = isinstance(width, int) if name.endswith("_bytes") else width == own
        if not fits or action.counts_per_access != wanted:
            remedy = f"write counts_per_access: {wanted}" if name.endswith("_bytes") and fits else (
                "write width_bits: 64 and counts_per_access: 8, say" if name.endswith("_bytes")
                else f"write width_bits: {own} and no counts_per_access")  # fmt: skip
            problem = f"counts {action.counts_per_access} an access of {width} bits" if isinstance(width, int) else (
                f"counts {action.counts_per_access} an access of a {width}")  # fmt: skip
            raise InputError("", f"actions.{name}", problem, remedy)


def _component_of(action: str) -> str:
    """Return what an action's energy counts for, as its name says."""
    if action.startswith("dram_") and action.endswith("_rank_cycles"):
        return "dram_background"
    accesses = ("dram_read_bytes", "dram_write_bytes", "dram_activates")
    return next((one for one in get_args(EnergyComponent) if _is_of(action, one)),
                "dram_access" if action in accesses else "pe_array")  # fmt: skip


_WIRES: dict[str, Wire] = {
    "array_network_bytes": "buffer",
    "array_network_word_pitches": "pe_pitch",
    "array_network_sum_pitches": "pe_pitch",
}


def _is_of(action: str, part: str) -> bool:
    """Return whether an action's name begins with a component or a memory; the global buffer's with `buffer`."""
    return action.startswith(part.removeprefix("global_"))


def load_energy_table(name_or_path: str | Path) -> EnergyTableFile:
    """Read an energy table, given by its path or by the name of a shipped one.

    Raises
    ------
    InputError
        If the file is missing or does not follow the format.
    """
    path = resolve(str(name_or_path), FOLDER, "energy table")
    files = chain(path, FOLDER, "energy table")
    data = table_data(files)
    for name in _entries(data, "actions"):
        if name not in ACTIONS:
            raise InputError(str(path), f"actions.{name}", "unknown action", nearest(str(name), ACTIONS))
    missing = missing_keys(EnergyTableFile, data)
    unpriced = [name for name in ACTIONS if name not in _entries(data, "actions")]
    if unpriced and "actions" in data:
        missing.append(f"of actions {', '.join(unpriced)}")
    if missing:
        raise InputError(
            str(path),
            ", ".join(missing),
            "missing",
            _BEGIN if len(files) == 1 else "add it" if len(missing) == 1 else "add them",
        )
    return validate(EnergyTableFile, data, str(path))


def table_data(files: Sequence[tuple[Path, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return what a table and those that it extends say together, each file laid over the one before.

    An action, or the leakage of a memory, that a file gives is that file's own; only an action's component stays. A
    table that has no name is called as its file is, and described by what differs.
    """
    (_, base), *overlays = files
    table = dict(base)
    for path, over in overlays:
        changes = [name for part in _ENTRIES for name in _entries(over, part)]
        description = f"as {table.get('name')}" + (f", but for {', '.join(changes)}" if changes else "")
        named = {"name": path.name.partition(".")[0], "description": description, **over}
        laid = laid_over(table, named)
        for part in _ENTRIES:
            for name, entry in _entries(over, part).items():
                under = _entries(table, part).get(name)
                kept = {key: under[key] for key in ("component",) if isinstance(under, Mapping) and key in under}
                laid[part] = laid[part] | {name: {**kept, **entry} if isinstance(entry, Mapping) else entry}
        table = laid
    return table


def _entries(data: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    found = data.get(part)
    return found if isinstance(found, Mapping) else {}
