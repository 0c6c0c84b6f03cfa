"""Build a spec from its settings: the shipped file of its design, the user's file over it, then options."""

from collections.abc import Collection, Sequence
from pathlib import Path

from simulator.machine.settings import Layer, Settings
from simulator.machine.spec import DEFAULT_DESIGN, Accelerator
from simulator.machine.spec_layers import FOLDER, Overrides, dataflow_layers, file_layers, override_layer
from simulator.phases.design import designs
from workloads.foundation.errors import InputError
from workloads.foundation.overlay import chain
from workloads.foundation.shipped import resolve, shipped_as, shipped_names


def load_accelerator(
    config: str | Path | None = None,
    design: str | None = None,
    dataflow: str | None = None,
    overrides: Overrides = (),
) -> Accelerator:
    """Return the spec of one design.

    Parameters
    ----------
    config : str or Path, optional
        A shipped accelerator's name or a YAML file. A file need only hold the keys that differ from
        the shipped file of its design.
    design : str, optional
        The design; else the config's, else `max`. Parts that it lacks (`second_array`, `predictor_sram`) and that the
        config has are left out.
    dataflow : str, optional
        The dataflow; else the config's.
    overrides : mapping, or sequence of str
        Values by dotted key, such as ``{"array.rows": 32}``, or ``key=value`` as ``--set`` takes them, in any order.
        They win over all else.

    Raises
    ------
    InputError
        With the place, key and remedy of whatever is wrong.
    """
    own, given = file_layers(config), override_layer(overrides)
    options = [] if design is None else [Layer("--design", {"design": design})]
    return Accelerator.of_layers(own, [*options, *dataflow_layers(dataflow), given])


def load_designs(
    config: str | Path | None = None, dataflow: str | None = None, overrides: Overrides = (),
    names: Collection[str] | None = None,
) -> list[Accelerator]:  # fmt: skip
    """Return the spec of some designs (else of every one) on the same machine; settings of parts it lacks pass it by.

    Raises
    ------
    InputError
        If something is wrong, or the machine has no room for the parts of a design.
    """
    own, given = file_layers(config), override_layer(overrides)
    if "design" in given.values:
        raise InputError("--set", "design", "all designs are compared", "leave it out, or simulate one design")
    options = [*dataflow_layers(dataflow), given]
    # The design comes last, so that it drops what it lacks, whoever gave it.
    specs = []
    for name in designs() if names is None else [one for one in designs() if one in names]:
        try:
            specs.append(
                Accelerator.of_layers(own, [*options, Layer(f"design {name}", {"design": name}, shipped=True)])
            )
        except InputError as error:
            if config is None or error.where != shipped_as(file_layers(name)[-1].path or Path()):
                raise
            # The design's own file is right: it is this machine that has no room for its parts.
            remedy = f"{error.remedy}, or compare other designs with --design"
            raise InputError(f"{config} as design {name}", error.key, error.problem, remedy) from None
    return specs


def setting_source(
    key: str, config: str | Path | None = None, dataflow: str | None = None, overrides: Overrides = ()
) -> str:
    """Return where a key's value comes from, for errors that show only when the spec runs: a file or an option."""
    own = file_layers(config)
    name = next((layer.values["design"] for layer in reversed(own) if "design" in layer.values), DEFAULT_DESIGN)
    shipped = file_layers(name)
    return Settings([*shipped, *own, *dataflow_layers(dataflow), override_layer(overrides)]).source(key)


def spec_files(config: str | Path | None, specs: Sequence[Accelerator]) -> list[Path]:
    """Return the files that specs were read from: accelerators, values of kinds, DRAM parts and energy tables."""
    files = [*shipped_names(FOLDER).values(), *shipped_names("configs/kinds").values()]
    files += [layer.path for layer in file_layers(config) if layer.path is not None]
    for spec in specs:
        named = [(spec.energy_table, "configs/energy", "energy table")]
        named += [(part, "configs/dram", "DRAM part") for part in spec.dram.parts]
        for name, folder, what in named:
            files += [path for path, _ in chain(resolve(name, folder, what), folder, what)]
        files += [] if spec.mapping is None else [Path(spec.mapping)]
    return files
