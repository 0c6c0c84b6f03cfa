"""The table of models beside torch's counter: it is whole, docs tell it, and a sample of it comes out again."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the torch extra")

from model_table import worker  # noqa: E402
from model_table.__main__ import write_rows  # noqa: E402
from model_table.count import Direction, by_torch, count  # noqa: E402
from model_table.page import NAME, block  # noqa: E402
from model_table.rows import Row, read_rows  # noqa: E402
from torch import nn  # noqa: E402

from workloads.pytorch import operators  # noqa: E402
from workloads.recording.other import record_other  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:TF32")
ROOT = Path(__file__).parents[2]
ROWS = read_rows(ROOT / "tests/data/models.csv")
COUNTED = [row for row in ROWS.values() if not row.reason]


def test_three_hundred_models_and_every_difference_has_a_name():
    assert len(COUNTED) >= 300
    assert [row.model for row in COUNTED if any(row.unexplained)] == []


def test_docs_tell_what_came_out():
    text = (ROOT / "docs/networks.md").read_text(encoding="utf-8")
    told = text.split(f"<!-- begin: {NAME} -->")[1].split(f"<!-- end: {NAME} -->")[0]
    assert told.strip().splitlines() == block(ROWS.values())


def sample() -> list[Row]:
    """Ten quick models of the packages that the extra installs, from all over the table."""
    quick = [row for row in COUNTED if row.source != "transformers" and row.device == "meta" and row.seconds < 1]
    return quick[:: len(quick) // 10][:10]


class Slow:
    """Answers after so many seconds as a model is called, or never if that is too long."""

    def ask(self, request, seconds):
        source, name = request
        if name is None:
            return []
        time.sleep(min(float(name), seconds))
        return Row(source, name, "meta") if float(name) < seconds else None


def test_model_that_hangs_costs_its_own_time_alone(monkeypatch, tmp_path):
    monkeypatch.setattr(worker, "Worker", Slow)
    names = ["9", "0.2", "0.1", "0.3"]
    rows = {("s", row.model): row for row in worker.counted("s", names, 1.0, 2)}
    assert [name for name in names if rows["s", name].reason] == ["9"]
    assert list(rows)[-1] == ("s", "9")
    write_rows(tmp_path / "table.csv", rows, [("s", name) for name in names])
    assert [row.model for row in read_rows(tmp_path / "table.csv").values()] == names


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_two_processes_count_what_stands_in_the_table(tmp_path):
    pytest.importorskip("torchvision", reason="needs the torch extra")
    table = tmp_path / "table.csv"
    command = [sys.executable, "-m", "tests.model_table", "--out", table, "--source", "torchvision", "--workers", "2"]
    for models in ("4", "10"):  # the second run resumes the first one
        told = subprocess.run([*command, "--models", models], cwd=ROOT, check=True, capture_output=True, text=True)
        assert told.stdout.count("torchvision") == {"4": 4, "10": 6}[models]
    found = [replace(row, seconds=0.0) for row in read_rows(table).values()]
    assert found == [replace(row, seconds=0.0) for row in ROWS.values() if row.source == "torchvision"][:10]


@pytest.mark.parametrize("row", sample(), ids=lambda row: row.model)
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_sample_comes_out_again(row):
    pytest.importorskip(row.source, reason="needs the torch extra")
    from model_table.measure import measure

    again = measure(row.source, row.model)
    again.seconds = row.seconds
    assert again == row


def test_wgrad_of_a_grouped_convolution_is_told_as_torchs_slip():
    """8 channels in 4 groups, 3 x 3 on 5 x 5 with padding: each output reads 2 channels."""
    with torch.device("meta"):
        model, x = nn.Conv2d(8, 12, 3, padding=1, groups=4), torch.zeros(2, 8, 5, 5)
    forward, backward, _ = count(model, {"input": x})
    macs = 2 * 25 * 12 * 2 * 9
    assert (forward.recorded, forward.torch, backward.recorded) == (macs, macs, macs)  # the input needs no gradient
    assert backward.torch == 4 * macs
    assert backward.why == {"torch: a grouped wgrad counted as one group": 3 * macs}


def test_gradient_of_a_constant_is_recorded():
    """A model asks for the gradient of zeros that it makes, as transformers' mra does for want of its own operator."""

    class Zeros(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(6, 5), nn.Linear(5, 4)

        def forward(self, x):
            return self.last(torch.relu(torch.zeros_like(self.first(x)).requires_grad_()))

    with torch.device("meta"):
        forward, backward, _ = count(Zeros(), {"x": torch.zeros(2, 6)})
    assert (forward.recorded, forward.torch) == (2 * (6 * 5 + 5 * 4), 2 * (6 * 5 + 5 * 4))
    # A wgrad and a dgrad of `last`: no gradient comes back to `first`.
    assert (backward.recorded, backward.torch, backward.why) == (2 * 2 * 5 * 4, 2 * 2 * 5 * 4, {})


def test_product_that_the_recorder_loses_in_silence_is_not_explained(monkeypatch):
    monkeypatch.setitem(operators.OPERATORS, "addmm", operators.Operator("vector", record_other))
    with torch.device("meta"):
        model, x = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4, bias=False)), torch.zeros(2, 6)
    forward, backward, _ = count(model, {"input": x})
    assert (forward.unexplained, backward.unexplained) == (2 * 6 * 5, 2 * 6 * 5)


def test_vectors_that_torch_does_not_count_are_told():
    class Gate(nn.Module):
        def __init__(self):
            super().__init__()
            self.gate = nn.Parameter(torch.zeros(6))

        def forward(self, x):
            return x @ self.gate

    forward, backward = Direction(0), Direction(0)
    with torch.device("meta"):
        by_torch(Gate(), {"x": torch.zeros(3, 6)}, forward, backward)
    assert (forward.torch, forward.why) == (0, {"torch: mv not counted": -18})
