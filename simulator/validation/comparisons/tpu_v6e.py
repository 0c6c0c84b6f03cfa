"""TPU v6e: times of matrix products, by the machine `tpu-v6e`, as XLA runs them."""

from collections.abc import Iterator
from dataclasses import replace

from dataflows.dataflow import find_dataflow
from dataflows.plans.placement import Operand, Placement
from dataflows.plans.plan import Plan
from dataflows.plans.planning import plan_product, plan_transfer
from simulator.machine.spec import Accelerator
from simulator.machine.spec_loading import load_accelerator
from simulator.validation.comparison import Case, Comparison, Range, Row
from simulator.validation.measured import measured_rows
from simulator.validation.products import cycles_in_turn
from workloads.passes import Product
from workloads.shapes import linear_shape

_COLUMNS = ("M", "K", "N", "device_ns")
# What XLA keeps for the tiles of an op on v6e (xla_tpu_scoped_vmem_limit_kib); its message of it, "limit 32.00M", is
# quoted in vllm-project/tpu-inference, pull requests 3194 and 3407.
_TILES_BYTES = 32 << 20


def whole_operands(spec: Accelerator, M: int, K: int, N: int) -> dict[str, int]:
    """Return which operands XLA copies to VMEM before the product begins, with their bytes.

    Its pass of memory space assignment copies operands that fit beside the tiles; the smaller one goes first here. A
    product of one vector is no product there: its pass of algebraic simplification makes it multiplications and sums.
    """
    budget = spec.budget(0)
    found, left = {}, budget.capacity_bytes - _TILES_BYTES
    for name, words in sorted({"ifmap": M * K, "filter": K * N}.items(), key=lambda operand: operand[1]):
        moved = words * budget.word_bytes
        if M > 1 and moved <= left:
            found[name] = moved
            left -= moved
    return found


def compiled(spec: Accelerator, M: int, K: int, N: int) -> list[Plan]:
    """Return what XLA's program does one after the other: the copy of whole operands, where there are any; the product.

    Tiles of what is not copied, and of the result, fill the room that XLA keeps for them.
    """
    flow = find_dataflow(spec.dataflow, spec.array.kind, "", "dataflow")
    budget, whole = spec.budget(0), whole_operands(spec, M, K, N)
    copies = [plan_transfer(sum(whole.values()), 0, budget)] if whole else []
    ifmap, filters = (Operand("buffer") if name in whole else Operand() for name in ("ifmap", "filter"))
    product = Product(linear_shape(M, K, N), "forward")
    tiles = replace(budget, capacity_bytes=min(_TILES_BYTES, budget.capacity_bytes))
    return [*copies, plan_product(product, Placement(ifmap, filters), flow, spec.array, tiles)]


def _rows(case: Case) -> Iterator[Row]:
    spec = load_accelerator("tpu-v6e", overrides=case.settings)
    for row in measured_rows(case.data, "tpu_v6e.csv", _COLUMNS):
        M, K, N, measured = map(row.number, _COLUMNS)
        series = "M below 512" if M < 512 else "M from 512"
        cycles = cycles_in_turn(spec, compiled(spec, M, K, N))
        yield Row(f"{M} x {K} x {N}", measured, 1e9 * cycles / spec.frequency_hz, series)


COMPARISON = Comparison(
    "tpu-v6e", "TPU v6e", "ns", "PSAL-POSTECH/PyTorchSim, timing_mode_validation/ref_v6e.csv; no licence is stated",
    "The machine `tpu-v6e`: products M x K x N, bfloat16 on the chip, words of 16 bits here. XLA copies an operand to "
    "VMEM before the product begins, if it fits beside 32 MiB for tiles; so is it here (decision 0155). Nine of 454 "
    "rows are quoted; `--data FILE` takes others, with the columns M,K,N,device_ns.",
    lambda case: tuple(_rows(case)), "tpu-v6e", takes_data=True, rank=9,
    ranges=(
        Range("launch_ns", (0, 1000, 2000), "before a program's first transfer"),
        Range("dram.organization.interleave_bytes", (64, 1024), "bytes that follow each other in a pseudo-channel"),
        Range("array.accumulator_sums", (1024, 16_384), "of a column"),
        Range("array.weight_port_words_per_cycle", (128, 512), "weights that an array loads in a cycle"),
    ),
)  # fmt: skip
