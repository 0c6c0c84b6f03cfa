"""The same model through PyTorch and through its ONNX export: the same layers of the same shapes, in the same order."""

import importlib.util
import logging

import pytest

onnx = pytest.importorskip("onnx", reason="needs the onnx extra")
torch = pytest.importorskip("torch", reason="needs the torch extra")
models = pytest.importorskip("torchvision.models", reason="needs the torch extra")

from onnx_graphs import products, read  # noqa: E402
from torch import nn  # noqa: E402

from workloads.layers import VectorLayer  # noqa: E402
from workloads.pytorch.recorder import record_forward  # noqa: E402


class Recurrent(nn.Module):
    """A recurrent network that looks at its last step."""

    def __init__(self, kind, **options):
        super().__init__()
        self.steps = kind(8, 16, batch_first=True, **options)
        self.head = nn.Linear(32 if options.get("bidirectional") else 16, 5)

    def forward(self, x):
        return self.head(self.steps(x)[0][:, -1])


class Encoder(nn.Module):
    """A transformer encoder on tokens."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 32)
        layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, dropout=0.0)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(32, 10)

    def forward(self, tokens):
        return self.head(self.layers(self.embedding(tokens)).mean(1))


class Queries(nn.Module):
    """Learned queries that attend to a sequence."""

    def __init__(self):
        super().__init__()
        self.queries = nn.Parameter(torch.randn(1, 5, 32))
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)

    def forward(self, x):
        queries = self.queries.expand(x.shape[0], -1, -1)
        return self.attention(queries, x, x)[0]


class Frames(nn.Module):
    """Frames that are folded into the batch."""

    def __init__(self):
        super().__init__()
        self.image = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        frames = self.image(x.flatten(0, 1)).flatten(1)
        return self.head(frames.view(x.shape[0], x.shape[1], -1).mean(1))


def of_timm(name, **options):
    """Return what builds a model of timm, which takes two seconds to import."""
    return lambda: pytest.importorskip("timm", reason="needs the torch extra").create_model(name, **options)


def of_torchvision(name, **options):
    return lambda: getattr(models, name)(**options)


STEPS = (7, 8)
SHORT = {
    "lstm": (lambda: Recurrent(nn.LSTM), STEPS),
    "lstm of two directions": (lambda: Recurrent(nn.LSTM, bidirectional=True), STEPS),
    "gru of two layers": (lambda: Recurrent(nn.GRU, num_layers=2), STEPS),
    "rnn": (lambda: Recurrent(nn.RNN), STEPS),
    "encoder": (Encoder, "tokens"),
    "queries": (Queries, (7, 32)),
    "frames": (Frames, (4, 3, 16, 16)),
    "resnet18": (of_torchvision("resnet18"), (3, 64, 64)),
    "squeezenet1_1": (of_torchvision("squeezenet1_1"), (3, 64, 64)),
    "vit_tiny": (of_timm("vit_tiny_patch16_224", img_size=32), (3, 32, 32)),
}
LONG = {
    "mobilenet_v2": (of_torchvision("mobilenet_v2"), (3, 64, 64)),
    "mobilenet_v3_small": (of_torchvision("mobilenet_v3_small"), (3, 64, 64)),
    "densenet121": (of_torchvision("densenet121"), (3, 64, 64)),
    "shufflenet_v2_x0_5": (of_torchvision("shufflenet_v2_x0_5"), (3, 64, 64)),
    "googlenet": (of_torchvision("googlenet", aux_logits=False, init_weights=False), (3, 64, 64)),
    "efficientnet_b0": (of_torchvision("efficientnet_b0"), (3, 64, 64)),
    "mnasnet0_5": (of_torchvision("mnasnet0_5"), (3, 64, 64)),
    "regnet_y_400mf": (of_torchvision("regnet_y_400mf"), (3, 64, 64)),
    "convnext_tiny": (of_torchvision("convnext_tiny"), (3, 32, 32)),
    "resnext50": (of_torchvision("resnext50_32x4d"), (3, 64, 64)),
    "vit_b_16": (of_torchvision("vit_b_16", image_size=32), (3, 32, 32)),
    "swin_t": (of_torchvision("swin_t"), (3, 64, 64)),
    "mixer_s32": (of_timm("mixer_s32_224", img_size=64), (3, 64, 64)),
    "edgenext_xx_small": (of_timm("edgenext_xx_small"), (3, 64, 64)),
    "deit_tiny": (of_timm("deit_tiny_patch16_224", img_size=64), (3, 64, 64)),
    "mobilevit_xxs": (of_timm("mobilevit_xxs"), (3, 64, 64)),
    "poolformer_s12": (of_timm("poolformer_s12"), (3, 64, 64)),
    "ghostnet_100": (of_timm("ghostnet_100"), (3, 64, 64)),
    "levit_128s": (of_timm("levit_128s"), (3, 224, 224)),
    "pvt_v2_b0": (of_timm("pvt_v2_b0"), (3, 64, 64)),
    "siglip": (of_timm("vit_base_patch16_siglip_224", img_size=64), (3, 64, 64)),
    "convmixer": (of_timm("convmixer_768_32"), (3, 64, 64)),
    "repvgg_a0": (of_timm("repvgg_a0"), (3, 64, 64)),
    "gmlp": (of_timm("gmlp_ti16_224", img_size=64), (3, 64, 64)),
}


def sample_inputs(shape, device):
    if shape == "tokens":
        return torch.zeros(2, 12, dtype=torch.int64, device=device)
    return torch.zeros(2, *shape, device=device)


def export_by_tracing(model, inputs, path):
    torch.onnx.export(
        model, (inputs,), str(path), dynamo=False, training=torch.onnx.TrainingMode.TRAINING,
        do_constant_folding=False, input_names=["x"], dynamic_axes={"x": {0: "batch"}},
    )  # fmt: skip


def export_by_dynamo(model, inputs, path):
    torch.onnx.export(
        model, (inputs,), str(path), dynamo=True, verbose=False, optimize=False, external_data=False,
        input_names=["x"], dynamic_shapes=({0: torch.export.Dim("batch")},),
    )  # fmt: skip


def described(layers):
    """Return all that a trace says of every layer with multiply-accumulates, ids replaced by places in the order."""
    found = products(layers)
    places = {layer.id: place for place, layer in enumerate(found)}
    rows = []
    for layer in found:
        row = layer.model_dump(exclude={"id", "inputs", "tensors", "sparsity"})
        row["shares_weights_with"] = places.get(row.get("shares_weights_with"))
        rows.append(row)
    return rows


def vector_parameters(layers):
    return sum(layer.parameters for layer in layers if isinstance(layer, VectorLayer))


def check_twins(tmp_path, build, shape, export):
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    # The meta device runs recurrent layers step by step, the CPU as one operator, as ONNX does.
    device = "cpu" if shape == STEPS else "meta"
    recorded = record_forward(build().to(device), [sample_inputs(shape, device)], 2)
    torch.manual_seed(0)
    export(build().train(), sample_inputs(shape, "cpu"), tmp_path / "twin.onnx")
    found = read(tmp_path / "twin.onnx")
    assert described(found.layers) == described(recorded.layers)
    missing = {note for note in found.notes if note.startswith("Not recorded as it is: ")}
    assert missing == {f"Not recorded as it is: {note}" for note in recorded.notes}
    return recorded, found


def with_marks(names, *marks):
    return [pytest.param(name, marks=marks) for name in names]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", with_marks(SHORT) + with_marks(LONG, pytest.mark.long))
def test_the_same_layers_through_onnx(tmp_path, name):
    build, shape = (SHORT | LONG)[name]
    recorded, found = check_twins(tmp_path, build, shape, export_by_tracing)
    if name != "edgenext_xx_small":  # there 64 constants of the positions look like weights in the file
        assert vector_parameters(found.layers) == vector_parameters(recorded.layers)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(importlib.util.find_spec("onnxscript") is None, reason="torch's newer exporter needs onnxscript")
@pytest.mark.parametrize("name", ["encoder", "queries", "frames", "resnet18", "vit_tiny"])
def test_the_same_layers_through_the_newer_exporter(tmp_path, name):
    check_twins(tmp_path, *SHORT[name], export_by_dynamo)
