"""Make torchvision importable beside a CPU-only torch.

torchvision from PyPI is built against torch with CUDA; beside a CPU-only torch its compiled part does not
load, and the import then fails on two operators that it expects there. The networks use neither, so
it is enough that they are defined.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

_SCHEMAS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


class _BeforeTorchvision(MetaPathFinder):
    """Defines the operators when torchvision is about to be imported, so that other tests do not load torch."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "torchvision":
            sys.meta_path.remove(self)
            _define_missing_operators()
        return None


def prepare_torchvision() -> None:
    """Let `import torchvision` define the operators that its compiled part should have brought."""
    if find_spec("torch") is not None:
        sys.meta_path.insert(0, _BeforeTorchvision())


def _define_missing_operators() -> None:
    found = PathFinder.find_spec("torchvision")
    if found is None or found.origin is None:
        return
    import torch

    for library in Path(found.origin).parent.glob("_C*"):
        try:
            torch.ops.load_library(str(library))
        except OSError:
            for name, schema in _SCHEMAS.items():
                if not hasattr(torch.ops.torchvision, name):
                    torch.library.define(f"torchvision::{name}", schema)
