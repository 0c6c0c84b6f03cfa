"""Gather the settings of a spec from files and options, then apply them at once, so that their order does not matter.

A later layer wins over an earlier one, key by key. Some keys choose a kind: `dram.model`, say, or `design`. A kind has
keys of its own. What earlier layers say of other kinds does not apply then; what the same layer or a later one says of
them is an error. Where each value comes from is remembered for errors.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from workloads.foundation.errors import InputError
from workloads.foundation.validation import Choice, choices_of, validate

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings from one place.

    Attributes
    ----------
    where : str
        A file, or an option.
    values : mapping
        Keys to values, nested as in a file.
    shipped : bool
        Whether the place is a file of the project, and not the user's.
    path : Path, optional
        The file, where it is one.
    other_kinds : bool
        Whether the keys of a kind that is not chosen are passed over here, as in a file of version 1.
    """

    where: str
    values: Mapping[str, Any]
    shipped: bool = False
    path: Path | None = None
    other_kinds: bool = False


@dataclass(slots=True)
class Settings:
    """The settings of all layers, laid over each other.

    Attributes
    ----------
    layers : list of Layer
        Later ones win.
    values : dict
        The result, nested.
    origins : dict of str to int
        The last layer that says something of a dotted key, or of a key below it.
    """

    layers: list[Layer]
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for index, layer in enumerate(self.layers):
            self._lay(layer.values, self.values, index, "")

    def _lay(self, over: Mapping[str, Any], target: dict[str, Any], index: int, path: str) -> None:
        for key, value in over.items():
            here = f"{path}.{key}" if path else str(key)
            self.origins[here] = index
            if isinstance(value, Mapping):
                if not isinstance(target.get(key), dict):
                    target[key] = {}
                self._lay(value, target[key], index, here)
            else:
                target[key] = value

    def drop(self, parts: Iterable[str], tag: str) -> None:
        """Drop parts that what the key `tag` names does not have.

        Raises
        ------
        InputError
            If the layer that gives the tag, or a later one, gives such a part.
        """
        for part in sorted(set(parts) & set(self.values)):
            if self.origins[part] >= self.origins[tag] and self.values[part] is not None:
                problem = f"{tag} {self.values[tag]} has no {part.replace('_', ' ')}"
                raise InputError(self.source(part), part, problem, f"drop the key, or choose another {tag}")
            del self.values[part]

    def choose(self, name: str, choice: Choice, defaults: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep the keys of a part that its kind has, and fill in those that no layer gives.

        Parameters
        ----------
        name : str
            The part's key, such as ``dram``.
        choice : Choice
            The kinds that it may be of.
        defaults : mapping of str to mapping
            By kind: values of keys that a file may leave out.

        Raises
        ------
        InputError
            If the layer that names the kind, or a later one, gives a key that only another kind has.
        """
        part = self.values.get(name)
        kind = part.get(choice.tag) if isinstance(part, dict) else None
        if not isinstance(part, dict) or not isinstance(kind, str) or kind not in choice.kinds:
            return  # validation says what is wrong
        for key in [key for key in part if key not in choice.kinds[kind].model_fields]:
            having = [other for other, model in choice.kinds.items() if key in model.model_fields]
            path, tag = f"{name}.{key}", f"{name}.{choice.tag}"
            if having and (self.origins[path] < self.origins[tag] or self.layers[self.origins[path]].other_kinds):
                del part[key]
            elif having:
                problem = f"is a key of {choice.tag} {' or '.join(having)}, and {tag} is {kind}"
                raise InputError(
                    self.source(path), path, problem, f"set {tag} to {' or '.join(having)}, or drop the key"
                )
        for key, value in defaults.get(kind, {}).items():
            part.setdefault(key, value)

    def source(self, key: str) -> str:
        """Return where a key's value comes from, for errors: a file or an option.

        A shipped value is wrong only beside what a user gives, so the user's places follow a shipped file.
        """
        while key and key not in self.origins:
            key = re.sub(r"[.\[]?[^.\[]*$", "", key)
        last_file = max((i for i, layer in enumerate(self.layers) if layer.path), default=0)
        layer = self.layers[self.origins.get(key, last_file)]
        users = [other.where for other in self.layers if not other.shipped and other.values]
        return " with ".join(dict.fromkeys([layer.where, *users])) if layer.shipped else layer.where

    def build(self, model: type[ModelT], defaults: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> ModelT:
        """Return the model of these settings; `defaults` are by part and kind.

        Raises
        ------
        InputError
            For the first thing that is wrong, naming the place that its value comes from.
        """
        for name, choice in choices_of(model).items():
            self.choose(name, choice, defaults.get(name, {}))
        try:
            return validate(model, self.values, "")
        except InputError as error:
            raise InputError(self.source(error.key), error.key, error.problem, error.remedy) from None
