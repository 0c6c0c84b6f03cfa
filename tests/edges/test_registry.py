"""Parts are found by file and name; a file that lacks its part, or takes another's name, is an error of one line."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dataflows import dataflow
from workloads.foundation.errors import InputError
from workloads.foundation.registry import parts, registry

FORM = object  # parts of a test may be anything
PART = "class Part:\n    def __init__(self, name, rank): self.name, self.rank = name, rank\n\nPART = Part({!r}, {})\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "parts_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "a.py").write_text(PART.format("second", 2))
    (folder / "b.py").write_text(PART.format("first", 1))
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.startswith("parts_of_a_test")]:
        del sys.modules[name]


def test_parts_stand_by_name_in_the_order_of_their_rank(package: Path) -> None:
    assert list(registry("parts_of_a_test", "PART", "tests", FORM)) == ["first", "second"]
    assert [module for module, _ in parts("parts_of_a_test", "PART")] == ["parts_of_a_test.a", "parts_of_a_test.b"]
    assert list(registry("parts_of_a_test", "PART", "tests", FORM, lambda part: f"{part.rank}")) == ["1", "2"]


def test_a_file_without_its_part(package: Path) -> None:
    (package / "c.py").write_text("PRAT = 1\n")
    with pytest.raises(InputError, match=r"c\.py: PART: is not in this file; define it") as told:
        registry("parts_of_a_test", "PART", "tests", FORM)
    assert told.value.where == str(package / "c.py")
    assert len(parts("parts_of_a_test", "PART", beside=["c"])) == 2
    assert list(registry("parts_of_a_test", "PART", "tests", FORM, beside=["c"])) == ["first", "second"]


def test_two_parts_of_one_name(package: Path) -> None:
    (package / "c.py").write_text(PART.format("first", 3))
    with pytest.raises(InputError, match=r"parts_of_a_test\.c: PART: 'first' is also in parts_of_a_test\.b"):
        registry("parts_of_a_test", "PART", "tests", FORM)


def test_a_dataflow_in_whose_way_no_array_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would run nowhere, and nobody would notice."""
    wrong = replace(dataflow.dataflows()["broadcast", "os"], way="sum stays")
    monkeypatch.setattr(dataflow, "registry", lambda *_: {"os": wrong})
    with pytest.raises(InputError, match=r"dataflow os: way: is 'sum stays', in which no array works; .*sums stay"):
        dataflow.dataflows.__wrapped__()
