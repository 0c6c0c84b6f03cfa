"""Record any PyTorch module as the layers of a trace, from its shapes alone.

The recorder sits below autograd, where every model has become a sequence of aten operators: functional
calls, attention modules, shared modules, in-place operators and control flow look alike there. It works
on the meta device, where nothing is computed, as well as on any other.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from workloads.foundation.errors import InputError
from workloads.graph import Shape, check_graph
from workloads.layers import Layer
from workloads.pytorch import aten_products, aten_vectors
from workloads.pytorch.aten_call import HANDLERS, Call, floating_outputs, plain_name, record_unknown
from workloads.pytorch.tape import Place, Tape

# Imported for the handlers that they register.
_HANDLER_FILES = (aten_products, aten_vectors)
# Operators that copy an activation and do nothing else to it.
_COPIES = {"clone", "to_copy", "contiguous", "unsafe_view", "reshape_alias", "unsafe_split", "unsafe_split_with_sizes"}
_PRODUCTS = {"convolution", "mm", "addmm", "bmm", "baddbmm"}
# Operators that take an activation's shape and not its contents.
_FACTORIES = {
    "empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "new_empty", "new_zeros",
    "new_ones", "new_full", "new_empty_strided",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recording:
    """What the recorder saw.

    Attributes
    ----------
    layers : tuple of Layer
        The layers in the order in which they ran.
    inputs : dict
        The network's inputs and their shapes for one sample.
    notes : tuple of str
        What could not be recorded as it is.
    """

    layers: tuple[Layer, ...]
    inputs: dict[str, Shape]
    notes: tuple[str, ...]


def record_forward(
    model: nn.Module, inputs: Mapping[str, torch.Tensor] | Sequence[torch.Tensor], batch_size: int
) -> Recording:
    """Run a model forward once, in training mode, and record its layers.

    Parameters
    ----------
    model : nn.Module
        Any module; its buffers, modes, hooks and the random state are as before when this returns.
    inputs : mapping or sequence of Tensor
        Arguments of its `forward`, by name or in order, each with `batch_size` samples.
    batch_size : int
        The size of the batch in the inputs.

    Raises
    ------
    InputError
        If no dimension of an input is the batch.
    """
    by_name = isinstance(inputs, Mapping)
    named = dict(inputs if by_name else zip(argument_names(model, len(inputs)), inputs, strict=True))
    for name, tensor in named.items():
        if batch_size not in tensor.shape:
            raise InputError(
                "inputs",
                name,
                f"shape {tuple(tensor.shape)} has no dimension of {batch_size}, the batch",
                "give every input the same batch size",
            )
    tape = Tape(batch_size, dict(model.named_parameters()))
    for name, tensor in named.items():
        tape.add_input(name, tensor)
    with _unchanged(model), following_places(model, tape), torch.no_grad(), Observer(tape):
        model(**named) if by_name else model(*named.values())
    return finished(tape, list(named))


def finished(tape: Tape, inputs: Sequence[str]) -> Recording:
    """Return what stands on a tape when the forward pass is over."""
    layers = tape.finish(inputs)
    shapes = {name: tape.shapes[name] for name in inputs}
    check_graph(layers, shapes)
    return Recording(layers, shapes, tape.notes())


def argument_names(model: nn.Module, count: int) -> list[str]:
    """Return the names of the first arguments of a model's forward pass."""
    known = [name for name, one in signature(model.forward).parameters.items()
             if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]  # fmt: skip
    return [known[i] if i < len(known) else f"input{i}" for i in range(count)]


@contextmanager
def _unchanged(model: nn.Module) -> Iterator[None]:
    """Put the model in training mode, and back into its old state with all buffers at the end."""
    modes = {module: module.training for module in model.modules()}
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    try:
        with torch.random.fork_rng(devices=[]):
            model.train()
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)


@contextmanager
def following_places(model: nn.Module, tape: Tape, in_loop: bool = False) -> Iterator[None]:
    """Keep `tape.place` at the innermost module that runs.

    With `in_loop` the model's own forward pass runs already, and what the forward hooks do that are there is
    not recorded: they are the training's, not the model's.
    """
    stack: list[Place] = [tape.place]
    calls = 0
    handles = []

    def enter(path: str, leaf: bool) -> Any:
        def hook(*_: object) -> None:
            nonlocal calls
            calls += 1
            stack.append(Place(path, calls, leaf))
            tape.place = stack[-1]

        return hook

    def leave(*_: object) -> None:
        stack.pop()
        tape.place = stack[-1]
        tape.paused = False

    def pause(*_: object) -> None:
        tape.paused = in_loop

    try:
        for path, module in model.named_modules():
            handles.append(module.register_forward_pre_hook(enter(path, not any(module.children()))))
            handles.append(module.register_forward_hook(pause, prepend=True, always_call=True))
            handles.append(module.register_forward_hook(leave, always_call=True))
        if in_loop:
            enter("", not any(model.children()))()
        yield
    finally:
        for handle in handles:
            handle.remove()


class Observer(TorchDispatchMode):
    """Records the operators that run in its context on a tape."""

    def __init__(self, tape: Tape) -> None:
        super().__init__()
        self._tape = tape

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if self._tape.paused:
            return out
        tensors = tuple(leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor))
        _observe(self._tape, func, Call(plain_name(func._schema.name), args, tensors, out))
        return out


def _observe(tape: Tape, func: Any, call: Call) -> None:
    """Record one operator."""
    if not any(tape.is_activation(tensor) for tensor in call.tensors):
        if call.op in _PRODUCTS and any(tape.constant(tensor).parameters for tensor in call.tensors):
            tape.note(f"{call.op} of constants and parameters, once a batch, is missing", tape.here)
        for out in tree_leaves(call.out):
            if isinstance(out, torch.Tensor):
                tape.set_constant(out, map(tape.constant, call.tensors), random=call.op == "bernoulli")
    elif call.op in _FACTORIES:
        return
    elif func.is_view or call.op in _COPIES:
        if tape.is_activation(call.args[0]):
            for out in tree_leaves(call.out):
                tape.show(out, call.args[0], call.op, copies=not func.is_view)
    elif floating_outputs(call.out):
        HANDLERS.get(call.op, record_unknown)(tape, call)
