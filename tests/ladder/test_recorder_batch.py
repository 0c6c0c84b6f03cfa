"""What runs once a sample is recorded, whatever its rows hold, at every batch size and on both devices."""

from collections import Counter

import pytest
from samples import one_in, sampled

torch = pytest.importorskip("torch", reason="needs the torch extra")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from workloads.layers import Conv2d, Linear, Matmul  # noqa: E402
from workloads.pytorch.recorder import record_forward  # noqa: E402
from workloads.pytorch.training_loop import record  # noqa: E402
from workloads.recording.recording import Recording  # noqa: E402


class Fields(nn.Module):
    """Field offsets added to the ids before one table, as recommenders do."""

    def __init__(self):
        super().__init__()
        self.e, self.l = nn.Embedding(60, 8), nn.Linear(48, 5)
        self.register_buffer("offsets", torch.arange(0, 60, 10))

    def forward(self, ids):
        return self.l(self.e(ids % 10 + self.offsets).flatten(1))


class Clamped(nn.Module):
    """Ids that are kept within the table in place, as a mixture of experts does with its bins."""

    def __init__(self):
        super().__init__()
        self.e, self.l = nn.Embedding(60, 8), nn.Linear(48, 5)

    def forward(self, ids):
        rows = ids + 1
        rows.clamp_(max=59)
        rows[:, 1:].relu_()
        return self.l(self.e(rows).flatten(1))


class Queries(nn.Module):
    """Learned queries, one set for each sample."""

    def __init__(self):
        super().__init__()
        self.q = nn.Parameter(torch.randn(1, 8, 16))
        self.p, self.k, self.f = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 4)

    def forward(self, x):
        q, k = self.p(self.q.expand(x.shape[0], -1, -1)), self.k(x)
        return self.f((q @ k.transpose(1, 2)).softmax(-1) @ k)


class Recurrent(nn.Module):
    def __init__(self, kind=nn.LSTM, **options):
        super().__init__()
        self.l = kind(32, 64, batch_first=True, **options)
        self.f = nn.Linear(64 * (1 + self.l.bidirectional), 10)

    def forward(self, x):
        return self.f(self.l(x)[0][:, -1])


class Windows(nn.Module):
    """Six windows a sample, folded into the batch before fused attention."""

    def __init__(self):
        super().__init__()
        self.q, self.o = nn.Linear(16, 48), nn.Linear(16, 16)

    def forward(self, x):
        n, windows, length, channels = x.shape
        q, k, v = self.q(x).reshape(n * windows, length, 3, 2, 8).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2)
        return self.o(mixed.reshape(n, windows, length, channels))


class Shift(nn.Module):
    """A tensor of zeros that is filled through its slices."""

    def __init__(self):
        super().__init__()
        self.c, self.d = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x):
        h = self.c(x)
        y = torch.zeros_like(h)
        y[:, :4], y[:, 4:] = h[:, 4:], h[:, :4]
        return self.d(y)


class Denoiser(nn.Module):
    """Diffusion time steps, whole numbers, through sines to a linear layer."""

    def __init__(self):
        super().__init__()
        self.l, self.c = nn.Linear(16, 8), nn.Conv2d(3, 8, 3)

    def forward(self, x, t):
        t = t * torch.ones(x.shape[0], dtype=t.dtype, device=t.device)
        angles = t[:, None].float() * torch.exp(-0.5 * torch.arange(8, device=t.device))[None]
        return self.c(x) + self.l(torch.cat([angles.sin(), angles.cos()], -1))[:, :, None, None]


class SameStep(nn.Module):
    """One time step for all samples, made inside the model."""

    def __init__(self):
        super().__init__()
        self.l, self.c = nn.Linear(8, 8), nn.Conv2d(3, 8, 3)

    def forward(self, x):
        t = torch.tensor([7.0], device=x.device).expand(x.shape[0])
        return self.c(x) + self.l(t[:, None] * torch.ones(8, device=x.device))[:, :, None, None]


class Flow(nn.Module):
    """An optical flow that begins with zeros, convolved before anything of the image is added."""

    def __init__(self):
        super().__init__()
        self.c, self.f = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(2, 4, 7, padding=3)

    def forward(self, x):
        flow = torch.zeros(x.shape[0], 2, *x.shape[2:], device=x.device)
        return self.c(x) + self.f(flow)


class Quantised(nn.Module):
    """The nearest of some codes for each vector, looked up by a one-hot product, and decoded."""

    def __init__(self):
        super().__init__()
        self.codes, self.out = nn.Parameter(torch.randn(12, 16)), nn.Linear(16, 4)

    def forward(self, x):
        nearest = (x @ self.codes.T).argmax(-1)
        return self.out(functional.one_hot(nearest, 12).float() @ self.codes)


