"""Damaged ONNX graphs: whatever is wrong with a node, the answer is a network or one line."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

onnx = pytest.importorskip("onnx", reason="needs the onnx extra")

from onnx import AttributeProto, TensorProto, helper  # noqa: E402
from onnx_graphs import Builder  # noqa: E402

from workloads.foundation.errors import InputError  # noqa: E402
from workloads.graph import check_graph  # noqa: E402
from workloads.importers import InputOptions  # noqa: E402
from workloads.importers.onnx import read_onnx  # noqa: E402
from workloads.importers.onnx.operators import OPERATORS  # noqa: E402
from workloads.importers.onnx.reader import imported  # noqa: E402

SIZES = [-(2**31), -1, 0, 1, 2, 3, 7, 100, 2**31, 2**62]
OTHERS = ["If", "Loop", "Scan", "SplitToSequence", "SequenceAt", "ConcatFromSequence", "Unheard"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A graph with a node of every kind that has something to go wrong."""
    b = Builder(image=(TensorProto.FLOAT, ("N", 4, 8, 8)))
    b.node("Conv", ["image", b.weight("w", 6, 2, 3, 3), b.weight("b", 6)], "conv", group=2, pads=[1, 0, 1, 0])
    b.node("BatchNormalization", ["conv", *(b.weight(f"n{index}", 6) for index in range(4))], "norm")
    b.node("MaxPool", ["norm"], "pool", kernel_shape=[2, 2], strides=[2, 2])
    b.node("Shape", ["pool"], "shape")
    b.node("Gather", ["shape", b.values("zero", 0)], "size", axis=0)
    b.node("Concat", ["size", b.values("rest", 6, -1)], "target", axis=0)
    b.node("Reshape", ["pool", "target"], "rows")
    b.node("Transpose", ["rows"], "steps", perm=[2, 0, 1])
    b.node("LSTM", ["steps", b.weight("wi", 1, 20, 6), b.weight("wh", 1, 20, 5)], "all", "last", hidden_size=5)
    b.node("Squeeze", ["last", "zero"], "state")
    b.node("Gemm", ["state", b.weight("g", 5, 5), b.weight("h", 5)], "q")
    b.node("Einsum", ["q", "state"], "product", equation="ni,nj->nij")
    b.node("MatMul", ["product", "product"], "squares")
    b.node("ReduceMean", ["squares"], "y", axes=[1, 2])
    return onnx.load(b.save(tmp_path_factory.mktemp("whole") / "whole.onnx", "y"))


def damage(model, draw):
    """Change one thing in a graph."""
    node = draw(st.sampled_from(list(model.graph.node)))
    names = sorted({name for one in model.graph.node for name in (*one.input, *one.output)})
    what = draw(st.sampled_from(["remove", "read", "read less", "read more", "make", "operator", "attribute", "forget",
                                 "weight", "version", "domain"]))  # fmt: skip
    if what == "remove":
        model.graph.node.remove(node)
    elif what == "read" and node.input:
        node.input[draw(st.integers(0, len(node.input) - 1))] = draw(st.sampled_from(["", *names]))
    elif what == "read less" and node.input:
        del node.input[-1]
    elif what == "read more":
        node.input.append(draw(st.sampled_from(["", "nobody", *names])))
    elif what == "make":
        node.output[0] = draw(st.sampled_from(["", "new", *names]))
    elif what == "operator":
        node.op_type = draw(st.sampled_from(sorted(OPERATORS) + OTHERS))
    elif what == "attribute" and node.attribute:
        one = draw(st.sampled_from(list(node.attribute)))
        if one.type == AttributeProto.INTS:
            one.ints[draw(st.integers(0, len(one.ints) - 1))] = draw(st.sampled_from(SIZES))
        elif one.type == AttributeProto.INT:
            one.i = draw(st.sampled_from(SIZES))
        else:
            one.s = draw(st.sampled_from([b"", b"->", b"ni,nj", b"...i,...->i", b"odd"]))
    elif what == "forget" and node.attribute:
        node.attribute.remove(draw(st.sampled_from(list(node.attribute))))
    elif what == "weight":
        weight = draw(st.sampled_from(list(model.graph.initializer)))
        weight.dims[draw(st.integers(0, len(weight.dims) - 1))] = draw(st.sampled_from(SIZES))
    elif what == "version":
        model.opset_import[0].version = draw(st.sampled_from([0, 1, 6, 9, 11, 13, 18, 23, 99]))
    else:
        node.domain = draw(st.sampled_from(["ai.onnx", "own", "nobody"]))


@settings(max_examples=150)
@given(data=st.data())
def test_damage_is_answered_in_one_line(whole, data):
    model = onnx.ModelProto()
    model.CopyFrom(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        damage(model, data.draw)
    try:
        found = imported(Path("damaged.onnx"), model, InputOptions())
    except InputError as error:
        assert "\n" not in str(error)
        assert "fault of the recorder" not in str(error)
    else:
        check_graph(found.layers, found.inputs)


def test_an_input_of_a_type_that_onnx_does_not_know(tmp_path: Path) -> None:
    """A flipped byte once ended in protobuf's ValueError."""
    value = helper.make_tensor_value_info("x", 91, [1, 4])
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])], "g", [value], [helper.make_tensor_value_info("y", 1, [1, 4])]
    )
    (tmp_path / "m.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    with pytest.raises(InputError, match="is of type 91, which ONNX does not know"):
        read_onnx(tmp_path / "m.onnx")
