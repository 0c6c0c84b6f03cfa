"""The recorder on models that no one here wrote: every multiply-accumulate that PyTorch's own counter finds."""

import pytest

torch = pytest.importorskip("torch", reason="needs the torch extra")

from torch import nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from workloads.foundation.shipped import shipped_names  # noqa: E402
from workloads.graph import check_graph  # noqa: E402
from workloads.layers import Conv2d, Linear, Matmul  # noqa: E402
from workloads.networks import find_recipe  # noqa: E402
from workloads.pytorch.recorder import record_forward  # noqa: E402
from workloads.recording.recording import Recording  # noqa: E402
from workloads.trace import load_trace  # noqa: E402


def recorded(build, *shapes):
    with torch.device("meta"):
        model, inputs = build(), [torch.zeros(shape) for shape in shapes]
    recording = record_forward(model, inputs, shapes[0][0])
    check_graph(recording.layers, recording.inputs)
    return model, inputs, recording


def macs(recording: Recording, batch_size: int) -> int:
    products = [layer for layer in recording.layers if isinstance(layer, Conv2d | Linear | Matmul)]
    return sum(layer.product_shape(batch_size).macs for layer in products)


def counted_by_pytorch(model, inputs) -> int:
    model.train()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(*inputs)
    return counter.get_total_flops() // 2


def long(*values):
    return pytest.param(*values, marks=pytest.mark.long)


@pytest.mark.parametrize(
    "name",
    [
        "fcn_resnet50",
        "deeplabv3_resnet50",
        long("fcn_resnet101"),
        long("deeplabv3_resnet101"),
        long("deeplabv3_mobilenet_v3_large"),
        long("lraspp_mobilenet_v3_large"),
    ],
)
def test_segmentation(name):
    models = pytest.importorskip("torchvision.models", reason="needs the torch extra")
    build = getattr(models.segmentation, name)
    model, inputs, recording = recorded(lambda: build(weights=None, weights_backbone=None), (4, 3, 96, 96))
    assert macs(recording, 4) == counted_by_pytorch(model, inputs)
    assert recording.notes == ()
    assert recording.layers[-1].output_shape == (21, 96, 96)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("vit_tiny_patch16_224", 224),
        ("swin_tiny_patch4_window7_224", 224),
        ("convnext_tiny", 64),
        ("mvitv2_tiny", 224),
        long("deit_tiny_patch16_224", 224),
        long("beit_base_patch16_224", 224),
        long("mixer_s32_224", 224),
        long("levit_128s", 224),
        long("pvt_v2_b0", 224),
        long("coat_tiny", 224),
        long("eva02_tiny_patch14_224", 224),
        long("halonet26t", 256),
        long("botnet26t_256", 256),
        long("gmlp_s16_224", 224),
        long("poolformer_s12", 224),
        long("mobilevit_s", 256),
        long("nest_tiny", 224),
        long("twins_svt_small", 224),
        long("crossvit_tiny_240", 240),
        long("davit_tiny", 224),
        long("focalnet_tiny_srf", 224),
        long("hrnet_w18_small", 224),
        long("dpn68", 224),
        long("resnetv2_50", 224),
        long("res2net50_26w_4s", 224),
        long("skresnet18", 224),
        long("resnest14d", 224),
        long("tnt_s_patch16_224", 224),
        long("volo_d1_224", 224),
        long("fastvit_t8", 256),
        long("hiera_tiny_224", 224),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_timm(name, size):
    timm = pytest.importorskip("timm", reason="needs the torch extra")
    model, inputs, recording = recorded(lambda: timm.create_model(name), (2, 3, size, size))
    assert macs(recording, 2) == counted_by_pytorch(model, inputs)
    assert recording.notes == ()


@pytest.mark.parametrize(
    "name",
    [long("swin_v2_t"), long("maxvit_t"), long("efficientnet_v2_s"), long("mnasnet0_5"), long("squeezenet1_0")],
)
def test_torchvision_to_the_last_mac_or_told(name):
    models = pytest.importorskip("torchvision.models", reason="needs the torch extra")
    model, inputs, recording = recorded(getattr(models, name), (4, 3, 224, 224))
    if name != "swin_v2_t":
        assert macs(recording, 4) == counted_by_pytorch(model, inputs)
        return
    # Its position biases come from a small network of constants, which runs once a batch and not once a sample.
    missing = counted_by_pytorch(model, inputs) - macs(recording, 4)
    tables = [module for name, module in model.named_modules() if name.endswith("cpb_mlp")]
    offsets = (2 * 8 - 1) ** 2
    assert missing == sum(offsets * (mlp[0].weight.numel() + mlp[2].weight.numel()) for mlp in tables)
    assert [note.split(":")[0] for note in recording.notes] == [
        "addmm of constants and parameters, once a batch, is missing",
        "mm of constants and parameters, once a batch, is missing",
    ]