class Binary(nn.Module):
    """Activations of one bit, by a comparison."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(16, 8), nn.Linear(8, 4)

    def forward(self, x):
        return self.b((self.a(x) > 0).float() * 2 - 1)


class Cells(nn.Module):
    """A recurrent cell, called step by step."""

    def __init__(self):
        super().__init__()
        self.c, self.o = nn.LSTMCell(8, 6), nn.Linear(6, 3)

    def forward(self, x):
        state = None
        for step in range(x.shape[1]):
            state = self.c(x[:, step], state)
        return self.o(state[0])


class Padded(nn.Module):
    """A key padding mask made of the token ids."""

    def __init__(self):
        super().__init__()
        self.e, self.o = nn.Embedding(9, 8), nn.Linear(8, 3)
        self.l = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    def forward(self, ids):
        return self.o(self.l(self.e(ids), src_key_padding_mask=ids == 0).mean(1))


class Shares(nn.Module):
    """Eight rows a sample through some matrices, by one operator."""

    def __init__(self, experts=4):
        super().__init__()
        self.w, self.o = nn.Parameter(torch.zeros(experts, 8, 16)), nn.Linear(16, 3)

    def forward(self, x):
        rows, experts = 8 * x.shape[0], len(self.w)
        ends = torch.arange(1, experts + 1, device=x.device, dtype=torch.int32) * rows // experts
        y = torch._grouped_mm(x.reshape(-1, 8).bfloat16(), self.w.bfloat16(), offs=ends)
        return self.o(y.float().view(x.shape[0], 8, 16))


class Blurred(nn.Module):
    """A fixed filter for each channel, then a fixed matrix: constants in the weights' place."""

    def __init__(self):
        super().__init__()
        self.c, self.f = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(6, 4)
        self.register_buffer("filter", torch.ones(8, 1, 3, 3) / 9)
        self.register_buffer("matrix", torch.ones(8 * 16, 6))

    def forward(self, x):
        y = functional.conv2d(self.c(x), self.filter, stride=2, padding=1, groups=8)
        return self.f(y.flatten(1) @ self.matrix)


class Mixed(nn.Module):
    """One matrix over the positions of every sample, from the left, and one vector over the features."""

    def __init__(self):
        super().__init__()
        self.mix, self.gate = nn.Parameter(torch.zeros(7, 5)), nn.Parameter(torch.zeros(16))

    def forward(self, x):
        y = self.mix @ x
        return y, y @ self.gate


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.pair, self.f = nn.Bilinear(6, 5, 7), nn.Linear(6, 5)

    def forward(self, x):
        return self.pair(x, self.f(x))


class Bag(nn.Module):
    """Sums of rows of a table: moved and added, no product."""

    def __init__(self):
        super().__init__()
        self.bag, self.o = nn.EmbeddingBag(9, 8, mode="sum"), nn.Linear(8, 3)

    def forward(self, ids):
        return self.o(self.bag(ids))


