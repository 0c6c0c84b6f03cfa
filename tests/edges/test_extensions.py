"""Extension packages: a broken one or a clash of names ends in one line; nothing is imported unasked."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import ROOT, run_process

from dataflows.array import PEArray
from simulator.dram.model import DramModel
from simulator.phases.design import Design
from workloads.foundation import extensions as found
from workloads.foundation.errors import InputError
from workloads.foundation.registry import registry
from workloads.foundation.shipped import GROUPS, shipped_as, shipped_names
from workloads.importers import Importer

DESIGN = """
class Eager:
    name, description, rank, components, predictor_home = "eager", "a test", 10, frozenset(), None
    def runs_as(self, phase): return phase
    def steps(self, stages): return []

DESIGN = Eager()
NAMELESS = type("Nameless", (Eager,), {"name": property(lambda self: 1 / 0)})()
STEPLESS = type("Stepless", (), {"name": "eager", "rank": 1, "runs_as": None, "predictor_home": None})()
"""
Installed = Callable[..., None]


def write(folder: Path, points: str, package: str = "odd-parts") -> None:
    """Lay a package into a folder, as an installer does."""
    module = folder / package.replace("-", "_")
    module.mkdir(parents=True)
    (module / "__init__.py").write_text("")
    (module / "eager.py").write_text(DESIGN)
    (module / "broken.py").write_text("import no_such_module\n")
    (module / "ends.py").write_text("raise SystemExit(3)\n")
    (module / "tables").mkdir()
    (module / "tables" / "3nm.yaml").write_text("{}")
    info = folder / f"{module.name}-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.3\n")
    (info / "entry_points.txt").write_text(points)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installed]:
    def install(points: str, package: str = "odd-parts") -> None:
        write(tmp_path, points, package)
        found._all_extensions.cache_clear()

    monkeypatch.syspath_prepend(tmp_path)
    yield install
    monkeypatch.undo()
    found._all_extensions.cache_clear()
    for name in [name for name in sys.modules if name.startswith(("odd_parts", "more_parts"))]:
        del sys.modules[name]


def of_designs(form: Any = Design) -> dict[str, Any]:
    return registry("simulator.designs", "DESIGN", "designs", form)


def test_a_part_joins_the_others_by_its_rank(installed: Installed) -> None:
    before = list(of_designs())
    installed("[adagp_sim.designs]\neager = odd_parts.eager:DESIGN\n")
    assert list(of_designs()) == [*before, "eager"]
    assert found.given_by("designs") == {"eager": "odd-parts 0.3"}
    assert found.extension_packages() == {"odd-parts": "0.3"}


def test_nothing_is_imported_before_its_kind_is_asked_for(installed: Installed) -> None:
    installed("[adagp_sim.designs]\neager = odd_parts.eager:DESIGN\n[adagp_sim.arrays]\nfar = odd_parts.broken:ARRAY\n")
    registry("simulator.pipelines.schedules", "SCHEDULE", "pipeline_schedules", object)
    assert found.given_by("arrays") == {"far": "odd-parts 0.3"}
    assert not [name for name in sys.modules if name.startswith("odd_parts")]
    of_designs()
    assert "odd_parts.eager" in sys.modules and "odd_parts.broken" not in sys.modules


@pytest.mark.parametrize(
    ("point", "told"),
    [
        ("eager = odd_parts.broken:DESIGN", "broken:DESIGN cannot be imported: ModuleNotFoundError: No module"),
        ("eager = odd_parts.ends:DESIGN", "cannot be imported: SystemExit: 3"),
        ("eager = odd_parts.eager:DESING", "cannot be imported: AttributeError: .*DESING"),
        ("eager = not-a-module", "cannot be imported: "),
        ("eager = odd_parts.eager:STEPLESS", "has no steps, description, components; see simulator.phases.design"),
        ("eager = odd_parts.eager:NAMELESS", "cannot be read: ZeroDivisionError: "),
        ("eagre = odd_parts.eager:DESIGN", "has the name 'eager'; give part and entry point one name"),
        ("MAX = odd_parts.eager:DESIGN", "this name is also in simulator.designs.max; give it another name"),
    ],
)  # fmt: skip
def test_a_broken_package_is_told_in_one_line(point: str, told: str, installed: Installed) -> None:
    installed(f"[adagp_sim.designs]\n{point}\n")
    name = point.partition(" ")[0]
    with pytest.raises(InputError, match=rf"^extension package odd-parts: adagp_sim\.designs: {name}: .*{told}"):
        of_designs()


@pytest.mark.parametrize(
    ("form", "told"),
    [
        (Importer, "is no Importer; see workloads.importers.Importer"),
        (PEArray, "is no PEArray; see dataflows.array.PEArray"),
    ],
)
def test_a_part_of_another_kind(form: type, told: str, installed: Installed) -> None:
    installed("[adagp_sim.tests]\neager = odd_parts.eager:DESIGN\n")
    with pytest.raises(InputError, match=told):
        found.extensions("tests")[0].load(form, lambda part: part.name)


def test_a_model_that_leaves_methods_out() -> None:
    half = type("Half", (DramModel,), {})
    assert found._lacks(half, DramModel).startswith("has no bound_cycles, bytes_per_second, ")


def test_two_packages_with_one_name(installed: Installed) -> None:
    for package in ("odd-parts", "more-parts"):
        installed(f"[adagp_sim.designs]\neager = {package.replace('-', '_')}.eager:DESIGN\n", package)
    with pytest.raises(InputError, match=r"^extension package odd-parts: .*eager: .* in extension package more-parts"):
        of_designs()


@pytest.mark.parametrize(("folder", "group"), GROUPS.items())
def test_a_file_of_every_kind(folder: str, group: str, installed: Installed, tmp_path: Path) -> None:
    installed(f"[adagp_sim.{group}]\n3nm = odd_parts.tables\n")
    path = shipped_names(folder)["3nm"]
    assert path == tmp_path / "odd_parts" / "tables" / "3nm.yaml"
    assert shipped_as(path) == "odd-parts: 3nm.yaml"


@pytest.mark.parametrize(
    ("point", "told"),
    [
        ("5nm = odd_parts.tables", "has no file 5nm.yaml or 5nm.yaml.gz; put it there, and into the package's data"),
        ("3nm = odd_parts.no_tables", "there is no package odd_parts.no_tables"),
        ("3nm = no_such_package.tables", "no_such_package.tables cannot be imported: ModuleNotFoundError: "),
        ("45nm = odd_parts.tables", "this name is also in configs/energy/45nm.yaml"),
    ],
)
def test_a_file_that_is_not_there(point: str, told: str, installed: Installed) -> None:
    installed(f"[adagp_sim.energy_tables]\n{point}\n")
    with pytest.raises(InputError, match=rf"^extension package odd-parts: adagp_sim\.energy_tables: .*{told}"):
        shipped_names("configs/energy")


def test_the_command_ends_in_one_line(tmp_path: Path) -> None:
    write(tmp_path, "[adagp_sim.designs]\neager = odd_parts.broken:DESIGN\n")
    told = run_process("list", PYTHONPATH=f"{ROOT}:{tmp_path}")
    assert (told.code, told.out) == (2, "")
    assert told.err == (
        "error: extension package odd-parts: adagp_sim.designs: eager: odd_parts.broken:DESIGN cannot be imported: "
        "ModuleNotFoundError: No module named 'no_such_module'; correct the package, or uninstall it\n"
    )
    assert run_process("--help", PYTHONPATH=f"{ROOT}:{tmp_path}").code == 0
