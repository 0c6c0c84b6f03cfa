"""What is shipped, and what is in a trace or a machine."""

from pathlib import Path
from typing import Any

from dataflows.dataflow import dataflow_names
from simulator.api.inputs import as_trace
from simulator.api.messages import pythonic
from simulator.machine.spec import Accelerator
from simulator.outputs.resolved import spec_data, to_yaml
from simulator.phases.design import designs
from simulator.pipelines.schedule import schedules
from workloads.foundation.shipped import shipped_names
from workloads.inspection import inspection
from workloads.trace import Trace


def shipped() -> dict[str, list[str]]:
    """Return the names that functions take, by what they name."""
    return {
        "traces": list(shipped_names("traces")),
        "designs": list(designs()),
        "dataflows": list(dataflow_names()),
        "pipeline_schedules": list(schedules()),
        **{
            name: list(shipped_names(f"configs/{folder}"))
            for name, folder in (
                ("machines", "accelerators"),
                ("dram_parts", "dram"),
                ("energy_tables", "energy"),
                ("schedules", "schedules"),
            )
        },
    }


def show(machine: Accelerator) -> str:
    """Return every parameter of a machine as YAML, which `load_accelerator` reads from a file."""
    return to_yaml(spec_data(machine))


@pythonic
def inspect(trace: Trace | str | Path) -> dict[str, Any]:
    """Return what is in a trace: layers, weights, MACs, schedule.

    Raises
    ------
    InputError
        If there is no such trace.
    """
    return inspection(as_trace(trace, None, None))
