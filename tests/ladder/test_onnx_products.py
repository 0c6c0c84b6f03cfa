"""Every ONNX operator with multiply-accumulates: what one sample takes, by hand, or that it is named as missing."""

import pytest

onnx = pytest.importorskip("onnx", reason="needs the onnx extra")

import numpy as np  # noqa: E402
from onnx import TensorProto, helper  # noqa: E402
from onnx_graphs import Builder, macs, products, read  # noqa: E402

from workloads.importers.onnx.operators import OPERATORS  # noqa: E402
from workloads.layers import Conv2d, Linear, Matmul  # noqa: E402

FLOAT = TensorProto.FLOAT
# Operator, what it reads (batch first, W a weight of that shape), attributes, multiply-accumulates of one sample by
# hand, and of them those that the trace has no layer for.
CASES = [
    ("Conv", ["2x6x9x9", "W8x3x3x3"], {"group": 2, "strides": [2, 2]}, 8 * 16 * 27, 0),
    ("Conv", ["2x6x20", "W8x6x5"], {"pads": [2, 2]}, 8 * 20 * 30, 0),
    ("Conv", ["2x6x9x9", "W8x6x3x3"], {"pads": [0, 1, 1, 0]}, 8 * 64 * 54, 0),
    ("Conv", ["2x6x9x9", "W8x6x2x2"], {"auto_pad": "SAME_LOWER"}, 8 * 81 * 24, 0),
    ("Conv", ["2x4x5x6x7", "W8x4x3x3x3"], {}, 8 * 3 * 4 * 5 * 108, 8 * 3 * 4 * 5 * 108),
    ("Conv", ["2x6x9x9", "2x6x3x3"], {}, 49 * 54, 49 * 54),  # filters that the network computes
    ("ConvTranspose", ["2x6x9x9", "W6x4x2x2"], {"strides": [2, 2]}, 6 * 81 * 16, 0),
    ("ConvTranspose", ["2x6x9x9", "W6x4x3x3"], {"group": 2, "pads": [1, 1, 1, 1]}, 6 * 81 * 36, 0),
    ("ConvTranspose", ["2x6x9", "W6x4x3"], {"strides": [2], "auto_pad": "SAME_UPPER"}, 6 * 9 * 12, 6 * 9 * 12),
    ("ConvTranspose", ["2x6x9x9", "W6x4x3x3"], {"pads": [1, 1, 0, 1]}, 6 * 81 * 36, 6 * 81 * 36),
    ("Gemm", ["2x12", "W5x12"], {"transB": 1}, 60, 0),
    ("Gemm", ["12x2", "W12x5"], {"transA": 1}, 60, 0),
    ("Gemm", ["W5x12", "12x2"], {}, 60, 0),
    ("MatMul", ["2x7x12", "W12x5"], {}, 7 * 60, 0),
    ("MatMul", ["2x12", "W12"], {}, 12, 0),
    ("MatMul", ["W7x12", "2x12x5"], {}, 7 * 60, 0),
    ("MatMul", ["2x3x7x12", "W3x12x5"], {}, 3 * 7 * 60, 0),
    ("MatMul", ["2x3x7x12", "2x3x12x5"], {}, 3 * 7 * 60, 0),
    ("MatMul", ["2x4x7x12", "2x1x12x5"], {}, 4 * 7 * 60, 0),
    ("MatMul", ["2x7x12", "W3x1x12x5"], {}, 3 * 7 * 60, 3 * 7 * 60),  # all vectors by each of three weights
    ("Einsum", ["2x7x12", "W12x5"], {"equation": "blc,ck->blk"}, 7 * 60, 0),
    ("Einsum", ["2x3x7x12", "2x3x5x12"], {"equation": "bhqd,bhkd->bhqk"}, 3 * 7 * 60, 0),
    ("Einsum", ["2x7x3x12", "W3x12x5"], {"equation": "...hc,hck->...hk"}, 3 * 7 * 60, 0),
    ("Einsum", ["2x7x12", "W12x5", "2x5"], {"equation": "blc,ck,bk->bl"}, 7 * 60, 7 * 60),
    ("Attention", ["2x3x7x12", "2x3x9x12", "2x3x9x8"], {}, 3 * 7 * 9 * (12 + 8), 0),
    ("Attention", ["2x7x36", "2x9x36", "2x9x24"], {"q_num_heads": 3, "kv_num_heads": 3}, 3 * 7 * 9 * (12 + 8), 0),
    ("LSTM", ["7x2x12", "W1x20x12", "W1x20x5"], {"hidden_size": 5}, 7 * 20 * (12 + 5), 0),
    ("LSTM", ["7x2x12", "W2x20x12", "W2x20x5"], {"hidden_size": 5, "direction": "bidirectional"}, 14 * 20 * 17, 0),
    ("GRU", ["2x7x12", "W1x15x12", "W1x15x5"], {"hidden_size": 5, "layout": 1}, 7 * 15 * (12 + 5), 0),
    ("RNN", ["7x2x12", "W1x5x12", "W1x5x5"], {"hidden_size": 5}, 7 * 5 * (12 + 5), 0),
    ("DeformConv", ["2x6x9x9", "W8x6x3x3", "2x18x7x7"], {}, 8 * 49 * 54, 8 * 49 * 54),
    ("ConvInteger", ["2x6x9x9u", "W8x6x3x3u"], {}, 8 * 49 * 54, 0),
    ("MatMulInteger", ["2x7x12u", "W12x5u"], {}, 7 * 60, 0),
    ("QLinearConv", ["2x6x9x9u", "s", "z", "W8x6x3x3u", "s", "z", "s", "z"], {}, 8 * 49 * 54, 0),
    ("QLinearMatMul", ["2x7x12u", "s", "z", "W12x5u", "s", "z", "s", "z"], {}, 7 * 60, 0),
]
# Nobody counts the arithmetic of these; a run names them all the same.
UNCOUNTED = {"CausalConvWithState", "LinearAttention", "DFT", "STFT"}


