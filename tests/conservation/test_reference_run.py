"""The reference training does what ADA-GP says, and nothing else."""

from copy import deepcopy
from itertools import product

import pytest

torch = pytest.importorskip("torch", reason="needs the torch extra")

from click.testing import CliRunner  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from simulator.cli.main import cli  # noqa: E402
from workloads.foundation.errors import InputError  # noqa: E402
from workloads.foundation.validation import validate  # noqa: E402
from workloads.networks.digits_cnn import CONSTANT_RATES  # noqa: E402
from workloads.networks.recipe import Recipe  # noqa: E402
from workloads.predictor import Predictor  # noqa: E402
from workloads.pytorch.gradient_prediction import prediction_error  # noqa: E402
from workloads.pytorch.masked_adam import MaskedAdam  # noqa: E402
from workloads.pytorch.predictor_module import GradientPredictor, reorganize  # noqa: E402
from workloads.pytorch.reference import reference_trace  # noqa: E402
from workloads.pytorch.settings import settings_of  # noqa: E402
from workloads.pytorch.sparsity import SparsityCounter  # noqa: E402
from workloads.pytorch.split import Split  # noqa: E402
from workloads.pytorch.training import Settings, Trainer, train  # noqa: E402
from workloads.schedule import Policy  # noqa: E402
from workloads.trace import load_policy, load_trace  # noqa: E402
from workloads.trace_writer import write_trace  # noqa: E402

SIZES = Predictor(outputs=4 * 3 * 3)
SETTINGS = Settings(batch_size=8, learning_rate=0.05, momentum=0.9, predictor_learning_rate=0.01)


def build() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 8, 3, stride=2, groups=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(8 * 4, 6), nn.Linear(6, 3),
    )  # fmt: skip


def data(samples: int = 20) -> Split:
    generator = torch.Generator().manual_seed(7)
    images = torch.randn(samples, 1, 6, 6, generator=generator)
    labels = torch.randint(3, (samples,), generator=generator)
    return Split(images, labels, images[:5], labels[:5])


def wide_sizes() -> Predictor:
    return SIZES.model_copy(update={"outputs": 36})


def trainer_after(true_batches: int, settings: Settings = SETTINGS) -> Trainer:
    torch.manual_seed(3)
    trainer = Trainer(build(), SIZES, settings)
    trainer.model.train()
    samples = data()
    for _ in range(true_batches):
        trainer.true_batch(samples.train_images[:8], samples.train_labels[:8])
    return trainer


def policy(*pattern: dict) -> Policy:
    stages = ({"epochs": "rest", "pattern": pattern},)
    plain = {"version": 1, "name": "own", "description": "", "source": "", "epochs": 2, "stages": stages}
    return validate(Policy, plain, "own")


def outputs_of_layers(model: nn.Module, images) -> dict:
    """Run a copy of the model as it is, and return the raw output of each layer that is predicted."""
    found = {}
    copied = deepcopy(model)
    for name, module in copied.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(lambda _, __, output, name=name: found.__setitem__(name, output.detach()))
    with torch.no_grad():
        copied(images)
    return found


def reorganized_by_loops(output, channels_last: bool):
    if channels_last:
        samples, length, channels = output.shape if output.dim() == 3 else (output.shape[0], 1, output.shape[1])
        cells = output.reshape(samples, length, channels).permute(0, 2, 1).unsqueeze(-1)
    else:
        cells = output
    N, K, P, Q = cells.shape
    images = torch.zeros(K, 1, P, Q, dtype=torch.float64)
    for n, k, p, q in product(range(N), range(K), range(P), range(Q)):
        images[k, 0, p, q] += cells[n, k, p, q].double() / N
    return images


@pytest.mark.parametrize(
    ("shape", "channels_last", "expected"),
    [((5, 3, 4, 2), False, (3, 1, 4, 2)), ((5, 3), True, (3, 1, 1, 1)), ((5, 7, 3), True, (3, 1, 7, 1))],
)
def test_tensor_reorganization_is_the_mean_over_the_batch(shape, channels_last, expected):
    output = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    images = reorganize(output, channels_last)
    assert tuple(images.shape) == expected
    torch.testing.assert_close(images.double(), reorganized_by_loops(output, channels_last), rtol=1e-6, atol=1e-7)


