"""ONNX models: what is imported of them, and what each mistake is answered with."""

import sys

import pytest
from click.testing import CliRunner

onnx = pytest.importorskip("onnx", reason="needs the onnx extra")

from onnx import TensorProto  # noqa: E402
from onnx_graphs import Builder, image, macs, read  # noqa: E402

from simulator.cli.main import cli  # noqa: E402
from workloads.foundation.errors import InputError  # noqa: E402
from workloads.layers import Conv2d  # noqa: E402
from workloads.trace import load_trace  # noqa: E402


def small_cnn(batch):
    b = Builder(**image(batch, 3, 16, 16))
    b.node("Conv", ["image", b.weight("w1", 8, 3, 3, 3), b.weight("b1", 8)], "conv1", pads=[1, 1, 1, 1])
    bn = [b.weight(name, 8) for name in ("scale", "shift", "average", "variance")]
    b.node("BatchNormalization", ["conv1", *bn], "bn1")
    b.node("Relu", ["bn1"], "relu1")
    b.node("Conv", ["relu1", b.weight("w2", 8, 1, 3, 3)], "depthwise", group=8, strides=[2, 2], auto_pad="SAME_UPPER")
    b.node("MaxPool", ["relu1"], "pool1", kernel_shape=[2, 2], strides=[2, 2])
    b.node("Add", ["depthwise", "pool1"], "add")
    b.node("Concat", ["add", "pool1"], "concat", axis=1)
    b.node("GlobalAveragePool", ["concat"], "mean")
    b.node("Flatten", ["mean"], "flat")
    b.node("Gemm", ["flat", b.weight("w3", 10, 16), b.weight("b3", 10)], "head", transB=1)
    return b


@pytest.mark.parametrize("batch", ["N", 1, 4])
def test_convolutional_network(tmp_path, batch):
    found = read(small_cnn(batch).save(tmp_path / "cnn.onnx", "head"))
    layers = {layer.id: layer for layer in found.layers}
    assert found.inputs == {"image": (3, 16, 16)}
    # 8 x 16 x 16 x 3 x 9, then depthwise 8 x 8 x 8 x 9, then 16 x 10, by hand.
    assert macs(found.layers) == 8 * 256 * 27 + 8 * 64 * 9 + 160
    assert layers["conv1"].bias
    assert layers["bn1"].parameters == 16
    assert (layers["depthwise"].groups, layers["depthwise"].stride, layers["depthwise"].P) == (8, (2, 2), 8)
    # 16 at stride 2 needs one row more below only: an asymmetric padding comes before the convolution.
    assert (layers["depthwise.pad"].shape, layers["depthwise"].padding) == ((8, 17, 17), (0, 0))
    assert layers["add"].inputs == ("depthwise", "pool1")
    assert layers["concat"].shape == (16, 8, 8)
    assert (layers["mean"].kind, layers["mean"].shape) == ("pool", (16, 1, 1))
    assert (layers["head"].C, layers["head"].K, layers["head"].bias) == (16, 10, True)
    told = "any size" if batch == "N" else f"{batch} in the file"
    assert found.notes[1:] == (f"The batch is dimension 0 of image ({told}); --batch-axis takes another dimension.",)


def test_attention(tmp_path):
    b = Builder(tokens=(TensorProto.INT64, ("batch", 5)))
    b.node("Gather", [b.weight("table", 20, 8), "tokens"], "embedding")
    for name in ("q", "k", "v"):
        b.node("MatMul", ["embedding", b.weight(f"w_{name}", 8, 8)], f"{name}_product")
        b.node("Add", [f"{name}_product", b.weight(f"b_{name}", 8)], f"{name}_biased")
        b.node("Reshape", [f"{name}_biased", b.values(f"s_{name}", 0, 5, 2, 4)], f"{name}_heads")
    b.node("Transpose", ["q_heads"], "q", perm=[0, 2, 1, 3])
    b.node("Transpose", ["k_heads"], "k", perm=[0, 2, 3, 1])
    b.node("Transpose", ["v_heads"], "v", perm=[0, 2, 1, 3])
    b.node("MatMul", ["q", "k"], "scores")
    b.node("Softmax", ["scores"], "shares")
    b.node("MatMul", ["shares", "v"], "mixed")
    b.node("Transpose", ["mixed"], "back", perm=[0, 2, 1, 3])
    b.node("Reshape", ["back", b.values("s", 0, 5, 8)], "joined")
    b.node("MatMul", ["joined", "w_q"], "tied")
    found = read(b.save(tmp_path / "attention.onnx", "tied"))
    layers = {layer.id: layer for layer in found.layers}
    assert (layers["embedding"].kind, layers["embedding"].parameters) == ("other", 160)
    assert (layers["q_product"].L, layers["q_product"].C, layers["q_product"].bias) == (5, 8, True)
    assert "q_biased" not in layers
    scores, mixed = layers["scores"], layers["mixed"]
    assert (scores.G, scores.M, scores.C, scores.K) == (2, 5, 4, 5)
    assert (mixed.G, mixed.M, mixed.C, mixed.K) == (2, 5, 5, 4)
    assert layers["tied"].shares_weights_with == "q_product"
    assert macs(found.layers) == 4 * 5 * 64 + 2 * 2 * 5 * 5 * 4


