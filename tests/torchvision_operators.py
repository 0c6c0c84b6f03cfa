"""Make torchvision importable beside a CPU-only torch.

torchvision from PyPI is built against torch with CUDA; beside a CPU-only torch its compiled part does not
load, and the import then fails on two operators that it expects there. The networks use neither, so
it is enough that they are defined.
"""

from importlib.util import find_spec

_SCHEMAS = {
    "torchvision::nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "torchvision::qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def define_missing_operators() -> None:
    """Define the operators that are missing, where torch and torchvision are installed and the import fails."""
    if find_spec("torch") is None or find_spec("torchvision") is None:
        return
    import torch

    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name, schema in _SCHEMAS.items():
            namespace, _, operator = name.partition("::")
            if not hasattr(getattr(torch.ops, namespace), operator):
                torch.library.define(name, schema)
