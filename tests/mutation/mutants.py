"""The single changes of a module: what a mutant is, and how they are found in the syntax tree."""

import ast
import copy
from dataclasses import dataclass
from pathlib import Path

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_TWINS = {"min": "max", "max": "min", "any": "all", "all": "any", "floor": "ceil", "ceil": "floor",
          "minimum": "maximum", "maximum": "minimum"}  # fmt: skip
_CONSTANT_RESULTS = {"bool": ("True", "False"), "int": ("0",), "float": ("0.0",), "str": ("''",)}
_EMPTY_RESULTS = {"tuple": "()", "list": "[]", "dict": "{}", "set": "set()"}
_UNORDERED_CALLS = {"isinstance", "issubclass", "getattr", "hasattr", "InputError", "cast", "maximum", "minimum"}


@dataclass(frozen=True)
class Mutant:
    """One change of one file: bytes `start` to `end` become `replacement`.

    Attributes
    ----------
    function : str
        Qualified name of its function, as a code object has it; empty at the top of a module or class.
    kind : str
        What was changed, such as `comparison`.
    """

    path: str
    function: str
    line: int
    start: int
    end: int
    kind: str
    before: str
    replacement: str

    def applied(self, source: bytes) -> bytes:
        """Return the file's bytes with the change."""
        return source[: self.start] + self.replacement.encode() + source[self.end :]

    def lines(self, source: bytes) -> tuple[str, str]:
        """Return the lines that it changes, before and after."""
        first, last = source.rfind(b"\n", 0, self.start) + 1, source.find(b"\n", self.end)
        before, after = (
            source[first:last],
            source[first : self.start] + self.replacement.encode() + source[self.end : last],
        )
        return " ".join(before.decode().split()), " ".join(after.decode().split())


def mutants_of(root: Path, path: str) -> list[Mutant]:
    """Return every mutant of a file, in the order of its lines."""
    source = (root / path).read_bytes()
    finder = _Finder(path, source)
    finder.visit(ast.parse(source))
    known: dict[tuple[int, int, str], Mutant] = {}
    for mutant in finder.found:
        known.setdefault((mutant.start, mutant.end, mutant.replacement), mutant)
    return sorted(known.values(), key=lambda mutant: (mutant.start, mutant.end, mutant.replacement))


