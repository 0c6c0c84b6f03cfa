"""Systolic arrays against SCALE-Sim 3.0.0, to the cycle."""

import csv
from pathlib import Path

import numpy as np
import pytest

from dataflows.arrays.job import Geometry, Ports
from dataflows.arrays.stepped import step_job
from dataflows.arrays.systolic.output import SYSTOLIC_OUTPUT, SYSTOLIC_OUTPUT_SERIAL
from dataflows.arrays.systolic.stationary import SYSTOLIC_STATIONARY
from dataflows.dataflow import find_dataflow
from dataflows.plans.budget import BufferBudget
from dataflows.plans.placement import ALL_IN_DRAM
from dataflows.plans.planning import plan_product
from simulator.cli.trace_import import import_trace
from simulator.machine.spec_loading import load_accelerator
from simulator.run.simulation import simulate
from workloads.foundation.shipped import shipped_folder
from workloads.passes import Product
from workloads.shapes import linear_shape
from workloads.trace import load_trace

DATA = shipped_folder("configs/validation") / "scalesim_12x15.csv"


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(line for line in path.read_text().splitlines() if not line.startswith("#")))


ROWS, OTHERS = read(DATA), read(DATA.with_name("scalesim_other_arrays.csv"))
ONE_TILE = BufferBudget(capacity_bytes=1 << 40, word_bytes=2, partial_sum_bytes=4)
SIZE = ["array.rows=12", "array.columns=15"]


def sizes(row: dict[str, str]) -> tuple[int, int, int]:
    """Return (output positions, reduction, filters); SCALE-Sim's ofmap is ceil((H - R + s) / s)."""
    value = {key: int(text) for key, text in row.items() if key not in ("name", "rows", "columns") and text}
    P = -(-(value["ifmap_h"] - value["filter_h"] + value["stride"]) // value["stride"])
    Q = -(-(value["ifmap_w"] - value["filter_w"] + value["stride"]) // value["stride"])
    return P * Q, value["filter_h"] * value["filter_w"] * value["channels"], value["num_filters"]


FIGURES = [(row, flow) for row in ROWS for flow in ("ws", "is", "os") if row[f"{flow}_cycles"]]


@pytest.mark.parametrize(("row", "dataflow"), FIGURES, ids=[f"{row['name']}-{flow}" for row, flow in FIGURES])
def test_closed_form_equals_scalesim(row: dict[str, str], dataflow: str) -> None:
    positions, reduction, filters = sizes(row)
    spec = load_accelerator("scalesim", dataflow=dataflow, overrides=SIZE)
    product = Product(linear_shape(positions, reduction, filters), "forward")
    plan = plan_product(product, ALL_IN_DRAM, find_dataflow(dataflow, "systolic", "", ""), spec.array, ONE_TILE)
    assert len(plan.stream_cycles) == 1
    assert plan.compute_cycles == int(row[f"{dataflow}_cycles"])


@pytest.mark.parametrize("dataflow", ["ws", "is", "os"])
@pytest.mark.parametrize("row", OTHERS, ids=[f"{row['rows']}x{row['columns']}-{row['name']}" for row in OTHERS])
def test_ports_follow_the_array(row: dict[str, str], dataflow: str) -> None:
    """On the shipped machine made systolic; its weight port of a word a row is as wide as a square array's columns."""
    positions, reduction, filters = sizes(row)
    settings = ["array.interconnect=systolic", f"array.rows={row['rows']}", f"array.columns={row['columns']}"]
    settings += [] if row["rows"] == row["columns"] else ["array.weight_port_words_per_cycle=null"]
    spec = load_accelerator(design="baseline", dataflow=dataflow, overrides=[*settings, "array.accumulator_sums=0"])
    assert spec.narrow_ports == []
    product = Product(linear_shape(positions, reduction, filters), "forward")
    plan = plan_product(product, ALL_IN_DRAM, find_dataflow(dataflow, "systolic", "", ""), spec.array, ONE_TILE)
    assert len(plan.stream_cycles) == 1
    assert plan.compute_cycles == int(row[f"{dataflow}_cycles"])


@pytest.mark.parametrize(
    "row", [row for row in ROWS if not row["name"].startswith("resnet")], ids=lambda row: row["name"]
)
def test_stepped_equals_scalesim(row: dict[str, str]) -> None:
    positions, reduction, filters = sizes(row)
    geometry = Geometry(12, 15, Ports(15, 15, 15))
    image, weights = np.ones((1, positions, reduction), np.int64), np.ones((1, reduction, filters), np.int64)
    transposed = (weights.transpose(0, 2, 1), image.transpose(0, 2, 1))
    assert step_job(SYSTOLIC_STATIONARY, geometry, image, weights).cycles == int(row["ws_cycles"])
    assert step_job(SYSTOLIC_STATIONARY, geometry, *transposed).cycles == int(row["is_cycles"])
    assert step_job(SYSTOLIC_OUTPUT, geometry, image, weights).cycles == int(row["os_cycles"])


def test_serial_drain_is_the_published_analysis() -> None:
    # SCALE-Sim's paper counts 2 R + C + T - 2 for os too: R cycles more a fold
    image, weights = np.ones((1, 24, 9), np.int64), np.ones((1, 9, 30), np.int64)
    free, serial = (
        step_job(array, Geometry(12, 15, Ports(15, 15, 15)), image, weights).cycles
        for array in (SYSTOLIC_OUTPUT, SYSTOLIC_OUTPUT_SERIAL)
    )
    assert serial - free == 4 * 12


RESNET50 = read(DATA.with_name("scalesim_resnet50_32x32.csv"))
CONFIG = """[architecture_presets]
ArrayHeight: 32
ArrayWidth: 32
IfmapSramSzkB: 64
FilterSramSzkB: 64
OfmapSramSzkB: 64
Dataflow: {dataflow}
[run_presets]
InterfaceBandwidth: CALC
"""


@pytest.mark.parametrize(("dataflow", "total"), [("ws", 6_349_260), ("is", 6_620_640), ("os", 5_198_904)])
def test_resnet50_by_its_files_equals_scalesim(dataflow: str, total: int, tmp_path: Path) -> None:
    """The run of docs/comparison.md: a topology and a configuration go in as they are."""
    head = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
    lines = (", ".join(list(row.values())[:8]) + ",\n" for row in RESNET50)
    (tmp_path / "resnet50.csv").write_text(head + "".join(lines))
    (tmp_path / "scale.cfg").write_text(CONFIG.format(dataflow=dataflow))
    import_trace(tmp_path / "resnet50.csv", None, None, None, None, tmp_path / "resnet50.yaml")
    run = simulate(load_trace(tmp_path / "resnet50.yaml"), load_accelerator(tmp_path / "scale.cfg")).runs[0]
    cycles = [row.cycles for row in run.rows if row.pass_ == "forward"]
    measured = [row[f"{dataflow}_cycles"] for row in RESNET50]
    assert len(cycles) == len(measured) == 54
    assert [(i, ours) for i, ours in enumerate(cycles) if measured[i] and ours != int(measured[i])] == []
    assert any(measured)
    assert run.total_cycles == sum(cycles) == total
    assert f"| `{dataflow}` | {total:,} |" in (Path(__file__).parents[2] / "docs" / "comparison.md").read_text(
        encoding="utf-8"
    )
