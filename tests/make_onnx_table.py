"""Import every ONNX model below some folders, and print a table of what comes of it.

    python tests/make_onnx_table.py FOLDER ... [--shape NAME=1x3x224x224] > table.md

Made for docs/networks.md from models that packages on PyPI ship. `--shape` says what the inputs of that name are, in
every model that has one. With onnxruntime installed, the naive count is on the shapes of a real run; a batch of any
size runs as one.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import onnx
from naive_onnx import count_macs
from onnx_graphs import macs, products

from simulator.cli.import_inputs import input_options
from workloads.foundation.errors import InputError
from workloads.importers import InputOptions, find_importer


def shapes_of_a_run(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model with the shapes that its tensors have when onnxruntime runs it on zeros."""
    import onnxruntime

    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    made = [name for node in model.graph.node for name in node.output if name]
    del whole.graph.output[:]
    whole.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in made)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(whole.SerializeToString(), options)
    zeros = {
        value.name: np.zeros(
            [max(1, one.dim_value) for one in value.type.tensor_type.shape.dim],
            onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type),
        )
        for value in model.graph.input
    }
    results = session.run(made, zeros)
    found = onnx.ModelProto()
    found.CopyFrom(model)
    del found.graph.value_info[:], found.graph.output[:]
    found.graph.value_info.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, value.shape)
        for name, value in zip(made, results, strict=True)
        if isinstance(value, np.ndarray)
    )
    return found


def row_of(path: Path, shapes: dict) -> str:
    """Return a model's line of the table."""
    model = onnx.load(path, load_external_data=False)
    named = {value.name for value in model.graph.input}
    mine = {name: shape for name, shape in shapes.items() if name in named}
    start = time.perf_counter()
    try:
        found = find_importer("onnx").read(path, InputOptions(mine))
    except InputError as error:
        return f"| {path.name} | refused: {str(error).partition(': ')[2]} | | | |"
    seconds = time.perf_counter() - start
    for value in model.graph.input:
        if value.name in mine:
            for dim, size in zip(value.type.tensor_type.shape.dim, mine[value.name], strict=True):
                dim.dim_value = size
    try:
        naive = count_macs(shapes_of_a_run(model), infers=False)
    except Exception:  # no onnxruntime, or the model does not run on zeros
        naive = None
    missing = [note.split(": ")[1] for note in found.notes if note.startswith("Not recorded")]
    told = "; ".join(missing) or "nothing"
    return (
        f"| {path.name} | {len(products(found.layers))} of {len(found.layers)} | {macs(found.layers):,} |"
        f" {'-' if naive is None else f'{naive:,}'} | {told} | {seconds:.1f} s |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--shape", action="append", default=[], metavar="NAME=NxCxHxW")
    given = parser.parse_args()
    shapes = dict(input_options(find_importer("onnx"), given.shape, ()).shapes)
    print("| model | layers with MACs | MACs a sample | naive count | not recorded as it is | time |")
    print("|---|---|---|---|---|---|")
    for folder in given.folders:
        for path in sorted(folder.rglob("*.onnx")):
            print(row_of(path, shapes))


if __name__ == "__main__":
    main()
