"""What is known by name, kind by kind: the shipped files, the project's parts, and those of extension packages.

`adagp-sim list`, `adagp_sim.shipped` and the shell's completion show it. Names are quick to get; a description may have
to read the file.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from workloads.foundation.errors import InputError, nearest, spelt


@dataclass(frozen=True)
class Group:
    """One kind of things with names.

    Attributes
    ----------
    kind : str
        What the kind is called, such as ``energy_tables``; entry points of extension packages call it so, too.
    names : callable
        Returns the names, in their order.
    describe : callable
        Returns what a name means, in a line.
    folder : str
        Where shipped files of this kind lie; empty for parts that are code.
    """

    kind: str
    names: Callable[[], Iterable[str]]
    describe: Callable[[str], str]
    folder: str = ""

    @property
    def title(self) -> str:
        """The kind in words."""
        return self.kind.replace("_", " ").replace("dram", "DRAM")


def _files(kind: str, folder: str, describe: Callable[[str], str] | None = None) -> Group:
    def names() -> Iterable[str]:
        from workloads.foundation.shipped import shipped_names

        return shipped_names(folder)

    return Group(kind, names, describe or (lambda name: _heading(folder, name)), folder)


def _heading(folder: str, name: str) -> str:
    """Return the first sentence of the comment at the head of a file."""
    from itertools import takewhile

    from workloads.foundation.reading import read_text
    from workloads.foundation.shipped import shipped_names

    head = takewhile(lambda line: line.startswith("#"), read_text(shipped_names(folder)[name]).splitlines())
    first = " ".join(line.lstrip("# ") for line in head).split(". ")[0]
    return first.rstrip(".") or f"see show {name}"


def _parts(kind: str, found: Callable[[], dict[str, str]]) -> Group:
    """Return a kind whose names and descriptions are known together."""
    return Group(kind, lambda: found(), lambda name: found()[name])


def _trace(name: str) -> str:
    from workloads.networks import find_recipe, recipe_names
    from workloads.trace import load_trace

    recipe = find_recipe(name) if name in recipe_names() else None
    if recipe is not None and recipe.training is None:  # to read all of them would take seconds
        return f"{recipe.network} on {recipe.dataset}, batch {recipe.batch_size}"
    trace = load_trace(name)
    return (
        f"{trace.network} on {trace.dataset.name}, batch {trace.batch_size}, "
        f"{len(trace.mac_layers)} layers with MACs, {trace.schedule.epoch_count} epochs ({trace.provenance.origin})"
    )


def _networks() -> dict[str, str]:
    from workloads.networks import find_recipe, recipe_names

    found = {name: find_recipe(name) for name in recipe_names()}
    return {name: f"{one.network} on {one.dataset}; for trace export" for name, one in found.items()}


def _designs() -> dict[str, str]:
    from simulator.phases.design import designs

    return {name: one.description for name, one in designs().items()}


def _dataflows() -> dict[str, str]:
    from dataflows.dataflow import dataflows

    arrays: dict[str, list[str]] = {}
    texts: dict[str, str] = {}
    for (array, name), one in dataflows().items():
        arrays.setdefault(name, []).append(array)
        texts[name] = one.description
    return {name: f"{texts[name]} (array: {', '.join(arrays[name])})" for name in sorted(texts)}


def _arrays() -> dict[str, str]:
    from dataflows.array import arrays

    return {name: _first_line(one) for name, one in arrays().items()}


def _dram_models() -> dict[str, str]:
    from simulator.dram.models import DRAM_MODELS

    return {name: _first_line(one) for name, one in DRAM_MODELS.items()}


def _pipeline_schedules() -> dict[str, str]:
    from simulator.pipelines.schedule import schedules

    return {name: one.description for name, one in schedules().items()}


def _trace_importers() -> dict[str, str]:
    from workloads.importers import importers

    return {name: one.description for name, one in importers().items()}


def _machine_importers() -> dict[str, str]:
    from simulator.machine.importers import machine_importers

    return {name: one.description for name, one in machine_importers().items()}


def _comparisons() -> dict[str, str]:
    from simulator.validation.comparison import comparisons

    return {name: f"{one.title}; {one.source}" for name, one in comparisons().items()}


def _report_sections() -> dict[str, str]:
    from simulator.pages.run_report import sections

    return {name: one.title for name, one in sections().items()}


def _energy_table(name: str) -> str:
    from simulator.energy.energy_table import load_energy_table

    return load_energy_table(name).description


def _schedule(name: str) -> str:
    from workloads.trace import load_policy

    return load_policy(name).description


def _first_line(kind: object) -> str:
    return (kind.__doc__ or "").strip().partition("\n")[0]


_GROUPS = (
    _files("traces", "traces", _trace),
    _parts("networks", _networks),
    _parts("designs", _designs),
    _parts("dataflows", _dataflows),
    _parts("arrays", _arrays),
    _files("machines", "configs/accelerators"),
    _files("schedules", "configs/schedules", _schedule),
    _parts("pipeline_schedules", _pipeline_schedules),
    _files("sweeps", "configs/sweeps"),
    _files("energy_tables", "configs/energy", _energy_table),
    _parts("dram_models", _dram_models),
    _files("dram_parts", "configs/dram"),
    _files("values_of_kinds", "configs/kinds"),
    _files("papers", "configs/paper", lambda _: "numbers of a paper, with which reproduce compares its own"),
    _parts("trace_importers", _trace_importers),
    _parts("machine_importers", _machine_importers),
    _parts("comparisons", _comparisons),
    _parts("report_sections", _report_sections),
)
GROUPS = {group.kind: group for group in _GROUPS}
CONFIGS = "configs"  # all kinds of files in that folder


def chosen_groups(kind: str | None) -> list[Group]:
    """Return the groups of a kind; all of them for None, those of the folder `configs` for that word.

    Raises
    ------
    InputError
        If there is no such kind.
    """
    if kind is None:
        return list(GROUPS.values())
    name = spelt(kind.replace("-", "_"), (*GROUPS, CONFIGS))
    if name == CONFIGS:
        return [group for group in GROUPS.values() if group.folder.startswith(f"{CONFIGS}/")]
    if name not in GROUPS:
        known = [one.replace("_", "-") for one in (*GROUPS, CONFIGS)]
        raise InputError("kind", "", f"is {kind!r}, which is no kind", nearest(kind.replace("_", "-"), known))
    return [GROUPS[name]]


def described(group: Group) -> dict[str, str]:
    """Return every name of a group with what it means, and which extension package gives it."""
    from workloads.foundation.extensions import given_by

    given = given_by(group.kind)
    texts = {name: group.describe(name) for name in group.names()}
    return {name: f"{text} [{given[name]}]" if name in given else text for name, text in texts.items()}
