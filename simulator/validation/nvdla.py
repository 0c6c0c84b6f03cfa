"""ResNet-50 on NVDLA, from the table of its primer."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from simulator.energy.energy import energy_table_of
from simulator.machine.spec_loading import load_accelerator
from simulator.validation.comparison import Case, Range
from simulator.validation.measured import MeasuredRow, measured_rows
from simulator.validation.products import plan_cycles, product_plan
from workloads.trace import load_trace

_SHORTEST_STRIPE = 16  # vectors: the weights of the next one arrive meanwhile
RANGES = (
    Range("array.accumulator_sums", (128,), "of a kernel: 32 is the longest stripe, 128 the accumulator's entries"),
    Range("array.weight_port_words_per_cycle", ("rows",), "not published; all weights in the shortest stripe"),
    Range("dram.latency_ns", (200,), "not published"),
    Range("tiling_slack_percent", (0,), "ours: which tiles a layer is cut into"),
)
"""What is not published of NVDLA, or is ours."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image of ResNet-50 on one NVDLA: its row of the table, cycles, bytes of DRAM, and the chip's picojoules."""

    row: MeasuredRow
    cycles: int
    dram_bytes: int
    chip_pj: float
    frequency_hz: int

    @property
    def milliseconds(self) -> float:
        """The time it takes."""
        return 1000 * self.cycles / self.frequency_hz

    @property
    def milliwatts(self) -> float:
        """The chip's mean power."""
        return 1e-9 * self.chip_pj * self.frequency_hz / self.cycles

    @property
    def what(self) -> str:
        """The row's name."""
        return f"{self.row.text('macs')} MACs"


def images(case: Case) -> Iterator[Image]:
    """Yield an image of ResNet-50 on each NVDLA of the table, layer by layer; DRAM's energy is left out."""
    columns = ("macs", "channels", "kernels", "buffer_kb", "megabytes_per_second", "frames_per_second", "average_mw")
    shapes = Counter(layer.product_shape(1) for layer in load_trace("resnet50-imagenet").mac_layers)
    for row in measured_rows(None, "nvdla.csv", columns):
        channels, kernels = row.number("channels"), row.number("kernels")
        banks = load_accelerator("nvdla").global_buffer.banks
        spec = load_accelerator("nvdla", overrides={
            "array.rows": channels, "array.columns": kernels,
            "array.weight_port_words_per_cycle": channels * kernels // _SHORTEST_STRIPE,
            "global_buffer.bank_bytes": 1024 * row.number("buffer_kb") // banks,
            "global_buffer.bank_port_bytes": channels,  # an entry has the channels of an atomic operation
            "dram.peak_bytes_per_second": 10**6 * row.number("megabytes_per_second"),
            **case.settings,
        })  # fmt: skip
        table, cycles, dram_bytes, chip_pj = energy_table_of(spec), 0, 0, 0.0
        for shape, count in shapes.items():
            plan = product_plan(spec, shape)
            energy = table.energy(plan.counts, 0)
            cycles += count * plan_cycles(spec, plan)
            dram_bytes += count * (plan.counts.dram_read_bytes + plan.counts.dram_write_bytes)
            chip_pj += count * (energy.total - energy.dram)
        chip_pj += table.leakage_pj(cycles, spec.frequency_hz)
        yield Image(row, cycles, dram_bytes, chip_pj, spec.frequency_hz)
