"""JSON Schemas of the files that users write, for editors and for other programs."""

from collections.abc import Callable
from typing import Any

from simulator.api.messages import pythonic
from simulator.batch.mapping_file import MappingFile
from simulator.dram.part import DramPart
from simulator.energy.energy_table import EnergyTableFile
from simulator.machine.reference import spec_schema
from simulator.pipelines.file_schedule import ScheduleFile
from simulator.sweep.sweep_file import SweepFile
from workloads.foundation.errors import InputError, nearest, spelt
from workloads.foundation.field_docs import documented_schema
from workloads.foundation.validation import StrictModel
from workloads.schedule import Policy
from workloads.trace import Trace

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _of(model: type[StrictModel], title: str) -> Callable[[], dict[str, Any]]:
    def made() -> dict[str, Any]:
        return documented_schema(model) | {"title": title}

    return made


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "spec": spec_schema,
    "trace": _of(Trace, "Trace of adagp-sim"),
    "schedule": _of(Policy, "Schedule of adagp-sim"),
    "energy-table": _of(EnergyTableFile, "Energy table of adagp-sim"),
    "dram-part": _of(DramPart, "DRAM part of adagp-sim"),
    "mapping": _of(MappingFile, "Mapping of adagp-sim"),
    "pipeline-schedule": _of(ScheduleFile, "Pipeline schedule of adagp-sim"),
    "sweep": _of(SweepFile, "Sweep of adagp-sim"),
}
"""By kind of file: what makes its schema."""


@pythonic
def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a kind of file.

    A schema knows keys, types and limits. What takes more than one key to tell, `adagp_sim` checks when it reads.

    Parameters
    ----------
    kind : str
        `spec` (a machine), `trace`, `schedule`, `energy-table`, `dram-part`, `mapping`, `pipeline-schedule`
        or `sweep`.

    Raises
    ------
    InputError
        If there is no such kind.
    """
    name = spelt(kind.replace("_", "-"), SCHEMAS)
    if name not in SCHEMAS:
        raise InputError("kind", "", f"is {kind!r}, which is no kind of file", nearest(kind, SCHEMAS))
    return {"$schema": _DIALECT, **SCHEMAS[name]()}
