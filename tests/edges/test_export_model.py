"""Exporting a user's own model: what is made, and what each mistake is answered with."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="needs the torch extra")

from simulator.cli.main import cli  # noqa: E402
from simulator.machine.spec_loading import load_accelerator  # noqa: E402
from simulator.run.simulation import simulate  # noqa: E402
from workloads.foundation.errors import InputError  # noqa: E402
from workloads.networks import find_recipe, recipe_names  # noqa: E402
from workloads.pytorch.export import export_model, export_trained  # noqa: E402
from workloads.trace import load_policy, load_trace  # noqa: E402

MODELS = """
import torch
from torch import nn

def small():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 6 * 6, 10))

def frozen():
    model = small()
    model[0].requires_grad_(False)
    return model

class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.out = nn.Embedding(20, 6), nn.Linear(6, 20)

    def forward(self, tokens):
        return self.out(self.table(tokens))

class NeedsValues(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        return self.fc(x) if x.sum().item() == 0 else x

def values_at_build():
    return nn.Linear(4, int(torch.tensor(5).item()))

def no_model():
    return 3

class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.up = nn.ConvTranspose3d(1, 1, (1, 2, 2))

    def forward(self, x, y):
        return self.fc(x + y), self.up(x[:, None, None, None])

def activations_only():
    return nn.ReLU()

number = 3
"""


@pytest.fixture
def models(tmp_path, monkeypatch):
    (tmp_path / "own_models.py").write_text(MODELS)
    (tmp_path / "broken_models.py").write_text("import torch\nraise KeyError('first line')\n")
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("own_models", None)


def export(target, *shapes, **options):
    return export_model(target, shapes, load_policy("paper"), 100, "adagp-sim trace export", **options)


def test_own_model(models):
    trace = export("own_models:small", (4, 3, 8, 8))
    assert [layer.id for layer in trace.layers] == ["0", "1", "3"]
    assert (trace.network, trace.batch_size, trace.predictor.outputs) == ("Sequential", 4, 288)
    assert trace.schedule.batches == 25 * 90
    assert trace.provenance.origin == "recorded"
    assert trace.metrics == ()


@pytest.mark.parametrize(("name", "backward"), [
    ("small", {"0": ["update", "wgrad"], "3": ["dgrad", "update", "wgrad"]}),
    ("frozen", {"0": [], "3": ["update", "wgrad"]}),
])  # fmt: skip
def test_what_is_frozen_has_no_backward_work_in_a_run(models, name, backward):
    run = simulate(export(f"own_models:{name}", (4, 3, 8, 8)), load_accelerator(design="baseline")).runs[0]
    found = {layer: {row.pass_: row for row in run.rows if (row.phase, row.layer) == ("bp", layer)} for layer in "03"}
    assert {layer: sorted(rows.keys() - {"forward"}) for layer, rows in found.items()} == backward
    # Four samples: 6 x 6 pixels of 3 x 9 words by 8 filters, and 288 numbers by 10.
    macs = {"0": 4 * 36 * 27 * 8, "3": 4 * 288 * 10}
    for layer, rows in found.items():
        assert all(row.counts.macs == macs[layer] for name, row in rows.items() if name != "update")


def test_indices_as_input(models):
    trace = export("own_models:Words", (4, 7), input_dtypes=("int64",))
    assert [layer.kind for layer in trace.layers] == ["other", "linear"]


def test_several_inputs_and_what_is_not_recorded(models, tmp_path):
    """By the command: inputs repeat, and a list of what is missing is at the end, and in the trace."""
    command = ["trace", "export", "--model", "own_models:Two", "--input", "3x4", "--input", "3x4", "--samples", "9"]
    run = CliRunner().invoke(cli, [*command, "--out", str(tmp_path / "two.yaml")])
    assert run.exit_code == 0, run.output
    # x + y is 4 numbers: fc takes 4 x 4, and up 4 x 2 x 2.
    share = "50.00% of the arithmetic is not simulated (3-D transposed convolution 50.00%)"
    missing = "the multiply-accumulates of convolution are missing: up"
    assert run.stdout.splitlines()[1:] == ["not recorded as it is:", f"  {share}", f"  {missing}"]
    trace = load_trace(tmp_path / "two.yaml")
    assert trace.inputs == {"x": (4,), "y": (4,)}
    assert trace.provenance.unrecorded == (share, missing)
    assert trace.provenance.notes[1:] == tuple(f"Not recorded as it is: {one}" for one in (share, missing))


def test_names_and_optimizer_are_options(models):
    command = ["trace", "export", "--model", "own_models:Words", "--input", "4x7:int64"]
    named = [*command, "--name", "words", "--dataset", "Multi30k", "--optimizer", "adam"]
    assert CliRunner().invoke(cli, named).exit_code == 0
    trace = load_trace("words.yaml")
    assert (trace.network, trace.dataset.name, trace.optimizer) == ("words", "Multi30k", "adam")
    assert trace.provenance.command.endswith("--name words --dataset Multi30k --optimizer adam")
    assert CliRunner().invoke(cli, command).exit_code == 0
    assert load_trace("Words.yaml").network == "Words"
    refused = CliRunner().invoke(cli, ["trace", "export", "vgg13-cifar10", "--name", "mine"])
    assert refused.exit_code == 2
    assert "--name goes with --model" in refused.output


def test_all_networks_need_a_folder(tmp_path):
    (tmp_path / "file").write_text("")
    run = CliRunner().invoke(cli, ["trace", "export", "all", "--out", str(tmp_path / "file")])
    assert "is no folder; give a folder for the traces of all networks" in str(run.exception)


@pytest.mark.parametrize("name", ["NeedsValues", "values_at_build"])
def test_models_that_meta_tensors_are_not_enough_for(models, name):
    assert export(f"own_models:{name}", (2, 4)).layers[-1].kind == "linear"


@pytest.mark.parametrize(
    ("target", "shapes", "options", "message"),
    [
        ("own_models", [(4, 3, 8, 8)], {}, "own_models: is no module:callable"),
        ("no_models:small", [(4, 3, 8, 8)], {}, "no module no_models"),
        ("own_models:smal", [(4, 3, 8, 8)], {}, "did you mean small?"),
        ("own_models:number", [(4, 3, 8, 8)], {}, "has no callable number"),
        ("broken_models:small", [(4, 3, 8, 8)], {}, "importing broken_models fails: KeyError: 'first line'"),
        ("own_models:no_model", [(4, 3, 8, 8)], {}, "returns a int; return a torch.nn.Module"),
        ("own_models:small", [(4, 3, 9, 9)], {}, "the model does not run on inputs of"),
        ("own_models:small", [(4, 3, 8, 0)], {}, "give sizes of at least 1"),
        ("own_models:small", [], {}, "no shape is given"),
        ("own_models:small", [(4, 3, 8, 8)], {"input_dtypes": ("floot32",)}, "did you mean float32?"),
        ("own_models:small", [(4, 3, 8, 8)], {"input_dtypes": ("float32",) * 2}, "2 types for 1 inputs"),
        ("own_models:activations_only", [(4, 3)], {}, "none is a convolution or linear layer"),
    ],
)
def test_mistakes_are_told_in_one_line(models, target, shapes, options, message):
    with pytest.raises(InputError) as caught:
        export(target, *shapes, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_recipe_without_training_cannot_be_trained():
    with pytest.raises(InputError, match="has no training settings"):
        export_trained(find_recipe("vgg13-cifar10"), load_policy("paper"), "")


def test_unknown_recipe_names_the_nearest():
    assert {"digits-cnn", "vgg13-cifar10"} <= set(recipe_names())
    with pytest.raises(InputError, match="did you mean digits-cnn"):
        find_recipe("digit-cnn")


def test_missing_torch_is_told_in_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match="torch is needed for it and not installed"):
        export("own_models:small", (4, 3, 8, 8))


def test_torch_is_not_imported_before_something_is_exported():
    code = (
        "import sys, workloads.pytorch.export\nfrom workloads.networks import recipe_names\n"
        "recipe_names()\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
