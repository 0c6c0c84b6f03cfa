"""config.resolved.yaml: every parameter of a run, defaults included."""

from typing import Any

from pydantic import BaseModel

from simulator.batch.mapping_file import read_mapping
from simulator.energy.energy import load_energy_table
from simulator.machine.spec import Accelerator
from simulator.run.results import Results
from workloads.foundation.strict_yaml import yaml_text
from workloads.foundation.validation import NullIsValue
from workloads.trace import Trace


def resolved_config(results: Results) -> str:
    """Return what was simulated, as YAML: the trace's parameters, each spec, energy table, mapping and DRAM part."""
    tables = {run.spec.energy_table: load_energy_table(run.spec.energy_table) for run in results.runs}
    data = {
        "trace": _trace_parameters(results.trace),
        "accelerators": [spec_data(run.spec) for run in results.runs],
        "energy_tables": {name: plain(table.model_dump()) for name, table in sorted(tables.items())},
    }
    mappings = {run.spec.mapping for run in results.runs if run.spec.mapping is not None}
    if mappings:
        data["mappings"] = {path: plain(read_mapping(path).model_dump()) for path in sorted(mappings)}
    parts = {name: part for run in results.runs for name, part in run.spec.dram.parts.items()}
    if parts:
        data["dram_parts"] = {name: plain(part.model_dump()) for name, part in sorted(parts.items())}
    return to_yaml(data)


def spec_data(spec: Accelerator) -> dict[str, Any]:
    """Return a spec as plain data; parts that the design lacks are left out, and a null that is a value stays."""
    return _said(spec)


def _said(model: BaseModel) -> dict[str, Any]:
    full, bare = model.model_dump(), model.model_dump(exclude_none=True)
    said = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            said[name] = _said(value)
        elif name in bare or (name in full and NullIsValue in field.metadata):
            said[name] = plain(bare.get(name))
    return said


def _trace_parameters(trace: Trace) -> dict[str, Any]:
    counts = {str(phase): count for phase, count in trace.schedule.counts().items()}
    return {
        "network": trace.network,
        "dataset": trace.dataset.model_dump(),
        "batch_size": trace.batch_size,
        "optimizer": trace.optimizer,
        "predictor": plain(trace.predictor.model_dump()),
        "layers": len(trace.layers),
        "schedule": {"name": trace.schedule.name, "epochs": trace.schedule.epoch_count, "batches": counts},
    }


def plain(value: Any) -> Any:
    """Return data with lists for tuples, as YAML writes them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def to_yaml(data: Any) -> str:
    """Return data as YAML text."""
    return yaml_text(data, width=110)