def test_gp_batch_steps_each_weight_with_its_prediction_and_touches_nothing_else():
    trainer = trainer_after(true_batches=6)
    model, predictor = trainer.model, trainer.prediction.predictor
    images, labels = data().train_images[8:16], data().train_labels[8:16]
    before = {name: value.clone() for name, value in model.named_parameters()}
    state = trainer.optimizer.state
    momentum = {name: state[value]["momentum_buffer"].clone() for name, value in model.named_parameters()}
    predictor_before = {name: value.clone() for name, value in predictor.state_dict().items()}
    raw = outputs_of_layers(model, images)

    trainer.predicted_batch(images, labels)

    moved = set()
    for name, output in raw.items():
        weight = before[f"{name}.weight"]
        gradient = predictor.predict(name, reorganize(output, output.dim() == 2), weight)
        buffer = SETTINGS.momentum * momentum[f"{name}.weight"] + gradient
        after = model.get_parameter(f"{name}.weight")
        torch.testing.assert_close(after.detach(), weight - SETTINGS.learning_rate * buffer, rtol=1e-6, atol=1e-8)
        torch.testing.assert_close(state[after]["momentum_buffer"], buffer, rtol=1e-6, atol=1e-9)
        assert gradient.abs().max() > 0
        moved.add(f"{name}.weight")
    assert moved == {"0.weight", "3.weight", "6.weight", "7.weight"}
    for name, value in model.named_parameters():
        assert torch.equal(value, before[name]) != (name in moved), name
        if name not in moved:
            assert torch.equal(state[value]["momentum_buffer"], momentum[name])
        assert value.grad is None
    assert all(torch.equal(value, predictor_before[name]) for name, value in predictor.state_dict().items())


def test_gp_batch_does_no_backward_pass():
    trainer = trainer_after(true_batches=1)
    seen = []
    with trainer.prediction.updating(), torch.no_grad():
        output = trainer.model(data().train_images[:8])
        seen.append(output.grad_fn)
    assert seen == [None]


def test_untrained_predictor_leaves_the_model_alone():
    trainer = trainer_after(true_batches=0)
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    trainer.predicted_batch(data().train_images[:8], data().train_labels[:8])
    assert all(torch.equal(value, before[name]) for name, value in trainer.model.named_parameters())


def test_bp_batch_is_plain_sgd():
    trainer = trainer_after(true_batches=0)
    plain = deepcopy(trainer.model)
    optimizer = torch.optim.SGD(plain.parameters(), lr=SETTINGS.learning_rate, momentum=SETTINGS.momentum)
    samples = data()
    for start in (0, 8):
        images, labels = samples.train_images[start : start + 8], samples.train_labels[start : start + 8]
        trainer.true_batch(images, labels)
        optimizer.zero_grad()
        functional.cross_entropy(plain(images), labels).backward()
        optimizer.step()
    for mine, theirs in zip(trainer.model.state_dict().values(), plain.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs)


def test_true_gradients_train_the_predictor():
    # A network that stays as it is has one gradient, which the predictor can learn.
    trainer = trainer_after(0, Settings(batch_size=8, learning_rate=0.0, momentum=0.9, predictor_learning_rate=0.01))
    samples = data()
    errors = [trainer.true_batch(samples.train_images[:8], samples.train_labels[:8])[1] for _ in range(60)]
    first, last = list(errors[0].values()), list(errors[-1].values())
    assert [one.relative_l2 for one in first] == [1.0] * 4  # it starts at zero: its first error is the whole gradient
    assert all(one.relative_l2 < 0.9 and one.cosine > 0.5 for one in last)


def test_accuracy_is_of_all_samples_however_many():
    trainer, samples = trainer_after(true_batches=2), data(1100)
    trainer.model.eval()
    with torch.no_grad():
        right = (trainer.model(samples.train_images).argmax(dim=1) == samples.train_labels).double().mean()
    assert trainer.accuracy(samples.train_images, samples.train_labels) == pytest.approx(float(right))


def test_same_seed_gives_the_same_run():
    plan = policy({"phase": "bp"}, {"phase": "gp"})
    first, again = (train(build, data(), SIZES, plan, SETTINGS) for _ in range(2))
    assert first == again
    other = Settings(batch_size=8, learning_rate=0.05, momentum=0.9, predictor_learning_rate=0.01, seed=1)
    assert train(build, data(), SIZES, plan, other).metrics != first.metrics


def test_run_leaves_the_random_state_and_threads_alone():
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    train(build, data(), SIZES, policy({"phase": "bp"}), SETTINGS, epochs=1)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_num_threads() == threads


