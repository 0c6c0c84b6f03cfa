"""Each choice of the predictor's training does what it says, on numbers worked out by hand."""

import pytest

torch = pytest.importorskip("torch", reason="needs the torch extra")

from click.testing import CliRunner  # noqa: E402

from simulator.cli.main import cli  # noqa: E402
from workloads.foundation.errors import InputError  # noqa: E402
from workloads.networks import find_recipe, recipe_names  # noqa: E402
from workloads.predictor import Predictor  # noqa: E402
from workloads.pytorch.gradient_prediction import train_predictor  # noqa: E402
from workloads.pytorch.masked_adam import MaskedAdam  # noqa: E402
from workloads.pytorch.predictor_module import GradientPredictor  # noqa: E402
from workloads.pytorch.predictor_training import PredictorTraining  # noqa: E402
from workloads.pytorch.settings import Settings, settings_of, with_predictor  # noqa: E402
from workloads.trace import load_trace  # noqa: E402

# One channel and a kernel of one: the convolution multiplies by a number, which the tests set to one.
SIZES = Predictor(pool=(1, 2), channels=1, kernel=(1, 1), outputs=2)
IMAGES = torch.tensor([[[[1.0, 3.0]]], [[[5.0, 7.0]]]])
# Mean 4 and variance (9 + 1 + 1 + 9) / 4 = 5 over both channels; the ReLU drops what is negative.
STANDARDISED = torch.tensor([[0.0, 0.0], [1.0, 3.0]]) / 5**0.5
GRADIENT = torch.tensor([[3.0, 4.0], [0.0, 0.0]])  # root mean square 2.5
LATER = GRADIENT * 3


def predictor(**choices) -> GradientPredictor:
    torch.manual_seed(0)
    made = GradientPredictor(SIZES, ["layer"], PredictorTraining(**choices))
    with torch.no_grad():
        made.conv.weight.fill_(1.0)
    return made


def test_raw_inputs_are_the_pooled_images():
    assert predictor().features(IMAGES).tolist() == [[1.0, 3.0], [5.0, 7.0]]


def test_standardised_inputs_have_no_mean_and_the_variance_one():
    made = predictor(inputs="standardised")
    torch.testing.assert_close(made.features(IMAGES), STANDARDISED)
    torch.testing.assert_close(made.features(100 * IMAGES + 7), STANDARDISED)


def test_inputs_without_variance_stay_finite():
    made = predictor(inputs="standardised")
    assert made.features(torch.full((2, 1, 1, 2), 3.0)).abs().max() == 0
    sizes = Predictor(pool=(1, 1), channels=1, kernel=(1, 1), outputs=2)
    single = GradientPredictor(sizes, ["layer"], made.training_choices)
    with torch.no_grad():
        single.conv.weight.fill_(1.0)
    assert single.features(torch.full((1, 1, 1, 1), 3.0)).tolist() == [[3.0]]


@pytest.mark.parametrize(
    ("targets", "target", "unit"),
    [
        ("plain", LATER, 1.0),
        # The mean square is 6.25, then a tenth of the way to 56.25: 11.25.
        ("running", LATER / 11.25**0.5, 11.25**0.5),
        ("batch", LATER / 7.5, 11.25**0.5),
    ],
)
def test_targets_and_the_unit_of_predictions(targets, target, unit):
    made = predictor(targets=targets)
    made.observe("layer", GRADIENT)
    made.observe("layer", LATER)
    torch.testing.assert_close(made.target("layer", LATER), target)
    with torch.no_grad():
        made.linear.weight.copy_(torch.eye(2))
    torch.testing.assert_close(made.predict("layer", IMAGES, LATER), unit * made.features(IMAGES).detach())


def test_start_of_the_linear_layer():
    plain = predictor(start="default").linear.weight
    # Linear's own: uniform, at most one over the root of the inputs.
    assert 0 < plain.abs().max() <= 1 / 2**0.5
    assert torch.equal(predictor(start="small").linear.weight, plain * 0.01)
    assert predictor().linear.weight.abs().max() == 0


@pytest.mark.parametrize("steps", [1, 3])
def test_steps_are_steps_of_adam_on_the_same_target(steps):
    made = predictor(steps=steps, start="default", targets="plain")
    copy = predictor(steps=steps, start="default", targets="plain")
    train_predictor(made, MaskedAdam(made, 0.01), "layer", IMAGES, GRADIENT)
    adam = torch.optim.Adam([copy.conv.weight, copy.linear.weight], lr=0.01)
    for _ in range(steps):
        adam.zero_grad()
        outputs = torch.relu(IMAGES.flatten(1) * copy.conv.weight.flatten()) @ copy.linear.weight.T
        ((outputs - GRADIENT) ** 2).mean().backward()
        adam.step()
    torch.testing.assert_close(made.linear.weight, copy.linear.weight)
    torch.testing.assert_close(made.conv.weight, copy.conv.weight)


@pytest.mark.parametrize("choices", [{"targets": "none"}, {"inputs": "scaled"}, {"start": "one"}, {"steps": 0}])
def test_choices_that_there_are_not(choices):
    ((name, value),) = choices.items()
    with pytest.raises(InputError, match=f"{name}: is {value!r}; give"):
        PredictorTraining(**choices)


def test_networks_without_training_keep_the_papers_rate():
    for name in recipe_names():
        recipe = find_recipe(name)
        expected = (
            0.01 if name in ("digits-cnn", "vgg13-quarter-fashion") else 0.0001
        )  # docs/predictor.md; the paper, 5.2
        assert settings_of(recipe).predictor_learning_rate == expected
        assert settings_of(recipe).predictor_training == PredictorTraining()


def test_choices_change_one_by_one():
    settings = Settings(8, 0.1, 0.9, 0.01)
    assert with_predictor(settings) == settings
    assert with_predictor(settings, 0.5).predictor_learning_rate == 0.5
    changed = with_predictor(settings, None, inputs="standardised", targets=None)
    assert changed.predictor_training == PredictorTraining(inputs="standardised")
    assert changed.predictor_learning_rate == 0.01


def test_provenance_tells_how_the_predictor_was_trained(tmp_path):
    pytest.importorskip("sklearn", reason="needs the torch extra")
    told = {"predictor_learning_rate": 0.01, "predictor_inputs": "raw", "predictor_targets": "running",
            "predictor_start": "zero", "predictor_steps": 1}  # fmt: skip
    options = ["--predictor-rate", "0.0001", "--predictor-inputs", "standardised", "--predictor-targets", "batch",
               "--predictor-start", "small", "--predictor-steps", "2"]  # fmt: skip
    other = {"predictor_learning_rate": 0.0001, "predictor_inputs": "standardised", "predictor_targets": "batch",
             "predictor_start": "small", "predictor_steps": 2}  # fmt: skip
    for number, (given, expected) in enumerate((([], told), (options, other))):
        out = tmp_path / f"{number}.yaml"
        run = CliRunner().invoke(cli, ["train", "reference", "digits-cnn", "--epochs", "1", "--out", str(out), *given])
        assert run.exit_code == 0, run.output
        settings = load_trace(out).provenance.settings
        assert {name: settings[name] for name in expected} == expected
