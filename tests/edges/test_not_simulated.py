"""What a trace does not hold: the export says it, and so do inspect and every run."""

import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import good, run_here

torch = pytest.importorskip("torch", reason="needs the torch extra")
pytest.importorskip("onnx", reason="needs the onnx extra")

from onnx_graphs import Builder, image  # noqa: E402

# The middle layer of a network for torch, or as an ONNX operator with the shape of its weight and attributes; what a
# sample is; what its product is called; its multiply-accumulates and those of the linear layer behind it, by hand.
IMAGE, VIDEO = (3, 8, 8), (3, 5, 6, 6)
CASES = {
    "3-D": ("nn.Conv3d(3, 4, 3)", ("Conv", (4, 3, 3, 3, 3), {}),
            VIDEO, "3-D convolution", 4 * 3 * 4 * 4 * 81, 4 * 3 * 4 * 4 * 10),
    "3-D transposed": ("nn.ConvTranspose3d(3, 4, 2)", ("ConvTranspose", (3, 4, 2, 2, 2), {}),
                       VIDEO, "3-D transposed convolution", 3 * 5 * 6 * 6 * 4 * 8, 4 * 6 * 7 * 7 * 10),
    # 8 + 2 rows, of taps two apart, and one more: a convolution of them would make 9 rows of the image's 8.
    "output padding": ("nn.ConvTranspose2d(3, 4, 2, dilation=2, output_padding=1)",
                       ("ConvTranspose", (3, 4, 2, 2), {"dilations": [2, 2], "output_padding": [1, 1]}),
                       IMAGE, None, 3 * 8 * 8 * 4 * 4, 4 * 11 * 11 * 10),
    "unequal pads": (None, ("ConvTranspose", (3, 4, 2, 2), {"strides": [2, 2], "pads": [0, 0, 1, 1]}),
                     IMAGE, None, 3 * 8 * 8 * 4 * 4, 4 * 15 * 15 * 10),
}  # fmt: skip


def from_torch(folder: Path, name: str) -> tuple[str, str]:
    """Export a model by the command; return what it said, and what torch calls a product without a name."""
    layer, _, sample, _, _, head = CASES[name]
    (folder / "deep_model.py").write_text(
        "from torch import nn\n"
        f"def make(): return nn.Sequential({layer}, nn.ReLU(), nn.Flatten(), nn.Linear({head // 10}, 10))\n"
    )
    shape = "x".join(map(str, (4, *sample)))
    model = ["--model", "deep_model:make", "--input", shape, "--samples", "8"]
    run = good(run_here("trace", "export", *model, "--schedule", "paper", "--out", "t.yaml", cwd=folder))
    return run.out, "convolution"


def from_onnx(folder: Path, name: str) -> tuple[str, str]:
    """Import a graph by the command; return what it said, and what ONNX calls a product without a name."""
    _, (operator, shape, attributes), sample, _, _, head = CASES[name]
    b = Builder(**image("N", *sample))
    b.node(operator, ["image", b.weight("w", *shape)], "deep", **attributes)
    b.node("Relu", ["deep"], "relu")
    b.node("Flatten", ["relu"], "flat")
    b.node("Gemm", ["flat", b.weight("v", head // 10, 10)], "head")
    b.save(folder / "t.onnx", "head")
    size = ["--batch-size", "4", "--samples", "8", "--schedule", "paper"]
    return good(run_here("trace", "import", "t.onnx", *size, cwd=folder)).out, operator


@pytest.mark.parametrize(
    ("name", "make"),
    [(name, make) for name, case in CASES.items() for make in (from_torch, from_onnx) if case[0] or make is from_onnx],
)
def test_the_share_is_told_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, make) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "deep_model", raising=False)
    *_, product, lost, head = CASES[name]
    recorded, operator = make(tmp_path, name)
    share = f"{lost / (lost + head):.2%}"
    told = f"{share} of the arithmetic is not simulated ({product or operator} {share})"

    inspected = told_everywhere(tmp_path, recorded, told)
    assert inspected["not_simulated"][0] == told
    assert sum(row["macs_forward"] for row in inspected["graph"]) == 4 * head


EXPERTS = """
import torch
from torch import nn

class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate, self.all = nn.Linear(8, 4, bias=False), nn.ModuleList(nn.Linear(8, 8, bias=False) for _ in range(4))

    def forward(self, x):
        best, y = self.gate(x).argmax(-1), torch.zeros_like(x)
        for index, expert in enumerate(self.all):
            rows = (best == index).nonzero()[:, 0]
            if rows.numel():
                y[rows] = expert(x[rows])
        return y
"""


def test_values_that_decide_are_told_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mixture of experts: each vector goes through the best of four, and nobody knows which those are."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "deep_model", raising=False)
    (tmp_path / "deep_model.py").write_text(EXPERTS)
    model = ["--model", "deep_model:Experts", "--input", "6x8", "--samples", "12", "--schedule", "paper"]
    recorded = good(run_here("trace", "export", *model, "--out", "t.yaml", cwd=tmp_path)).out
    told_everywhere(tmp_path, recorded, "values decide what runs after nonzero: another batch may run other layers")
    told_everywhere(tmp_path, recorded, "are reached by no operator, and counted all the same: all.")


def told_everywhere(folder: Path, recorded: str, told: str) -> Any:
    """See that recording, inspect and runs of `t.yaml` tell it; return what inspect gives in JSON."""

    def said(text: str) -> bool:
        return told in " ".join(text.split())  # a table may break its lines

    assert said(recorded)
    assert said(good(run_here("trace", "inspect", "t.yaml", cwd=folder)).out)
    for command in ("simulate", "compare"):
        assert said(good(run_here(command, "t.yaml", cwd=folder)).out)
        assert said(good(run_here(command, "t.yaml", "--json", cwd=folder)).err)
    return good(run_here("trace", "inspect", "t.yaml", "--json", cwd=folder)).json