def test_every_product_of_the_table_has_a_case():
    products_of_the_table = {op for op, operator in OPERATORS.items() if operator.family == "product"}
    assert products_of_the_table == {case[0] for case in CASES} | UNCOUNTED


def test_the_table_knows_operators_of_onnx_alone():
    known = {schema.name for schema in onnx.defs.get_all_schemas_with_history() if schema.domain == ""}
    assert OPERATORS.keys() - known <= {"Stack", "ScanSlice", "BitCast", "Swish", "TensorScatter"}


def graph_of(operator, operands, attributes):
    b, names = Builder(), []
    for index, text in enumerate(operands):
        whole = text.endswith("u")
        shape = [int(size) for size in text.strip("Wusz").split("x") if size]
        name = f"x{index}"
        if text[0] in "Wsz":
            b.weight(name, *shape, dtype=np.uint8 if whole or text == "z" else np.float32)
        else:
            kind = TensorProto.UINT8 if whole else FLOAT
            b.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        names.append(name)
    b.node(operator, names, "y", **attributes)
    return b


@pytest.mark.parametrize(("operator", "operands", "attributes", "total", "missing"), CASES)
def test_multiply_accumulates_by_hand(tmp_path, operator, operands, attributes, total, missing):
    path = graph_of(operator, operands, attributes).save(tmp_path / "one.onnx", "y", version=23)
    axes = {f"x{index}": [int(size) for size in text.strip("u").split("x")].index(2)
            for index, text in enumerate(operands) if text[0] not in "Wsz"}  # fmt: skip
    found = read(path, batch_axes=axes)
    assert macs(found.layers) == total - missing
    shares = [note for note in found.notes if "of the arithmetic is not simulated" in note]
    assert len(shares) == (missing > 0)
    if missing:
        assert shares[0].startswith(f"Not recorded as it is: {missing / total:.2%} of the arithmetic")
        assert any(f"the multiply-accumulates of {operator} are missing: y" in note for note in found.notes)
    else:
        assert found.notes[2:] == ()