def test_phases_run_as_the_policy_says():
    plan = load_policy("paper")
    seen = []
    run = train(build, data(45), SIZES, plan, SETTINGS, epochs=24,
                on_epoch=lambda metrics, total: seen.append((metrics.epoch, total)))  # fmt: skip
    assert [list(epoch) for epoch in run.phases] == plan.epoch_phases(45 // 8, 24)
    assert seen == [(epoch, 24) for epoch in range(1, 25)]


def test_epoch_of_gp_batches_has_no_prediction_errors():
    run = train(build, data(), SIZES, policy({"phase": "gp"}), SETTINGS, epochs=1)
    assert run.metrics[0].predictor_cosine is None
    assert run.metrics[0].train_loss > 0


def test_controls_predict_nothing():
    trainer = trainer_after(3, Settings(8, 0.05, 0.9, 0.01, gp_gradient="zero"))
    weight = trainer.model[0].weight
    before, buffer = weight.detach().clone(), trainer.optimizer.state[weight]["momentum_buffer"].clone()
    trainer.predicted_batch(data().train_images[:8], data().train_labels[:8])
    torch.testing.assert_close(weight.detach(), before - 0.05 * 0.9 * buffer)

    plan = policy({"phase": "bp"}, {"phase": "gp"})
    run = train(build, data(), SIZES, plan, Settings(8, 0.05, 0.9, 0.01, gp_gradient="skip"))
    assert run.phases == (("bp",), ("bp",))


def test_dni_batches_are_refused():
    with pytest.raises(InputError, match="dni"):
        train(build, data(), SIZES, policy({"phase": "dni"}), SETTINGS)


def test_outputs_beyond_a_layers_width_do_not_matter():
    torch.manual_seed(0)
    predictor = GradientPredictor(wide_sizes(), ["narrow", "wide"])
    nn.init.normal_(predictor.linear.weight)
    images, narrow = torch.randn(8, 1, 5, 5), torch.zeros(8, 1, 3, 3)
    predictor.observe("narrow", torch.randn(8, 1, 3, 3))
    before = predictor.predict("narrow", images, narrow)
    with torch.no_grad():
        predictor.linear.weight[9:] = float("nan")
    assert torch.equal(predictor.predict("narrow", images, narrow), before)


def test_training_on_a_narrow_layer_leaves_masked_outputs_alone():
    torch.manual_seed(0)
    predictor = GradientPredictor(wide_sizes(), ["layer"])
    adam = MaskedAdam(predictor, 0.01)
    for width in (36, 9):  # the wide layer first, so that its moments could move the masked rows
        before = predictor.linear.weight.detach().clone()
        functional.mse_loss(predictor(torch.randn(8, 1, 5, 5), width), torch.randn(8, width)).backward()
        adam.step(width)
        changed = (predictor.linear.weight != before).any(dim=1)
        assert changed.tolist() == [True] * width + [False] * (36 - width)


def test_masked_adam_is_adam_where_nothing_is_masked():
    torch.manual_seed(0)
    mine = GradientPredictor(wide_sizes(), ["layer"])
    theirs = deepcopy(mine)
    masked, plain = MaskedAdam(mine, 0.01), torch.optim.Adam(theirs.parameters(), lr=0.01, foreach=False)
    for _ in range(5):
        images, target = torch.randn(8, 1, 5, 5), torch.randn(8, 36)
        for predictor in (mine, theirs):
            functional.mse_loss(predictor(images, 36), target).backward()
        masked.step(36)
        plain.step()
        plain.zero_grad()
    for ours, other in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(ours, other)


def test_prediction_errors_by_hand():
    true, predicted = torch.tensor([3.0, 4.0, 0.0]), torch.tensor([3.0, 0.0, 1.0])
    error = prediction_error(predicted, true)
    assert error.cosine == pytest.approx(9 / (5 * 10**0.5))
    assert error.relative_l2 == pytest.approx(17**0.5 / 5)
    floor = 1e-3 * (25 / 3) ** 0.5
    assert error.mape == pytest.approx((0 + 1 + 1 / floor) / 3, rel=1e-5)
    assert error.mse == pytest.approx(17 / 3)
    assert prediction_error(predicted, torch.zeros(3)) is None


def test_shares_of_zeros_by_hand():
    torch.manual_seed(5)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 4 * 4, 3))
    with torch.no_grad():
        model[3].weight[0] = 0.0
    images = torch.randn(4, 1, 6, 6)
    images[:, :, :2] = 0.0
    counter = SparsityCounter(model)
    with counter.watching():
        middle = model[0](images)
        output = model[3](model[2](model[1](middle)))
    (output[:, :2]).square().sum().backward()  # one of three outputs has no gradient
    shares = counter.shares()
    dead = float((middle <= 0).double().mean())  # ReLU passes nothing on, neither forward nor back
    assert (shares["0"].inputs, shares["0"].weights) == pytest.approx((1 / 3, 0.0), abs=1e-4)
    assert (shares["3"].inputs, shares["3"].weights) == pytest.approx((dead, 1 / 3), abs=1e-4)
    # The first output is its bias alone, and its weights are zero, so only the second one's gradient goes back.
    assert shares["0"].output_gradients == pytest.approx(dead, abs=1e-4)
    assert shares["3"].output_gradients == pytest.approx(1 / 3, abs=1e-4)
    assert 0.2 < dead < 0.8


