"""A parameter that several operators read counts once, and wherever it trains its gradient has to come back."""

import pytest

torch = pytest.importorskip("torch", reason="needs the torch extra")

from torch import nn  # noqa: E402
from torch.nn.functional import scaled_dot_product_attention  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from workloads.graph import input_gradients, needs_input_gradient  # noqa: E402
from workloads.layers import VectorLayer  # noqa: E402
from workloads.pytorch.recorder import record_forward  # noqa: E402

N, L, C = 3, 5, 8


def gradients(recording):
    """By layer with products: whether its weights train, and whether it needs a dgrad."""
    needed = needs_input_gradient(recording.layers)
    return {
        layer.id: (getattr(layer, "trainable", None), needed[layer.id])
        for layer in recording.layers
        if hasattr(layer, "product_shape")
    }


def vectors(recording):
    return [layer for layer in recording.layers if isinstance(layer, VectorLayer)]


def backward_macs(model, *inputs):
    """Return the multiply-accumulates of a backward pass, by torch."""
    with FlopCounterMode(display=False) as counter:
        out = model(*inputs)
        forward = counter.get_total_flops()
        out.sum().backward()
    return (counter.get_total_flops() - forward) // 2


class Queries(nn.Module):
    """Learned queries: contents and positions are halves of one table, as in Deformable DETR."""

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(L, 2 * C))
        self.place, self.key, self.value = nn.Linear(C, 2), nn.Linear(C, C), nn.Linear(C, C)

    def forward(self, x):
        position, content = (half.expand(len(x), L, C) for half in self.table.chunk(2, 1))
        return self.place(position).sum() + self.key(content + position) + self.value(content) + x


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_every_reader_of_a_learned_table_gives_it_a_gradient(device):
    with torch.device(device):
        model, x = Queries(), torch.zeros(N, L, C)
        recording = record_forward(model, [x], N)
        by_torch = backward_macs(model, x)
    assert gradients(recording) == {"place": (True, True), "key": (True, True), "value": (True, True)}
    # A wgrad and a dgrad of L vectors a sample: of two widths of C by C, and one of C by 2.
    assert by_torch == 2 * N * L * (2 * C * C + 2 * C)
    assert sum(layer.parameters for layer in vectors(recording)) == L * 2 * C


class Tied(nn.Module):
    """An embedding whose table is the last layer's weight too, with nothing that trains between it and `body`."""

    def __init__(self):
        super().__init__()
        self.words, self.body, self.head = nn.Embedding(11, C), nn.Linear(C, C), nn.Linear(C, 11, bias=False)
        self.head.weight = self.words.weight

    def forward(self, tokens):
        return self.head(self.body(self.words(tokens)))


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_tied_embedding_gets_a_gradient(device):
    with torch.device(device):
        model, tokens = Tied(), torch.zeros(N, L, dtype=torch.int64)
        recording = record_forward(model, [tokens], N)
        by_torch = backward_macs(model, tokens)
    assert gradients(recording) == {"body": (True, True), "head": (True, True)}
    assert by_torch == 2 * N * L * (C * C + C * 11)
    assert [(layer.id, layer.parameters, layer.wants_gradient) for layer in vectors(recording)] == [("words", 0, True)]


def test_tied_embedding_that_is_frozen_gets_none():
    model = Tied()
    model.words.weight.requires_grad_(False)
    recording = record_forward(model, [torch.zeros(N, L, dtype=torch.int64)], N)
    assert gradients(recording) == {"body": (True, False), "head": (False, True)}
    assert [layer.wants_gradient for layer in vectors(recording)] == [False]