def test_shapes_of_products_by_hand(tmp_path):
    """Which number is C, and which K: multiply-accumulates alone do not tell."""

    def only(index):
        path = graph_of(*CASES[index][:3]).save(tmp_path / "one.onnx", "y", version=23)
        return products(read(path, batch_axes={"x0": CASES[index][1][0].split("x").index("2")}
                             if CASES[index][1][0][0] != "W" else {"x1": 1}).layers)[0]  # fmt: skip

    def where(operator, first):
        return next(index for index, case in enumerate(CASES) if case[0] == operator and case[1][0] == first)

    for index in (where("Gemm", "2x12"), where("Gemm", "12x2"), where("Gemm", "W5x12")):
        layer = only(index)
        assert isinstance(layer, Linear)
        assert (layer.L, layer.C, layer.K) == (1, 12, 5)
    layer = only(where("MatMul", "2x12"))
    assert (layer.L, layer.C, layer.K) == (1, 12, 1)
    layer = only(where("MatMul", "2x3x7x12"))
    assert isinstance(layer, Conv2d)
    assert (layer.groups, layer.C, layer.K, layer.H) == (3, 36, 15, 7)
    layer = only(where("Einsum", "2x3x7x12"))
    assert isinstance(layer, Matmul)
    assert (layer.G, layer.M, layer.C, layer.K) == (3, 7, 12, 5)


def test_products_of_constants_are_told(tmp_path):
    """A table of positions through a convolution runs once a batch."""
    b = Builder(x=(FLOAT, ("N", 8, 6, 6)))
    b.node("Conv", [b.weight("positions", 1, 4, 6, 6), b.weight("w", 8, 4, 1, 1)], "place")
    b.node("Add", ["x", "place"], "sum")
    b.node("Conv", ["sum", b.weight("v", 2, 8, 1, 1)], "y")
    found = read(b.save(tmp_path / "positions.onnx", "y"))
    # 8 x 4 x 36 once a batch, and 2 x 8 x 36 a sample of a batch of 13.
    once, rest = 8 * 4 * 36, 13 * 2 * 8 * 36
    assert found.notes[2:] == (
        f"Not recorded as it is: {once / (once + rest):.2%} of the arithmetic is not simulated"
        f" (Conv once a batch {once / (once + rest):.2%})",
        "Not recorded as it is: Conv of constants and parameters, once a batch, is missing: place",
    )


def test_learned_queries_run_for_every_sample(tmp_path):
    """Constants that are spread over the batch run as often as it has samples."""
    b = Builder(x=(FLOAT, ("N", 7, 12)))
    b.node("Shape", ["x"], "size", start=0, end=1)
    b.node("Concat", ["size", b.values("rest", 5, 12)], "target", axis=0)
    b.node("Expand", [b.weight("queries", 1, 5, 12), "target"], "spread")
    b.node("MatMul", ["spread", b.weight("w", 12, 12)], "q")
    b.node("Transpose", ["x"], "k", perm=[0, 2, 1])
    b.node("MatMul", ["q", "k"], "y")
    found = read(b.save(tmp_path / "queries.onnx", "y"))
    projection, scores = products(found.layers)
    assert (projection.L, projection.C, projection.K) == (5, 12, 12)
    assert (scores.G, scores.M, scores.C, scores.K) == (1, 5, 12, 7)
    assert found.notes[2:] == ()


def test_a_recurrence_tells_nothing_of_twice_the_batch(tmp_path):
    """A reshape keeps four samples: it runs at no other batch. Queries behind the LSTM are still each sample's own."""
    b = Builder(x=(FLOAT, (4, 7, 12)))
    b.node("Reshape", ["x", b.values("fixed", 4, 7, 12)], "r")
    b.node("Transpose", ["r"], "steps", perm=[1, 0, 2])
    b.node("LSTM", ["steps", b.weight("wi", 1, 20, 12), b.weight("wh", 1, 20, 5)], "all", "last", hidden_size=5)
    b.node("Shape", ["r"], "size", start=0, end=1)
    b.node("Concat", ["size", b.values("rest", 3, 5)], "target", axis=0)
    b.node("Expand", [b.weight("queries", 1, 3, 5), "target"], "spread")
    b.node("MatMul", ["spread", b.weight("w", 5, 6)], "q")
    b.node("MatMul", ["q", b.weight("v", 6, 5)], "p")
    b.node("Transpose", ["last"], "k", perm=[1, 2, 0])
    b.node("MatMul", ["p", "k"], "y")
    found = read(b.save(tmp_path / "fixed.onnx", "y"))
    # Seven steps of four gates of 5 states; then three queries of 5 numbers to 6, back to 5, and by the last state.
    assert macs(found.layers) == 7 * 20 * (12 + 5) + 3 * 5 * 6 + 3 * 6 * 5 + 3 * 5 * 1
    assert found.notes[2:] == ()


