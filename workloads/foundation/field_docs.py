"""What the fields of a model mean: the texts below them in the source.

Pydantic reads them as it makes a model (`use_attribute_docstrings`), which takes a tenth of a command's time. They are
read here where a person wants to see them.
"""

import ast
import inspect
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import Any

from pydantic import BaseModel

from workloads.foundation.validation import models_in


def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """Return the text below each field of a model and of the models that it extends, by the field's name."""
    found = {name: field.description for name, field in model.model_fields.items() if field.description}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            found |= _documented(one)
    return found


@cache
def _documented(model: type[BaseModel]) -> dict[str, str]:
    """Return the text below each field that one follows, by the field; none of a model that a function has made."""
    try:
        source = inspect.getsource(model)
    except OSError:
        return {}
    (body,) = ast.parse(dedent(source)).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, below in pairwise(body.body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(value=ast.Constant(str(text))):
                found[name] = inspect.cleandoc(text)
    return found


def documented_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema of a model, with the meanings of all fields."""
    schema = model.model_json_schema()
    parts: dict[str, dict[str, Any]] = {**schema.get("$defs", {}), model.__name__: schema}
    for one in _reached(model, set()):
        properties = parts.get(one.__name__, {}).get("properties", {})
        for name, meaning in field_docs(one).items():
            key = one.model_fields[name].alias or name
            if key in properties:
                properties[key].setdefault("description", meaning)
    return schema


def _reached(model: type[BaseModel], known: set[type[BaseModel]]) -> set[type[BaseModel]]:
    """Return a model and the models of its fields; those that are known are not looked at again."""
    if model not in known:
        known.add(model)
        for field in model.model_fields.values():
            for one in models_in(field.annotation):
                _reached(one, known)
    return known
