"""The Python in the docs runs as it stands."""

import re
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_stepping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", (DOCS / "stepping.md").read_text(), re.DOTALL):
        exec(block, names)
    X, W, Y, dX = names["X"], names["W"], names["Y"].tensor, names["dX"].tensor
    padded = np.pad(X, ((0, 0), (0, 0), (1, 1), (1, 1)))
    assert np.isclose(Y[1, 5, 3, 4], (padded[1, :, 3:6, 4:7] * W[5]).sum())
    assert np.isclose((dX * X).sum(), (Y * Y).sum())  # <W^T dY, X> = <dY, W X>
    assert (tmp_path / "registers.vcd").read_text().startswith("$timescale")
