"""The inputs of ONNX models: shapes that are not fixed, and which dimension is the batch."""

import pytest
from click.testing import CliRunner

onnx = pytest.importorskip("onnx", reason="needs the onnx extra")

from onnx import TensorProto, helper  # noqa: E402
from onnx_graphs import Builder, image, macs, products, read  # noqa: E402

from simulator.cli.main import cli  # noqa: E402
from workloads.foundation.errors import InputError  # noqa: E402
from workloads.trace import load_trace  # noqa: E402

FLOAT = TensorProto.FLOAT


def time_major(path):
    b = Builder(x=(FLOAT, (50, 1, 16)))
    b.node("MatMul", ["x", b.weight("w", 16, 10)], "y")
    return b.save(path / "time.onnx", "y")


def test_the_batch_that_was_taken_is_told(tmp_path):
    """Nothing in the file tells steps from samples, so it says what it takes, and takes the other."""
    found = read(time_major(tmp_path))
    assert macs(found.layers) == 160
    assert found.notes[1] == "The batch is dimension 0 of x (50 in the file); --batch-axis takes another dimension."
    found = read(time_major(tmp_path), batch_axes={"": 1})
    assert macs(found.layers) == 8000
    assert (found.inputs, found.layers[0].L) == ({"x": (50, 16)}, 50)
    found = read(time_major(tmp_path), batch_axes={"x": None})
    assert macs(found.layers) == 8000
    assert found.notes[1].startswith("No input has a batch; all is taken as one sample.")


def test_frames_folded_into_the_batch(tmp_path):
    """Eight frames a sample, in the batch of a convolution by a fixed reshape."""
    b = Builder(x=(FLOAT, (1, 8, 3, 32, 32)))
    b.node("Reshape", ["x", b.values("frames", 8, 3, 32, 32)], "r")
    b.node("Conv", ["r", b.weight("w", 16, 3, 3, 3)], "c")
    found = read(b.save(tmp_path / "frames.onnx", "c"))
    (conv,) = products(found.layers)
    assert (conv.N_per_sample, macs(found.layers)) == (8, 8 * 388_800)


@pytest.mark.parametrize("batch", [1, 4])
def test_a_first_input_without_the_batch_in_front(tmp_path, batch):
    """A state of two layers, and an image: the size that both have is the batch."""
    b = Builder(st=(FLOAT, (2, batch, 10)), x=(FLOAT, (batch, 3, 32, 32)))
    b.node("Conv", ["x", b.weight("w", 16, 3, 3, 3)], "conv")
    b.node("Gather", ["st", b.values("last", 1)], "state", axis=0)
    b.node("Squeeze", ["state", b.values("axis", 0)], "flat")
    b.node("MatMul", ["flat", b.weight("g", 10, 16)], "gate")
    b.node("Reshape", ["gate", b.values("image", 0, 16, 1, 1)], "spread")
    b.node("Mul", ["conv", "spread"], "y")
    found = read(b.save(tmp_path / "state.onnx", "y"))
    assert [layer.product_shape(1).macs for layer in products(found.layers)] == [388_800, 160]
    assert "dimension 1 of st, dimension 0 of x" in found.notes[1]


def test_a_recurrence_over_the_batch_is_told(tmp_path):
    """Fifty steps of one sample, time first: an LSTM cannot run over what is taken for samples."""
    b = Builder(x=(FLOAT, (50, 1, 16)))
    b.node("LSTM", ["x", b.weight("wi", 1, 20, 16), b.weight("wh", 1, 20, 5)], "all", hidden_size=5)
    path = b.save(tmp_path / "lstm.onnx", "all")
    found = read(path)
    assert any("the steps of LSTM are the dimension that was taken for the batch: all" in note for note in found.notes)
    assert macs(found.layers) == 0
    found = read(path, batch_axes={"": 1})
    assert macs(found.layers) == 50 * 20 * (16 + 5)
    assert found.notes[2:] == ()


def any_height(path, height=-1):
    b = Builder(x=(FLOAT, (1, 3, height, 32)))
    b.inputs[0].type.tensor_type.shape.dim[2].dim_value = -1
    b.node("Conv", ["x", b.weight("w", 8, 3, 3, 3)], "c")
    b.node("GlobalAveragePool", ["c"], "p")
    b.node("Flatten", ["p"], "f")
    b.node("Gemm", ["f", b.weight("g", 8, 5)], "y")
    return b.save(path / "any.onnx", "y")


def test_minus_one_is_a_dimension_that_is_not_fixed(tmp_path):
    with pytest.raises(InputError, match=r"x: dimension 2 \(unnamed\) is not fixed; give --shape x=1x3xDIM2x32"):
        read(any_height(tmp_path))


