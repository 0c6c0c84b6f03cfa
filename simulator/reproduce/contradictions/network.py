"""The example layer, and what is to fit into the FPGA's memory."""

from simulator.reproduce.contradictions.contradiction import Contradiction
from simulator.reproduce.paper import targets
from workloads.layers import Conv2d, Linear
from workloads.trace import Trace, load_trace

TRACES = ("vgg13-imagenet", "vgg13-cifar10")
WORD_BYTES = 2
# A block RAM of 36 and of 18 Kbit, parity included (Xilinx UG473).
RAMB36_BYTES, RAMB18_BYTES = 4608, 2304


def contradictions() -> list[Contradiction]:
    """Return them in the order of the paper."""
    return [_example(), _one_layer()]


def layer_bytes(layer: Conv2d | Linear) -> int:
    """Return the bytes of a layer's weights, one image's inputs and its outputs, in words of 16 bits."""
    if isinstance(layer, Conv2d):
        activations = layer.C * layer.H * layer.W + layer.K * layer.P * layer.Q
    else:
        activations = layer.L * (layer.C + layer.K)
    return WORD_BYTES * (layer.product_shape(1).weight_words + activations)


def block_ram_bytes(design: str) -> int:
    """Return the bytes of a design's block RAM in table 4."""
    _, _, large, small, _ = targets()["fpga_table_4"]["resources"][design]
    return large * RAMB36_BYTES + small * RAMB18_BYTES


def convolutions(trace: Trace) -> list[Conv2d]:
    """Return the convolutions in the order of the forward pass."""
    return [layer for layer in trace.layers if isinstance(layer, Conv2d)]


def _example() -> Contradiction:
    example = targets()["example_layer_vgg13"]
    (inputs, outputs), size = example["channels"], example["output"][0]
    found, figures = [], []
    for name in TRACES:
        layers = convolutions(load_trace(name))
        places = {(one.C, one.K): number for number, one in enumerate(layers, start=1)}
        number = places[inputs, outputs]
        layer = layers[number - 1]
        fourth = layers[example["number"] - 1]
        found.append(f"{layer.P} x {layer.Q} in {name}")
        figures += [(f"{name}, number of the layer", number), (f"{name}, its output's side", layer.P)]
    return Contradiction(
        "example-layer", "The example layer is not in VGG13",
        f"Section 3.6: the fourth layer of VGG13 is a convolution of {inputs} to {outputs} channels with an "
        f"output of {size} x {size}.",
        f"VGG13's fourth convolution is of {fourth.C} to {fourth.K} channels. That of {inputs} to "
        f"{outputs} is "
        f"the {number}th, and its output is {' and '.join(found)}; {size} x {size} would take images of {4 * size} x "
        f"{4 * size}.",
        "Layers have the shapes that the networks have (docs/networks.md).",
        tuple(figures),
    )  # fmt: skip


def _one_layer() -> Contradiction:
    room = block_ram_bytes("Baseline")
    layers = [layer for layer in load_trace(TRACES[0]).layers if isinstance(layer, Conv2d | Linear)]
    sizes = {layer.id: layer_bytes(layer) for layer in layers}
    large = {layer: size for layer, size in sizes.items() if size > room}
    most = max(sizes, key=lambda layer: sizes[layer])
    listed = ", ".join(f"{layer} {size / 1e6:.1f} MB" for layer, size in large.items())
    return Contradiction(
        "one-layer", "Block RAM that holds one layer",
        "Section 5.1: block memories load one layer's weights and inputs while storing the corresponding outputs.",
        f"Table 4's baseline has {room / 1e6:.2f} MB of block RAM. In words of 16 bits {len(large)} of VGG13's "
        f"{len(sizes)} layers on ImageNet do not fit with one image of their batch: {listed}; {most} does not even "
        "with "
        f"words of 8 bits ({sizes[most] / 2e6:.1f} MB). The word width is not stated.",
        "The global buffer has that size and holds tiles (docs/memory.md).",
        (("block RAM, bytes", room), ("layers that do not fit", len(large)), ("largest layer, bytes", sizes[most])),
    )  # fmt: skip
