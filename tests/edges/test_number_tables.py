"""Shipped CSV tables: an error names file, row and column."""

from pathlib import Path

import pytest

from workloads.foundation.errors import InputError
from workloads.foundation.shipped_csv import read_csv


def test_comments_and_texts(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("# source\nname,value_pj\none,1e-3\n", encoding="utf-8")
    assert read_csv(path, texts=("name",)) == [{"name": "one", "value_pj": 0.001}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no table"),
        ("# only a source\n", "holds no table"),
        ("a,b\n1\n", "row 1: has 1 cells, not 2"),
        ("a,b\n1,2\n1,2,3\n", "row 2: has 3 cells, not 2"),
        ("a,b\n1,many\n", "row 1, b: is 'many'; give a number"),
    ],
)
def test_bad_tables(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_csv(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_csv(tmp_path / "absent.csv")
