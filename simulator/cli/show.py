"""`adagp-sim show`: every parameter of an accelerator, a DRAM part, an energy table or a schedule."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

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
def show(config: str, design: str | None, dataflow: str | None, overrides: tuple[str, ...]) -> None:
    """Print CONFIG (a file or a shipped name) with every parameter, as YAML.

    A machine is printed with the keys that it takes from the file that it extends. Another tool's machine, such
    as SCALE-Sim's FILE.cfg, is printed as a spec, with a line for each of its keys: show FILE.cfg > mine.yaml.
    """
    from simulator.dram.part import load_part
    from simulator.energy.energy_table import load_energy_table
    from simulator.machine.importers import machine_importer
    from simulator.machine.spec_layers import load_kind_values
    from simulator.machine.spec_loading import load_accelerator
    from simulator.outputs.resolved import plain, spec_data, to_yaml
    from workloads.foundation.errors import InputError, nearest, spelt
    from workloads.foundation.shipped import is_there, looks_like_path, resolve, shipped_names
    from workloads.foundation.strict_yaml import read_yaml
    from workloads.trace import load_policy

    # What each kind of file other than an accelerator is read by, and a key that only it has.
    others: dict[str, tuple[Callable[[str], StrictModel], str]] = {
        "energy": (load_energy_table, "actions"),
        "schedules": (load_policy, "stages"),
        "dram": (load_part, "timing_cycles"),
        "kinds": (load_kind_values, "kinds"),
    }
    shipped = {kind: shipped_names(f"configs/{kind}") for kind in ("accelerators", *others)}

    def kind_of(path: Path, data: Any, above: int = 0) -> str:
        keys = data if isinstance(data, dict) else {}
        kinds = [kind for kind, (_, key) in others.items() if key in keys]
        kinds += [kind for kind, names in shipped.items() if keys.get("extends") in names]
        if kinds or not isinstance(keys.get("extends"), str) or above > _MOST_FILES:
            return kinds[0] if kinds else "accelerators"
        base = path.parent / keys["extends"]
        if not (looks_like_path(keys["extends"]) or is_there(base)):
            known = [name for names in shipped.values() for name in names]
            problem = f"{keys['extends']!r} is no such config"
            raise InputError(str(path), "extends", problem, f"give a file or {nearest(keys['extends'], known)}")
        return kind_of(base, read_yaml(base), above + 1) if machine_importer(base) is None else "accelerators"

    config = spelt(config, [name for names in shipped.values() for name in names])
    kind = next((kind for kind, names in shipped.items() if config in names), None)
    machine = machine_importer(Path(config)) if kind is None else None
    if machine is not None:
        kind = "accelerators"
    elif kind is None:
        try:
            data = read_yaml(resolve(config, "configs/accelerators", "config"))
        except InputError as error:
            if error.problem != "no such config":
                raise
            known = [name for names in shipped.values() for name in names]
            raise InputError(config, "", "no such config", f"give a file or {nearest(config, known)}") from None
        kind = kind_of(Path(config), data)
    if kind != "accelerators" and (design or dataflow or overrides):
        raise click.UsageError(f"--design, --dataflow and --set go with an accelerator, and {config} is none")
    if kind == "accelerators":
        spec = load_accelerator(config, design, dataflow, overrides)
        imported = () if machine is None else machine.read(Path(config)).notes
        shown, notes = spec_data(spec), [*imported, *spec.narrow_ports]
    else:
        shown, notes = plain(others[kind][0](config).model_dump()), []
    click.echo("".join(f"# {line}\n" for line in notes) + to_yaml(shown), nl=False)
