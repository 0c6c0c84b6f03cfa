"""Expressions over the settings of a point, such as ``array.rows * array.columns <= 256``.

They hold numbers, texts, keys of the machine, arithmetic, comparisons, `and`, `or`, `not`, and a few functions. Nothing
else is evaluated: Python parses the text, and this file walks the tree.
"""

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor, log2, sqrt
from typing import Any

from workloads.foundation.errors import InputError, nearest

Lookup = Callable[[str], Any]
"""Returns the value of a key; raises KeyError where there is none."""
_LARGEST_POWER = 64
_LARGEST = 10**40
_MOST_DIGITS = 40
_LONGEST = 1000
_Operators = dict[type[ast.AST], Callable[..., Any]]


def _numeric(operate: Callable[..., Any]) -> Callable[..., Any]:
    """Return an operator that takes numbers of a bounded size alone: a text times 10^9 fills the memory."""

    def bounded(*values: Any) -> Any:
        for value in values:
            if not isinstance(value, int | float):
                raise TypeError(f"{value!r} is no number")
            if abs(value) > _LARGEST:
                raise ValueError(f"numbers beyond {_LARGEST:.0e}")
        found = operate(*values)
        if isinstance(found, complex):
            raise ValueError("has no real value")
        return found

    return bounded


def _power(base: Any, exponent: Any) -> Any:
    if abs(exponent) > _LARGEST_POWER:
        raise ValueError(f"a power of {exponent}; {_LARGEST_POWER} is the largest")
    return base**exponent


def _round(number: Any, digits: Any = 0) -> Any:
    if abs(digits) > _MOST_DIGITS:
        raise ValueError(f"{digits} digits; {_MOST_DIGITS} are the most")
    return round(number, digits) if digits else round(number)


def _is_in(one: Any, many: Any) -> bool:
    return one in many


_TWO: _Operators = {
    ast.Add: _numeric(operator.add), ast.Sub: _numeric(operator.sub), ast.Mult: _numeric(operator.mul),
    ast.Div: _numeric(operator.truediv), ast.FloorDiv: _numeric(operator.floordiv), ast.Mod: _numeric(operator.mod),
    ast.Pow: _numeric(_power),
}  # fmt: skip
_COMPARE: _Operators = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.In: _is_in,
}  # fmt: skip
_ONE: _Operators = {ast.USub: _numeric(operator.neg), ast.UAdd: _numeric(operator.pos), ast.Not: operator.not_}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min, "max": max, "abs": abs, "ceil": ceil, "floor": floor, "round": _numeric(_round), "log2": log2,
    "sqrt": sqrt,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was read.

    Attributes
    ----------
    text : str
        As it was written.
    where, key : str
        File and key where it stands, for errors.
    """

    text: str
    where: str
    key: str
    _tree: ast.expr

    @classmethod
    def of(cls, text: str, where: str, key: str) -> "Expression":
        """Return the expression of a text.

        Raises
        ------
        InputError
            If the text is no expression, or holds something that is not allowed.
        """
        if len(text) > _LONGEST:
            raise InputError(where, key, f"has {len(text)} characters", f"give at most {_LONGEST}")
        try:
            tree = ast.parse(text.strip(), mode="eval").body
            _check(tree)
        except (SyntaxError, RecursionError, MemoryError):
            raise InputError(where, key, f"{text!r} is no expression", "write for example array.rows <= 16") from None
        except ValueError as error:
            raise InputError(where, key, f"{text!r}: {error}", "see docs/how-to/sweep.md for what there is") from None
        return cls(text, where, key, tree)

    @property
    def keys(self) -> list[str]:
        """Keys that it reads."""
        inner = {id(node.value) for node in ast.walk(self._tree) if isinstance(node, ast.Attribute)}
        called = {id(node.func) for node in ast.walk(self._tree) if isinstance(node, ast.Call)}
        found = (node for node in ast.walk(self._tree) if isinstance(node, ast.Name | ast.Attribute))
        return list(dict.fromkeys(_key(one) for one in found if id(one) not in inner and id(one) not in called))

    def value(self, lookup: Lookup) -> Any:
        """Return its value.

        Raises
        ------
        InputError
            If a key has no value, or the arithmetic has none.
        """
        try:
            return _value(self._tree, lookup)
        except KeyError as error:
            raise InputError(self.where, self.key, f"{self.text!r}: no value of {error.args[0]}",
                             "name a key of the sweep or of the machine") from None  # fmt: skip
        except InputError:
            raise
        except (ArithmeticError, TypeError, ValueError) as error:
            raise InputError(self.where, self.key, f"{self.text!r}: {error}", "correct the expression") from None


def _check(node: ast.AST) -> None:
    match node:
        case ast.Constant(value=bool() | int() | float() | str()):
            return
        case ast.Name() | ast.Attribute():
            _key(node)
            return
        case ast.BinOp(left, op, right) if type(op) in _TWO:
            parts = [left, right]
        case ast.UnaryOp(op, operand) if type(op) in _ONE:
            parts = [operand]
        case ast.BoolOp(values=parts):
            pass
        case ast.Compare(left, ops, comparators) if all(type(op) in _COMPARE for op in ops):
            parts = [left, *comparators]
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            pass
        case ast.Call(ast.Name(id=name), args, keywords) if not keywords:
            if name not in FUNCTIONS:
                raise ValueError(f"no function {name}; {nearest(name, FUNCTIONS)}")
            parts = args
        case _:
            raise ValueError(f"{ast.unparse(node)} is not allowed here")
    for part in parts:
        _check(part)


def _key(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{_key(value)}.{name}"
    raise ValueError(f"{ast.unparse(node)} is no key")


def _value(node: ast.AST, lookup: Lookup) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name() | ast.Attribute():
            return lookup(_key(node))
        case ast.BinOp(left, op, right):
            return _TWO[type(op)](_value(left, lookup), _value(right, lookup))
        case ast.UnaryOp(op, operand):
            return _ONE[type(op)](_value(operand, lookup))
        case ast.BoolOp(ast.And(), values):
            return all(_value(one, lookup) for one in values)
        case ast.BoolOp(ast.Or(), values):
            return any(_value(one, lookup) for one in values)
        case ast.Compare(left, ops, comparators):
            found = [_value(one, lookup) for one in (left, *comparators)]
            return all(_COMPARE[type(op)](a, b) for op, a, b in zip(ops, found, found[1:], strict=False))
        case ast.List(elts) | ast.Tuple(elts):
            return [_value(one, lookup) for one in elts]
        case ast.Call(ast.Name(id=name), args):
            return FUNCTIONS[name](*(_value(one, lookup) for one in args))
    raise AssertionError(ast.dump(node))
