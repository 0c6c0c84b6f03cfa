"""`adagp-sim show`: every parameter of an accelerator, a DRAM part, an energy table or a schedule."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.volume import note

if TYPE_CHECKING:
    from workloads.foundation.validation import StrictModel

_MOST_FILES = 100  # that build on each other; more are a circle


@click.command()
@click.argument("config")
@click.option("--design", metavar="NAME", help="For a machine: the design. Default: the config's own.")
@click.option("--dataflow", metavar="NAME", help="For a machine: the dataflow.")
@click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True, help="For a machine: change one key. Repeatable."
)
@click.option(
    "--kind", "asked", metavar="KIND",
    help="Where several kinds have the name: accelerators, energy, schedules, dram, kinds or sweeps.",
)  # fmt: skip
def show(config: str, design: str | None, dataflow: str | None, overrides: tuple[str, ...], asked: str | None) -> None:
    """Print CONFIG (a file or a shipped name) with every parameter, as YAML. A machine comes before what has its name.

    A machine is printed with the keys that it takes from the file that it extends. Another tool's machine, such
    as SCALE-Sim's FILE.cfg, is printed as a spec, with a line for each of its keys: show FILE.cfg > mine.yaml.
    """
    from simulator.dram.part import load_part
    from simulator.energy.energy_table import load_energy_table
    from simulator.machine.importers import machine_importer
    from simulator.machine.spec_layers import FOLDER, load_kind_values
    from simulator.machine.spec_loading import load_accelerator
    from simulator.outputs.resolved import plain, spec_data, to_yaml
    from simulator.sweep.sweep_file import read_sweep
    from workloads.foundation.errors import InputError, nearest, spelt
    from workloads.foundation.kinds import kind_of, misplaced
    from workloads.foundation.shipped import is_there, looks_like_path, resolve, shipped_names
    from workloads.foundation.strict_yaml import read_yaml
    from workloads.trace import load_policy

    # What each kind of file other than an accelerator is read by.
    others: dict[str, Callable[[str], StrictModel]] = {
        "configs/energy": load_energy_table,
        "configs/schedules": load_policy,
        "configs/dram": load_part,
        "configs/kinds": load_kind_values,
        "configs/sweeps": lambda name: read_sweep(name)[0],
    }
    shipped = {folder: shipped_names(folder) for folder in (FOLDER, *others)}

    def folder_of(path: Path, data: Any, above: int = 0) -> str:
        found = kind_of(data)
        if found is not None:
            if found.folder not in shipped:
                raise misplaced(found, config, "config", found.key_in(data))
            return found.folder
        base = data.get("extends") if isinstance(data, dict) else None
        if not isinstance(base, str) or above > _MOST_FILES:
            return FOLDER
        folder = next((folder for folder, names in shipped.items() if base in names), None)
        if folder is not None:
            return folder
        file = path.parent / base
        if not (looks_like_path(base) or is_there(file)):
            known = [name for names in shipped.values() for name in names]
            problem = f"{base!r} is no such config"
            raise InputError(str(path), "extends", problem, f"{nearest(base, known)} or give a file")
        return folder_of(file, read_yaml(file), above + 1) if machine_importer(file) is None else FOLDER

    config = spelt(config, [name for names in shipped.values() for name in names])
    kinds = [kind for kind, names in shipped.items() if config in names]
    if asked is not None:
        if f"configs/{asked}" not in kinds:
            known = [kind.removeprefix("configs/") for kind in kinds or shipped]
            raise InputError("--kind", "", f"no {asked!r} is called {config}", nearest(asked, known))
        kinds = [f"configs/{asked}"]
    kind = kinds[0] if kinds else None
    if len(kinds) > 1:
        others_too = ", ".join(one.removeprefix("configs/") for one in kinds[1:])
        note(f"note: {config} is also in {others_too}; --kind {kinds[1].removeprefix('configs/')} prints that one")
    machine = machine_importer(Path(config)) if kind is None else None
    if machine is not None:
        kind = FOLDER
    elif kind is None:
        try:
            data = read_yaml(resolve(config, FOLDER, "config"))
        except InputError as error:
            if error.problem != "no such config":
                raise
            known = [name for names in shipped.values() for name in names]
            raise InputError(config, "", "no such config", f"{nearest(config, known)} or give a file") from None
        kind = folder_of(Path(config), data)
    if kind != FOLDER and (design or dataflow or overrides):
        raise click.UsageError(f"--design, --dataflow and --set go with an accelerator, and {config} is none")
    if kind == FOLDER:
        spec = load_accelerator(config, design, dataflow, overrides)
        imported = () if machine is None else machine.read(Path(config)).notes
        shown, notes = spec_data(spec), [*imported, *spec.narrow_ports]
    else:
        shown, notes = plain(others[kind](config).model_dump()), []
    from workloads.foundation.printable import printable

    click.echo("".join(f"# {printable(line)}\n" for line in notes) + to_yaml(shown), nl=False)
