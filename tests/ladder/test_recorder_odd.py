"""Operators and ways to run a model that are rare: each is recorded exactly, or the recording says what is missing."""

import pytest

torch = pytest.importorskip("torch", reason="needs the torch extra")

from torch import nn  # noqa: E402
from torch.utils.checkpoint import checkpoint  # noqa: E402

from workloads.pytorch.recorder import record_forward  # noqa: E402
from workloads.recording.notes import Lost  # noqa: E402


class Do(nn.Module):
    """Runs a function, beside parameters of these shapes."""

    def __init__(self, function, *shapes):
        super().__init__()
        self.function = function
        self.weights = nn.ParameterList(torch.zeros(shape) for shape in shapes)

    def forward(self, *inputs):
        return self.function(*inputs, *self.weights)


def test_matrix_by_a_learned_vector_with_something_added():
    """Three rows of six numbers by one vector of six, and three numbers added."""
    recording = record_forward(Do(torch.addmv, 6), [torch.zeros(3), torch.zeros(3, 6)], 3)
    layer, added = recording.layers
    assert (layer.kind, layer.L, layer.C, layer.K) == ("linear", 1, 6, 1)
    assert (added.kind, added.inputs) == ("add", (layer.id, "input0"))
    assert recording.notes == ()


@pytest.mark.parametrize(
    ("function", "shapes", "macs"),
    [
        (lambda x, w, v: x + w @ v, [(4, 6), (6,)], 4 * 6),
        (lambda x, u, v: x + u @ v, [(6,), (6,)], 6),
        (lambda x, added, w, v: x + torch.addmv(added, w, v), [(4,), (4, 6), (6,)], 4 * 6),
        (lambda x, added, a, b: x + torch.addbmm(added, a, b).sum(0), [(3, 4), (2, 3, 5), (2, 5, 4)], 2 * 3 * 5 * 4),
    ],
    ids=["mv", "dot", "addmv", "addbmm"],
)
def test_product_of_parameters_that_torch_does_not_count_is_counted(function, shapes, macs):
    recording = record_forward(Do(function, *shapes), [torch.zeros(3, 4)], 3)
    assert [one.forward for one in recording.missing.values()] == [macs]


def test_sum_of_products_of_samples_is_told():
    """Three samples of 4 x 5 by 5 x 2, added up over the batch."""
    a, b = torch.zeros(3, 4, 5), torch.zeros(3, 5, 2)
    model = Do(lambda a, b, added: torch.addbmm(added, a, b).sum() + a, (4, 2))
    recording = record_forward(model, [a, b], 3)
    assert recording.missing == {"addbmm": Lost(3 * 4 * 5 * 2, 0)}  # both are data
    assert "the multiply-accumulates of addbmm are missing: the top" in recording.notes


@pytest.mark.parametrize(("dtype", "notes"), [(torch.float32, 0), (torch.complex64, 1)])
def test_products_of_complex_numbers_are_told(dtype, notes):
    model = Do(torch.matmul).to(dtype)
    recording = record_forward(model, [torch.zeros(3, 4, 5, dtype=dtype), torch.zeros(3, 5, 2, dtype=dtype)], 3)
    told = "products of complex numbers are recorded as those of real ones, which are a quarter: the top"
    assert recording.notes == (told,) * notes
    assert [layer.product_shape(3).macs for layer in recording.layers] == [3 * 4 * 5 * 2]


class Blocks(nn.Module):
    """Two layers that keep nothing for the backward pass, in one of the ways that there are."""

    def __init__(self, how):
        super().__init__()
        self.how, self.first = how, nn.Linear(4, 4)
        self.block = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 4))

    def forward(self, x):
        x = self.first(x)
        if self.how == "no checkpoint":
            with torch.autograd.graph.save_on_cpu():
                return self.block(x)
        return checkpoint(self.block, x, use_reentrant=self.how == "reentrant")


@pytest.mark.parametrize("how", ["reentrant", "with hooks", "no checkpoint"])
def test_checkpoints_are_told(how):
    enter = torch.autograd.graph.saved_tensors_hooks.__enter__
    recording = record_forward(Blocks(how), [torch.zeros(3, 4)], 3)
    told = "checkpointing: the backward pass runs layers again, which is not recorded"
    assert recording.notes == ((told,) if how != "no checkpoint" else ())
    linear = [layer for layer in recording.layers if layer.kind == "linear"]
    assert [(layer.K, layer.trainable) for layer in linear] == [(4, True), (6, True), (4, True)]
    assert torch.autograd.graph.saved_tensors_hooks.__enter__ is enter


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_lazy_layers_take_their_widths_from_the_first_pass(device):
    """Two channels of 6 x 6 pixels, five of 4 x 4 behind a kernel of 3 x 3, and 80 numbers in all."""
    with torch.device(device):
        model = nn.Sequential(nn.LazyConv2d(5, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(7))
        recording = record_forward(model, [torch.zeros(3, 2, 6, 6)], 3)
    macs = [layer.product_shape(1).macs for layer in recording.layers if hasattr(layer, "product_shape")]
    assert macs == [5 * 4 * 4 * 2 * 9, 80 * 7]
