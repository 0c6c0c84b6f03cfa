"""Every part of the project climbs the ladder of its kind, which an extension package's parts climb too."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from array_specs import RUN_NAMES, RUNS

from dataflows.dataflow import dataflows
from simulator.energy.energy import energy_table_of, load_energy_table
from simulator.machine.spec_loading import load_accelerator
from simulator.testing.arrays import array_of
from simulator.testing.files import check_importer
from simulator.testing.ladder import ladders
from simulator.testing.prices import check_prices
from simulator.testing.products import check_closed_form, check_product, random_convolution
from workloads.foundation.extensions import PREFIX
from workloads.foundation.shipped import GROUPS
from workloads.importers import find_importer, importer_of

ROOT = Path(__file__).parents[2]
# Networks and traces are some forty each; test_validation.py has the rung of every comparison that computes alone.
SLOW = {"comparisons", "networks", "traces"}
CASES = [
    pytest.param(ladder, name, id=f"{group}-{name}", marks=[pytest.mark.long] if group in SLOW else [])
    for group, ladder in ladders().items()
    for name in ladder.names()
]


@pytest.mark.parametrize(("ladder", "name"), CASES)
def test_every_part_climbs_its_ladder(ladder, name):
    ladder.check(name)


def groups_in_the_code() -> set[str]:
    """Return the kinds that calls of the registry name."""
    found = set()
    for room in ("workloads", "dataflows", "simulator"):
        texts = (path.read_text(encoding="utf-8") for path in (ROOT / room).rglob("*.py"))
        for text in (text for text in texts if "registry(" in text or "with_extensions(" in text):
            for node in ast.walk(ast.parse(text)):
                name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
                place = {"registry": 2, "with_extensions": 1}.get(name)
                if place is not None and isinstance(node.args[place], ast.Constant):
                    found.add(node.args[place].value)
    return found


def test_every_kind_has_a_ladder_and_a_line_in_the_page():
    assert groups_in_the_code() | set(GROUPS.values()) == set(ladders())
    page = (ROOT / "docs/how-to/extension-package.md").read_text(encoding="utf-8")
    assert [group for group in ladders() if f"`{PREFIX}{group}`" not in page] == []


# A ladder that refuses nothing judges nothing.


def test_a_wrong_kernel_or_closed_form_is_found():
    flow, array, operands = dataflows()["broadcast", "ws"], array_of("broadcast"), random_convolution(1)

    class Wrong:
        """A dataflow whose numbers are off by one."""

        name = "wrong"
        timing, traffic = flow.timing, flow.traffic

        @staticmethod
        def step(*arguments):
            found = flow.step(*arguments)
            return replace(found, result=found.result + 1)

    with pytest.raises(AssertionError, match="the numbers are not numpy's"):
        check_product(Wrong, array, operands)
    stepped = flow.step(array, operands)
    for change, told in (
        ({"cycles": stepped.cycles + 1}, "cycles stepped"),
        ({"macs": stepped.macs - 1}, "MACs stepped"),
        ({"traffic": replace(stepped.traffic, partial_sum_reads=10**9)}, "by the closed form"),
    ):
        with pytest.raises(AssertionError, match=told):
            check_closed_form(flow, array, operands, replace(stepped, **change))
    assert np.array_equal(stepped.result, flow.step(array, operands).result)


@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
def test_registers_are_kept_where_they_are_asked_for(flow, kind):
    array, operands = array_of(kind), random_convolution(1)
    assert flow.step(array, operands).registers is None
    assert flow.step(array, operands, dump_cycles=2).registers


def test_an_action_of_another_component_is_found():
    file = load_energy_table("45nm")
    free = file.with_energies({"macs": 0.0})
    machine = load_accelerator(design="max")
    with pytest.raises(AssertionError, match="macs costs nothing, not pe_array"):
        check_prices(file, energy_table_of(machine, free))


def test_an_importer_that_falls_over_is_found():
    scalesim = find_importer("scalesim")
    with pytest.raises(AssertionError, match="ends in UnicodeDecodeError"):
        check_importer(scalesim.suffixes, lambda path: path.read_text(encoding="utf-8"), importer_of, scalesim)
    with pytest.raises(AssertionError, match="are read by scalesim"):
        check_importer(scalesim.suffixes, scalesim.read, importer_of, object())
