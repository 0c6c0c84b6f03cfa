"""Bytes that lie in DRAM at once, of a network with a layer of each kind: trained, frozen, shared, without MACs."""

import pytest
from networks import make_trace

from simulator.batch.footprint import largest_batch, peak_dram_bytes
from simulator.machine.spec_loading import load_accelerator
from workloads.schedule import Phase


def conv(name: str, before: str, C: int, K: int) -> dict:
    """Return a convolution of 3 x 3 on 8 x 8 words a channel."""
    return {"id": name, "kind": "conv2d", "inputs": (before,), "C": C, "H": 8, "W": 8, "K": K, "R": 3, "S": 3, "P": 8,
            "Q": 8, "padding": (1, 1)}  # fmt: skip


NORM = {"id": "norm", "kind": "batch_norm", "op": "bn", "inputs": ("a",), "shape": (4, 8, 8), "parameters": 8}
TRACE = make_trace([
    conv("a", "input", 3, 4), NORM, conv("b", "norm", 4, 5) | {"trainable": False}, conv("c", "b", 5, 5),
    conv("d", "c", 5, 5) | {"shares_weights_with": "c"},
])  # fmt: skip
WEIGHTS = 108 + 180 + 225 + 8  # d has c's
STATE = 108 + 225 + 8  # a momentum of each that trains
IMAGES = 64 * (3 + 4 + 5 + 5 + 5)  # of a sample: the input, and what a, b, c and d make
LARGEST = 64 * (
    5 + 5
)  # of a sample: input and output of c or d, which are also what lives at once without a backward pass
KEPT = (108 + 4 * 16 + 4 * 64) + (225 + 5 * 16 + 5 * 64)  # of a and c: prediction, means of 4 x 4, 4 channels of these
PREDICTOR = 4 * 9 + 64 * 45  # its convolution, and features to the 45 gradients an output channel of c
BACKWARD = 4 * (IMAGES + LARGEST) + 225  # with the largest gradient of weights


@pytest.mark.parametrize(
    ("design", "phase", "overrides", "words"),
    [
        ("baseline", "bp", (), WEIGHTS + STATE + BACKWARD),
        ("efficient", "bp", (), WEIGHTS + STATE + BACKWARD + KEPT),
        ("efficient", "gp", (), WEIGHTS + STATE + 4 * LARGEST + 225),
        ("efficient", "inference", (), WEIGHTS + 4 * LARGEST),
        # a second array has a second gradient
        ("max", "bp", (), WEIGHTS + STATE + BACKWARD + 225 + KEPT),
        # two moments beside the weights; the gradient is on the chip or on its way
        ("low", "bp", (), WEIGHTS + STATE + BACKWARD + KEPT + 3 * PREDICTOR),
        ("low", "inference", (), WEIGHTS + 4 * LARGEST),
        # weights of 32 bits are two words, and the passes read one more
        ("efficient", "bp", ("precision.master_weight_bits=32",), 3 * WEIGHTS + 2 * STATE + BACKWARD + KEPT),
        ("efficient", "inference", ("precision.master_weight_bits=32",), WEIGHTS + 4 * LARGEST),
    ],
)
def test_by_hand(design: str, phase: Phase, overrides: tuple[str, ...], words: int) -> None:
    assert peak_dram_bytes(TRACE, load_accelerator(design=design, overrides=overrides), phase) == 2 * words


@pytest.mark.parametrize(("words", "in_dram"), [
    (PREDICTOR - 1, 4), (PREDICTOR, 3), (2 * PREDICTOR - 1, 3), (2 * PREDICTOR, 2), (4 * PREDICTOR - 1, 2),
    (4 * PREDICTOR, 0),
])  # fmt: skip
@pytest.mark.parametrize("design", ["efficient", "max"])
def test_what_the_predictor_sram_does_not_hold(design: str, words: int, in_dram: int) -> None:
    """Weights, then their gradient, then both moments, each if all of it fits: at the border, and a word below."""
    usual = peak_dram_bytes(TRACE, load_accelerator(design=design), "gp")
    overrides = ["predictor_sram.banks=1", f"predictor_sram.bank_bytes={2 * words}"]
    found = peak_dram_bytes(TRACE, load_accelerator(design=design, overrides=overrides), "gp")
    assert found - usual == 2 * in_dram * PREDICTOR


@pytest.mark.parametrize(("fits", "less", "most"), [(3, 0, 3), (3, 1, 2), (1, 0, 1), (1, 1, 0), (4, 0, 4), (9, 0, 4)])
def test_the_largest_batch(fits: int, less: int, most: int) -> None:
    """All phases fit, and the backward pass takes the most; no more samples than the trace's four."""
    capacity = 2 * (WEIGHTS + STATE + 225 + KEPT + fits * (IMAGES + LARGEST)) - less
    spec = load_accelerator(design="efficient", overrides=[f"dram.capacity_bytes={capacity}"])
    assert largest_batch(TRACE, spec, ("gp", "bp")) == most
