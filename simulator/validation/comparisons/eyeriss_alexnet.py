"""Eyeriss: times of the convolutions of AlexNet, by the machine `eyeriss`."""

from collections.abc import Iterator

from simulator.validation.comparison import Case, Comparison, Row
from simulator.validation.eyeriss import TIME_RANGES, layer_plans, timed_machine
from simulator.validation.products import plan_cycles

_IMAGES = 4


def _rows(case: Case) -> Iterator[Row]:
    spec = timed_machine(case)
    for row, plan in layer_plans(spec, "eyeriss_alexnet.csv", _IMAGES):
        cycles = plan_cycles(spec, plan)
        yield Row(row.text("layer"), float(row.text("ms")), 1e3 * cycles / spec.frequency_hz, "AlexNet")


COMPARISON = Comparison(
    "eyeriss-alexnet", "Eyeriss, AlexNet", "ms", "Chen et al., JSSC 52 (1), 2017, table V",
    "The machine `eyeriss`, batch 4, each convolution alone, on an ideal memory, as the table's processing"
    " latency has it.",
    lambda case: tuple(_rows(case)), "eyeriss", ranges=TIME_RANGES, rank=5,
)  # fmt: skip
