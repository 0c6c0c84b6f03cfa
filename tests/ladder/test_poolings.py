"""How the predictor pools its images: what each way costs and gives, by hand and by a naive model."""

from math import ceil
from typing import Any

import numpy as np
import pytest

from simulator.machine.spec_loading import load_accelerator
from simulator.run.simulation import simulate
from workloads.layers import Conv2d
from workloads.predictor import Predictor
from workloads.trace import Trace, load_trace

SHIPPED = load_trace("digits-cnn")
WAYS: dict[str, dict[str, Any]] = {
    "two averages": {"earlier_pools": ((6, 6),)},
    "three averages": {"earlier_pools": ((6, 6), (5, 5))},
    "largest": {"pooling": "max"},
    "two largest": {"pooling": "max", "earlier_pools": ((6, 6),)},
}


def pooled(way: dict[str, Any]) -> Trace:
    return SHIPPED.model_copy(update={"predictor": SHIPPED.predictor.model_copy(update=way)})


def predictions(trace: Trace, *settings: str) -> dict[str, Any]:
    """Return the predictor's forward row of each convolution in a GP batch of Efficient."""
    run = simulate(trace, load_accelerator(design="efficient", overrides=settings)).runs[0]
    rows = {row.layer: row for row in run.rows if (row.phase, row.pass_) == ("gp", "predictor_forward")}
    return {layer.id: rows[layer.id] for layer in trace.mac_layers if isinstance(layer, Conv2d)}


def images_by_hand(layer: Conv2d, way: dict[str, Any]) -> list[int]:
    """Return the words of the images that are pooled again: the batch's mean is pooled while it is summed, or not."""
    sizes = [side * side for side, _ in way.get("earlier_pools", ())]
    return [layer.K * size for size in ([layer.P * layer.Q] if "pooling" in way else []) + sizes]


@pytest.mark.parametrize("batch_mean", ["drain", "reread"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_each_pooling_costs_an_addition_a_word_and_its_time(way: dict[str, Any], batch_mean: str) -> None:
    """24 words a cycle enter by the two ports of 12 x 15 PEs, and three cycles more latch, multiply and add."""
    setting = f"batch_mean={batch_mean}"
    before, after = predictions(SHIPPED, setting), predictions(pooled(way), setting)
    for layer in SHIPPED.mac_layers:
        if isinstance(layer, Conv2d):
            again = images_by_hand(layer, way)
            one, two = before[layer.id], after[layer.id]
            assert two.counts.adds - one.counts.adds == sum(again)
            assert two.compute_cycles - one.compute_cycles == sum(ceil(words / 24) + 3 for words in again)
            outputs = SHIPPED.batch_size * layer.K * layer.P * layer.Q
            whole = layer.K * layer.P * layer.Q
            # 16-bit words; the mean's running sums are read for every image but the first, and written for each
            running = 2 * (outputs - whole) if batch_mean == "drain" and "pooling" in way else 0
            assert two.counts.buffer_read_bytes - one.counts.buffer_read_bytes == running + 2 * sum(again)
            assert two.counts.buffer_write_bytes - one.counts.buffer_write_bytes == running + 2 * sum(again)


def windows(extent: int, parts: int) -> list[slice]:
    return [slice(part * extent // parts, ceil((part + 1) * extent / parts)) for part in range(parts)]


@pytest.mark.parametrize("way", [{}, *WAYS.values()], ids=["shipped", *WAYS])
def test_what_torch_pools_is_what_loops_pool(way: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="needs the torch extra")
    from workloads.pytorch.predictor_module import GradientPredictor

    sizes = Predictor(outputs=4, **way)
    images = np.random.default_rng(1).standard_normal((3, 1, 13, 11))
    choose = np.max if sizes.pooling == "max" else np.mean
    expected = images
    for height, width in (*way.get("earlier_pools", ()), (4, 4)):
        rows, columns = windows(expected.shape[2], height), windows(expected.shape[3], width)
        expected = np.array([[[[choose(image[0, row, column]) for column in columns] for row in rows]]
                             for image in expected])  # fmt: skip
    found = GradientPredictor(sizes, ["only"]).pooled(torch.from_numpy(images))
    assert found.numpy() == pytest.approx(expected)
