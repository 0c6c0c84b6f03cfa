"""A killed run that resumes from its checkpoint is the run that was never killed, to the bit."""

import pytest

torch = pytest.importorskip("torch", reason="needs the torch extra")

from torch import nn  # noqa: E402

from workloads.foundation.errors import InputError  # noqa: E402
from workloads.foundation.validation import validate  # noqa: E402
from workloads.predictor import Predictor  # noqa: E402
from workloads.pytorch import checkpoint as checkpoints  # noqa: E402
from workloads.pytorch.masked_adam import MaskedAdam, multi_step  # noqa: E402
from workloads.pytorch.predictor_module import GradientPredictor  # noqa: E402
from workloads.pytorch.predictor_training import PredictorTraining  # noqa: E402
from workloads.pytorch.split import Split  # noqa: E402
from workloads.pytorch.training import Settings, train  # noqa: E402
from workloads.schedule import Policy  # noqa: E402

SIZES = Predictor(outputs=4 * 3 * 3)
EPOCHS = 5
PLAIN = {"batch_size": 8, "learning_rate": 0.05, "momentum": 0.9, "predictor_learning_rate": 0.01}
OTHER = PredictorTraining(targets="batch", inputs="standardised", start="small", steps=2)
ALL = {"plateau": True, "predictor_milestones": (2, 4), "sparsity": True, "predictor_training": OTHER}


class KilledError(Exception):
    pass


class Networks:
    """Builds the network, and keeps what it built."""

    def __init__(self):
        self.built = []

    def __call__(self):
        # Dropout draws from torch's random state in each batch, so a resumed run needs that state too.
        self.built.append(nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 8, 3, stride=2, groups=2),
            nn.ReLU(), nn.Flatten(), nn.Dropout(0.3), nn.Linear(8 * 4, 3),
        ))  # fmt: skip
        return self.built[-1]


def data(samples: int = 40) -> Split:
    generator = torch.Generator().manual_seed(7)
    images = torch.randn(samples, 1, 6, 6, generator=generator)
    labels = torch.randint(3, (samples,), generator=generator)
    return Split(images, labels, images[:10], labels[:10])


def policy(name: str = "own") -> Policy:
    stages = ({"epochs": 2, "pattern": ({"phase": "warm_up"},)},
              {"epochs": "rest", "pattern": ({"phase": "gp"}, {"phase": "bp"})})  # fmt: skip
    plain = {"version": 1, "name": name, "description": "", "source": "", "epochs": EPOCHS, "stages": stages}
    return validate(Policy, plain, "own")


def kill_after(epoch: int):
    def on_epoch(metrics, total):
        if metrics.epoch == epoch:
            raise KilledError

    return on_epoch


def assert_same_weights(one: nn.Module, other: nn.Module) -> None:
    theirs = other.state_dict()
    for name, value in one.state_dict().items():
        assert torch.equal(value, theirs[name]), name


