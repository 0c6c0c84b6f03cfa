"""Record any PyTorch module as the layers of a trace, from its shapes alone.

The recorder sits below autograd, where every model is a sequence of aten operators. Functional calls, attention
modules, shared modules, in-place operators and control flow look alike there. It works on the meta device, where
nothing is computed, as well as on any other.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from inspect import signature
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import TorchDispatchMode

from workloads.foundation.errors import InputError
from workloads.graph import Shape
from workloads.pytorch.aten_call import Call, plain_name, tensors_in
from workloads.pytorch.gradient_flow import torch_tape
from workloads.pytorch.operators import record
from workloads.recording.recording import Recording, finished, own_fault
from workloads.recording.tape import Tape
from workloads.recording.values import Place

# Of every operator of a pass in its order: its name, and the shapes that it returned.
Shapes = list[tuple[str, list[Shape]]]


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
    if any(map(is_lazy, model.parameters())):  # the first pass gives them their shapes
        _forward(model, named, by_name)
    if batch_size == 1:  # a dimension of 1 tells nothing: two samples have the same layers
        try:
            return _recorded(model, _twice(named, 1), by_name, 2)
        except Exception:  # a model that takes one sample alone
            pass
    return _recorded(model, named, by_name, batch_size)


def _recorded(model: nn.Module, inputs: Mapping[str, torch.Tensor], by_name: bool, batch_size: int) -> Recording:
    tape = torch_tape(batch_size, dict(model.named_parameters()))
    outputs = _run(model, inputs, by_name, Observer(tape), tape)
    if tape.values.asked:  # whether a constant has rows for every sample: twice the batch tells
        shapes = ShapeObserver()
        try:
            _forward(model, _twice(inputs, batch_size), by_name, shapes)
        except Exception:  # a model that takes one size of batch alone
            shapes.seen = []
        tape = torch_tape(batch_size, dict(model.named_parameters()))
        outputs = _run(model, inputs, by_name, Observer(tape, shapes.seen), tape)
    recording = finished(tape, type(model).__name__)
    del outputs
    return recording


def _twice(inputs: Mapping[str, torch.Tensor], batch_size: int) -> dict[str, torch.Tensor]:
    return {name: torch.cat([one, one], one.shape.index(batch_size)) for name, one in inputs.items()}


def _run(model: nn.Module, inputs: Mapping[str, torch.Tensor], by_name: bool, observer: "Observer", tape: Tape) -> Any:
    """Run the model; return its outputs, which the tape asks for at its end."""
    for name, tensor in inputs.items():
        tape.add_input(name, tensor)
        observer.knows_input(tensor)
    with following_places(model, tape):
        return _forward(model, inputs, by_name, tape.flow.following(), observer)


def _forward(
    model: nn.Module, inputs: Mapping[str, torch.Tensor], by_name: bool, *watching: AbstractContextManager[Any]
) -> Any:
    """Run the model in training mode; leave it as it was, with all buffers."""
    modes = {module: module.training for module in model.modules()}
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers() if not is_lazy(buffer)]
    try:
        with ExitStack() as stack:
            for one in (torch.random.fork_rng(devices=[]), torch.enable_grad()):
                stack.enter_context(one)
            model.train()
            for one in watching:
                stack.enter_context(one)
            return model(**inputs) if by_name else model(*inputs.values())
    finally:
        for module, mode in modes.items():
            module.training = mode
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)


def argument_names(model: nn.Module, count: int) -> list[str]:
    """Return the names of the first arguments of a model's forward pass."""
    known = [name for name, one in signature(model.forward).parameters.items()
             if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]  # fmt: skip
    return [known[i] if i < len(known) else f"input{i}" for i in range(count)]


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
    """Records the operators that run in its context on a tape.

    Parameters
    ----------
    tape : Tape
        Where they are recorded.
    doubled : list, optional
        The shapes of the same operators at twice the batch.
    """

    def __init__(self, tape: Tape, doubled: Shapes | None = None) -> None:
        super().__init__()
        self._tape = tape
        self._doubled = iter(doubled or ())
        self._follows = bool(doubled)

    def knows_input(self, tensor: torch.Tensor) -> None:
        """Tell the shape that an input has at twice the batch."""
        if self._follows:
            axis, shape = tensor.shape.index(self._tape.batch_size), list(tensor.shape)
            shape[axis] *= 2
            self._tape.values.set_doubled(tensor, tuple(shape))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if self._tape.paused:
            return out
        name = plain_name(func._schema.name)
        call = Call(name, func, args, kwargs or {}, tensors_in((args, kwargs)), tensors_in(out))
        try:
            self._follow(call)
            record(self._tape, call)
        except Exception as error:  # ours: the model's own operator has run
            raise own_fault(f"{func} at {self._tape.here} cannot be recorded", error) from error
        return out

    def _follow(self, call: Call) -> None:
        """Learn which dimensions of an operator's results grow with the batch."""
        if not self._follows:
            for out in call.outputs:
                self._tape.values.grow(out, call.tensors)
            return
        op, shapes = next(self._doubled, ("", []))
        if op != call.op or len(shapes) != len(call.outputs):
            self._follows = False
            self._tape.values.forget_doubled()
            self._tape.note("at twice the batch other operators run", self._tape.here)
            return
        for out, shape in zip(call.outputs, shapes, strict=True):
            self._tape.values.set_doubled(out, shape)


class ShapeObserver(TorchDispatchMode):
    """Keeps the names and the results' shapes of the operators that run in its context."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Shapes = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        self.seen.append((plain_name(func._schema.name), [tuple(one.shape) for one in tensors_in(out)]))
        return out