SEQUENCE = 20 * 64  # steps by hidden state
MODELS = {
    # name: model, shapes of a sample, types, MACs a sample by hand
    "fields": (Fields, [(6,)], [torch.int64], 48 * 5),
    "clamped": (Clamped, [(6,)], [torch.int64], 48 * 5),
    "queries": (Queries, [(20, 16)], [], 8 * 16 * 16 + 20 * 16 * 16 + 2 * 8 * 16 * 20 + 8 * 16 * 4),
    "lstm": (Recurrent, [(20, 32)], [], SEQUENCE * 4 * (32 + 64) + 640),
    "gru": (lambda: Recurrent(nn.GRU), [(20, 32)], [], SEQUENCE * 3 * (32 + 64) + 640),
    "rnn": (lambda: Recurrent(nn.RNN), [(20, 32)], [], SEQUENCE * (32 + 64) + 640),
    "lstm both ways": (lambda: Recurrent(bidirectional=True), [(20, 32)], [], SEQUENCE * 8 * (32 + 64) + 1280),
    "gru both ways": (lambda: Recurrent(nn.GRU, bidirectional=True), [(20, 32)], [],
                      SEQUENCE * 6 * (32 + 64) + 1280),
    "two layers": (lambda: Recurrent(num_layers=2), [(20, 32)], [], SEQUENCE * 4 * (32 + 64 + 64 + 64) + 640),
    "windows": (Windows, [(6, 10, 16)], [], 60 * 16 * 48 + 2 * 12 * 10 * 10 * 8 + 60 * 16 * 16),
    "shift": (lambda: nn.Sequential(Shift(), nn.Flatten(), nn.Linear(8 * 400, 5)), [(3, 20, 20)], [],
              86_400 + 230_400 + 16_000),
    "denoiser": (Denoiser, [(3, 8, 8), ()], [torch.float32, torch.int64], 7776 + 128),
    "same step": (SameStep, [(3, 8, 8)], [], 7776 + 64),
    "flow": (Flow, [(3, 8, 8)], [], 64 * 4 * (9 * 3 + 49 * 2)),
    "quantised": (Quantised, [(5, 16)], [], 5 * (2 * 12 * 16 + 16 * 4)),
    "cells": (Cells, [(5, 8)], [], 5 * 24 * (8 + 6) + 18),
    "padded": (Padded, [(5,)], [torch.int64], 5 * (4 * 64 + 2 * 8 * 16) + 2 * 5 * 5 * 8 + 24),
    "shares": (Shares, [(8, 8)], [], 8 * 8 * 16 + 8 * 16 * 3),
    "unequal shares": (lambda: Shares(3), [(8, 8)], [], 8 * 8 * 16 + 8 * 16 * 3),
    "blurred": (Blurred, [(3, 8, 8)], [], 64 * 9 * 3 * 8 + 16 * 9 * 8 + 8 * 16 * 6 + 24),
    "mixed": (Mixed, [(5, 16)], [], 7 * 5 * 16 + 7 * 16),
    "pair": (Pair, [(6,)], [], 6 * 5 + 6 * 5 * 7 + 5 * 7),
    "bag": (Bag, [(4,)], [torch.int64], 8 * 3),
    "binary": (Binary, [(16,)], [], 16 * 8 + 8 * 4),
}  # fmt: skip


# The codes are used as they stand and transposed.
NOTES = {
    **dict.fromkeys(
        ("shares", "unequal shares"),
        ("which rows go through which weights depends on values; recorded as equal shares: the top",),
    ),
    "quantised": ("weights are used in two shapes and recorded as two weights: codes",),
}


def recorded(name: str, batch_size: int, device: str) -> Recording:
    build, shapes, types, _ = MODELS[name]
    with torch.device(device):
        types = types or [torch.float32] * len(shapes)
        inputs = [torch.zeros(batch_size, *shape, dtype=one) for shape, one in zip(shapes, types, strict=True)]
        return record_forward(build(), inputs, batch_size)


def products(recording: Recording) -> list:
    return [layer for layer in recording.layers if isinstance(layer, Conv2d | Linear | Matmul)]


def macs(recording: Recording) -> int:
    return sum(layer.product_shape(1).macs for layer in products(recording))


def macs_by_weight(recording: Recording) -> Counter:
    """MACs by the layer that owns the weights: devices cut a recurrent layer's steps in different ways."""
    found = Counter()
    for layer in products(recording):
        owner = getattr(layer, "shares_weights_with", None) or layer.id
        found[layer.kind if isinstance(layer, Matmul) else owner] += layer.product_shape(1).macs
    return found


@pytest.mark.parametrize("name", sampled(MODELS, lambda name: one_in(2, name)))
def test_macs_at_every_batch_on_both_devices(name):
    found = {(batch, device): recorded(name, batch, device) for batch in (1, 3, 8) for device in ("meta", "cpu")}
    for where, recording in found.items():
        assert macs(recording) == MODELS[name][3], where
        # One-hot codes on the CPU look for their least and greatest value first, and a note says so.
        notes = tuple(note for note in recording.notes if name != "quantised" or "after item" not in note)
        assert notes == NOTES.get(name, ()), where
    by_weight = [macs_by_weight(recording) for recording in found.values()]
    assert all(one == by_weight[0] for one in by_weight)
    assert found[3, "meta"].layers == found[8, "meta"].layers == found[1, "meta"].layers


@pytest.mark.parametrize("name", ["queries", "lstm", "flow", "denoiser", "quantised", "shift"])
def test_the_same_by_pytorchs_counter(name):
    build, shapes, types, expected = MODELS[name]
    types = types or [torch.float32] * len(shapes)
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        build()(*(torch.zeros(4, *shape, dtype=one) for shape, one in zip(shapes, types, strict=True)))
    assert counter.get_total_flops() // 2 == 4 * expected


@pytest.mark.parametrize("name", MODELS)
def test_macs_of_a_recorded_loop(name):
    """A loop runs once, at one batch: what has a dimension of the batch is taken to be of every sample."""
    build, shapes, types, expected = MODELS[name]
    model, types = build(), types or [torch.float32] * len(shapes)
    with record(model, optimizer="sgd") as recording:
        model(*(torch.zeros(7, *shape, dtype=one) for shape, one in zip(shapes, types, strict=True)))
    trace = recording.trace()
    assert sum(layer.product_shape(1).macs for layer in trace.mac_layers) == expected


