"""Example layer, block RAM, the schedule's order, scopes and names."""

from simulator.reproduce.contradictions import Arithmetic
from simulator.reproduce.paper import block_ram_bytes, targets
from simulator.reproduce.run_arithmetic import ideal_speedup
from workloads.layers import Conv2d, Linear
from workloads.trace import load_trace

TRACES = ("vgg13-imagenet", "vgg13-cifar10")
WORD_BYTES = 2
EPOCHS = 90


def example_layer() -> Arithmetic:
    """Find the layer of the example in VGG13."""
    example = targets()["example_layer_vgg13"]
    figures: dict[str, float] = {}
    found = []
    for name in TRACES:
        layers = [layer for layer in load_trace(name).layers if isinstance(layer, Conv2d)]
        number = {(one.C, one.K): number for number, one in enumerate(layers, start=1)}[example["channels"]]
        layer, fourth = layers[number - 1], layers[example["number"] - 1]
        found.append(f"{layer.P} x {layer.Q} in {name}")
        figures |= {f"{name}, number of the layer": number, f"{name}, its output's side": layer.P}
    return figures, {"fourth": fourth, "number": number, "found": " and ".join(found), "side": 4 * example["output"][0]}


def one_layer() -> Arithmetic:
    """Count the layers of VGG13 that one block RAM cannot hold."""
    room = block_ram_bytes("Baseline")
    layers = [layer for layer in load_trace(TRACES[0]).layers if isinstance(layer, Conv2d | Linear)]
    sizes = {layer.id: layer_bytes(layer) for layer in layers}
    large = {layer: size for layer, size in sizes.items() if size > room}
    most = max(sizes, key=lambda layer: sizes[layer])
    listed = ", ".join(f"{layer} {size / 1e6:.1f} MB" for layer, size in large.items())
    figures = {"block RAM, bytes": room, "layers that do not fit": len(large), "largest layer, bytes": sizes[most]}
    words = {"room": room / 1e6, "layers": len(sizes), "listed": listed, "most": most, "half": sizes[most] / 2e6}
    return figures, words


def layer_bytes(layer: Conv2d | Linear) -> int:
    """Return the bytes of a layer's weights, one image's inputs and its outputs, in words of 16 bits."""
    if isinstance(layer, Conv2d):
        activations = layer.C * layer.H * layer.W + layer.K * layer.P * layer.Q
    else:
        activations = layer.L * (layer.C + layer.K)
    return WORD_BYTES * (layer.product_shape(1).weight_words + activations)


def adaptive() -> Arithmetic:
    """List the fixed ratios of the schedule."""
    ratios = (stage["ratio"] for stage in targets()["schedule"]["gp_to_bp_ratio"])
    return {}, {"ratios": ", ".join(f"{gp}:{bp}" for gp, bp in ratios)}


def order() -> Arithmetic:
    """Count the GP batches with either phase first."""
    trace = load_trace(TRACES[1])
    batches = trace.dataset.batches_per_epoch(trace.batch_size)
    first, last = (batches_in_gp(batches, gp_first) for gp_first in (True, False))
    figures = {
        "GP batches, GP first": first, "GP batches, BP first": last,
        "ideal speedup, GP first": ideal_speedup(first / (EPOCHS * batches)),
        "ideal speedup, BP first": ideal_speedup(last / (EPOCHS * batches)),
    }  # fmt: skip
    return figures, {"epochs": EPOCHS, "batches": batches}


def batches_in_gp(batches: int, first: bool) -> int:
    """Return the GP batches of 90 epochs of so many batches, each beginning with Phase GP or with Phase BP."""
    schedule = targets()["schedule"]
    rest = EPOCHS - schedule["warm_up_epochs"]
    total = 0
    for stage in schedule["gp_to_bp_ratio"]:
        gp, bp = stage["ratio"]
        epochs = rest if stage["epochs"] == "rest" else stage["epochs"]
        rest -= epochs
        whole, left = divmod(batches, gp + bp)
        total += epochs * (whole * gp + (min(left, gp) if first else max(left - bp, 0)))
    return total


def energy() -> Arithmetic:
    """Return the reduction in per cent."""
    return {"reduction, per cent": 100 * targets()["energy"]["average_reduction"]}, {}


def that_layer() -> Arithmetic:
    """Return nothing: the order of the passes is all."""
    return {}, {}


def names() -> Arithmetic:
    """Return how many batches 24 steps are."""
    steps = targets()["timeline_4_layers"]
    return {"batches in 24 steps": steps["baseline_two_batches"] / steps["baseline_steps_per_batch"]}, {}
