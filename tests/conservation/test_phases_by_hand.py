"""What a batch of each phase consists of, and where the predictor lies, worked out by hand."""

from collections.abc import Sequence
from math import prod

import pytest
from networks import make_trace
from test_kept_outputs import CHAIN, activation, conv

from simulator.batch.operations import Operations
from simulator.batch.residency import Residency
from simulator.machine.spec_loading import load_accelerator
from simulator.phases.design import Task
from simulator.run.results import LayerRow
from simulator.run.simulation import simulate
from workloads.foundation.errors import InputError
from workloads.graph import needs_input_gradient
from workloads.inspection import inspection
from workloads.layers import Conv2d, VectorLayer
from workloads.schedule import Batches, Epochs, Phase, Schedule
from workloads.trace import Dataset, Trace
from workloads.vectors import vector_work

MIXED = [conv("a", "input", 3, 4), activation("relu", "a", 4), conv("b", "relu", 4, 5) | {"predicted": False}]


def rows(trace: Trace, phase: Phase, design: str, overrides: Sequence[str] = ()) -> list[LayerRow]:
    """Return the ops of one batch of a phase."""
    one = Schedule(name="one", epochs=(Epochs(batches=(Batches(phase=phase),)),))
    spec = load_accelerator(design=design, overrides=overrides)
    run = simulate(trace.model_copy(update={"schedule": one}), spec).runs[0]
    return [row for row in run.rows if row.array is not None]


FORWARD = [("a", "forward"), ("a", "predictor_forward")]
BACKWARD_B, BACKWARD_A = [("b", "dgrad"), ("b", "wgrad")], [("a", "wgrad")]
TRAINED = [("a", "predictor_backward"), ("a", "predictor_update")]


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        ("bp", [*FORWARD, ("b", "forward"), *BACKWARD_B, ("b", "update"), *BACKWARD_A, ("a", "update"), *TRAINED]),
        ("gp", [*FORWARD, ("a", "update"), ("b", "forward")]),
        # DNI updates a with the prediction and b, which has none, with its gradient
        ("dni", [*FORWARD, ("a", "update"), ("b", "forward"), *BACKWARD_B, ("b", "update"), *BACKWARD_A, *TRAINED]),
    ],
)
def test_passes_of_a_batch_in_order(phase: Phase, expected: list[tuple[str, str]]) -> None:
    found = rows(make_trace(MIXED), phase, "efficient")
    assert [(row.layer, row.pass_) for row in found] == expected


SAME = conv("a", "input", 4, 4)
OWN, SHARED, FROZEN = SAME, SAME | {"id": "b", "inputs": ("a",)}, SAME | {"id": "c", "inputs": ("b",)}


def test_shared_and_frozen_weights() -> None:
    """Layer b has a's weights, and those of c are frozen: only a is predicted and updated, a and b have a wgrad.

    c still hands the gradient of its input on to b.
    """
    trace = make_trace([OWN, SHARED | {"shares_weights_with": "a"}, FROZEN | {"trainable": False}])
    found = [(row.layer, row.pass_) for row in rows(trace, "bp", "efficient")]
    update = [("a", "update"), *TRAINED]
    assert found == [
        *FORWARD, ("b", "forward"), ("c", "forward"), ("c", "dgrad"), *BACKWARD_B, *BACKWARD_A, *update,
    ]  # fmt: skip
    found = [(row.layer, row.pass_) for row in rows(trace, "gp", "efficient")]
    assert found == [*FORWARD, ("a", "update"), ("b", "forward"), ("c", "forward")]
    # DNI's backward pass updates whom no prediction has updated: nobody here
    found = [(row.layer, row.pass_) for row in rows(trace, "dni", "efficient")]
    assert [row for row in found if row[1] == "update"] == [("a", "update")]


def test_low_stores_a_prediction_before_the_update_reads_it() -> None:
    """In Phase GP; in Phase BP the update takes the true gradient and comes before the predictor's load."""
    gp = [row.pass_ for row in rows(make_trace(CHAIN[:1]), "gp", "low")]
    assert gp == ["forward", "predictor_load", "predictor_forward", "predictor_store", "update"]
    bp = [row.pass_ for row in rows(make_trace(CHAIN[:1]), "bp", "low")]
    assert bp[:4] == ["forward", "predictor_load", "predictor_forward", "predictor_store"]
    # 108 weights of 2 bytes and as many momenta; LOW's prediction is in DRAM, Efficient's is still in the buffer
    for design, tensors in (("low", 3), ("efficient", 2)):
        (update,) = [row for row in rows(make_trace(CHAIN[:1]), "gp", design) if row.pass_ == "update"]
        assert update.counts.dram_read_bytes == tensors * 108 * 2
    assert bp[4:] == ["wgrad", "update", "predictor_load", "predictor_backward", "predictor_update", "predictor_store"]


