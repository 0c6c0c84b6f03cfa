"""The Python in the docs runs as it stands."""

import re
import warnings
from pathlib import Path

import adagp_sim
import numpy as np
import pytest
from command_line import run_here

from simulator.explain.stepping import MOST_CYCLES

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


def test_pages_take_public_names_from_adagp_sim() -> None:
    """A page imports from a room of the project only what has no public name: parts to write, and the stepping."""
    homes = {**adagp_sim._HOMES, "write_trace": "save_trace"}
    for page in [*DOCS.rglob("*.md"), *DOCS.rglob("*.ipynb")]:
        for names in re.findall(
            r"from (?:simulator|workloads|dataflows)[\w.]* import ([\w, ]+)", page.read_text("utf-8")
        ):
            assert not homes.keys() & set(re.split(r"[ ,]+", names)), f"{page.name}: {names}"


def test_the_training_loop_of_the_page_runs_without_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "how-to" / "own-training-loop.md").read_text(encoding="utf-8")
    (block,) = re.findall(r":caption: loop.py\n(.*?)```", page, re.DOTALL)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*requires_grad=True.*")
        exec(block, {})
    assert adagp_sim.load_trace("loop.yaml").schedule.batches == 8  # four epochs of two batches


def test_the_limit_of_a_waveform_is_told_where_it_is_asked_for() -> None:
    limit = f"at most {MOST_CYCLES:,}"
    page = " ".join((DOCS / "how-to" / "one-layer.md").read_text(encoding="utf-8").split())
    for text in (page, " ".join(run_here("explain", "--help").out.split())):
        assert limit in text