@pytest.mark.parametrize("name", ["retinanet_resnet50_fpn", long("fcos_resnet50_fpn")])
def test_dense_detector_without_its_boxes(name):
    """Backbone, pyramid and heads, which share their weights over the levels.

    The whole detector cannot be recorded: it takes lists of images and targets, and which boxes it keeps
    depends on values.
    """
    models = pytest.importorskip("torchvision.models", reason="needs the torch extra")

    class Dense(nn.Module):
        def __init__(self):
            super().__init__()
            detector = getattr(models.detection, name)(weights=None, weights_backbone=None)
            self.backbone, self.head = detector.backbone, detector.head

        def forward(self, images):
            return self.head(list(self.backbone(images).values()))

    model, inputs, recording = recorded(Dense, (2, 3, 128, 128))
    assert macs(recording, 2) == counted_by_pytorch(model, inputs)
    assert recording.notes == ()
    shared = [layer for layer in recording.layers if getattr(layer, "shares_weights_with", None)]
    assert any(layer.shares_weights_with.startswith("head.classification_head.conv.0") for layer in shared)


def tiny_detr(transformers):
    backbone = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1],
                                         out_features=["stage4"])  # fmt: skip
    return transformers.DetrForObjectDetection(transformers.DetrConfig(
        use_timm_backbone=False, use_pretrained_backbone=False, backbone_config=backbone, d_model=16, num_queries=5,
        encoder_layers=1, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16,
        decoder_ffn_dim=16,
    ))  # fmt: skip


def tiny_mixtral(transformers):
    config = transformers.MixtralConfig(vocab_size=50, hidden_size=16, intermediate_size=32, num_hidden_layers=2,
                                        num_attention_heads=2, num_key_value_heads=1, num_local_experts=4)  # fmt: skip
    return transformers.MixtralForCausalLM(config)


def tiny_patchtst(transformers):
    config = transformers.PatchTSTConfig(context_length=32, d_model=16, num_attention_heads=2, num_hidden_layers=2,
                                         ffn_dim=16, num_input_channels=3, patch_length=4, patch_stride=4)  # fmt: skip
    return transformers.PatchTSTForPrediction(config)


@pytest.mark.long
@pytest.mark.parametrize(
    ("build", "name", "shape", "dtype"),
    [
        (tiny_detr, "pixel_values", (2, 3, 64, 64), torch.float32),
        (tiny_mixtral, "input_ids", (2, 7), torch.int64),
        (tiny_patchtst, "past_values", (2, 32, 3), torch.float32),
    ],
)
def test_transformers_with_values(build, name, shape, dtype):
    """On the CPU, with fused attention: masks that are asked for values, experts, windows folded into the batch."""
    transformers = pytest.importorskip("transformers", reason="needs transformers, which no extra installs")
    from model_table.count import count
    from model_table.transformers_models import Outputs

    forward, backward, recording = count(Outputs(build(transformers)), {name: torch.zeros(shape, dtype=dtype)})
    assert (forward.unexplained, backward.unexplained) == (0, 0)
    assert "grouped_mm" not in recording.missing


def shapes_of_products(layers):
    return [(one.kind, one.product_shape(1)) for one in layers if isinstance(one, Conv2d | Linear | Matmul)]


@pytest.mark.parametrize(("name", "size", "expected"), [("mobilevit_xxs", 256, 407_364_096), ("davit_tiny", 224, None)])
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_fused_attention_has_its_windows_on_the_cpu(name, size, expected):
    """The CPU has operators of its own for it: windows folded into the batch were once left out there."""
    timm = pytest.importorskip("timm", reason="needs the torch extra")
    model, inputs, on_meta = recorded(lambda: timm.create_model(name), (2, 3, size, size))
    on_cpu = record_forward(timm.create_model(name), [torch.zeros(2, 3, size, size)], 2)
    assert shapes_of_products(on_cpu.layers) == shapes_of_products(on_meta.layers)
    assert macs(on_cpu, 2) == counted_by_pytorch(model, inputs)
    assert expected is None or macs(on_cpu, 1) == expected
    assert on_cpu.notes == ()


# the networks of ImageNet are the same, and run longer
SMALL = [name for name in shipped_names("traces") if not name.endswith("imagenet")]


@pytest.mark.parametrize("name", [name if name.startswith("transformer") else long(name) for name in SMALL])
def test_shipped_networks_have_the_same_products_on_the_cpu(name):
    """Their traces are recorded on the meta device."""
    recipe = find_recipe(name)
    dtypes = recipe.input_dtypes or ("float32",) * len(recipe.input_shapes)
    inputs = [torch.zeros(2, *shape, dtype=getattr(torch, dtype))
              for shape, dtype in zip(recipe.input_shapes, dtypes, strict=True)]  # fmt: skip
    recording = record_forward(recipe.build(), inputs, 2)
    assert shapes_of_products(recording.layers) == shapes_of_products(load_trace(name).layers)


