"""The recorder against PyTorch's own count of multiply-accumulates, and the graph that it writes."""

from collections import Counter

import pytest
from samples import one_in, sampled

torch = pytest.importorskip("torch", reason="needs the torch extra")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from workloads.foundation.errors import InputError  # noqa: E402
from workloads.graph import check_graph, needs_input_gradient  # noqa: E402
from workloads.layers import Conv2d, Linear, Matmul, VectorLayer  # noqa: E402
from workloads.pytorch.recorder import record_forward  # noqa: E402
from workloads.recording.recording import Recording  # noqa: E402


def recorded(build, *shapes, device="meta", dtype=torch.float32):
    with torch.device(device):
        model = build()
        inputs = [torch.zeros(shape, dtype=dtype) for shape in shapes]
    return model, inputs, record_forward(model, inputs, shapes[0][0])


def macs(recording: Recording, batch_size: int) -> int:
    products = [layer for layer in recording.layers if isinstance(layer, Conv2d | Linear | Matmul)]
    return sum(layer.product_shape(batch_size).macs for layer in products)


def counted_by_pytorch(model, inputs) -> int:
    model.train()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(*inputs)
    return counter.get_total_flops() // 2


def kinds(recording: Recording) -> Counter:
    return Counter(layer.kind for layer in recording.layers)


def by_id(recording: Recording) -> dict:
    return {layer.id: layer for layer in recording.layers}


@pytest.mark.parametrize(
    ("name", "size"),
    sampled([
        ("vgg13_bn", 64), ("resnet18", 64), ("resnext50_32x4d", 64), ("mobilenet_v2", 64), ("mobilenet_v3_small", 64),
        ("densenet121", 64), ("shufflenet_v2_x1_0", 64), ("efficientnet_b0", 64), ("googlenet", 64),
        ("inception_v3", 299), ("swin_t", 64), ("vit_b_16", 224), ("convnext_tiny", 64),
    ], lambda case: one_in(3, case[0])),
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_macs_of_torchvision_networks(name, size):
    models = pytest.importorskip("torchvision.models", reason="needs the torch extra")
    model, inputs, recording = recorded(getattr(models, name), (4, 3, size, size))
    assert macs(recording, 4) == counted_by_pytorch(model, inputs)
    check_graph(recording.layers, recording.inputs)
    assert recording.notes == ()


def test_every_parameter_is_counted_once():
    models = pytest.importorskip("torchvision.models", reason="needs the torch extra")
    model, _, recording = recorded(models.resnet18, (2, 3, 64, 64))
    total = 0
    for layer in recording.layers:
        if isinstance(layer, Conv2d | Linear):
            total += layer.product_shape(1).weight_words + layer.bias * layer.K
        elif isinstance(layer, VectorLayer):
            total += layer.parameters
    assert total == sum(parameter.numel() for parameter in model.parameters())


def test_residual_block_reads_its_input_twice():
    models = pytest.importorskip("torchvision.models", reason="needs the torch extra")
    _, _, recording = recorded(models.resnet18, (2, 3, 64, 64))
    layers = by_id(recording)
    assert layers["layer1.0.conv1"].inputs == ("maxpool",)
    assert layers["layer1.0.add"].inputs == ("layer1.0.bn2", "maxpool")
    assert layers["layer1.0.relu"].inputs == ("layer1.0.bn1",)
    assert layers["layer1.0.relu#2"].inputs == ("layer1.0.add",)
    assert layers["fc"].inputs == ("avgpool",)
    assert layers["avgpool"].shape == (512, 1, 1)
    assert not needs_input_gradient(recording.layers)["conv1"]


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("batch_first", [True, False])
def test_transformer_encoder_layer(device, batch_first):
    shape = (3, 5, 16)
    model, inputs, recording = recorded(lambda: nn.TransformerEncoderLayer(16, 4, 32, batch_first=batch_first), shape,
                                        device=device)  # fmt: skip
    assert macs(recording, 3) == counted_by_pytorch(model, inputs)
    layers = by_id(recording)
    assert layers["self_attn.in_proj"].K == 48
    assert layers["self_attn.out_proj"].C == 16
    found = kinds(recording)
    assert found["linear"] == 4
    assert found["matmul"] == 2
    assert found["softmax"] == 1
    assert found["layer_norm"] == 2
    assert found["dropout"] == 4
    assert found["add"] == 2


def test_batch_in_the_second_dimension():
    model = nn.MultiheadAttention(16, 4)
    sequence = torch.zeros(7, 2, 16)
    recording = record_forward(model, {"query": sequence, "key": sequence.clone(), "value": sequence.clone()}, 2)
    assert recording.inputs == {"query": (7, 16), "key": (7, 16), "value": (7, 16)}
    scores = next(layer for layer in recording.layers if isinstance(layer, Matmul))
    assert (scores.G, scores.M, scores.C, scores.K) == (4, 7, 4, 7)


class FusedAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key_value = nn.Linear(16, 16), nn.Linear(16, 32)

    def forward(self, x):
        n, length, _ = x.shape
        query = self.query(x).view(n, length, 4, 4).transpose(1, 2)
        key, value = self.key_value(x).view(n, length, 2, 4, 4).permute(2, 0, 3, 1, 4).unbind(0)
        return functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)


