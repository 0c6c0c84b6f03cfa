"""What a batch consists of, by hand: needed gradients, partial batches, what vector layers move, empty work."""

import pytest
from networks import make_trace
from registries import DATAFLOWS, DESIGNS

from simulator.batch.residency import Residency
from simulator.machine.spec_loading import load_accelerator, load_designs
from simulator.run.simulation import compare, simulate
from workloads.graph import needs_input_gradient
from workloads.layers import VectorLayer
from workloads.trace import Dataset, load_trace
from workloads.vectors import vector_work


def conv(name: str, before: str, **other: object) -> dict:
    return {"id": name, "kind": "conv2d", "inputs": (before,), "C": 4, "H": 4, "W": 4, "K": 4, "R": 1, "S": 1, "P": 4,
            "Q": 4, **other}  # fmt: skip


def test_a_layer_behind_an_activation_needs_its_dgrad() -> None:
    """Conv, ReLU, conv: the second conv's dgrad carries the gradient through the ReLU to the first's weights."""
    relu = {"id": "relu", "kind": "activation", "op": "relu", "inputs": ("a",), "shape": (4, 4, 4)}
    trace = make_trace([conv("a", "input"), relu, conv("b", "relu")])
    assert needs_input_gradient(trace.layers) == {"a": False, "relu": True, "b": True}
    row = {(r.layer, r.pass_) for r in simulate(trace, load_accelerator(design="baseline")).runs[0].rows}
    assert ("b", "dgrad") in row
    assert ("a", "dgrad") not in row


@pytest.mark.parametrize(("drop_last", "batches"), [(False, 391), (True, 390)])
def test_a_partial_last_batch(drop_last: bool, batches: int) -> None:
    """CIFAR's 50,000 images make 390 batches of 128 and one of 80."""
    assert 390 * 128 + 80 == 50_000
    assert Dataset(name="c", training_samples=50_000, drop_last=drop_last).batches_per_epoch(128) == batches


def test_softmax_backward_reads_its_output_and_the_gradient() -> None:
    """dX = Y (dY - sum(Y dY)), 2 images of 3 x 5 words: Y and dY are read, dX is written, four operations a word."""
    softmax = VectorLayer(id="s", kind="softmax", op="softmax", inputs=("a",), shape=(3, 5))
    linear = {"id": "a", "kind": "linear", "inputs": ("input",), "L": 3, "C": 5, "K": 5}
    trace = make_trace([linear, softmax.model_dump()], batch_size=2, inputs={"input": (3, 5)})
    work = vector_work(softmax, "backward", trace)
    assert (work.read_words, work.written_words, work.operations) == (2 * 2 * 15, 2 * 15, 4 * 2 * 15)


@pytest.mark.parametrize("dataflow", DATAFLOWS)
def test_a_dgrad_that_no_tap_reaches_is_an_op_of_no_work(dataflow: str) -> None:
    """Stride 2 and padding 1 over a 1 x 1 input: every window lies beside the one pixel, so its gradient is zero."""
    beside = conv("b", "a", H=1, W=1, P=2, Q=2, stride=(2, 2), padding=(1, 1))
    trace = make_trace([conv("a", "input", H=1, W=1, P=1, Q=1), beside], inputs={"input": (4, 1, 1)})
    results = compare(trace, load_designs(dataflow=dataflow), exact=(0, 4))
    for run in results.runs:
        assert run.exact is not None
        assert run.exact.equal
        empty = [row for row in run.rows if (row.layer, row.pass_) == ("b", "dgrad")]
        assert empty
        assert all(row.cycles == row.counts.macs == row.counts.dram_read_bytes == 0 for row in empty)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_row_of_the_batch_ends_where_the_batch_does(design: str) -> None:
    """From the last op's end on, the DRAM makes the refreshes that it owes: whole refreshes of 260 ns at 200 MHz."""
    spec = load_accelerator(design=design, overrides=["dram.model=commands"])
    run = simulate(load_trace("digits-cnn"), spec).runs[0]
    for phase in run.phases:
        rows = [row for row in run.rows if row.phase == phase.phase]
        *ops, batch = rows
        assert batch.start_cycle == max(row.end_cycle for row in ops)
        assert batch.end_cycle == phase.cycles_per_batch
        assert batch.cycles == batch.stall_refresh_cycles == batch.dram_cycles
        assert batch.stall_refresh_cycles % 52 == 0  # tRFC of 4 Gb DDR3
        assert all(row.stall_refresh_cycles == 0 for row in ops)


@pytest.mark.parametrize(("tensors", "places"), [
    (4, ("buffer", "buffer", "buffer")), (3, ("buffer", "buffer", "dram")), (2, ("buffer", "buffer", "dram")),
    (1, ("buffer", "dram", "dram")), (0, ("dram", "dram", "dram")),
])  # fmt: skip
@pytest.mark.parametrize("less", [0, 1])
def test_low_keeps_the_predictor_in_half_of_its_buffer(tensors: int, places: tuple[str, ...], less: int) -> None:
    """Weights, gradient and two moments of equal size, each if all of it still fits in half the buffer, to the byte."""
    trace = make_trace([conv("a", "input", R=3, S=3, padding=(1, 1))])
    layer = trace.mac_layers[0]
    words = trace.predictor.weight_words(layer)
    capacity = max(64, 2 * words * 2 * tensors)
    spec = load_accelerator(
        design="low", overrides=["global_buffer.banks=1", f"global_buffer.bank_bytes={capacity - less * 2}"]
    )
    found = Residency(trace, spec, 0).predictor(layer)
    fewer = {4: ("buffer", "buffer", "dram"), 3: ("buffer", "buffer", "dram"), 2: ("buffer", "dram", "dram"),
             1: ("dram", "dram", "dram"), 0: ("dram", "dram", "dram")}  # fmt: skip
    assert (found.weights, found.gradient, found.moments) == (fewer[tensors] if less else places)