# The predictor of layer a: 4 x 9 weights of its convolution and 4 x 4 x 4 features for each of 3 x 3 x 3 gradients.
TENSOR = 2 * (4 * 9 + 64 * 27)


@pytest.mark.parametrize(
    ("tensors", "loaded", "moments_loaded", "update_reads"),
    [(1, 1, 1, 3), (2, 1, 1, 2), (4, 3, 3, 0)],
)
def test_low_keeps_the_predictor_in_half_of_the_buffer(
    tensors: int, loaded: int, moments_loaded: int, update_reads: int
) -> None:
    """Weights, then their gradient, then Adam's two moments, each if all of it fits: at the border, and a word below.

    What lies in the buffer is loaded before the training (weights and moments); the update reads the rest from DRAM.
    """
    trace = make_trace(CHAIN[:1])
    for less, fits in ((0, True), (2, False)):
        size = 2 * tensors * TENSOR - less
        found = rows(trace, "bp", "low", ["global_buffer.banks=1", f"global_buffer.bank_bytes={size}"])
        forward, backward = [row.counts.dram_read_bytes for row in found if row.pass_ == "predictor_load"]
        (update,) = [row.counts.dram_read_bytes for row in found if row.pass_ == "predictor_update"]
        if fits:
            assert (forward, backward, update) == (TENSOR, moments_loaded * TENSOR, update_reads * TENSOR)
        elif tensors == 1:
            assert forward == backward == 0
        else:  # one tensor less
            held = {2: (TENSOR, TENSOR, 3 * TENSOR), 4: (TENSOR, TENSOR, 2 * TENSOR)}
            assert (forward, backward, update) == held[tensors]


@pytest.mark.parametrize("design", ["low", "efficient"])
def test_what_stays_fills_its_share_at_most(design: str) -> None:
    """Means and features a sixteenth of the buffer, an error and a's 108 weights' prediction a quarter: 2 bytes each.

    All stay at the border, and none a word below it. A design that trains the predictor keeps the prediction in DRAM.
    """
    trace = make_trace(CHAIN[:1])
    (layer,) = trace.mac_layers
    for size, place in ((4 * 2 * 108, "buffer"), (4 * 2 * 108 - 2, "dram")):
        overrides = ["global_buffer.banks=1", f"global_buffer.bank_bytes={size}"]
        residency = Residency(trace, load_accelerator(design=design, overrides=overrides), 0)
        assert residency.intermediate(27) == residency.error(108) == residency.prediction(layer, "gp") == place
        assert residency.intermediate(26) == residency.error(107) == "buffer"
        assert residency.prediction(layer, "bp") == (place if design == "low" else "dram")
        # the update of LOW finds it in DRAM, where it is stored before
        assert residency.prediction_at_update(layer, "gp") == ("dram" if design == "low" else place)


@pytest.mark.parametrize(("tensors", "training"), [(1, 1), (2, 2), (4, 4)])
def test_bytes_of_the_predictor_in_lows_buffer(tensors: int, training: int) -> None:
    """Half of the buffer holds so many tensors: weights alone in a forward pass, all that fits in training."""
    trace = make_trace(CHAIN[:1])
    (layer,) = trace.mac_layers
    assert isinstance(layer, Conv2d)
    overrides = ["global_buffer.banks=1", f"global_buffer.bank_bytes={2 * tensors * TENSOR}"]
    residency = Residency(trace, load_accelerator(design="low", overrides=overrides), 0)
    assert residency.predictor_bytes(layer, training=False) == TENSOR
    assert residency.predictor_bytes(layer, training=True) == training * TENSOR


