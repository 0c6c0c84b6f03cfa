"""A training loop of one's own, recorded as it runs: layers, phases and metrics."""

import contextlib

import pytest

torch = pytest.importorskip("torch", reason="needs the torch extra")

from torch import nn  # noqa: E402

from workloads.foundation.errors import InputError  # noqa: E402
from workloads.pytorch.recorder import record_forward  # noqa: E402
from workloads.pytorch.training_loop import record  # noqa: E402
from workloads.trace import load_trace  # noqa: E402
from workloads.trace_writer import write_trace  # noqa: E402


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 5)

    def forward(self, images, scale=None):
        x = torch.relu(self.bn(self.conv(images))).flatten(2).transpose(1, 2)
        x = x + self.attention(x, x, x, need_weights=False)[0]
        return self.head(x.mean(1))


def batches(count):
    generator = torch.Generator().manual_seed(0)
    for _ in range(count):
        yield torch.randn(4, 3, 6, 6, generator=generator), torch.randint(5, (4,), generator=generator)


def train(model, phases, recording=None):
    """Two epochs of a plain loop, with evaluation before, between and after; return the losses."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(2):
        model.eval()
        with torch.no_grad():
            model(torch.zeros(1, 3, 6, 6))
        model.train()
        for phase, (images, labels) in zip(phases, batches(len(phases)), strict=True):
            if recording is not None:
                recording.phase = phase
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(images), labels)
            if phase != "gp":
                loss.backward()
                optimizer.step()
            losses.append(loss.item())
        if recording is not None:
            recording.end_epoch(train_loss=losses[-1], test_accuracy=0.5, predictor_cosine=0.1)
    return losses


def seeded():
    torch.manual_seed(0)
    return Net()


def test_layers_phases_and_metrics(tmp_path):
    model = seeded()
    with record(model, dataset="mine", training_samples=15, optimizer="sgd") as recording:
        losses = train(model, ["warm_up", "gp", "gp", "bp"], recording)
    trace = recording.trace()
    assert (trace.network, trace.dataset.name, trace.dataset.training_samples) == ("Net", "mine", 15)
    assert (trace.batch_size, trace.optimizer, trace.provenance.origin) == (4, "sgd", "trained")
    assert list(trace.schedule.phases()) == ["warm_up", "gp", "gp", "bp"] * 2
    assert [row.train_loss for row in trace.metrics] == [losses[3], losses[7]]
    assert trace.metrics[1].predictor_cosine == 0.1
    write_trace(trace, tmp_path / "own.yaml")
    assert load_trace(tmp_path / "own.yaml") == trace


def test_recording_changes_nothing():
    plain, watched = seeded(), seeded()
    losses = train(plain, ["bp", "gp", "bp"])
    with record(watched) as recording:
        assert train(watched, ["bp", "gp", "bp"], recording) == losses
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), watched.parameters(), strict=True))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in watched.modules())


def test_layers_are_those_of_a_forward_pass_alone():
    model = seeded()
    with record(model) as recording:
        train(model, ["bp"])
    alone = record_forward(seeded(), [torch.zeros(4, 3, 6, 6)], 4)
    assert recording.trace().layers == alone.layers
    assert recording.trace().schedule.batches == 2
    assert recording.trace().dataset.training_samples == 8


def test_arguments_by_name_and_in_lists():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(6, 3)

        def forward(self, pair, *, more, flag=True):
            return self.fc(torch.cat([*pair, more], dim=1))

    model = Two()
    with record(model) as recording:
        model([torch.zeros(4, 2), torch.zeros(4, 3)], more=torch.zeros(4, 1))
    assert recording.trace().inputs == {"pair.0": (2,), "pair.1": (3,), "more": (1,)}


def test_mistakes_are_told_in_one_line():
    model = seeded()
    with record(model) as recording:
        with pytest.raises(InputError, match="recording: no forward pass in training mode"):
            recording.trace()
        with pytest.raises(InputError, match="did you mean warm_up"):
            recording.phase = "warmup"
        with pytest.raises(InputError, match="no batch has run in this epoch"):
            recording.end_epoch()
        model(torch.zeros(4, 3, 6, 6))
        with pytest.raises(InputError, match="predictor_cosin"):
            recording.end_epoch(1.0, 0.5, predictor_cosin=0.1)


def test_metrics_in_some_epochs_only():
    model = seeded()
    with record(model) as recording:
        model(torch.zeros(4, 3, 6, 6))
        recording.end_epoch(1.0, 0.5)
        model(torch.zeros(4, 3, 6, 6))
        with pytest.raises(InputError, match="batches follow the last epoch"):
            recording.trace()
        with pytest.raises(InputError, match="metrics in some epochs only"):
            recording.end_epoch()


def test_pass_that_fails_leaves_the_model_as_it_was():
    model = seeded()
    with record(model) as recording, pytest.raises(RuntimeError):
        model(torch.zeros(4, 2, 6, 6))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    with pytest.raises(InputError, match="ran to its end"):
        recording.trace()


def test_reference_training_gives_the_shipped_layers_and_its_phases():
    """ADA-GP's own training, watched from outside as a user's loop would be."""
    pytest.importorskip("sklearn", reason="needs the torch extra")
    from workloads.networks import find_recipe
    from workloads.pytorch.training import Settings, Trainer

    recipe, shipped = find_recipe("digits-cnn"), load_trace("digits-cnn")
    model, data = recipe.build(), recipe.training.load_data()
    settings = Settings(recipe.batch_size, learning_rate=0.001, momentum=0.9, predictor_learning_rate=0.0001)
    trainer = Trainer(model, shipped.predictor, settings)
    with record(model, dataset="digits") as recording:
        for phase in ("warm_up", "gp", "gp", "bp"):
            recording.phase = phase
            trainer.epoch([(phase, data.train_images[:32], data.train_labels[:32])])
        trainer.accuracy(data.test_images, data.test_labels)
    trace = recording.trace()
    # shares of zeros come from training, not from recording
    assert trace.layers == tuple(layer.model_copy(update={"sparsity": None}) for layer in shipped.layers)
    assert trace.predictor == shipped.predictor
    assert list(trace.schedule.phases()) == ["warm_up", "gp", "gp", "bp"]


@pytest.mark.parametrize("way", ["autocast", "checkpoint"])
def test_mixed_precision_and_checkpoints(way):
    from torch.utils.checkpoint import checkpoint

    class Checkpointed(Net):
        def forward(self, images):
            return checkpoint(super().forward, images, use_reentrant=False)

    model = Checkpointed() if way == "checkpoint" else Net()
    with record(model) as recording:
        for images, labels in batches(2):
            with torch.autocast("cpu", torch.bfloat16, enabled=way == "autocast"):
                loss = nn.functional.cross_entropy(model(images), labels)
            loss.backward()
    trace = recording.trace()
    alone = record_forward(seeded(), [torch.zeros(4, 3, 6, 6)], 4)
    products = [layer.product_shape(4) for layer in trace.mac_layers]
    assert products == [layer.product_shape(4) for layer in alone.layers if hasattr(layer, "product_shape")]
    assert trace.schedule.batches == 2


def test_a_lazy_model_is_recorded_in_its_second_batch():
    """Five channels of 6 x 6 behind a kernel of 3 x 3: its parameters get their shapes in the first batch."""
    model = nn.Sequential(nn.LazyConv2d(5, 3), nn.Flatten(), nn.LazyLinear(7))
    with record(model, training_samples=12) as recording:
        for _ in range(3):
            model(torch.zeros(4, 2, 8, 8))
    trace = recording.trace()
    assert [layer.product_shape(1).macs for layer in trace.mac_layers] == [5 * 36 * 2 * 9, 180 * 7]
    assert (trace.batch_size, trace.schedule.counts()) == (4, {"bp": 3})


def test_a_pass_that_ends_in_an_exception_is_no_batch():
    """A first batch of the wrong width fails in the second layer; the next ones are recorded whole."""
    model = nn.Sequential(nn.ReLU(), nn.Linear(6, 3))
    with record(model, training_samples=8) as recording:
        for width, samples in ((5, 2), (6, 4), (5, 4), (6, 4)):
            with contextlib.suppress(RuntimeError):
                model(torch.zeros(samples, width))
    trace = recording.trace()
    assert [(layer.C, layer.K) for layer in trace.mac_layers] == [(6, 3)]
    assert (trace.batch_size, trace.schedule.counts()) == (4, {"bp": 2})