class _Finder(ast.NodeVisitor):
    """Walks a module and collects its mutants; passes over what only people read."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path, self.source = path, source
        lines = source.splitlines(keepends=True)
        self.offsets = [0]
        for line in lines:
            self.offsets.append(self.offsets[-1] + len(line))
        self.names: list[str] = []
        self.inside_function = False
        self.returns: ast.expr | None = None
        self.found: list[Mutant] = []

    # What is passed over

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Text for people; and its parts have no positions of their own before Python 3.12."""

    def visit_Import(self, node: ast.Import) -> None:
        """A missing import is noticed by any test."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """As `visit_Import`."""

    def visit_Raise(self, node: ast.Raise) -> None:
        """An error may fail to come; its words are for people."""
        self._replace(node, "removed statement", "pass")

    def visit_Assert(self, node: ast.Assert) -> None:
        """What is asserted never fails."""

    def visit_arg(self, node: ast.arg) -> None:
        """An annotation changes nothing, but what pydantic checks by it."""
        self._fields(node.annotation)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._fields(node.annotation)
        if node.value is not None:
            self.visit(node.value)

    def _fields(self, annotation: ast.expr | None) -> None:
        if annotation is not None:
            for node in ast.walk(annotation):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Field":
                    self.visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._within(node.name, node.body, inside_function=False)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                self.visit(default)
        outer, self.returns = self.returns, node.returns
        self._within(node.name, node.body, inside_function=True)
        self.returns = outer

    def _within(self, name: str, body: list[ast.stmt], inside_function: bool) -> None:
        names, was_inside = self.names, self.inside_function
        self.names, self.inside_function = [*names, *(["<locals>"] if was_inside else []), name], inside_function
        for statement in body:
            self.visit(statement)
        self.names, self.inside_function = names, was_inside

    # What is changed

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            return  # a docstring
        if isinstance(node.value, ast.Call | ast.Await):
            self._replace(node, "removed statement", "pass")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            self._replace(node, "removed statement", "pass")
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._replace(node, "removed statement", "pass")
        other = _ARITHMETIC.get(type(node.op))
        if other is not None:
            self._changed(node, "arithmetic", op=other())
        self.generic_visit(node)

    def visit_Continue(self, node: ast.Continue) -> None:
        self._replace(node, "removed statement", "pass")

    def visit_Break(self, node: ast.Break) -> None:
        self._replace(node, "removed statement", "pass")

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is None:
            return
        for constant in _constants(self.returns):
            if ast.unparse(node.value) != constant:
                self._replace(node.value, "constant result", constant)
        self.visit(node.value)

    def visit_If(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        self._replace(node.test, "negated condition", _negated(node.test))
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._changed(node, "negated condition", body=node.orelse, orelse=node.body)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for condition in node.ifs:
            self._replace(condition, "dropped condition", "True")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for index, operator in enumerate(node.ops):
            for other in _COMPARISONS[type(operator)]:
                self._changed(node, "comparison", ops=[*node.ops[:index], other(), *node.ops[index + 1 :]])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self._changed(node, "and/or", op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        for index in range(len(node.values)):
            left = [value for at, value in enumerate(node.values) if at != index]
            text = _source(left[0]) if len(left) == 1 else _source(ast.BoolOp(node.op, left))
            self._replace(node, "dropped condition", text)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        rounded_up = (
            isinstance(node.op, ast.USub)
            and isinstance(node.operand, ast.BinOp)
            and isinstance(node.operand.op, ast.FloorDiv)
            and isinstance(node.operand.left, ast.UnaryOp)
        )
        if rounded_up:  # -(-a // b) is a / b rounded up
            quotient = node.operand
            self._replace(node, "rounding", _source(ast.BinOp(quotient.left.operand, quotient.op, quotient.right)))
            self.visit(quotient.left.operand)
            self.visit(quotient.right)
            return
        if isinstance(node.op, ast.USub | ast.Not):
            self._replace(node, "dropped sign", _source(node.operand))
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        other = _ARITHMETIC.get(type(node.op))
        if other is not None:
            self._changed(node, "arithmetic", op=other())
        if isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
            self._replace(node, "dropped term", _source(node.left))
            if not isinstance(node.op, ast.Sub):
                self._replace(node, "dropped term", _source(node.right))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in _TWINS:
            func = copy.deepcopy(node.func)
            setattr(func, "id" if isinstance(func, ast.Name) else "attr", _TWINS[name])
            self._changed(node, "twin function", func=func)
        plain = [argument for argument in node.args if not isinstance(argument, ast.Starred)]
        if name in ("min", "max") and len(plain) == len(node.args) == 2 and not node.keywords:
            for argument in node.args:
                self._replace(node, "dropped term", _source(argument))
        elif len(plain) == len(node.args) >= 2 and name not in _UNORDERED_CALLS:
            first, second, *more = node.args
            if not (isinstance(first, ast.Constant) and isinstance(second, ast.Constant)):
                self._changed(node, "swapped arguments", args=[second, first, *more])
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self._replace(node, "constant", str(not value))
        elif isinstance(value, int):
            self._replace(node, "constant", str(value + 1))
            self._replace(node, "constant", str(value - 1) if value else "(-1)")
        elif isinstance(value, float):
            self._replace(node, "constant", repr(value * 2 if value else 1.0))

    # How a change is written down

    def _changed(self, node: ast.expr | ast.stmt, kind: str, **fields: object) -> None:
        """Record the node with some of its fields changed."""
        other = copy.copy(node)
        for name, value in fields.items():
            setattr(other, name, value)
        self._replace(node, kind, _source(other))

    def _replace(self, node: ast.expr | ast.stmt, kind: str, replacement: str) -> None:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self.offsets[node.lineno - 1] + node.col_offset
        end = self.offsets[node.end_lineno - 1] + node.end_col_offset
        before = self.source[start:end].decode()
        if replacement not in (before, f"({before})"):
            function = ".".join(self.names) if self.inside_function else ""
            self.found.append(Mutant(self.path, function, node.lineno, start, end, kind, before, replacement))


def _source(node: ast.AST) -> str:
    text = ast.unparse(ast.fix_missing_locations(node))
    bare = isinstance(node, ast.stmt | ast.Name | ast.Constant | ast.Call | ast.Attribute | ast.Subscript)
    return text if bare else f"({text})"


def _negated(test: ast.expr) -> str:
    return f"not ({ast.unparse(test)})"


def _constants(annotation: ast.expr | None) -> tuple[str, ...]:
    """Return constants of a function's type of result."""
    if isinstance(annotation, ast.Name):
        return _CONSTANT_RESULTS.get(annotation.id, ())
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name):
        empty = _EMPTY_RESULTS.get(annotation.value.id)
        return () if empty is None else (empty,)
    return ()
