"""Every number of figure 15, table 1 and the paper's contradictions, reviewed by hand when it changes.

Make them again with ``python tests/golden/test_reproduce_accuracy.py`` and say in CHANGELOG.md what changed. Figure 15
and the accuracies of table 1 are what the shipped trace holds, so training again does not change them by itself.
"""

from pathlib import Path

import pytest
from exhibit_tables import check_tables, write_tables

KEYS = ("fig15", "table1", "contradictions")


@pytest.mark.parametrize("key", KEYS)
def test_numbers_are_the_reviewed_ones(key: str, tmp_path: Path) -> None:
    check_tables(key, tmp_path)


if __name__ == "__main__":
    write_tables(KEYS)
