"""SCALE-Sim 3.0.0: cycles of layers on arrays of several sizes, by the machine `scalesim`."""

from collections.abc import Iterator

from simulator.machine.spec_loading import load_accelerator
from simulator.validation.comparison import Case, Comparison, Row
from simulator.validation.measured import MeasuredRow, measured_rows
from simulator.validation.products import product_cycles
from workloads.shapes import linear_shape

FLOWS = ("ws", "is", "os")
TABLES = {"scalesim_12x15.csv": (12, 15), "scalesim_resnet50_32x32.csv": (32, 32), "scalesim_other_arrays.csv": None}
_SIZES = ("ifmap_h", "ifmap_w", "filter_h", "filter_w", "channels", "num_filters", "stride")


def _product(row: MeasuredRow) -> tuple[int, int, int]:
    """Return (output positions, reduction, filters); SCALE-Sim's ofmap is ceil((H - R + s) / s)."""
    H, W, R, S, C, K, s = map(row.number, _SIZES)
    return -(-(H - R + s) // s) * -(-(W - S + s) // s), R * S * C, K


def _rows(case: Case) -> Iterator[Row]:
    for table, size in TABLES.items():
        for row in measured_rows(None, table, ("name", *_SIZES)):
            rows, columns = (row.number("rows"), row.number("columns")) if size is None else size
            for flow in FLOWS:
                if row.text(f"{flow}_cycles"):
                    sizes = {"array.rows": rows, "array.columns": columns, **case.settings}
                    spec = load_accelerator("scalesim", dataflow=flow, overrides=sizes)
                    simulated = product_cycles(spec, linear_shape(*_product(row)))
                    yield Row(f"{row.text('name')}, {flow}, {rows} x {columns}", row.number(f"{flow}_cycles"),
                              simulated, flow)  # fmt: skip


COMPARISON = Comparison(
    "scalesim", "SCALE-Sim 3.0.0", "cycles", "its own runs, by the rows of its demand matrices",
    "The machine `scalesim` and the layers of SCALE-Sim. Its report prints one cycle less a layer (its issue 125).",
    lambda case: tuple(_rows(case)), "scalesim", rank=1,
)  # fmt: skip