def test_queries_are_a_product_and_no_convolution():
    for batch_size in (3, 4, 8):
        layers = products(recorded("queries", batch_size, "meta"))
        assert [(layer.id, layer.kind) for layer in layers] == [
            ("p", "linear"), ("k", "linear"), ("bmm", "matmul"), ("bmm#2", "matmul"), ("f", "linear"),
        ]  # fmt: skip


def test_windows_of_fused_attention():
    for device in ("meta", "cpu"):
        found = [layer for layer in products(recorded("windows", 2, device)) if isinstance(layer, Matmul)]
        assert [(layer.G, layer.M, layer.C, layer.K) for layer in found] == [(12, 10, 8, 10), (12, 10, 10, 8)]


def test_filled_slices_reach_what_reads_the_whole():
    layers = {layer.id: layer for layer in recorded("shift", 2, "meta").layers}
    last = layers[layers["0.d"].inputs[0]]
    assert last.op == "slice_scatter"
    assert {layers[name].op for name in last.inputs} == {"slice_scatter", "slice"}


def test_unequal_shares_are_two_layers_that_share_the_matrices_out():
    *shares, _ = products(recorded("unequal shares", 4, "meta"))
    # 8 rows a sample through 3 matrices: one takes two rows, two take three.
    assert [(one.groups, one.H, one.C, one.K) for one in shares] == [(1, 2, 8, 16), (2, 3, 16, 32)]
    assert sum(one.product_shape(1).weight_words for one in shares) == 3 * 8 * 16


def test_constants_in_the_weights_place_are_frozen():
    found = {one.id: one.trainable for one in products(recorded("blurred", 4, "meta"))}
    assert found == {"c": True, "constant": False, "constant#2": False, "f": True}


def test_matrix_that_is_spread_over_the_batch_is_a_weight():
    first, second = products(recorded("mixed", 4, "meta"))
    assert [(one.kind, one.L, one.C, one.K) for one in (first, second)] == [("linear", 16, 5, 7), ("linear", 7, 16, 1)]


def test_fault_of_the_recorder_is_not_the_models(monkeypatch):
    from workloads.foundation.errors import InputError
    from workloads.pytorch import operators
    from workloads.pytorch.model_loading import record_anywhere

    def broken(tape, call):
        raise KeyError("lost")

    monkeypatch.setitem(operators.OPERATORS, "relu", operators.Operator("vector", broken))
    with pytest.raises(InputError, match=r"recorder: aten.relu.default at 1 cannot be recorded: KeyError: 'lost'; "
                                         r"this is a fault of the recorder"):  # fmt: skip
        record_anywhere(lambda: nn.Sequential(nn.Linear(3, 3), nn.ReLU()), [(2, 3)], [], "own")


def test_operand_that_no_input_reaches_is_read_all_the_same():
    """Attention of learned queries alone, as in a detection transformer's decoder."""

    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.queries, self.mix = nn.Parameter(torch.zeros(5, 8)), nn.MultiheadAttention(8, 2, batch_first=True)
            self.cross = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x):
            q = self.queries.unsqueeze(0).repeat(x.shape[0], 1, 1)
            target = torch.zeros_like(q)
            target = self.mix(q + target, q + target, target, need_weights=False)[0]
            return self.cross(target + q, x, x, need_weights=False)[0]

    own = 4 * 5 * 8 * 8 + 2 * 5 * 5 * 8  # projections; heads x 5 x 5 x 4, twice
    cross = 2 * 5 * 8 * 8 + 2 * 9 * 8 * 8 + 2 * 5 * 9 * 8
    for device in ("meta", "cpu"):
        with torch.device(device):
            recording = record_forward(Decoder(), [torch.zeros(3, 9, 8)], 3)
        assert macs(recording) == own + cross


def test_table_with_a_dimension_of_the_batchs_size_runs_once_a_batch():
    """Sines and cosines of positions, two of them, convolved once for a batch of two."""

    class Positions(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.image = nn.Conv2d(2, 4, 1), nn.Conv2d(3, 4, 1)

        def forward(self, x):
            angles = torch.arange(36.0, device=x.device).view(6, 6)
            return self.image(x) + self.table(torch.stack([angles.sin(), angles.cos()])[None])

    for batch_size in (1, 2, 4):
        with torch.device("meta"):
            recording = record_forward(Positions(), [torch.zeros(batch_size, 3, 6, 6)], batch_size)
        assert macs(recording) == 36 * 3 * 4
        assert recording.notes == ("convolution of constants and parameters, once a batch, is missing: table",)
