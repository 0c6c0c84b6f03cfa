"""Wrong ONNX files: every mistake is answered in one line, with the node and the remedy."""

import pytest

onnx = pytest.importorskip("onnx", reason="needs the onnx extra")

from onnx import TensorProto, helper  # noqa: E402
from onnx_graphs import Builder, image, read  # noqa: E402

from workloads.foundation.errors import InputError  # noqa: E402


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


def convolution(shape=(1, 3, 8, 8), weight=(4, 3, 3, 3), negative=False, **attributes):
    def make(path):
        b = Builder(**image(*shape))
        b.node("Conv", ["image", b.weight("w", *weight)], "conv", **attributes)
        if negative:
            b.weights[0].dims[0] *= -1
        return b.save(path, "conv")

    return make


def reads_nothing(path):
    b = Builder(**image(1, 3, 8, 8))
    b.node("Add", ["image", "ghost"], "sum")
    return b.save(path, "sum")


def makes_twice(path):
    b = Builder(**image(1, 3, 8, 8))
    b.node("Relu", ["image"], "out")
    b.node("Sigmoid", ["image"], "out")
    return b.save(path, "out")


def makes_no_output(path):
    b = Builder(**image(1, 3, 8, 8))
    b.node("Relu", ["image"], "relu")
    return b.save(path, "other")


def cut_reshape(path):
    b = Builder(**image(1, 3, 8, 8))
    b.node("Reshape", ["image", b.values("target", 1, 100)], "flat")
    return b.save(path, "flat")


def by_values(path):
    """Rows that are not zero, as a detector's post-processing takes them, into a layer with weights."""
    b = Builder(boxes=(TensorProto.FLOAT, (1, 100)))
    b.node("NonZero", ["boxes"], "found")
    b.node("Cast", ["found"], "rows", to=TensorProto.FLOAT)
    b.node("Transpose", ["rows"], "turned")
    b.node("Gemm", ["turned", b.weight("w", 2, 4)], "head")
    return b.save(path, "head")


def damaged_weight(path):
    b = Builder(**image(1, 3, 8, 8))
    b.node("Conv", ["image", b.weight("w", 4, 3, 3, 3)], "conv")
    b.weights[0].raw_data = b"short"
    return b.save(path, "conv")


def narrow_lstm(path):
    b = Builder(steps=(TensorProto.FLOAT, (7, 1, 6)))
    b.node("LSTM", ["steps", b.weight("wi", 1, 20, 6), b.weight("wh", 1, 20, 5)], "all", hidden_size=4)
    return b.save(path, "all")


def odd_attribute(path):
    b = Builder(**image(1, 3, 8, 8))
    b.node("Conv", ["image", b.weight("w", 4, 3, 3, 3)], "conv", group="two")
    return b.save(path, "conv")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (open_shapes, "image: dimension 2 (height) is not fixed; give --shape image=1x3xheightx8 with a number there"),
        (wrong_shapes, "head: Gemm does not fit its operands: Input 0 expected to have rank 2 but has rank 4"),
        (custom_operator, "conv: Conv reads a tensor whose shape is not known, because Mine at mine gives none; write"),
        (by_values, "head: Gemm reads a tensor whose shape is not known, because NonZero at found gives none; write"),
        (no_model, "is no ONNX model (DecodeError); give an ONNX file"),
        (lambda path: path, "no such file; check the path"),
        (convolution(group=0), "conv: Conv: group is 0; check the model"),
        (convolution(group=2), "conv: Conv: 3 channels and 4 filters of 3 channels do not divide into 2 groups"),
        (convolution(weight=(5, 1, 3, 3), group=3), "conv: Conv: 3 channels and 5 filters of 1 channels do not divide"),
        (convolution(strides=[0, 1]), "conv: Conv does not fit its operands: Attribute strides must only contain"),
        (convolution(dilations=[0, 1]), "conv: Conv does not fit its operands: Attribute dilations must only contain"),
        (convolution(pads=[-1, 0, 0, 0]), "conv: Conv does not fit its operands: Attribute pads must not contain"),
        (convolution(kernel_shape=[2, 2]), "conv: Conv: kernel_shape is [2, 2], the filters are [3, 3]; check"),
        (convolution(weight=(4, 3, 9, 9)), "conv: Conv makes an empty tensor [1, 4, 0, 0]; check the model, or give"),
        (reads_nothing, "sum: reads 'ghost', which nothing before it makes; check the sizes of the inputs"),
        (makes_twice, "out: makes 'out', which is there already; check the sizes"),
        (makes_no_output, "other: is an output of the graph that nothing makes; check the sizes"),
        (cut_reshape, "flat: Reshape cannot make [1, 100] of [1, 3, 8, 8]; check the sizes"),
        (convolution(weight=(4, 3, 3, 3), negative=True), "w: has the impossible shape [-4, 3, 3, 3]; check the sizes"),
        (narrow_lstm, "all: LSTM: weights of [1, 20, 6] and [1, 20, 5], not [1, 16, 6] and [1, 16, 4]"),
        (odd_attribute, "conv: Conv"),
        (damaged_weight, "w: holds no tensor of [4, 3, 3, 3] (ValueError); check the sizes"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_one_line(tmp_path, make, message):
    with pytest.raises(InputError) as caught:
        read(make(tmp_path / "model.onnx"))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "model.onnx") in str(caught.value)


def test_what_is_left_out_behind_a_shape_by_values_is_told(tmp_path):
    """Boxes that are picked at the end of a detector take nothing from its layers with weights."""
    b = Builder(**image(1, 3, 8, 8))
    b.node("Conv", ["image", b.weight("w", 1, 3, 1, 1)], "conv")
    b.node("NonZero", ["conv"], "found")
    b.node("Cast", ["found"], "rows", to=TensorProto.FLOAT)
    found = read(b.save(tmp_path / "picked.onnx", "rows"))
    assert [layer.id for layer in found.layers] == ["conv"]
    assert found.notes[2:] == (
        "Not recorded as it is: the shape of what NonZero makes is not known; it and what reads it are left out: found",
    )
