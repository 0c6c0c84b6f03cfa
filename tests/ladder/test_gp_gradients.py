"""What each control steps with in a Phase GP batch, on numbers by hand; how alike batches are, pair by pair."""

from itertools import permutations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the torch extra")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from workloads.predictor import Predictor  # noqa: E402
from workloads.pytorch.gp_gradients import SOURCES, Moment  # noqa: E402
from workloads.pytorch.gradient_prediction import prediction_error  # noqa: E402
from workloads.pytorch.masked_adam import MaskedAdam  # noqa: E402
from workloads.pytorch.past_gradients import PastGradients  # noqa: E402
from workloads.pytorch.predictor_module import GradientPredictor  # noqa: E402
from workloads.pytorch.predictor_training import PredictorTraining  # noqa: E402
from workloads.pytorch.settings import Settings  # noqa: E402
from workloads.pytorch.similarity import SimilaritySums  # noqa: E402
from workloads.pytorch.split import Split  # noqa: E402
from workloads.pytorch.training import Trainer, train  # noqa: E402
from workloads.trace import load_policy  # noqa: E402

SIZES = Predictor(pool=(1, 2), channels=1, kernel=(1, 1), outputs=2)
IMAGES = torch.tensor([[[[1.0, 3.0]]], [[[5.0, 7.0]]]])
WEIGHT = torch.zeros(2, 2)


def moment(**parts) -> Moment:
    """Return a layer whose prediction is its images: 1, 3, 5, 7."""
    made = GradientPredictor(SIZES, ["layer"], PredictorTraining(targets="plain"))
    with torch.no_grad():
        made.conv.weight.fill_(1.0)
        made.linear.weight.copy_(torch.eye(2))
    return Moment("layer", WEIGHT, IMAGES, made, **parts)


def test_predicted_and_zero():
    assert SOURCES["predicted"](moment()).tolist() == [[1, 3], [5, 7]]
    assert SOURCES["zero"](moment()).tolist() == [[0, 0], [0, 0]]


def test_the_true_norm_changes_no_direction():
    # 1 + 9 + 25 + 49 = 84; the true one has the length 5.
    found = SOURCES["true-norm"](moment(true=torch.tensor([[3.0, 0.0], [0.0, 4.0]])))
    torch.testing.assert_close(found, torch.tensor([[1.0, 3.0], [5.0, 7.0]]) * 5 / 84**0.5)


def test_running_mean_of_past_gradients():
    past = PastGradients({"layer": WEIGHT})
    assert SOURCES["running-mean"](moment(past=past)).abs().max() == 0
    past.observe("layer", torch.full((2, 2), 10.0))
    assert SOURCES["running-mean"](moment(past=past)).tolist() == [[10, 10], [10, 10]]
    past.observe("layer", torch.full((2, 2), 20.0))
    torch.testing.assert_close(SOURCES["running-mean"](moment(past=past)), torch.full((2, 2), 0.99 * 10 + 0.01 * 20))


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2))


def test_true_gradients_are_those_of_the_batch_and_change_nothing():
    torch.manual_seed(0)
    sizes = Predictor(pool=(1, 1), channels=1, kernel=(1, 1), outputs=4)
    trainer = Trainer(network(), sizes, Settings(8, 0.1, 0.9, 0.01, gp_gradient="true-norm"))
    images, labels = torch.randn(8, 3), torch.randint(0, 2, (8,))
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    state = torch.get_rng_state()
    found = trainer._true_gradients(images, labels)
    assert torch.equal(torch.get_rng_state(), state)
    for name, value in trainer.model.state_dict().items():
        assert torch.equal(value, before[name]), name
    functional.cross_entropy(trainer.model(images), labels).backward()
    for name, gradient in found.items():
        assert torch.equal(gradient, trainer.model.get_parameter(f"{name}.weight").grad)
    assert set(found) == {"0", "4"}


def test_a_rate_that_doubles_where_phase_gp_begins():
    images, labels = torch.randn(8, 3), torch.randint(0, 2, (8,))
    sizes = Predictor(pool=(1, 1), channels=1, kernel=(1, 1), outputs=4)
    settings = Settings(2, 0.1, 0.9, 0.01, gp_gradient="skip", late_rate=2.0)
    run = train(network, Split(images, labels, images, labels), sizes, load_policy("paper"), settings, 12)
    assert [rates[0] for rates in run.learning_rates] == [0.1] * 10 + [0.2] * 2  # the paper's Warm Up has ten epochs


def test_biases_of_the_predictor_step_with_its_weights():
    torch.manual_seed(0)
    training = PredictorTraining(targets="plain", start="default", biases=True)
    made, copy = (GradientPredictor(SIZES, ["layer"], training) for _ in range(2))
    copy.load_state_dict(made.state_dict())
    target = torch.tensor([[1.0], [2.0]])
    functional.mse_loss(made(IMAGES, 1), target).backward()
    MaskedAdam(made, 0.01).step(1)
    adam = torch.optim.Adam(copy.parameters(), lr=0.01)
    hidden = functional.relu(IMAGES.flatten(1) * copy.conv.weight.flatten() + copy.conv.bias)
    functional.mse_loss(hidden @ copy.linear.weight[:1].T + copy.linear.bias[:1], target).backward()
    before = copy.linear.bias.detach().clone()
    adam.step()
    torch.testing.assert_close(made.conv.bias, copy.conv.bias)
    torch.testing.assert_close(made.linear.bias[0], copy.linear.bias[0])
    assert made.linear.bias[0] != before[0]
    assert made.linear.bias[1] == before[1]  # masked


def test_both_readings_of_mape_and_the_length():
    error = prediction_error(torch.tensor([3.0, 4.0]), torch.tensor([6.0, 8.0]))
    assert error is not None
    assert (error.norm_ratio, error.mae) == (0.5, 3.5)  # 5 over 10; (3 + 4) / 2
    assert (error.mape, error.cosine) == pytest.approx((0.5, 1.0))


@pytest.mark.parametrize("batches", [2, 3, 7])
def test_similarity_is_the_mean_over_pairs(batches):
    random = np.random.default_rng(batches)
    rows = [(random.normal(1, 1, 5), random.normal(0, 1, 6), random.normal(0.5, 1, 6)) for _ in range(batches)]
    rows[-1] = (rows[-1][0], np.zeros(6), rows[-1][2])  # a prediction of nothing has no direction
    sums = SimilaritySums()
    for row in rows:
        sums.add(*(torch.tensor(values) for values in row))
    found = sums.similarity()

    def cosine(one, other):
        lengths = np.linalg.norm(one) * np.linalg.norm(other)
        return one @ other / lengths if lengths else None

    def pairs(place):
        known = [cosine(one[place], other[place]) for one, other in permutations(rows, 2)]
        present = [value for value in known if value is not None]
        return sum(present) / len(present) if present else 0.0

    assert (found.inputs, found.predictions, found.gradients) == pytest.approx((pairs(0), pairs(1), pairs(2)))
    several = list(permutations(rows, 2))
    common = sum(one[2] @ other[2] for one, other in several) / len(several)
    across = sum(one[1] @ other[2] / (np.linalg.norm(one[1]) or 1) for one, other in several) / len(several)
    assert found.expected == pytest.approx(across / common**0.5 if common > 0 else 0.0)


def test_one_batch_has_no_pair():
    sums = SimilaritySums()
    sums.add(IMAGES, WEIGHT, WEIGHT + 1)
    assert sums.similarity() is None