def flat(value, path: str = ""):
    """Give every tensor and plain value of a checkpoint with its place."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flat(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from flat(item, f"{path}[{index}]")
    else:
        yield path, value


@pytest.mark.parametrize("options", [{}, ALL, {"gp_gradient": "random"}], ids=["plain", "all", "random"])
@pytest.mark.parametrize("killed_after", [1, 2, 4, EPOCHS])
def test_resumed_run_is_the_uninterrupted_one(tmp_path, killed_after, options):
    settings = Settings(**PLAIN, seed=3, **options)
    whole, killed = Networks(), Networks()
    one, other = tmp_path / "one.pt", tmp_path / "other.pt"
    expected = train(whole, data(), SIZES, policy(), settings, checkpoint=one)

    with pytest.raises(KilledError):
        train(killed, data(), SIZES, policy(), settings, on_epoch=kill_after(killed_after), checkpoint=other)
    torch.manual_seed(1234)  # another process would have another state, too
    seen = []
    again = train(killed, data(), SIZES, policy(), settings, checkpoint=other,
                  on_epoch=lambda metrics, _: seen.append(metrics.epoch))  # fmt: skip

    assert again == expected
    assert seen == list(range(killed_after + 1, EPOCHS + 1))
    assert_same_weights(whole.built[0], killed.built[-1])
    mine, theirs = dict(flat(torch.load(one, weights_only=True))), dict(flat(torch.load(other, weights_only=True)))
    assert mine.keys() == theirs.keys()
    for place, value in mine.items():
        equal = torch.equal(value, theirs[place]) if isinstance(value, torch.Tensor) else value == theirs[place]
        assert equal, place
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["one.pt", "other.pt"]


def test_checkpoints_change_nothing(tmp_path):
    settings = Settings(**PLAIN)
    plain = train(Networks(), data(), SIZES, policy(), settings)
    assert train(Networks(), data(), SIZES, policy(), settings, checkpoint=tmp_path / "run.pt") == plain


def test_kill_within_an_epoch_goes_back_to_its_start(tmp_path):
    path, settings = tmp_path / "run.pt", Settings(**PLAIN)
    expected = train(Networks(), data(), SIZES, policy(), settings)
    calls = []

    def build():
        network = Networks()()
        network.register_forward_hook(lambda *_: calls.append(0) if len(calls) < 17 else kill())
        return network

    def kill():
        raise KilledError

    with pytest.raises(KilledError):
        train(build, data(), SIZES, policy(), settings, checkpoint=path)
    assert path.exists()
    assert train(Networks(), data(), SIZES, policy(), settings, checkpoint=path) == expected


def test_ended_run_goes_on_with_more_epochs(tmp_path):
    path, settings = tmp_path / "run.pt", Settings(**PLAIN)
    train(Networks(), data(), SIZES, policy(), settings, epochs=3, checkpoint=path)
    expected = train(Networks(), data(), SIZES, policy(), settings)
    assert train(Networks(), data(), SIZES, policy(), settings, checkpoint=path) == expected
    with pytest.raises(InputError, match="5 epochs of 3; ask for more epochs"):
        train(Networks(), data(), SIZES, policy(), settings, epochs=3, checkpoint=path)


def test_failed_write_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path, settings = tmp_path / "run.pt", Settings(**PLAIN)
    train(Networks(), data(), SIZES, policy(), settings, epochs=1, checkpoint=path)
    before = path.read_bytes()

    def half(content, file):
        file.write(b"half of it")
        raise KilledError

    monkeypatch.setattr(checkpoints.torch, "save", half)
    with pytest.raises(KilledError):
        train(Networks(), data(), SIZES, policy(), settings, epochs=2, checkpoint=path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_checkpoint_of_another_run_is_refused(tmp_path):
    path, settings = tmp_path / "run.pt", Settings(**PLAIN)
    train(Networks(), data(), SIZES, policy(), settings, epochs=1, checkpoint=path)
    for changed in (
        {"settings": Settings(**PLAIN, seed=1)}, {"settings": Settings(**PLAIN, predictor_training=OTHER)},
        {"policy": policy("other")}, {"data": data(48)},
        {"sizes": Predictor(outputs=36, channels=2)},
        {"build": lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 3))},
    ):  # fmt: skip
        arguments = {
            "build": Networks(),
            "data": data(),
            "sizes": SIZES,
            "policy": policy(),
            "settings": settings,
        } | changed
        with pytest.raises(InputError, match="differs from this run's; delete it"):
            train(**arguments, checkpoint=path)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 broken"])
def test_broken_checkpoint_is_told_in_one_line(tmp_path, content):
    path = tmp_path / "run.pt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"run\.pt: is no checkpoint; delete it") as caught:
        train(Networks(), data(), SIZES, policy(), Settings(**PLAIN), checkpoint=path)
    assert "\n" not in str(caught.value)


def test_foreign_torch_file_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    torch.save({"weights": torch.ones(2)}, path)
    with pytest.raises(InputError, match="no checkpoint of version 2"):
        train(Networks(), data(), SIZES, policy(), Settings(**PLAIN), checkpoint=path)


def test_cut_checkpoint_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    train(Networks(), data(), SIZES, policy(), Settings(**PLAIN), epochs=1, checkpoint=path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="is no checkpoint"):
        train(Networks(), data(), SIZES, policy(), Settings(**PLAIN), checkpoint=path)


def test_unwritable_place_is_told_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        checkpoints.save_checkpoint(tmp_path / "file" / "run.pt", {}, {})


def test_predictor_rate_falls_as_multi_step_lr():
    parameter = nn.Parameter(torch.zeros(1))
    torchs = torch.optim.Adam([parameter], lr=0.3)
    schedule = torch.optim.lr_scheduler.MultiStepLR(torchs, [2, 5])
    predictor = MaskedAdam(GradientPredictor(SIZES, ["layer"]), 0.3)
    for epoch in range(1, 8):
        torchs.step()
        schedule.step()
        predictor.follow((5, 2), epoch)
        assert predictor.learning_rate == pytest.approx(schedule.get_last_lr()[0])
    assert multi_step(1.0, (), 50) == 1.0


def test_rates_of_a_run_follow_its_schedules():
    settings = Settings(**PLAIN, plateau=True, predictor_milestones=(2,))
    run = train(Networks(), data(), SIZES, policy(), settings, epochs=30)
    assert [rates[1] for rates in run.learning_rates] == pytest.approx([0.01] * 2 + [0.001] * 28)
    # The same scheduler of torch's on the same losses, which a run writes down to four digits.
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.05)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    expected = []
    for row in run.metrics:
        expected.append(optimizer.param_groups[0]["lr"])
        schedule.step(row.train_loss)
    assert [rates[0] for rates in run.learning_rates] == pytest.approx(expected)


def test_plateau_lowers_the_rate_where_nothing_improves():
    diverging = train(Networks(), data(), SIZES, policy(), Settings(8, 3.0, 0.99, 0.0, plateau=True), epochs=30)
    assert diverging.learning_rates[-1][0] < 3.0