def sub_graph(output, nodes, inputs=()):
    makes = [helper.make_tensor_value_info(name, FLOAT, None) for name in output]
    return helper.make_graph(nodes, "body", [helper.make_tensor_value_info(*one) for one in inputs], makes)


@pytest.mark.parametrize("known", [True, False])
def test_a_branch(tmp_path, known):
    """The branch that is taken, where the file tells; else the first, and a note."""
    b = Builder(x=(FLOAT, ("N", 12)), flag=(TensorProto.BOOL, ()))
    b.weights.append(onnx.numpy_helper.from_array(np.array(False), "never"))
    b.weight("w", 12, 5), b.weight("v", 12, 6)
    branches = [sub_graph([name], [helper.make_node("MatMul", ["x", weight], [name], name=name)])
                for name, weight in (("left", "w"), ("right", "v"))]  # fmt: skip
    b.node("If", ["never" if known else "flag"], "y", then_branch=branches[0], else_branch=branches[1])
    found = read(b.save(tmp_path / "branch.onnx", "y"))
    assert [(layer.id, layer.K) for layer in products(found.layers)] == [("y/right", 6) if known else ("y/left", 5)]
    noted = [note for note in found.notes if "values decide what runs after If" in note]
    assert len(noted) == (not known)


def test_a_loop(tmp_path):
    """Three turns with one weight: three layers that share it, and their results side by side."""
    b = Builder(x=(FLOAT, ("N", 12)))
    b.weight("w", 12, 12)
    b.values("turns", 3), b.weights.append(onnx.numpy_helper.from_array(np.array(True), "going"))
    body = sub_graph(
        ["more", "next", "kept"],
        [helper.make_node("Identity", ["cond"], ["more"]),
         helper.make_node("MatMul", ["state", "w"], ["next"], name="m"),
         helper.make_node("Identity", ["next"], ["kept"])],
        [("i", TensorProto.INT64, []), ("cond", TensorProto.BOOL, []), ("state", FLOAT, None)],
    )  # fmt: skip
    b.node("Loop", ["turns", "going", "x"], "last", "rows", body=body)
    b.node("ReduceSum", ["rows", b.values("axis", 0)], "y")
    found = read(b.save(tmp_path / "loop.onnx", "y"))
    assert [(layer.id, layer.shares_weights_with) for layer in products(found.layers)] == [
        ("last/0/m", None), ("last/1/m", "last/0/m"), ("last/2/m", "last/0/m"),
    ]  # fmt: skip
    assert found.notes[2:] == ()


def test_weights_cut_into_a_sequence(tmp_path):
    """How torch's exporter writes the packed weights of attention."""
    b = Builder(x=(FLOAT, ("N", 7, 12)))
    b.weights.append(onnx.numpy_helper.from_array(np.array(0), "first"))
    b.node("SplitToSequence", [b.weight("packed", 36, 12), b.values("sizes", 12, 24)], "parts")
    b.node("SequenceAt", ["parts", "first"], "part")
    b.node("Transpose", ["part"], "turned")
    b.node("MatMul", ["x", "turned"], "y")
    found = read(b.save(tmp_path / "parts.onnx", "y"))
    (layer,) = products(found.layers)
    assert (layer.L, layer.C, layer.K) == (7, 12, 12)
    assert found.notes[2:] == ()


def test_a_scan(tmp_path):
    """One turn for every step of a sequence."""
    b = Builder(h=(FLOAT, ("N", 5)), x=(FLOAT, (7, "N", 12)))
    b.weight("w", 12, 5)
    body = sub_graph(
        ["next", "kept"],
        [helper.make_node("MatMul", ["step", "w"], ["p"], name="m"), helper.make_node("Add", ["state", "p"], ["next"]),
         helper.make_node("Identity", ["next"], ["kept"])],
        [("state", FLOAT, None), ("step", FLOAT, None)],
    )  # fmt: skip
    b.node("Scan", ["h", "x"], "last", "rows", body=body, num_scan_inputs=1)
    found = read(b.save(tmp_path / "scan.onnx", "rows"))
    assert len(products(found.layers)) == 7
    assert macs(found.layers) == 7 * 60
    assert found.notes[2:] == ()
