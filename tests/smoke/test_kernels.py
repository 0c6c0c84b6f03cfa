"""Numba keeps a compiled function until its own file changes: what else it is made of, it closes over."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("workloads", "dataflows", "simulator")
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text(encoding="utf-8")
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
}


@cache
def tree_of(name: str) -> ast.Module:
    return ast.parse(FILES[name])


def origins(name: str) -> dict[str, str]:
    """Return the module of this project that each imported name of a module comes from."""
    found = {}
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in PACKAGES:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found[alias.asname or alias.name] = whole if whole in FILES else str(node.module)
    return found


@cache
def jitted(name: str) -> list[ast.FunctionDef]:
    """Return the functions of a module that numba compiles."""
    if "njit" not in FILES[name]:
        return []
    return [
        node
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.FunctionDef) and any("njit" in ast.unparse(one) for one in node.decorator_list)
    ]


def is_kept(function: ast.FunctionDef) -> bool:
    return any("cache=True" in ast.unparse(one) for one in function.decorator_list)


def made_of(name: str) -> set[str]:
    """Return every other module that a module's compiled functions take something from, and those take from."""
    known, found = origins(name), set()
    for function in jitted(name):
        for statement in function.body:
            found |= {known[node.id] for node in ast.walk(statement) if isinstance(node, ast.Name) and node.id in known}
    return found.union(*map(made_of, found)) - {name}


KEPT = sorted(name for name in FILES if any(map(is_kept, jitted(name))))


def test_there_are_kernels() -> None:
    assert {"simulator.dram.command_kernel", "simulator.dram.transfer_kernel"} <= set(KEPT)


@pytest.mark.parametrize("name", KEPT)
def test_a_kernel_closes_over_all_that_it_is_made_of(name: str) -> None:
    known, stated = origins(name), set()
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sources_of":
            stated |= {known[argument.id] for argument in node.args if isinstance(argument, ast.Name)}
    assert made_of(name) <= stated
    inside = [function.name for one in made_of(name) for function in jitted(one) if is_kept(function)]
    assert not inside, f"{name} calls {inside}, which numba would keep by themselves"


def calls_outside_kernels(name: str, tree: ast.Module, inside: set[str]) -> list[str]:
    """Return the functions of kernels alone that a module calls from Python, each with its line."""
    found = []

    def visit(node: ast.AST, compiled: bool) -> None:
        if isinstance(node, ast.FunctionDef):
            compiled = compiled or any("njit" in ast.unparse(one) for one in node.decorator_list)
        if not compiled and isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in inside:
                found.append(f"{name}:{node.lineno} {called}")
        for child in ast.iter_child_nodes(node):
            visit(child, compiled)

    visit(tree, False)
    return found


@cache
def inside_of(name: str) -> set[str]:
    """Return the names of a module's functions that only kernels can call."""
    marked = (node for node in jitted(name) if "njit_inside" in " ".join(map(ast.unparse, node.decorator_list)))
    return {node.name for node in marked}


def imported_inside(tree: ast.Module) -> set[str]:
    """Return the names by which a module has functions that only kernels can call."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in FILES:
            inside = inside_of(node.module)
            found |= {alias.asname or alias.name for alias in node.names if alias.name in inside}
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                found |= (
                    {f"{alias.asname or alias.name}.{one}" for one in inside_of(module)} if module in FILES else set()
                )
    return found


@pytest.mark.parametrize("package", [*PACKAGES, "tests"])
def test_python_calls_no_function_of_kernels_alone(package: str) -> None:
    """Such a call is none that Numba knows, and crashes the process."""
    found = []
    names = re.compile("|".join(sorted(set().union(*map(inside_of, FILES)))))
    for path in sorted((ROOT / package).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if not names.search(text):
            continue
        tree, name = ast.parse(text), ".".join(path.relative_to(ROOT).with_suffix("").parts)
        inside = imported_inside(tree) | (inside_of(name) if name in FILES else set())
        found += calls_outside_kernels(name, tree, inside)
    assert not found


def test_a_call_from_python_is_found() -> None:
    text = """
from dataflows.plans import array_side as side
from dataflows.plans.tiling_time import in_proportion as share, PIECE

@njit
def kernel(a):
    return share(a, 1, 2)

def plain(a):
    return share(a, 1, 2) + kernel(a) + side.array_side_words(a)
"""
    tree = ast.parse(text)
    assert imported_inside(tree) == {"share", "side.array_side_words"}
    found = calls_outside_kernels("made_up", tree, imported_inside(tree))
    assert found == ["made_up:10 share", "made_up:10 side.array_side_words"]