def test_shape_on_the_command_line(tmp_path):
    out = tmp_path / "any.yaml"
    command = ["trace", "import", str(any_height(tmp_path)), "--format", "onnx", "--out", str(out)]
    run = CliRunner().invoke(cli, [*command, "--shape", "x=1x3x32x32"])
    assert run.exit_code == 0, run.output
    trace = load_trace(out)
    assert macs(trace.layers) == 8 * 30 * 30 * 27 + 8 * 5
    assert "--shape x=1x3x32x32" in trace.provenance.command


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--shape", "y=1x3x32x32"], "--shape: y: is no input of"),
        (["--shape", "x=1x3x32"], "--shape: x: has 3 dimensions, and the file 4; give 4"),
        (["--shape", "1x3x32x32"], "--shape: is '1x3x32x32'; give an input and its sizes"),
        (["--shape", "x=1x3x-1x32"], "--shape: is 'x=1x3x-1x32'; give an input and its sizes"),
        (["--batch-axis", "first"], "--batch-axis: is 'first'; give a dimension"),
        (["--batch-axis", "x=4"], "--batch-axis: x: is 4, and there are 4 dimensions; give 0 to 3"),
        (["--batch-axis", "st=0"], "--batch-axis: st: is no input of"),
    ],
)
def test_wrong_options_are_told(tmp_path, options, message):
    command = ["trace", "import", str(any_height(tmp_path)), "--format", "onnx", *options]
    run = CliRunner().invoke(cli, command, standalone_mode=False)
    assert message in str(run.exception)


def test_options_for_inputs_need_a_format_with_inputs(tmp_path):
    (tmp_path / "a.csv").write_text("Layer, IFMAP Height, IFMAP Width\n")
    command = ["trace", "import", str(tmp_path / "a.csv"), "--format", "scalesim", "--batch-axis", "1"]
    run = CliRunner().invoke(cli, command, standalone_mode=False)
    assert "--batch-axis: scalesim files do not name their inputs; leave it out" in str(run.exception)


def test_open_dimensions_find_the_batch(tmp_path):
    """By its name wherever it stands; a sequence that comes first is none; sizes given once hold for all inputs."""
    b = Builder(tokens=(FLOAT, ("seq_len", "batch", 16)), mask=(FLOAT, ("batch", "seq_len")))
    b.node("MatMul", ["tokens", b.weight("w", 16, 10)], "y")
    b.node("Relu", ["mask"], "m")
    path = b.save(tmp_path / "open.onnx", "y")
    with pytest.raises(InputError, match=r"tokens: dimension 0 \(seq_len\) is not fixed"):
        read(path)
    found = read(path, {"tokens": (50, 1, 16)})
    assert found.inputs == {"tokens": (50, 16), "mask": (50,)}
    assert macs(found.layers) == 8000
    assert found.notes[1].startswith("The batch is dimension 1 of tokens, dimension 0 of mask (any size)")


def test_a_fixed_reshape_keeps_the_batch_of_the_file(tmp_path):
    """Any batch by its inputs, one sample by its constants: attention over all rows would mix more samples."""
    b = Builder(x=(FLOAT, ("N", 6, 8)))
    b.node("Reshape", ["x", b.values("heads", 1, -1, 2, 4)], "h")
    b.node("Transpose", ["h"], "q", perm=[0, 2, 1, 3])
    b.node("Transpose", ["h"], "k", perm=[0, 2, 3, 1])
    b.node("MatMul", ["q", "k"], "scores")
    found = read(b.save(tmp_path / "one.onnx", "scores"))
    (scores,) = products(found.layers)
    assert (scores.G, scores.M, scores.C, scores.K) == (2, 6, 4, 6)
    assert found.notes[1].endswith("Other sizes of it do not run.")


def test_shapes_that_the_file_holds_are_used_behind_an_unknown_operator(tmp_path):
    """What onnxruntime's symbolic_shape_infer writes into a file."""
    b = Builder(**image("batch", 3, 8, 8))
    b.nodes.append(helper.make_node("Mine", ["image"], ["mine"], name="mine", domain="own"))
    b.node("Conv", ["mine", b.weight("w", 4, 3, 1, 1)], "conv")
    path = b.save(tmp_path / "mine.onnx", "conv")
    model = onnx.load(path)
    model.graph.value_info.append(helper.make_tensor_value_info("mine", FLOAT, ["batch", 3, 8, 8]))
    onnx.save(model, path)
    found = read(path)
    assert macs(found.layers) == 4 * 3 * 64
    assert found.notes[2:] == ("Not recorded as it is: Mine is recorded as 'other', without its arithmetic",)