@pytest.mark.parametrize("there", [True, False])
def test_weights_in_another_file(tmp_path, there):
    """Weights may be missing; what shapes depend on is read from beside the model."""
    b = Builder(x=(TensorProto.FLOAT, ("N", 4, 6)))
    b.node("Reshape", ["x", b.values("target", 0, 24)], "flat")
    b.node("MatMul", ["flat", b.weight("w", 24, 5)], "y")
    model = onnx.load(b.save(tmp_path / "whole.onnx", "y"))
    onnx.save_model(model, tmp_path / "split.onnx", save_as_external_data=True, location="split.data", size_threshold=0)
    if there:
        assert macs(read(tmp_path / "split.onnx").layers) == 120
        return
    (tmp_path / "split.data").unlink()
    with pytest.raises(InputError, match="because Reshape at flat gives none"):
        read(tmp_path / "split.onnx")


def test_quantised_weights(tmp_path):
    """Rounded numbers are looked through: the layer is the same, and so are its weights."""
    b = Builder(x=(TensorProto.FLOAT, ("N", 4, 6)))
    b.weight("scale", 5), b.weight("one"), b.weight("zero", dtype="int8"), b.weight("zeros", 5, dtype="int8")
    b.node("DequantizeLinear", [b.weight("w", 5, 6, dtype="int8"), "scale", "zeros"], "wide", axis=0)
    b.node("Transpose", ["wide"], "turned")
    b.node("QuantizeLinear", ["x", "one", "zero"], "narrow")
    b.node("DequantizeLinear", ["narrow", "one", "zero"], "again")
    b.node("MatMul", ["again", "turned"], "y")
    found = read(b.save(tmp_path / "narrow.onnx", "y"))
    assert [(layer.id, layer.inputs, layer.L, layer.C, layer.K) for layer in found.layers] == [("y", ("x",), 4, 6, 5)]
    assert found.notes[2:] == ()


def test_one_dimensional_convolution(tmp_path):
    b = Builder(sound=(TensorProto.FLOAT, (1, 4, 20)))
    b.node("Conv", ["sound", b.weight("w", 6, 4, 5)], "conv", strides=[2], pads=[2, 2])
    b.node("Relu", ["conv"], "relu")
    found = read(b.save(tmp_path / "sound.onnx", "relu"))
    conv = next(layer for layer in found.layers if isinstance(layer, Conv2d))
    assert (conv.H, conv.R, conv.W, conv.S, conv.Q, conv.stride, conv.padding) == (1, 1, 20, 5, 10, (1, 2), (0, 2))
    assert found.layers[-1].shape == (6, 10)


def test_what_cannot_be_recorded_is_told(tmp_path):
    b = Builder(**image(1, 3, 8, 8))
    b.node("ConvTranspose", ["image", b.weight("w", 3, 4, 2, 2)], "up", strides=[2, 2], pads=[0, 0, 1, 1])
    b.node("Det", ["up"], "odd")
    b.node("Conv", ["up", b.weight("v", 5, 4, 1, 1)], "conv")
    found = read(b.save(tmp_path / "odd.onnx", "conv"))
    # 3 x 64 numbers are spread by 4 x 2 x 2 each, and an edge is cut off; the convolution has 5 x 4 x 15 x 15.
    share = 100 * 3072 / (3072 + 4500)
    assert found.notes[2:] == (
        f"Not recorded as it is: {share:.2f}% of the arithmetic is not simulated (ConvTranspose {share:.2f}%)",
        "Not recorded as it is: the multiply-accumulates of ConvTranspose are missing: up",
        "Not recorded as it is: Det is recorded as 'other', without its arithmetic",
    )
    assert found.layers[0].parameters == 3 * 4 * 2 * 2


