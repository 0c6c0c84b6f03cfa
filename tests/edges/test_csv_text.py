"""A result's CSV: cells of any length come back, and nothing of the process stays changed."""

import csv

import pytest

from simulator.outputs.csv_text import csv_rows, csv_text


@pytest.mark.parametrize("length", [1, 131_072, 131_073, 400_000])
def test_a_cell_of_any_length_comes_back(length: int) -> None:
    usual = csv.field_size_limit()
    columns, rows = csv_rows(csv_text(["layer", "cycles"], [["x" * length, 7], ['a "b"\r\n,c', 8]]))
    assert columns == ["layer", "cycles"]
    assert rows == [{"layer": "x" * length, "cycles": "7"}, {"layer": 'a "b"\r\n,c', "cycles": "8"}]
    assert csv.field_size_limit() == usual
