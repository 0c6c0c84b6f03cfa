"""ONNX models: what is imported of them, and what each mistake is answered with."""

import sys

import numpy as np
import pytest
from click.testing import CliRunner

onnx = pytest.importorskip("onnx", reason="needs the onnx extra")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from simulator.cli.main import cli  # noqa: E402
from workloads.foundation.errors import InputError  # noqa: E402
from workloads.graph import check_graph  # noqa: E402
from workloads.importers import find_importer  # noqa: E402
from workloads.layers import Conv2d, Linear, Matmul  # noqa: E402
from workloads.trace import load_trace  # noqa: E402


class Builder:
    """A graph under construction: weights are zeros, names of nodes are given."""

    def __init__(self, **inputs):
        self.inputs = [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()]
        self.nodes, self.weights = [], []

    def weight(self, name, *shape, dtype=np.float32):
        self.weights.append(numpy_helper.from_array(np.zeros(shape, dtype), name))
        return name

    def values(self, name, *values):
        self.weights.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    def node(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def save(self, path, output, kind=TensorProto.FLOAT):
        out = helper.make_tensor_value_info(output, kind, None)
        graph = helper.make_graph(self.nodes, "g", self.inputs, [out], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("own", 1)])
        onnx.save(model, path)
        return path


def image(*shape):
    return {"image": (TensorProto.FLOAT, shape)}


def read(path):
    found = find_importer("onnx").read(path)
    check_graph(found.layers, found.inputs)
    return found


def macs(layers):
    return sum(layer.product_shape(1).macs for layer in layers if isinstance(layer, Conv2d | Linear | Matmul))


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
    # 16 at stride 2 needs one row more below only: an asymmetric padding stands before the convolution.
    assert (layers["depthwise.pad"].shape, layers["depthwise"].padding) == ((8, 17, 17), (0, 0))
    assert layers["add"].inputs == ("depthwise", "pool1")
    assert layers["concat"].shape == (16, 8, 8)
    assert (layers["mean"].kind, layers["mean"].shape) == ("pool", (16, 1, 1))
    assert (layers["head"].C, layers["head"].K, layers["head"].bias) == (16, 10, True)
    assert len(found.notes) == 1


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
    b.node("ConvTranspose", ["image", b.weight("w", 3, 4, 2, 2)], "up", strides=[2, 2])
    b.node("Det", ["up"], "odd")
    b.node("Einsum", ["up", "up"], "sum", equation="nchw,nchw->nc")
    found = read(b.save(tmp_path / "odd.onnx", "sum"))
    assert found.notes[1:] == (
        "Not recorded as it is: the multiply-accumulates of ConvTranspose are missing: up",
        "Not recorded as it is: Det is recorded as 'other', without its arithmetic: odd",
        "Not recorded as it is: the multiply-accumulates of Einsum are missing: sum",
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
    assert [layer.id for layer in found.layers] == ["flat", "head"]


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


def without_weights(path):
    b = Builder(**image(1, 3, 8, 8))
    b.node("Relu", ["image"], "relu")
    return b.save(path, "relu")


def open_shapes(path):
    b = Builder(**image("N", 3, "height", 8))
    b.node("Conv", ["image", b.weight("w", 4, 3, 1, 1)], "conv")
    return b.save(path, "conv")


def wrong_shapes(path):
    b = Builder(**image(1, 3, 8, 8))
    b.node("Gemm", ["image", b.weight("w", 3, 4)], "head")
    return b.save(path, "head")


def custom_operator(path):
    b = Builder(**image(1, 3, 8, 8))
    b.nodes.append(helper.make_node("Mine", ["image"], ["mine"], name="mine", domain="own"))
    b.node("Conv", ["mine", b.weight("w", 4, 3, 1, 1)], "conv")
    return b.save(path, "conv")


def no_model(path):
    path.write_text("convolution, 3, 3\n")
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (open_shapes, "image: dimension 2 (height) is not fixed; export the model with fixed shapes"),
        (wrong_shapes, "head: its shape cannot be inferred; check the model"),
        (custom_operator, "mine: its shape cannot be inferred; check the model"),
        (no_model, "is no ONNX model (DecodeError); give an ONNX file"),
        (lambda path: path, "cannot be read: No such file or directory; give an ONNX file"),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path, make, message):
    with pytest.raises(InputError) as caught:
        read(make(tmp_path / "model.onnx"))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_model_without_weights_is_no_training_workload(tmp_path):
    source = without_weights(tmp_path / "relu.onnx")
    run = CliRunner().invoke(cli, ["trace", "import", str(source), "--format", "onnx"], standalone_mode=False)
    assert "no convolution or linear layer in it" in str(run.exception)


def test_missing_onnx_is_told_in_one_line(tmp_path, monkeypatch):
    source = without_weights(tmp_path / "relu.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match=r"pip install '\.\[onnx\]'"):
        read(source)