def test_what_leaves_for_another_device_does_not_stay() -> None:
    """Layer a hands its output on to b, b to c; where a's goes to another device, only b's stays."""
    trace, spec = make_trace(CHAIN), load_accelerator(design="efficient")
    for leaving, stay in ((frozenset(), ["a", "b"]), (frozenset({"a"}), ["b"])):
        residency = Residency(trace, spec, 0, leaving)
        assert [layer.id for layer in trace.mac_layers if residency.output(layer, "gp") == "buffer"] == stay


def test_least_buffer_of_an_update() -> None:
    """One word at a time: weight, gradient and momentum in, weight and momentum out, 2 bytes each and all twice."""
    task = Task(0, "update", backward=True)
    for size in (19, 20):
        overrides = ["global_buffer.banks=1", f"global_buffer.bank_bytes={size}"]
        operations = Operations(make_trace(CHAIN[:1]), load_accelerator(design="baseline", overrides=overrides))
        if size < 20:
            with pytest.raises(InputError, match="too small for update of layer a"):
                operations.plans(task, "bp", 0)
        else:
            assert [len(plan.loads) for plan in operations.plans(task, "bp", 0)] == [108]


def test_product_of_an_activation_with_data_has_one_gradient() -> None:
    """4 samples of (5 x 8) by (8 x 7): data on the one side, then on the other; then both are trained."""
    queries = {"id": "q", "kind": "linear", "inputs": ("x",), "L": 5, "C": 8, "K": 8}
    keys = {"id": "k", "kind": "linear", "inputs": ("data",), "L": 7, "C": 8, "K": 8}
    left = {"id": "left", "kind": "matmul", "inputs": ("q", "data"), "M": 5, "C": 8, "K": 7}
    right = {"id": "right", "kind": "matmul", "inputs": ("data", "q"), "M": 7, "C": 8, "K": 5}
    both = {"id": "both", "kind": "matmul", "inputs": ("q", "k"), "M": 5, "C": 8, "K": 7}
    trace = make_trace([queries, keys, left, right, both], inputs={"x": (5, 8), "data": (7, 8)})
    found = {row.layer: row.counts.macs for row in rows(trace, "bp", "baseline") if row.pass_ == "dgrad"}
    once = 4 * 5 * 8 * 7
    assert found == {"left": once, "right": once, "both": 2 * once}
    told = {row["id"]: row["macs_dgrad"] for row in inspection(trace)["graph"]}
    assert told == {"q": 0, "k": 0, "left": once, "right": once, "both": 2 * once}


def test_who_needs_a_gradient_of_its_input() -> None:
    """Every layer behind something that is trained, however many layers without weights are between."""
    norm = {"id": "norm", "kind": "batch_norm", "op": "bn", "inputs": ("input",), "shape": (3, 8, 8), "parameters": 6}
    plain = [activation("first", "input", 3), conv("a", "first", 3, 4), activation("relu", "a", 4),
             activation("again", "relu", 4), conv("b", "again", 4, 5)]  # fmt: skip
    found = needs_input_gradient(make_trace(plain, inputs={"input": (3, 8, 8)}).layers)
    assert found == {"first": False, "a": False, "relu": True, "again": True, "b": True}
    trained = [norm, conv("a", "norm", 3, 4)]
    assert needs_input_gradient(make_trace(trained, inputs={"input": (3, 8, 8)}).layers) == {"norm": False, "a": True}


def test_batches_of_an_epoch() -> None:
    """50,000 = 390 x 128 + 80: a last batch of 80 counts as a whole one, unless it is dropped."""
    assert Dataset(name="d", training_samples=50_000).batches_per_epoch(128) == 391
    assert Dataset(name="d", training_samples=50_000, drop_last=True).batches_per_epoch(128) == 390
    for drop_last in (False, True):
        assert Dataset(name="d", training_samples=49_920, drop_last=drop_last).batches_per_epoch(128) == 390


def test_softmax_backward() -> None:
    """dX = y (dy - sum of y dy): a product, an addition, a subtraction and a product a word; reads y and dy."""
    softmax = {"id": "s", "kind": "softmax", "op": "softmax", "inputs": ("a",), "shape": (4, 8, 8)}
    trace = make_trace([CHAIN[0], softmax])
    (layer,) = [layer for layer in trace.layers if isinstance(layer, VectorLayer)]
    words = 4 * prod((4, 8, 8))
    work = vector_work(layer, "backward", trace)
    assert (work.operations, work.read_words, work.written_words) == (4 * words, 2 * words, words)
