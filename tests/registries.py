"""What tests are drawn over: every part that the project finds by itself.

A part that is added by one file is in these lists without an edit here, and so in every test that is drawn over them.
"""

from dataflows.dataflow import dataflows
from simulator.machine.spec_loading import load_designs
from simulator.phases.design import designs
from simulator.pipelines.schedule import schedules
from simulator.reproduce.jobs.workload import DESIGNS as _PAPER_DESIGNS
from workloads.foundation.shipped import shipped_names
from workloads.importers import importers

DESIGNS = list(designs())
"""Designs by name, in the order of tables."""

PAPER_DESIGNS = list(_PAPER_DESIGNS)
"""Those of the paper, which have rows in its tables; a new design has none."""

PREDICTING_DESIGNS = [name for name, design in designs().items() if design.predictor_home]
"""Designs that have a predictor."""

DATAFLOW_OBJECTS = list(dataflows().values())
"""Every dataflow of every array."""

DATAFLOWS = sorted(name for kind, name in dataflows() if kind == load_designs()[0].array.kind)
"""Names that `--dataflow` takes on the array of the shipped designs."""

SCHEDULES = list(shipped_names("configs/schedules"))
"""Sequences of phases: what `--schedule` takes."""

PIPELINE_SCHEDULES = list(schedules())
"""Schedules of a pipeline of devices."""

DRAM_PARTS = list(shipped_names("configs/dram"))
ENERGY_TABLES = list(shipped_names("configs/energy"))
TRACES = list(shipped_names("traces"))
TRACE_FORMATS = list(importers())
