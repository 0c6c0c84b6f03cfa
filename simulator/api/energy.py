"""Energy tables with prices from other tools."""

from collections.abc import Sequence
from pathlib import Path

from simulator.api.inputs import Machine, as_spec
from simulator.api.messages import pythonic
from simulator.energy.own_table import own_table
from simulator.energy.sources import SourceRequest, find_energy_source
from workloads.foundation.errors import InputError
from workloads.foundation.strict_yaml import yaml_text


@pythonic
def energy_table(
    source: str,
    price: Sequence[str] = (),
    *,
    file: str | Path | None = None,
    machine: Machine = "max",
    node_nm: int | None = None,
    extends: str = "45nm",
    name: str = "mine",
) -> str:
    """Return an energy table with prices of another tool as YAML, as ``adagp-sim energy-table`` writes it.

    Parameters
    ----------
    source : str
        ``timeloop`` or ``hwcomponents``.
    price : sequence of str
        What one of our actions costs there: ``buffer_read_bytes=shared_glb.read/64``.
    file : str or Path, optional
        Of ``timeloop``: the energy reference table.
    machine : Accelerator, str or Path
        Of ``hwcomponents``: whose memories are priced.
    node_nm : int, optional
        Of ``hwcomponents``: the node of the components, in nanometres.
    extends : str
        The shipped table with all other prices.
    name : str
        The table's own name.

    Raises
    ------
    InputError
        If a price is none, or the source cannot give it.
    """
    spec = as_spec(machine, None, None, None)
    found, path = find_energy_source(source), None if file is None else Path(file)
    if found.takes_file and path is None:
        raise InputError("FILE", "", f"missing, and {found.name} reads one", f"give {found.description}")
    if path is not None and not found.takes_file:
        raise InputError(str(path), "", f"{found.name} reads no file", "leave it out")
    for_what = f"for {machine if isinstance(machine, str | Path) else spec.design}"
    asked = (price,) if isinstance(price, str) else price
    return yaml_text(own_table(found, SourceRequest(path, spec, node_nm), asked, extends, name, for_what))
