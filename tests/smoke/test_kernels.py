"""Numba keeps a compiled function until its own file changes: what else it is made of, it closes over."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("workloads", "dataflows", "simulator")
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
}


def origins(name: str) -> dict[str, str]:
    """Return the module of this project that each imported name of a module comes from."""
    found = {}
    for node in ast.walk(FILES[name]):
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in PACKAGES:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found[alias.asname or alias.name] = whole if whole in FILES else str(node.module)
    return found


def jitted(name: str) -> list[ast.FunctionDef]:
    """Return the functions of a module that numba compiles."""
    return [
        node
        for node in ast.walk(FILES[name])
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
    for node in ast.walk(FILES[name]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sources_of":
            stated |= {known[argument.id] for argument in node.args if isinstance(argument, ast.Name)}
    assert made_of(name) <= stated
    inside = [function.name for one in made_of(name) for function in jitted(one) if is_kept(function)]
    assert not inside, f"{name} calls {inside}, which numba would keep by themselves"
