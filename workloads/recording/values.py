"""What every tensor holds while a model is recorded: the output of a layer, a parameter, a constant, or a part of one.

Views are transparent. A tensor is looked up as a `View` of a `Value`; all views of one tensor share its value, and a
part of a tensor knows its whole. So what an operator writes in place through one view is seen through all.
"""

from collections.abc import Callable, Container, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from workloads.graph import Shape


class Tensor(Protocol):
    """What is asked of a tensor; PyTorch's tensors have it, and those of an ONNX graph."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def requires_grad(self) -> bool: ...  # noqa: D102

    def dim(self) -> int: ...  # noqa: D102

    def numel(self) -> int: ...  # noqa: D102

    def is_floating_point(self) -> bool: ...  # noqa: D102

    def is_complex(self) -> bool: ...  # noqa: D102

    def storage_offset(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Place:
    """Where an operator ran: the module, the how-manieth call of any module, and whether it has children."""

    path: str
    call: int
    leaf: bool


NOWHERE = Place("", 0, False)


@dataclass(slots=True, eq=False)
class Value:
    """What a tensor holds.

    Attributes
    ----------
    source : str, optional
        The layer that made it; None if no layer did, or none has read it yet.
    op, place
        The operator that made it, and where that ran.
    shape, doubled
        Shape of the whole tensor, and at twice the batch where that is known.
    parts : tuple of Value
        What it is made of. Its layer is recorded when a layer reads it.
    aliases : bool
        Whether it is a part of the memory of `parts[0]`.
    computed : bool
        Whether its operator does more than to move or select what its parts hold.
    active : bool
        Whether the network's inputs reach it other than through `parts[0]`.
    parameters : tuple of str
        Names of the parameters that a constant is computed from.
    random : bool
        Whether a constant is drawn, as a dropout mask is.
    """

    op: str = "reshape"
    place: Place = NOWHERE
    shape: Shape = ()
    doubled: Shape | None = None
    source: str | None = None
    parts: "tuple[Value, ...]" = ()
    aliases: bool = False
    computed: bool = False
    active: bool = False
    parameters: tuple[str, ...] = ()
    random: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """How one tensor shows a value: through which view operator, run where."""

    value: Value
    op: str
    place: Place


class Values:
    """The value of every tensor.

    Parameters
    ----------
    batch_size : int
        Samples in the batch.
    parameters : mapping
        The model's parameters by name.
    keyed : callable
        Makes a mapping whose keys are tensors, each only equal to itself.
    """

    def __init__(
        self, batch_size: int, parameters: Mapping[str, Tensor], keyed: Callable[[], MutableMapping[Any, Any]] = dict
    ) -> None:
        self.batch_size = batch_size
        self.asked = False
        self._views = keyed()
        self._doubled = keyed()
        self._grown = keyed()
        self._knows_doubled = False
        for name, tensor in parameters.items():
            self._views[tensor] = View(Value(shape=tuple(tensor.shape), parameters=(name,)), "reshape", NOWHERE)

    def set_doubled(self, tensor: Tensor, shape: Shape) -> None:
        """Tell the shape that a tensor has at twice the batch."""
        self._knows_doubled = True
        self._doubled[tensor] = shape

    def forget_doubled(self) -> None:
        """Go on without shapes at twice the batch: other operators ran there."""
        self._knows_doubled = False

    def doubled(self, tensor: Tensor) -> Shape | None:
        """Return a tensor's shape at twice the batch, if that is known."""
        return self._doubled.get(tensor) if self._knows_doubled else None

    def grow(self, out: Tensor, operands: Iterable[Tensor]) -> None:
        """Notice an output with a dimension of the batch that no constant gave it; `batched` asks for it."""
        known = list(operands)
        had = any(self.batch_size in one.shape and not (one in self._grown or self.is_activation(one)) for one in known)
        if (1 < self.batch_size in out.shape and not had) or any(one in self._grown for one in known):
            self._grown[out] = True

    def batched(self, tensor: Tensor) -> bool:
        """Tell whether a tensor has rows for every sample, of its shape at twice the batch.

        Without it, what an operator gave a dimension of the batch is taken for it, and `asked` says that this was so.
        """
        if self._knows_doubled:
            return self._doubled.get(tensor, tuple(tensor.shape)) != tuple(tensor.shape)
        self.asked = True
        return tensor in self._grown

    def is_cut_of_parameter(self, tensor: Tensor) -> bool:
        """Tell whether a tensor is a parameter or cut out of one, and surely not spread over the batch."""
        value = self.view(tensor).value
        while value.aliases and value.op != "expand":
            value = value.parts[0]
        return self.batch_size > 1 and not value.aliases and len(value.parameters) == 1 and not value.parts \
            and value.place is NOWHERE  # fmt: skip

    def view(self, tensor: Tensor) -> View:
        """Return what a tensor shows; one that nobody has met is a constant."""
        found: View | None = self._views.get(tensor)
        if found is None:
            found = View(Value(shape=tuple(tensor.shape), doubled=self.doubled(tensor)), "reshape", NOWHERE)
            self._views[tensor] = found
        return found

    def known(self, tensor: Tensor) -> bool:
        """Tell whether it is known what a tensor holds."""
        return tensor in self._views

    def is_activation(self, tensor: object) -> bool:
        """Tell whether the network's inputs reach this tensor."""
        return tensor in self._views and reached(self._views[tensor].value)

    def parameters(self, tensors: Iterable[Tensor]) -> tuple[str, ...]:
        """Return the names of the parameters behind those of the tensors that are constants."""
        constants = [self._views[one].value for one in tensors if one in self._views and not self.is_activation(one)]
        return tuple(dict.fromkeys(name for value in constants for name in behind(value)))

    def is_random(self, tensor: Tensor) -> bool:
        """Tell whether a constant is drawn, as a dropout mask is."""
        return tensor in self._views and self._views[tensor].value.random

    def comes_from(self, tensor: Tensor, ops: Container[str]) -> bool:
        """Tell whether one of these operators made a tensor, or what it is computed from without a layer between."""
        todo, met = [self.view(tensor).value], set()
        while todo:
            value = todo.pop()
            if value.op in ops:
                return True
            if value not in met:
                met.add(value)
                todo.extend(value.parts)
        return False

    def kept_sources(self) -> set[str]:
        """Return the layers whose results are in a tensor with a gradient that is still there, or in a part of one."""
        found = set()
        for value in [view.value for tensor, view in self._views.items() if tensor.requires_grad]:
            while value.source is None and value.parts and not value.computed:
                value = value.parts[0]
            if value.source is not None:
                found.add(value.source)
        return found

    def show(self, out: Tensor, base: Tensor, op: str, place: Place, copies: bool) -> None:
        """Make `out` a view (or a copy) of `base`, or of a part of it."""
        view = self.view(base)
        if out.numel() == base.numel():
            value = _copied(view.value) if copies else view.value
            # A copy or a detach keeps the name of the operator that changed the shape.
            changed = out.shape != base.shape
            self._views[out] = View(value, op if changed else view.op, place if changed else view.place)
        else:
            part = Value(op, place, tuple(out.shape), self.doubled(out), parts=(view.value,), aliases=not copies,
                         active=copies and reached(view.value), random=view.value.random)  # fmt: skip
            if copies:
                part.parameters = behind(view.value)
            self._views[out] = View(part, op, place)

    def compute(self, out: Tensor, operands: Iterable[Tensor], op: str, place: Place, random: bool) -> None:
        """Make `out` what an operator computes that is no layer before one reads it: of constants, or integers."""
        values = tuple(dict.fromkeys(self.view(one).value for one in operands))
        active = tuple(value for value in values if reached(value))
        names = tuple(dict.fromkeys(name for value in values if not reached(value) for name in behind(value)))
        random = random or any(value.random for value in values)
        view = self._views.get(out)
        if view is not None and not active:  # in place, and still a constant
            view.value.parameters, view.value.random, view.value.op = names, random, op
            whole = view.value
            while whole.aliases:
                whole = whole.parts[0]
                whole.parameters = tuple(dict.fromkeys((*whole.parameters, *names)))
            return
        made = Value(op, place, tuple(out.shape), self.doubled(out), parts=active, computed=True, active=bool(active),
                     parameters=names, random=random)  # fmt: skip
        self._views[out] = View(made, op, place)

    def set_source(self, out: Tensor, source: str, place: Place) -> Value:
        """Make a new tensor the output of a layer, whatever it was before; return its value."""
        value = Value(shape=tuple(out.shape), doubled=self.doubled(out), source=source)
        self._views[out] = View(value, "reshape", place)
        return value


def reached(value: Value) -> bool:
    """Tell whether the network's inputs reach a value."""
    while value.source is None and not value.active and value.aliases:
        value = value.parts[0]
    return value.source is not None or value.active


def behind(value: Value) -> tuple[str, ...]:
    """Return the names of the parameters behind a constant."""
    names = value.parameters
    while value.aliases:
        value = value.parts[0]
        names = (*names, *value.parameters)
    return tuple(dict.fromkeys(names))


def _copied(value: Value) -> Value:
    """Return a value of its own that holds the same."""
    if value.source is not None:
        return replace(value, parts=(), aliases=False)
    own = replace(value, parts=(value,), aliases=False, computed=False)
    own.active, own.parameters = reached(value), behind(value)
    return own
