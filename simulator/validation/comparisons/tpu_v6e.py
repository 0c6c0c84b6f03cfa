"""TPU v6e: times of matrix products, by the machine `tpu-v6e`."""

from collections.abc import Iterator

from simulator.machine.spec_loading import load_accelerator
from simulator.validation.comparison import WITHIN, Case, Comparison, Range, Row
from simulator.validation.measured import measured_rows
from simulator.validation.products import plan_cycles, product_plan
from workloads.shapes import linear_shape

_COLUMNS = ("M", "K", "N", "device_ns")
_START_NS = 1_900
_START = "the chip takes some 1,900 ns before a product begins: 1 x 384 x 384 takes 2,044 ns, its bytes need 180"

_PEAK_BYTES_PER_NS = 1638
_APART = "within 10 % if what DRAM moves does not overlap with what the arrays do, with 1,900 ns before"


def _rows(case: Case) -> Iterator[Row]:
    spec = load_accelerator("tpu-v6e", overrides=case.settings)
    for row in measured_rows(case.data, "tpu_v6e.csv", _COLUMNS):
        M, K, N, measured = map(row.number, _COLUMNS)
        plan = product_plan(spec, linear_shape(M, K, N))
        series = "M below 512" if M < 512 else "M from 512"
        simulated = 1e9 * plan_cycles(spec, plan) / spec.frequency_hz
        moved = int(plan.load_bytes.sum() + plan.store_bytes.sum())
        apart = 1e9 * plan.compute_cycles / spec.frequency_hz + moved / _PEAK_BYTES_PER_NS
        causes = {_START: simulated, _APART: apart}
        cause = next((why for why, ns in causes.items() if abs((ns + _START_NS) / measured - 1) <= WITHIN), "")
        yield Row(f"{M} x {K} x {N}", measured, simulated, series, cause)


COMPARISON = Comparison(
    "tpu-v6e", "TPU v6e", "ns", "PSAL-POSTECH/PyTorchSim, timing_mode_validation/ref_v6e.csv; no licence is stated",
    "The machine `tpu-v6e`: products M x K x N, float16 on the chip, words of 16 bits here. Nine of some 380 rows are "
    "quoted; `--data FILE` takes others, with the columns M,K,N,device_ns.",
    lambda case: tuple(_rows(case)), "tpu-v6e", takes_data=True, rank=9,
    ranges=(
        Range("dram.organization.interleave_bytes", (64, 1024), "bytes that follow each other in a pseudo-channel"),
        Range("array.accumulator_sums", (1024, 16_384), "of a column"),
        Range("global_buffer.banks", (64, 128), "VMEM of 32 and 64 MiB"),
        Range("array.weight_port_words_per_cycle", (128, 512), "weights that an array loads in a cycle"),
    ),
)  # fmt: skip
