"""Transposed convolutions: a convolution with its roles swapped, by PyTorch's own arithmetic and count."""

import pytest
from networks import make_trace

torch = pytest.importorskip("torch", reason="needs the torch extra")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.nn.grad import conv2d_input, conv2d_weight  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from simulator.machine.spec_loading import load_accelerator  # noqa: E402
from simulator.run.simulation import simulate  # noqa: E402
from workloads.layers import Conv2d  # noqa: E402
from workloads.passes import ROLES, layer_products  # noqa: E402
from workloads.pytorch.recorder import record_forward  # noqa: E402
from workloads.schedule import Batches, Epochs, Schedule  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:TF32")
# Channels in and out, kernel, and what else a layer has.
CASES = {
    "doubles": (6, 4, 2, {"stride": 2}),
    "overlaps": (6, 4, 4, {"stride": 2, "padding": 1}),
    "stride 1": (6, 4, 3, {"padding": 1}),
    "sparse": (4, 6, 3, {"stride": 3, "dilation": 2, "padding": 2, "output_padding": 2}),
    "groups": (6, 4, 3, {"stride": 2, "groups": 2}),
}
N, H, W = 3, 5, 4


def layer_of(name) -> tuple[nn.ConvTranspose2d, Conv2d]:
    C, K, kernel, options = CASES[name]
    with torch.device("meta"):
        model = nn.Sequential(nn.ConvTranspose2d(C, K, kernel, **options))
        (layer,) = record_forward(model, [torch.zeros(N, C, H, W)], N).layers
    return model[0], layer


def brute(layer: Conv2d, kept) -> int:
    """Count the multiplications of one image: of each input position and tap whose place in the output is `kept`."""
    places = [
        (h * layer.stride[0] - layer.padding[0] + r * layer.dilation[0],
         w * layer.stride[1] - layer.padding[1] + s * layer.dilation[1])
        for h in range(layer.H) for w in range(layer.W) for r in range(layer.R) for s in range(layer.S)
    ]  # fmt: skip
    return sum(kept(*place) for place in places) * layer.C * layer.K // layer.groups


@pytest.mark.parametrize("name", CASES)
def test_recorded_layer_has_torchs_shapes_and_macs(name):
    module, layer = layer_of(name)
    with torch.device("meta"):
        x = torch.zeros(N, layer.C, H, W, requires_grad=True)
        with FlopCounterMode(display=False) as counter:
            out = module(x)
    assert layer.output_shape == tuple(out.shape[1:])
    assert layer.product_shape(1).weight_words == module.weight.numel()
    assert layer.product_shape(N).macs == counter.get_total_flops() // 2 == N * brute(layer, lambda h, w: True)


@pytest.mark.parametrize("name", CASES)
def test_swapped_roles_compute_what_torch_computes(name):
    """The forward pass is a convolution's gradient by its input, dX that convolution, dW its wgrad of dY and X."""
    _, layer = layer_of(name)
    shape = layer.product_shape(N)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(N, layer.C, H, W, generator=generator, dtype=torch.float64, requires_grad=True)
    w = torch.randn(layer.C, layer.K // layer.groups, layer.R, layer.S, dtype=torch.float64, generator=generator)
    w.requires_grad_()
    options = {"stride": shape.stride, "padding": shape.padding, "dilation": shape.dilation, "groups": shape.groups}
    more = CASES[name][3].get("output_padding", 0)
    y = functional.conv_transpose2d(x, w, output_padding=more, **options)
    dy = torch.randn(y.shape, dtype=torch.float64, generator=generator)
    y.backward(dy)
    assert (*y.shape[1:], *x.shape[1:]) == (shape.C, shape.H, shape.W, shape.K, shape.P, shape.Q)
    with torch.no_grad():
        torch.testing.assert_close(y, conv2d_input(y.shape, w, x, **options))
        torch.testing.assert_close(x.grad, functional.conv2d(dy, w, **options))
        torch.testing.assert_close(w.grad, conv2d_weight(dy, w.shape, x, **options))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dgrad", ["decomposed", "dense"])
def test_products_are_those_of_the_swapped_roles(name, dgrad):
    _, layer = layer_of(name)
    macs = {role: sum(one.macs for one in layer_products(layer, role, N, dgrad)) for role in ROLES}
    # What is spread beyond the output is not computed; dense, every output position meets every tap.
    most = N * layer.K * layer.P * layer.Q * layer.C // layer.groups * layer.R * layer.S
    if dgrad == "dense":
        assert macs["forward"] == most
    else:
        inside = brute(layer, lambda h, w: 0 <= h < layer.P and 0 <= w < layer.Q)
        assert N * inside <= macs["forward"] <= most
    assert macs["dgrad"] == macs["wgrad"] == N * brute(layer, lambda h, w: True)


CONV = {"kind": "conv2d", "R": 3, "S": 3, "stride": (2, 2), "padding": (1, 1)}
DOWN = CONV | {"C": 5, "H": 7, "W": 7, "K": 6, "P": 4, "Q": 4}
UP = CONV | {"C": 6, "H": 4, "W": 4, "K": 5, "P": 7, "Q": 7, "transposed": True}


def counts_of(layer, design, dataflow, method):
    """Return by pass what a batch does of a layer behind another one that trains."""
    C, H, W = (layer[key] for key in "CHW")
    before = {"id": "before", "kind": "conv2d", "inputs": ("input",), "C": 3, "H": H, "W": W, "K": C, "R": 1, "S": 1,
              "P": H, "Q": W}  # fmt: skip
    trace = make_trace([before, layer | {"id": "one", "inputs": ("before",)}], inputs={"input": (3, H, W)})
    schedule = Schedule(name="one", epochs=(Epochs(batches=(Batches(phase="bp"),)),))
    overrides = [f"dataflow={dataflow}", f"dgrad={method}"]
    if dataflow == "rs":
        overrides.append("array.interconnect=broadcast")
    spec = load_accelerator(design=design, overrides=overrides)
    (run,) = simulate(trace.model_copy(update={"schedule": schedule}), spec).runs
    return {row.pass_: (row.counts, row.compute_cycles) for row in run.rows if row.layer == "one"}


@pytest.mark.parametrize("method", ["decomposed", "dense"])
@pytest.mark.parametrize("dataflow", ["ws", "is", "os", "rs"])
@pytest.mark.parametrize("design", ["baseline", "max"])
def test_machine_does_what_it_does_for_the_convolution(design, dataflow, method):
    up, down = (counts_of(layer, design, dataflow, method) for layer in (UP, DOWN))
    assert up["forward"] == down["dgrad"]
    assert up["dgrad"] == down["forward"]
    assert up["wgrad"] == down["wgrad"]
    assert up["update"] == down["update"]


def test_sizes_that_do_not_fit_are_told():
    layer = {"id": "up", "kind": "conv2d", "inputs": ("x",), "C": 6, "H": 4, "W": 4, "K": 5, "P": 9, "Q": 8, "R": 2,
             "S": 2, "stride": (2, 2), "transposed": True}  # fmt: skip
    assert Conv2d.model_validate(layer).P == 9  # a row more, as by an output padding
    with pytest.raises(ValueError, match="H: is 4, but P, kernel, stride, padding and dilation of up give 5"):
        Conv2d.model_validate(layer | {"P": 10})
