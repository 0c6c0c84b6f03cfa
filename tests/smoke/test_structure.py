"""Folders and imports: they run one way, and what is in the tree is what is installed."""

import ast
import configparser
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from registries import DESIGNS

ROOT = Path(__file__).parents[2]
ORDER = ("workloads", "dataflows", "simulator")


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Return every module that a file imports, at its top or where it is used; not for type checking alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("package", ORDER)
def test_packages_import_one_way(package: str) -> None:
    later = ORDER[ORDER.index(package) + 1 :]
    for path in modules(package):
        wrong = {name for name in imports(path) if name.split(".")[0] in later}
        assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


def test_energy_and_outputs_never_import_the_engine() -> None:
    for path in [ROOT / "simulator/energy/energy.py", ROOT / "simulator/run/results.py", *modules("simulator/outputs")]:
        wrong = {name for name in imports(path) if name.startswith(("simulator.engine", "simulator.engine.components"))}
        assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


def test_torch_is_imported_only_by_the_reference_and_the_networks() -> None:
    for package in ORDER:
        for path in modules(package):
            if {"pytorch", "networks"} & set(path.relative_to(ROOT).parts):
                continue
            wrong = {name for name in imports(path) if name.split(".")[0] in ("torch", "torchvision", "sklearn")}
            assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


def test_no_circles() -> None:
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for p in ORDER for path in modules(p)}

    def top_level(path: Path) -> set[str]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found: set[str] = set()
        for node in tree.body:
            if isinstance(node, ast.ImportFrom):
                module = node.module or ""
                found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
        return {name for name in found if name in names}

    graph = {name: top_level(path) for name, path in names.items()}
    done: set[str] = set()

    def visit(name: str, chain: tuple[str, ...]) -> None:
        assert name not in chain, " -> ".join((*chain, name))
        if name not in done:
            for other in graph[name]:
                visit(other, (*chain, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_setup_lists_every_package() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    there = {".".join(path.parent.relative_to(ROOT).parts) for p in ORDER for path in modules(p)}
    mapped = dict(line.split(" = ") for line in config["options"]["package_dir"].strip().split("\n"))
    assert listed == there - {place.replace("/", ".") for place in mapped.values()} | set(mapped)
    data = {f"simulator.{name}": name for name in ("configs", "rtl", "traces")}
    assert mapped == {"adagp_sim": "simulator/adagp_sim"} | data


def test_the_changelog_begins_with_the_version_and_its_date() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    heads = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    versions, dates = zip(*(head.split(", ") for head in heads), strict=True)
    assert versions[0] == config["metadata"]["version"]
    numbers = [tuple(map(int, one.split("."))) for one in versions]
    assert numbers == sorted(numbers, reverse=True)
    days = [datetime.strptime(day, "%d %B %Y") for day in dates]
    assert days == sorted(days, reverse=True)


def test_the_metadata_tell_who_and_what() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert config["metadata"]["author"] == cited["authors"][0]["name"]
    assert config["metadata"]["license"] == cited["license"]
    classifiers = config["metadata"]["classifiers"].strip().split("\n")
    assert f"Programming Language :: Python :: {config['options']['python_requires'].removeprefix('>=')}" in classifiers


def test_lock_pins_every_dependency() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    wanted = config["options"]["install_requires"].split("\n")
    for extra in config["options.extras_require"].values():
        wanted += extra.split("\n")
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    for line in filter(None, map(str.strip, wanted)):
        assert line.partition(">=")[0].lower() in pinned, f"{line} is not in requirements.lock"


def test_contributing_example_is_one_new_file(tmp_path: Path) -> None:
    """Put the design of CONTRIBUTING.md beside the others, as it says, and run it."""
    import json

    from tree_copy import copy_project

    environment = copy_project(tmp_path, "configs", "traces")
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    (tmp_path / "simulator/designs/eager.py").write_text(code, encoding="utf-8")
    spec = "{version: 2, extends: efficient, design: eager}"
    assert f"`{spec}`" in text
    (tmp_path / "configs/accelerators/eager.yaml").write_text(spec, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-P", "-c", "import sys; sys.path.insert(0, '.'); from simulator.cli.main import main; main()",
         "compare", "digits-cnn", "--json"],
        cwd=tmp_path, capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    runs = {r["design"]: r for r in json.loads(run.stdout)["runs"]}
    assert list(runs) == [*DESIGNS, "eager"]
    # A barrier between two ops that follow each other anyway on one array costs nothing.
    assert runs["eager"]["total_cycles"] == runs["efficient"]["total_cycles"]


def test_trace_of_the_documentation_is_a_trace(tmp_path: Path) -> None:
    from workloads.trace import load_trace

    text = (ROOT / "docs/trace-format.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (tmp_path / "tiny.yaml").write_text(text, encoding="utf-8")
    assert load_trace(tmp_path / "tiny.yaml").network == "tiny"


def test_files_are_short() -> None:
    for package in ORDER:
        for path in modules(package):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            assert lines <= 400, f"{path.relative_to(ROOT)} has {lines} lines: one concept a file"