class Attentions(nn.Module):
    """Attention products called in every way."""

    def __init__(self, way):
        super().__init__()
        self.way = way
        self.query, self.key, self.value = (nn.Linear(16, 16) for _ in range(3))
        self.module = nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x, memory):
        if self.way == "module":
            return self.module(x, memory, memory)[0]
        q, k, v = (part.unflatten(2, (4, 4)).transpose(1, 2)
                   for part in (self.query(x), self.key(memory), self.value(memory)))  # fmt: skip
        return self.mix(q, k, v).transpose(1, 2).flatten(2)

    def mix(self, q, k, v):
        if self.way == "fused":
            return nn.functional.scaled_dot_product_attention(q, k, v)
        if self.way == "einsum":
            shares = torch.einsum("nhld,nhmd->nhlm", q, k).softmax(-1)
            return torch.einsum("nhlm,nhmd->nhld", shares, v)
        if self.way == "bmm":
            folded = (torch.bmm(q.flatten(0, 1), k.flatten(0, 1).mT)).softmax(-1)
            return torch.bmm(folded, v.flatten(0, 1)).unflatten(0, q.shape[:2])
        return torch.matmul((q @ k.transpose(-2, -1)).softmax(-1), v)


@pytest.mark.parametrize("way", ["module", "fused", "einsum", "bmm", "matmul"])
def test_attention_however_it_is_called(way):
    model, inputs, recording = recorded(lambda: Attentions(way), (3, 5, 16), (3, 7, 16))
    assert recording.inputs == {"x": (5, 16), "memory": (7, 16)}
    products = [layer for layer in recording.layers if isinstance(layer, Matmul)]
    assert [(layer.G, layer.M, layer.C, layer.K) for layer in products] == [(4, 5, 4, 7), (4, 5, 7, 4)]
    assert macs(recording, 3) == counted_by_pytorch(model, inputs)
    assert recording.notes == ()


class Grouped(nn.Module):
    """Products with one weight a group, from either side, and a linear layer of the result."""

    def __init__(self):
        super().__init__()
        self.right = nn.Parameter(torch.zeros(3, 8, 6))
        self.left = nn.Parameter(torch.zeros(3, 5, 6))
        self.head = nn.Linear(15, 2)

    def forward(self, x):
        y = torch.einsum("nlgc,gck->nlgk", x, self.right)
        y = torch.einsum("gqk,nlgk->nlgq", self.left, y)
        return self.head(torch.relu(y).flatten(2))


def test_products_with_a_weight_a_group_are_grouped_convolutions():
    model, inputs, recording = recorded(Grouped, (2, 7, 3, 8))
    assert macs(recording, 2) == counted_by_pytorch(model, inputs)
    grouped = [layer for layer in recording.layers if isinstance(layer, Conv2d)]
    assert [(one.groups, one.C, one.K, one.H, one.W) for one in grouped] == [(3, 24, 18, 7, 1), (3, 18, 15, 7, 1)]
    assert recording.notes == ()


class Upsampled(nn.Module):
    """Pooling, additions, concatenation and upsampling, with a branch that depends on a setting."""

    def __init__(self, deep):
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.Upsample(scale_factor=2, mode="nearest")
        self.norm, self.out, self.deep = nn.GroupNorm(2, 8), nn.Conv2d(11, 4, 1), deep

    def forward(self, x):
        y = nn.functional.silu(self.norm(self.down(x)))
        while self.deep and y.shape[-1] > 2:
            y = nn.functional.avg_pool2d(y, 2)
        size = x.shape[-2:]
        y = nn.functional.interpolate(y, size=size, mode="bilinear") if self.deep else self.up(y)
        return self.out(torch.cat([x, y], dim=1))


@pytest.mark.parametrize("deep", [False, True])
def test_upsampling_and_control_flow(deep):
    model, inputs, recording = recorded(lambda: Upsampled(deep), (2, 3, 16, 16))
    assert macs(recording, 2) == counted_by_pytorch(model, inputs)
    assert recording.notes == ()
    ops = [getattr(layer, "op", layer.kind) for layer in recording.layers]
    pools, enlarged = (["avg_pool2d"] * 2, "upsample_bilinear2d") if deep else ([], "upsample_nearest2d")
    assert ops == ["conv2d", "group_norm", "silu", *pools, enlarged, "cat", "conv2d"]
    assert recording.layers[-2].inputs == ("x", recording.layers[-3].id)


class Shifted(nn.Module):
    """Scores to which the product itself adds what another layer made, in another shape: BLOOM's positions."""

    def __init__(self):
        super().__init__()
        self.query, self.shift = nn.Linear(8, 8), nn.Linear(8, 5)

    def forward(self, x):
        query = self.query(x)
        return torch.baddbmm(self.shift(x[:, 0])[:, None], query, query.mT)


def test_what_a_product_adds_may_need_another_shape():
    model, inputs, recording = recorded(Shifted, (3, 5, 8))
    assert macs(recording, 3) == counted_by_pytorch(model, inputs)
    *_, reshaped, added = recording.layers
    assert (added.kind, added.op, added.shape, added.inputs) == ("add", "add", (1, 5, 5), ("baddbmm", reshaped.id))
    assert (reshaped.kind, reshaped.inputs) == ("reshape", ("shift",))
