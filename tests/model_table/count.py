"""Count a model's multiply-accumulates twice, by the recorder and by torch, and name what makes the difference."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from workloads.graph import input_gradients, without_gradient
from workloads.layers import Matmul
from workloads.pytorch.recorder import record_forward
from workloads.recording.recording import Recording

BATCH = 2
# What a trace cannot say.
SHARED = "wgrad of shared weights where no gradient comes"


@dataclass
class Direction:
    """MACs of one direction of a batch.

    `why` holds what the recorder leaves out (positive) and what torch counts otherwise (negative where it counts
    less), by operator: together they must be the difference.
    """

    recorded: int
    torch: int = 0
    why: Counter[str] = field(default_factory=Counter)

    @property
    def unexplained(self) -> int:
        return self.torch - self.recorded - sum(self.why.values())


def count(model: nn.Module, inputs: Mapping[str, torch.Tensor]) -> tuple[Direction, Direction, Recording]:
    """Return forward and backward, and the recording.

    A backward product is as many MACs as its forward product in both counts: what the array adds at borders is not
    what is compared here.
    """
    recording = record_forward(model, inputs, BATCH)
    forward, backward = Direction(0), Direction(0)
    gradients, lost = input_gradients(recording.layers), without_gradient(recording.layers)
    for layer in recording.layers:
        if not hasattr(layer, "product_shape"):
            continue
        macs = layer.product_shape(BATCH).macs
        forward.recorded += macs
        trained = getattr(layer, "trainable", False)
        needed = gradients[layer.id]
        # A product of two parts of one tensor has the gradients of both.
        products = needed[0] + needed[-1] if isinstance(layer, Matmul) else any(needed)
        backward.recorded += macs * (products + trained)
        if trained and layer.id in lost:
            backward.why[SHARED] -= macs
    for operator, missing in recording.missing.items():
        forward.why[operator] += missing.forward
        backward.why[operator] += missing.backward
    by_torch(model, inputs, forward, backward)
    for direction in (forward, backward):
        direction.why = Counter({operator: macs for operator, macs in direction.why.items() if macs})
    return forward, backward, recording


def by_torch(model: nn.Module, inputs: Mapping[str, torch.Tensor], forward: Direction, backward: Direction) -> None:
    """Add torch's count of both directions, with attention and recurrent layers as plain products."""
    plain = sdpa_kernel(SDPBackend.MATH), torch.backends.mkldnn.flags(enabled=False)
    modes = Otherwise(), FlopCounterMode(display=False)
    model.train()
    with torch.random.fork_rng(devices=[]), plain[0], plain[1], modes[0] as otherwise, modes[1] as counter:
        out = model(**inputs)
        forward.torch = counter.get_total_flops() // 2
        forward.why.update(otherwise.take())
        leaves = [one for one in tree_leaves(out) if isinstance(one, torch.Tensor) and one.requires_grad]
        sum(one.abs().float().sum() for one in leaves).backward()
        backward.torch = counter.get_total_flops() // 2 - forward.torch
        backward.why.update(otherwise.take())


class Otherwise(TorchDispatchMode):
    """Where torch's counter is known to be off: operators that it does not know, and grouped convolutions' wgrad."""

    def __init__(self) -> None:
        super().__init__()
        self._found: Counter[str] = Counter()

    def take(self) -> Counter[str]:
        """Return what was found since the last call."""
        found, self._found = self._found, Counter()
        return found

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func._schema.name.partition("::")[2]
        if name == "convolution_backward":
            self._grouped(args, out)
        elif name in UNKNOWN:
            self._found[f"torch: {name} not counted"] -= UNKNOWN[name](args, out)
        return out

    def _grouped(self, args: Any, out: Any) -> None:
        """Add what torch counts too much: it takes a grouped convolution's wgrad for one of a single group."""
        grad_out, image, weight, groups = args[0], args[1], args[2], args[9]
        if out[1] is None or groups == 1:
            return
        transposed, positions = args[7], prod((args[1] if args[7] else grad_out).shape[2:])
        once = image.shape[0] * positions * weight.numel()
        by_torch = image.shape[0] * image.shape[1] * grad_out.shape[1] * prod(weight.shape[2:])
        by_torch *= prod(image.shape[2:]) if transposed else positions
        self._found["torch: a grouped wgrad counted as one group"] += by_torch - once


UNKNOWN = {
    "mv": lambda args, out: args[0].numel(),
    "addmv": lambda args, out: args[1].numel(),
    "dot": lambda args, out: args[0].numel(),
    "_grouped_mm": lambda args, out: args[0].shape[0] * args[1].shape[-2] * args[1].shape[-1],
}