def test_shapes_computed_in_the_graph(tmp_path):
    """What torch exports for x.view(x.size(0), -1): the batch is read from the tensor."""
    b = Builder(**image("N", 3, 4, 4))
    b.node("Shape", ["image"], "shape")
    b.node("Gather", ["shape", b.values("zero", 0)], "size", axis=0)
    b.node("Concat", ["size", b.values("rest", -1)], "target", axis=0)
    b.node("Reshape", ["image", "target"], "flat")
    b.node("Gemm", ["flat", b.weight("w", 48, 2)], "head")
    found = read(b.save(tmp_path / "view.onnx", "head"))
    assert [(layer.id, layer.output_shape) for layer in found.layers] == [("head", (2,))]


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_resnet_written_from_its_pytorch_graph(tmp_path):
    """ResNet-18, node by node from its modules: the trace has the MACs that the recorder counts."""
    torch = pytest.importorskip("torch", reason="needs the torch extra")
    models = pytest.importorskip("torchvision.models", reason="needs the torch extra")
    from workloads.pytorch.recorder import record_forward

    with torch.device("meta"):
        model, inputs = models.resnet18(), [torch.zeros(2, 3, 64, 64)]
    recording = record_forward(model, inputs, 2)
    b = Builder(**image("N", 3, 64, 64))

    def conv_bn(x, name, conv, norm, relu=False):
        weight = b.weight(f"{name}.w", *conv.weight.shape)
        pads = list(conv.padding) * 2
        b.node("Conv", [x, weight], f"{name}.conv", strides=list(conv.stride), pads=pads, group=conv.groups)
        values = [b.weight(f"{name}.{part}", norm.num_features) for part in ("scale", "shift", "average", "variance")]
        b.node("BatchNormalization", [f"{name}.conv", *values], f"{name}.bn")
        return b.node("Relu", [f"{name}.bn"], f"{name}.relu") if relu else f"{name}.bn"

    x = conv_bn("image", "stem", model.conv1, model.bn1, relu=True)
    x = b.node("MaxPool", [x], "maxpool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for stage in range(1, 5):
        for number, block in enumerate(getattr(model, f"layer{stage}")):
            name = f"layer{stage}.{number}"
            y = conv_bn(x, f"{name}.1", block.conv1, block.bn1, relu=True)
            y = conv_bn(y, f"{name}.2", block.conv2, block.bn2)
            if block.downsample is not None:
                x = conv_bn(x, f"{name}.d", *block.downsample)
            x = b.node("Relu", [b.node("Add", [y, x], f"{name}.add")], f"{name}.out")
    x = b.node("Flatten", [b.node("GlobalAveragePool", [x], "mean")], "flat")
    b.node("Gemm", [x, b.weight("fc", 1000, 512), b.weight("fc.b", 1000)], "logits", transB=1)
    found = read(b.save(tmp_path / "resnet18.onnx", "logits"))
    assert macs(found.layers) == macs(recording.layers)

    def shapes(layers):
        keep = {"conv2d", "linear", "batch_norm", "activation", "pool", "add"}
        # A recorder and an exporter order a block's shortcut differently.
        return sorted((layer.kind, layer.output_shape, getattr(layer, "parameters", 0)) for layer in layers
                      if layer.kind in keep)  # fmt: skip

    assert shapes(found.layers) == shapes(recording.layers)


def test_import_command_makes_a_training_workload(tmp_path):
    source = small_cnn("N").save(tmp_path / "cnn.onnx", "head")
    out = tmp_path / "cnn.yaml"
    command = ["trace", "import", str(source), "--format", "onnx", "--batch-size", "16", "--out", str(out)]
    run = CliRunner().invoke(cli, command)
    assert run.exit_code == 0, run.output
    trace = load_trace(out)
    assert (trace.batch_size, trace.provenance.origin, trace.predictor.outputs) == (16, "imported", 27)
    run = CliRunner().invoke(cli, ["simulate", str(out), "--json"])
    assert run.exit_code == 0, run.output


def test_model_without_weights_is_no_training_workload(tmp_path):
    b = Builder(**image(1, 3, 8, 8))
    b.node("Einsum", ["image", "image", "image"], "sum", equation="nchw,nchw,nchw->nc")
    source = b.save(tmp_path / "sum.onnx", "sum")
    run = CliRunner().invoke(cli, ["trace", "import", str(source), "--format", "onnx"], standalone_mode=False)
    assert "no convolution or linear layer in it" in str(run.exception)
    # The error has notes of what is known.
    assert "100.00% of the arithmetic is not simulated (Einsum 100.00%)" in run.stderr
    assert "The batch is dimension 0 of image (1 in the file)" in run.stderr
    assert not (tmp_path / "sum.yaml").exists()


def test_missing_onnx_is_told_in_one_line(tmp_path, monkeypatch):
    source = small_cnn(1).save(tmp_path / "cnn.onnx", "head")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match=r"pip install '\.\[onnx\]'"):
        read(source)
