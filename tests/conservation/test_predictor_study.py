"""The study of the predictor: its gradients are those of the run, its bounds those of a longer way to them."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the torch extra")
pytest.importorskip("sklearn", reason="needs the torch extra")

from click.testing import CliRunner  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from simulator.cli.main import cli  # noqa: E402
from workloads.foundation.validation import validate  # noqa: E402
from workloads.networks import find_recipe  # noqa: E402
from workloads.predictor import Predictor  # noqa: E402
from workloads.pytorch.ceilings import fit_to_batch, least_squares, replay, running_mean  # noqa: E402
from workloads.pytorch.gradient_stream import Stream, knowable, record_stream  # noqa: E402
from workloads.pytorch.predictor_study import NETWORK, Variant, chosen_variant, variants  # noqa: E402
from workloads.pytorch.predictor_training import PredictorTraining  # noqa: E402
from workloads.pytorch.settings import settings_of  # noqa: E402
from workloads.pytorch.training import train  # noqa: E402
from workloads.schedule import Policy  # noqa: E402

SIZES = Predictor(outputs=288)


def policy() -> Policy:
    stages = ({"epochs": 1, "pattern": ({"phase": "warm_up"},)},
              {"epochs": "rest", "pattern": ({"phase": "gp"}, {"phase": "bp"})})  # fmt: skip
    plain = {"version": 1, "name": "short", "description": "", "source": "", "epochs": 2, "stages": stages}
    return validate(Policy, plain, "short")


@pytest.fixture(scope="module")
def stream() -> Stream:
    recipe = find_recipe(NETWORK)
    return record_stream(recipe, recipe.training.load_data(), SIZES, policy(), seed=0, epochs=2)


def test_replay_gives_the_errors_of_the_run_itself(stream):
    """The control that leaves GP batches out trains its predictor on the very gradients of the stream."""
    recipe = find_recipe(NETWORK)
    settings = settings_of(recipe, 0, gp_gradient="skip")
    run = train(recipe.build, recipe.training.load_data(), SIZES, policy(), settings)
    assert tuple(stream.phases) == tuple(phase for epoch in run.phases for phase in epoch)
    track = replay(stream, SIZES, settings.predictor_learning_rate, settings.predictor_training, seed=0)
    # The predictor's first weights are others: the run draws them after the network's.
    for epoch, errors in enumerate(run.layer_errors, start=1):
        rows = [row for row, number in zip(track, stream.epochs, strict=True) if number == epoch]
        for name, error in errors.items():
            assert sum(row[name].cosine for row in rows) / len(rows) == pytest.approx(error.cosine, abs=0.1)
            assert sum(row[name].relative_l2 for row in rows) / len(rows) == pytest.approx(error.relative_l2, abs=0.05)


def test_running_mean_is_the_mean_of_what_was():
    gradients = [torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 1.0]])]
    made = Stream([{"layer": (torch.zeros(1, 1, 1, 1), one)} for one in gradients], ["bp"] * 3, [1, 1, 1])
    last, mean = running_mean(made, 0.0), running_mean(made, 0.75)
    assert last[0] == mean[0] == {}
    assert [row["layer"].cosine for row in last[1:]] == pytest.approx([0.0, 0.5**0.5])
    # 0.75 (1, 0) + 0.25 (0, 1) against (1, 1).
    assert mean[2]["layer"].cosine == pytest.approx(1.0 / (0.625**0.5 * 2**0.5))


def test_knowable_is_the_root_of_the_mean_product_over_the_mean_square():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    generator = torch.Generator().manual_seed(1)
    batches = [(torch.randn(5, 4, generator=generator), torch.randint(3, (5,), generator=generator)) for _ in range(6)]
    gradients = []
    for images, labels in batches:
        model.zero_grad()
        functional.cross_entropy(model(images), labels).backward()
        gradients.append(model[1].weight.grad.clone())
    pairs = [float((one * other).sum()) for one in gradients for other in gradients if one is not other]
    squares = [float((one * one).sum()) for one in gradients]
    expected = (max(0.0, sum(pairs) / len(pairs)) / (sum(squares) / len(squares))) ** 0.5
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert knowable(model, batches)["1"] == pytest.approx(expected, rel=1e-4)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    # The same batch again and again is known wholly.
    assert knowable(model, batches[:1] * 4)["1"] == pytest.approx(1.0, rel=1e-4)


def repeated(times: int = 12) -> Stream:
    """Two layers of different widths whose gradients stay the same."""
    generator = torch.Generator().manual_seed(2)
    batch = {
        name: (torch.randn(channels, 1, 4, 4, generator=generator), torch.randn(channels, width, generator=generator))
        for name, channels, width in (("wide", 3, 9), ("narrow", 4, 6))
    }
    return Stream([batch] * times, ["bp"] * times, [1] * times)


@pytest.mark.parametrize("shared", [False, True])
def test_least_squares_finds_what_the_form_can_express(shared):
    """Seven channels have seven different images: 64 features tell them apart, whoever owns the linear layer."""
    sizes, made = Predictor(outputs=9), repeated()
    track = least_squares(made, sizes, 0.9, shared, seed=0)
    assert track[0] == {}
    assert min(error.cosine for error in track[-1].values()) > 0.98
    fitted = fit_to_batch(made, sizes, shared, seed=0)
    assert min(error.cosine for error in fitted[0].values()) > 0.9999
    assert fitted[1] == {}
    assert fitted[11].keys() == {"wide", "narrow"}


def test_replay_learns_faster_with_the_greater_rate():
    sizes, made = Predictor(outputs=9), repeated(80)
    slow, fast = (replay(made, sizes, rate, PredictorTraining(), 0)[-1]["wide"].cosine for rate in (1e-4, 1e-2))
    assert fast > 0.9
    assert fast > slow


def test_milestones_lower_the_rate_of_the_replay():
    made = repeated(20)
    made.epochs[:] = [1] * 10 + [2] * 10
    sizes = Predictor(outputs=9)
    plain, lowered = (replay(made, sizes, 0.01, PredictorTraining(), 0, marks) for marks in ((), (1,)))
    assert plain[:11] == lowered[:11]
    assert plain[12] != lowered[12]


def test_variants_hold_the_default_first_and_the_papers():
    chosen = chosen_variant(settings_of(find_recipe(NETWORK)))
    found = variants(chosen)
    assert found[0] == chosen
    assert len({one.title for one in found}) == len(set(found)) == len(found)
    assert Variant(0.0001) in found


@pytest.mark.long  # 43 trainings
def test_command_writes_the_page_whole(tmp_path):
    out = tmp_path / "made" / "study.md"
    run = CliRunner().invoke(
        cli, ["train", "predictors", "--seeds", "1", "--stream-epochs", "1", "--epochs", "1", "--out", str(out)]
    )
    assert run.exit_code == 0, run.output
    text = out.read_text(encoding="utf-8")
    assert "--seeds 1 --stream-epochs 1 --epochs 1`" in text
    for heading in ("What bounds it", "Ways to train it", "What limits it", "What it gains in training"):
        assert f"\n## {heading}\n" in text
    for variant in variants(chosen_variant(settings_of(find_recipe(NETWORK)))):
        assert text.count(f"{variant.title} |") + text.count(f"{variant.title}** (default) |") >= 1
    assert "nan" not in text


def test_page_of_the_documentation_has_the_default():
    text = (Path(__file__).parents[2] / "docs/predictor-study.md").read_text(encoding="utf-8")
    chosen = chosen_variant(settings_of(find_recipe(NETWORK)))
    assert f"| **{chosen.title}** (default) |" in text
    assert "--seeds 3 --stream-epochs 30 --epochs 90`" in text


@pytest.mark.long
def test_the_default_predicts_better_than_the_papers_rate():
    """docs/predictor.md: under the paper's schedule, over all layers, with a seed that the study does not use."""
    from workloads.trace import load_policy

    recipe = find_recipe(NETWORK)
    stream = record_stream(recipe, recipe.training.load_data(), SIZES, load_policy("paper"), seed=7, epochs=12)
    chosen = chosen_variant(settings_of(recipe))

    def cosine(rate: float) -> float:
        track = replay(stream, SIZES, rate, chosen.training, 7)
        return sum(sum(error.cosine for error in row.values()) / 4 for row in track) / len(track)

    assert cosine(chosen.rate) > 1.4 * cosine(0.0001)
