"""Every number of figures 7 to 12, reviewed by hand when it changes.

Make them again with ``python tests/golden/test_reproduce_timelines.py`` and say in CHANGELOG.md what changed. Each
table of an exhibit is a file of its own in ``tests/golden/reproduce/``, just as `adagp-sim reproduce` writes it.
"""

from pathlib import Path

import pytest
from exhibit_tables import check_tables, write_tables

KEYS = ("fig7", "fig8", "fig9", "fig10", "fig11", "fig12")


@pytest.mark.parametrize("key", KEYS)
def test_numbers_are_the_reviewed_ones(key: str, tmp_path: Path) -> None:
    check_tables(key, tmp_path)


if __name__ == "__main__":
    write_tables(KEYS)