def test_fused_attention_is_two_products_with_a_softmax_between():
    # PyTorch's counter does not know the fused operator of the CPU; on meta the same model runs unfused.
    _, _, recording = recorded(FusedAttention, (3, 5, 16), device="cpu")
    model, inputs, unfused = recorded(FusedAttention, (3, 5, 16), device="meta")
    assert macs(recording, 3) == macs(unfused, 3) == counted_by_pytorch(model, inputs)
    assert [layer.kind for layer in recording.layers if layer.kind not in ("select", "reshape")] == [
        "linear", "linear", "matmul", "softmax", "matmul",
    ]  # fmt: skip
    assert by_id(recording)["softmax"].shape == (4, 5, 5)


class Functional(nn.Module):
    """A shared block, functional calls, in-place operators, slices written in place, one-dimensional convolution."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.block = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(inplace=True))
        self.position = nn.Parameter(torch.zeros(8, 6, 6))
        self.row = nn.Conv1d(8, 4, 3, padding=1)
        self.head = nn.Parameter(torch.zeros(5, 8))

    def forward(self, x):
        x = self.stem(x) + self.position
        for _ in range(3):
            x = x + self.block(x)
        row = self.row(x.flatten(2))
        row[:, :1].mul_(2.0)
        left, right = row.chunk(2, dim=1)
        x = functional.adaptive_avg_pool2d(x, 1).flatten(1)
        x = functional.dropout(functional.linear(x, self.head), 0.3, self.training)
        return functional.log_softmax(x, 1), torch.cat([functional.gelu(left), right], dim=1)


def test_functional_model_with_a_shared_module():
    model, inputs, recording = recorded(Functional, (4, 3, 6, 6))
    assert macs(recording, 4) == counted_by_pytorch(model, inputs)
    layers = by_id(recording)
    assert layers["block.0"].shares_weights_with is None
    assert layers["block.0#2"].shares_weights_with == "block.0"
    assert layers["block.0#3"].shares_weights_with == "block.0"
    assert layers["block.1#2"].inputs == ("block.0#2",)
    assert layers["add"].parameters == 8 * 6 * 6
    assert layers["head"].kind == "linear"
    assert not layers["head"].bias
    assert (layers["row"].H, layers["row"].R, layers["row"].W, layers["row"].S) == (1, 1, 36, 3)
    # The slice that was doubled in place reaches what is read after it, not the untouched output.
    written = layers["slice_scatter"]
    assert written.inputs == ("row", "mul")
    halves = [layer for layer in recording.layers if isinstance(layer, VectorLayer) and layer.op == "split"]
    assert [half.inputs for half in halves] == [("slice_scatter",)] * 2


def test_windows_of_a_sample_are_counted():
    class Windows(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3, padding=1)

        def forward(self, x):
            n, c, h, w = x.shape
            cut = x.view(n, c, 2, h // 2, w).transpose(1, 2).reshape(2 * n, c, h // 2, w)
            return functional.relu(self.conv(cut))

    model, inputs, recording = recorded(Windows, (4, 3, 8, 8))
    assert by_id(recording)["conv"].N_per_sample == 2
    assert macs(recording, 4) == counted_by_pytorch(model, inputs)


def test_bias_added_by_itself_is_the_linear_layers():
    class Transposed(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(6, 4)

        def forward(self, x):
            return self.fc(x.transpose(1, 2))

    _, _, recording = recorded(Transposed, (2, 6, 5))
    (layer,) = recording.layers
    assert (layer.id, layer.L, layer.C, layer.K, layer.bias) == ("fc", 5, 6, 4, True)


def test_weights_used_in_two_shapes_are_noted():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.code = nn.Linear(6, 4, bias=False)

        def forward(self, x):
            return functional.linear(self.code(x), self.code.weight.t())

    _, _, recording = recorded(Tied, (2, 6))
    assert [layer.shares_weights_with for layer in recording.layers] == [None, None]
    assert recording.notes == ("weights are used in two shapes and recorded as two weights: code.weight",)


def test_unknown_operators_are_recorded_and_noted():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.up = nn.ConvTranspose3d(3, 8, 2, stride=2)

        def forward(self, x):
            return torch.erfinv(self.up(x))

    _, _, recording = recorded(Odd, (2, 3, 4, 4, 4))
    assert [(layer.id, layer.kind) for layer in recording.layers] == [("up", "other"), ("erfinv", "other")]
    assert recording.layers[0].parameters == 3 * 8 * 2**3 + 8
    assert "the multiply-accumulates of convolution are missing: up" in recording.notes
    assert "erfinv is recorded as 'other', without its arithmetic" in recording.notes


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_fourier_transform_is_named(device):
    class Mixing(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(8, 8)

        def forward(self, x):
            return torch.fft.fft2(self.fc(x)).real

    with torch.device(device):
        recording = record_forward(Mixing(), [torch.zeros(2, 4, 8)], 2)
    assert [(layer.id, layer.kind) for layer in recording.layers] == [("fc", "linear"), ("fft_c2c", "other")]
    assert recording.notes == ("fft_c2c is recorded as 'other', without its arithmetic",)


def test_indices_and_constants_are_no_layers():
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.places = nn.Embedding(11, 6), nn.Embedding(5, 6)
            self.register_buffer("mask", torch.ones(5, 5).tril().bool())

        def forward(self, tokens):
            x = self.words(tokens) + self.places(torch.arange(5, device=tokens.device))
            scores = (x @ x.transpose(1, 2)).masked_fill(~self.mask, float("-inf"))
            return scores.softmax(-1) @ x

    _, _, recording = recorded(Tokens, (2, 5), dtype=torch.int64)
    layers = by_id(recording)
    assert layers["words"].parameters == 11 * 6
    assert layers["add"].inputs == ("words",)
    assert layers["add"].parameters == 5 * 6
    assert kinds(recording)["matmul"] == 2


def test_model_is_left_as_it_was():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5)).eval()
    model[2].train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    random_state = torch.get_rng_state()
    record_forward(model, [torch.ones(2, 3, 8, 8)], 2)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert [module.training for module in model.modules()] == [False, False, False, True]
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert torch.equal(random_state, torch.get_rng_state())


def test_model_that_fails_is_left_as_it_was():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(3, 4)).eval()
    with pytest.raises(RuntimeError):
        record_forward(model, [torch.ones(2, 3)], 2)
    assert not any(module.training or module._forward_hooks for module in model.modules())


def test_input_without_the_batch_is_refused():
    with pytest.raises(InputError, match=r"inputs: input: shape \(3, 4\) has no dimension of 2"):
        record_forward(nn.Linear(4, 4), [torch.ones(3, 4)], 2)


def test_tied_embedding_is_counted_as_the_linear_layers_weight():
    class Language(nn.Module):
        def __init__(self):
            super().__init__()
            self.words = nn.Embedding(11, 6)
            self.head = nn.Linear(6, 11, bias=False)
            self.head.weight = self.words.weight

        def forward(self, tokens):
            return self.head(self.words(tokens))

    _, _, recording = recorded(Language, (2, 5), dtype=torch.int64)
    embedding, head = recording.layers
    assert (embedding.id, embedding.parameters) == ("words", 0)
    assert (head.id, head.C, head.K, head.L) == ("head", 6, 11, 5)


def test_windows_win_over_a_dimension_that_happens_to_be_the_batch():
    class Pooled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.BatchNorm2d(3)

        def forward(self, x):
            return functional.max_pool2d(self.scale(x.reshape(8, 3, 4, 8)), 2)

    _, _, recording = recorded(Pooled, (4, 3, 8, 8))
    assert [layer.output_shape for layer in recording.layers] == [(2, 3, 4, 8), (2, 3, 4, 8), (2, 3, 2, 4)]


def test_product_of_constants_is_noted():
    class Prior(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Linear(2, 4)
            self.register_buffer("grid", torch.zeros(4, 2))

        def forward(self, x):
            return x + self.table(self.grid).sum(0)

    _, _, recording = recorded(Prior, (3, 4))
    assert [(layer.kind, layer.parameters) for layer in recording.layers] == [("add", 12)]
    assert recording.notes == ("addmm of constants and parameters, once a batch, is missing: table",)
