"""ONNX models: convolutions, Gemm and MatMul, and the layers between them without multiply-accumulates.

A model is read for its shapes; its weights may be missing. What it was exported for was inference, so batch norms
that were folded into convolutions are gone, and with them their cost.
"""

from pathlib import Path
from typing import Any

from workloads.foundation.errors import InputError
from workloads.foundation.reading import read_bytes
from workloads.importers import NO_OPTIONS, Imported, Importer, InputOptions


def read_onnx(path: Path, options: InputOptions = NO_OPTIONS) -> Imported:
    """Read a model file.

    Raises
    ------
    InputError
        If it is no ONNX model, its shapes are not fixed, or the package `onnx` is missing.
    """
    model = _loaded(path)
    from workloads.importers.onnx.reader import imported

    return imported(path, model, options)


_MOST_BYTES = 1 << 31  # protobuf's own limit


def _loaded(path: Path) -> Any:
    try:
        import onnx
        import onnx.inliner
    except ImportError:
        raise InputError(
            str(path), "", "onnx is needed for it and not installed", "run pip install '.[onnx]' in a clone"
        ) from None
    data = read_bytes(path, _MOST_BYTES)
    try:
        model = onnx.load_model_from_string(data)  # weights in files beside it are not opened
        return onnx.inliner.inline_local_functions(model) if model.functions else model
    except Exception as error:  # protobuf's own errors have no common class across its versions
        raise InputError(str(path), "", f"is no ONNX model ({type(error).__name__})", "give an ONNX file") from None


IMPORTER = Importer("onnx", (".onnx",), "ONNX models", read_onnx, has_inputs=True)