class Teacher(nn.Module):
    """Two readers of one table or one weight, the first without gradients."""

    def __init__(self, what):
        super().__init__()
        self.what, self.table, self.last = what, nn.Parameter(torch.zeros(L, C)), nn.Linear(C, C)

    def forward(self, x):
        with torch.no_grad():
            early = {
                "queries": lambda: x @ self.table.expand(len(x), L, C).mT,
                "sum": lambda: nn.functional.gelu(x + self.table),
                "weight": lambda: nn.functional.linear(x, self.table),
            }[self.what]()
        late = x + self.table if self.what == "sum" else self.table.expand(len(x), L, C)
        return early.sum() + self.last(late)


@pytest.mark.parametrize("what", ["queries", "sum", "weight"])
def test_parameter_counts_where_it_trains(what):
    model = Teacher(what)
    recording = record_forward(model, [torch.zeros(N, L, C)], N)
    found = gradients(recording)
    assert found.pop("last") == (True, True)
    assert not any(any(one) for one in found.values())
    assert [layer.parameters for layer in vectors(recording) if layer.parameters] == [L * C]
    assert all(layer.trainable for layer in vectors(recording) if layer.parameters)
    assert backward_macs(model, torch.zeros(N, L, C)) == 2 * N * L * C * C  # of `last`
    assert not recording.missing


class Detached(nn.Module):
    """A table that is added without its gradient."""

    def __init__(self):
        super().__init__()
        self.table, self.fc = nn.Parameter(torch.zeros(L, C)), nn.Linear(C, C)

    def forward(self, x):
        return self.fc(x + self.table.detach())


def test_detached_parameter_does_not_train():
    recording = record_forward(Detached(), [torch.zeros(N, L, C)], N)
    assert gradients(recording) == {"fc": (True, False)}
    assert [(layer.parameters, layer.trainable) for layer in vectors(recording)] == [(L * C, False)]
    assert backward_macs(Detached(), torch.zeros(N, L, C)) == N * L * C * C


class Positions(nn.Module):
    """Fused attention with a learned bias for each pair of positions."""

    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(L, L))

    def forward(self, x):
        return scaled_dot_product_attention(x, x, x, attn_mask=self.bias)


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_learned_bias_of_fused_attention_counts(device):
    with torch.device(device):
        model, x = Positions(), torch.zeros(N, 1, L, C)
        recording = record_forward(model, [x], N)
        by_torch = backward_macs(model, x)
    assert sum(layer.parameters for layer in vectors(recording)) == L * L
    needed = input_gradients(recording.layers)
    assert [needed[layer.id] for layer in recording.layers if layer.kind == "matmul"] == [(False, False), (True, False)]
    assert by_torch == N * L * L * C  # of the shares alone: queries, keys and values are data


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_frozen_bias_of_fused_attention_is_kept(device):
    with torch.device(device):
        model = Positions()
        model.bias.requires_grad_(False)
        recording = record_forward(model, [torch.zeros(N, 1, L, C)], N)
    assert sum(layer.parameters for layer in vectors(recording)) == L * L
    assert not any(layer.trainable for layer in vectors(recording) if layer.parameters)


class Adversary(nn.Module):
    """Asks for the gradient of the data, of whole samples or behind a frozen layer."""

    def __init__(self, how):
        super().__init__()
        self.how, self.below, self.above = how, nn.Linear(C, C).requires_grad_(False), nn.Linear(C, C)

    def forward(self, x):
        h = self.below(x) if self.how == "frozen below" else x + 0
        return self.above(h.requires_grad_()) + self.above(h)


@pytest.mark.parametrize("how", ["data", "frozen below"])
def test_gradient_that_the_model_asks_for_is_computed(how):
    model, x = Adversary(how), torch.zeros(N, L, C)
    recording = record_forward(model, [x], N)
    found = gradients(recording)
    assert found.pop("below", (False, False)) == (False, False)
    assert found == {"above": (True, True), "above#2": (True, True)}
    assert backward_macs(model, x) == 2 * 2 * N * L * C * C
    (gate,) = [layer for layer in vectors(recording) if layer.wants_gradient]  # both readers share it
    assert (gate.op, gate.parameters) == ("requires_grad", 0)