def test_counting_zeros_changes_nothing_and_phase_gp_has_no_gradients():
    plan = policy({"phase": "bp"}, {"phase": "gp"})
    plain = train(build, data(), SIZES, plan, SETTINGS)
    counted = train(build, data(), SIZES, plan, Settings(8, 0.05, 0.9, 0.01, sparsity=True))
    assert counted.metrics == plain.metrics
    assert plain.sparsity == {}
    assert counted.sparsity["7"].output_gradients is not None
    gp = train(build, data(), SIZES, policy({"phase": "gp"}), Settings(8, 0.05, 0.9, 0.01, sparsity=True))
    assert gp.sparsity["7"].output_gradients is None
    assert gp.sparsity["7"].inputs is not None


def test_reference_with_options_tells_them(tmp_path):
    pytest.importorskip("sklearn", reason="needs the torch extra")
    out, kept = tmp_path / "own.yaml", tmp_path / "run.pt"
    options = ["digits-cnn", "--epochs", "1", "--schedule", "bp", "--plateau", "--milestone", "1",
               "--checkpoint", str(kept), "--out", str(out)]  # fmt: skip
    run = CliRunner().invoke(cli, ["train", "reference", *options])
    assert run.exit_code == 0, run.output
    assert kept.exists()
    trace = load_trace(out)
    assert trace.provenance.settings["plateau"] is True
    assert trace.provenance.settings["predictor_milestones"] == "1"
    assert CONSTANT_RATES not in trace.provenance.notes
    sparsity = {layer.id: layer.sparsity for layer in trace.layers if layer.sparsity is not None}
    assert list(sparsity) == ["conv1", "conv2", "conv3", "classifier"]
    assert 0.3 < sparsity["conv2"].inputs < 0.7  # after ReLU
    assert sparsity["conv2"].weights == 0.0
    write_trace(trace, tmp_path / "again.yaml")
    assert (tmp_path / "again.yaml").read_text() == out.read_text()


def cut(split: Split) -> Split:
    return Split(split.train_images[..., :5], split.train_labels, split.test_images[..., :5], split.test_labels)


def own_recipe(**changes) -> Recipe:
    values = {
        "name": "own", "network": "own", "dataset": "CIFAR10", "training_samples": 20, "input_shapes": ((1, 6, 6),),
        "batch_size": 8, "build": build,
    }  # fmt: skip
    return Recipe(**(values | changes))


def test_network_without_training_settings_trains_on_given_data():
    recipe, plan = own_recipe(), policy({"phase": "bp"}, {"phase": "gp"})
    trace = reference_trace(recipe, plan, settings_of(recipe), "the command", data())
    assert (trace.dataset.training_samples, trace.dataset.drop_last) == (20, True)
    assert trace.schedule.batches == 2 * 2
    assert trace.provenance.settings["learning_rate"] == 0.001


@pytest.mark.parametrize(
    ("changes", "given", "pattern"),
    [
        ({}, None, "own: has no data of its own; give the folder"),
        ({"build": lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 2))}, data(), "have 3 classes; give 2 at most"),
        ({}, cut(data()), r"its images are \(1, 6, 5\); give \(1, 6, 6\)"),
        ({"batch_size": 32}, data(), "20 training samples do not fill a batch of 32"),
    ],
)
def test_data_that_do_not_fit(changes, given, pattern):
    recipe = own_recipe(**changes)
    with pytest.raises(InputError, match=pattern):
        reference_trace(recipe, policy({"phase": "bp"}), settings_of(recipe), "the command", given)


def test_command_tells_bad_input_in_one_line(tmp_path):
    for options, told in (
        (["vgg13-cifar10", "--data", str(tmp_path / "none")], "is no folder; give the one that CIFAR10 lies in"),
        (["transformer-multi30k", "--data", str(tmp_path)], "Multi30k: is no data set that can be read"),
        (["digits-cn"], "did you mean digits-cnn?"),
    ):
        run = CliRunner().invoke(cli, ["train", "reference", *options], standalone_mode=False)
        assert isinstance(run.exception, InputError)
        assert told in str(run.exception)
