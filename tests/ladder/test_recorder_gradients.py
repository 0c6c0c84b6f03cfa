"""Where gradients flow: what is frozen, detached or run without gradients has no wgrad, and what is below no dgrad."""

import pytest

torch = pytest.importorskip("torch", reason="needs the torch extra")

from torch import nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from workloads.graph import input_gradients, needs_input_gradient  # noqa: E402
from workloads.passes import layer_products  # noqa: E402
from workloads.pytorch.recorder import record_forward  # noqa: E402
from workloads.pytorch.training_loop import record  # noqa: E402
from workloads.recording.notes import Lost  # noqa: E402


class Net(nn.Module):
    def __init__(self, how="trained"):
        super().__init__()
        self.how = how
        self.stem, self.body = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
        self.head = nn.Linear(16, 4)
        if how == "frozen":
            for parameter in [*self.stem.parameters(), *self.body.parameters()]:
                parameter.requires_grad_(False)

    def backbone(self, x):
        return self.body(torch.relu(self.stem(x))).mean((2, 3))

    def forward(self, x):
        if self.how == "no_grad":
            with torch.no_grad():
                h = self.backbone(x)
        else:
            h = self.backbone(x)
        return self.head(h.detach() if self.how == "detached" else h)


def gradients(recording):
    """By layer with products: whether its weights train, and whether it needs a dgrad."""
    needed = needs_input_gradient(recording.layers)
    return {
        layer.id: (getattr(layer, "trainable", None), needed[layer.id])
        for layer in recording.layers
        if hasattr(layer, "product_shape")
    }


def by_autograd(model, *inputs):
    """Return the names of the weights that a backward pass reaches."""
    out = model(*inputs)
    out.sum().backward()
    return {name.removesuffix(".weight") for name, one in model.named_parameters()
            if one.grad is not None and name.endswith("weight")}  # fmt: skip


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("how", ["frozen", "no_grad", "detached"])
def test_only_the_head_trains(how, device):
    with torch.device(device):
        recording = record_forward(Net(how), [torch.zeros(8, 3, 16, 16)], 8)
    assert gradients(recording) == {"stem": (False, False), "body": (False, False), "head": (True, False)}
    assert [layer.predicted for layer in recording.layers if hasattr(layer, "predicted")] == [False, False, True]
    assert by_autograd(Net(how), torch.zeros(2, 3, 16, 16)) == {"head"}


def test_all_of_it_trains():
    recording = record_forward(Net(), [torch.zeros(8, 3, 16, 16)], 8)
    assert gradients(recording) == {"stem": (True, False), "body": (True, True), "head": (True, True)}


class Adapted(nn.Module):
    """A low-rank adapter beside frozen weights, and a frozen layer before and behind."""

    def __init__(self):
        super().__init__()
        self.first, self.frozen, self.last = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.down, self.up = nn.Linear(8, 2, bias=False), nn.Linear(2, 8, bias=False)
        for module in (self.first, self.frozen, self.last):
            module.requires_grad_(False)

    def forward(self, x):
        x = torch.relu(self.first(x))
        return self.last(torch.relu(self.frozen(x) + self.up(self.down(x))))


def test_gradients_pass_through_frozen_layers_to_adapters():
    recording = record_forward(Adapted(), [torch.zeros(2, 8)], 2)
    assert gradients(recording) == {
        "first": (False, False), "frozen": (False, False), "down": (True, False), "up": (True, True),
        "last": (False, True),
    }  # fmt: skip


class Biased(nn.Module):
    """Biases train, weights do not."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 4)
        for module in (self.a, self.b):
            module.weight.requires_grad_(False)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))


def test_biases_that_train_alone_need_the_dgrad_above_them():
    recording = record_forward(Biased(), [torch.zeros(2, 8)], 2)
    assert gradients(recording) == {"a": (False, False), "b": (False, True)}
    assert [layer.parameters for layer in recording.layers if layer.kind == "add"] == [8, 4]


class Branches(nn.Module):
    """One reader gets the gradient back, the other reads a detached copy."""

    def __init__(self):
        super().__init__()
        self.body, self.main, self.side = nn.Linear(8, 8), nn.Linear(8, 4), nn.Linear(8, 4)

    def forward(self, x):
        h = self.body(x)
        return self.main(h) + self.side(h.detach())


def test_detached_branch_has_no_dgrad_and_the_other_has():
    recording = record_forward(Branches(), [torch.zeros(2, 8)], 2)
    assert gradients(recording) == {"body": (True, False), "main": (True, True), "side": (True, False)}


class LooseEnds(nn.Module):
    """Results that nobody keeps, or the index of the largest alone, or detached, and one kept in an attribute."""

    def __init__(self):
        super().__init__()
        self.body, self.main, self.unused = nn.Linear(8, 8), nn.Linear(8, 4), nn.Linear(8, 4)
        self.codes, self.aside, self.shown = nn.Linear(8, 4), nn.Linear(8, 4), nn.Linear(8, 4)

    def forward(self, x):
        h = self.body(x)
        self.unused(h) @ self.unused(h).mT
        self.kept = self.aside(h)
        return self.main(h), self.codes(h).argmax(-1), self.shown(h).detach()


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_result_that_nobody_keeps_gets_no_gradient(device):
    model = LooseEnds().to(device)
    recording = record_forward(model, [torch.zeros(2, 8, device=device)], 2)
    assert gradients(recording) == {
        "body": (True, False), "unused": (False, False), "unused#2": (False, False), "mm": (None, False),
        "aside": (True, True), "main": (True, True), "codes": (False, False),
        "shown": (False, False),
    }  # fmt: skip


def test_output_of_which_a_detached_copy_is_read_gets_one():
    class Watched(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head, self.critic = nn.Linear(8, 8), nn.Linear(8, 4), nn.Linear(4, 2)

        def forward(self, x):
            y = self.head(self.body(x))
            return y, self.critic(y.detach())

    recording = record_forward(Watched(), [torch.zeros(3, 8)], 3)
    assert gradients(recording) == {"body": (True, False), "head": (True, True), "critic": (True, False)}
    assert by_autograd(Both(Watched()), torch.zeros(3, 8)) == {"model.body", "model.head", "model.critic"}


class Both(nn.Module):
    """A model whose outputs are added up."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return sum(one.sum() for one in self.model(x))


def test_result_that_the_loop_keeps_gets_one():
    model, outputs = LooseEnds(), []
    with record(model, optimizer="sgd") as recording:
        outputs.append(model(torch.zeros(3, 8))[0])
    found = gradients(recording.trace())
    assert found["main"] == found["aside"] == (True, True)
    assert found["unused"] == found["codes"] == (False, False)


class BiasedAttention(nn.Module):
    """Fused attention whose scores get a bias that a layer computes."""

    def __init__(self):
        super().__init__()
        self.qkv, self.bias = nn.Linear(8, 24), nn.Linear(8, 5)

    def forward(self, x):
        q, k, v = self.qkv(x)[:, None].chunk(3, -1)
        return nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=self.bias(x)[:, None])


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_bias_of_fused_attention_trains(device):
    with torch.device(device):
        recording = record_forward(BiasedAttention(), [torch.zeros(2, 5, 8)], 2)
    assert gradients(recording)["bias"] == (True, False)
    assert by_autograd(BiasedAttention(), torch.randn(2, 5, 8)) == {"qkv", "bias"}


class Scores(nn.Module):
    """A product of what trains with data, from either side, or with itself."""

    def __init__(self, how):
        super().__init__()
        self.how, self.query = how, nn.Linear(8, 8, bias=False)

    def forward(self, x, memory):
        q = self.query(x)
        return {"left": lambda: q @ memory.mT, "right": lambda: memory @ q.mT, "both": lambda: q @ q.mT}[self.how]()


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize(("how", "macs"), [("left", 5 * 7 * 8), ("right", 5 * 7 * 8), ("both", 2 * 5 * 5 * 8)])
def test_operand_of_a_product_without_a_gradient_has_no_backward_product(how, macs, device):
    """Beside the wgrad of the queries, 5 x 8 x 8, one product for each operand that a gradient reaches."""
    with torch.device(device):
        model, inputs = Scores(how), [torch.zeros(3, 5, 8), torch.zeros(3, 7, 8)]
        recording = record_forward(model, inputs, 3)
        with FlopCounterMode(display=False) as counter:
            out = model(*inputs).sum()
            forward = counter.get_total_flops()
            out.backward()
    needed = input_gradients(recording.layers)
    backward = sum(
        product.macs
        for layer in recording.layers
        if hasattr(layer, "product_shape")
        for role in ("dgrad", "wgrad")
        if role == "wgrad" or any(needed[layer.id])
        for product in layer_products(layer, role, 3, gradients=needed[layer.id])
    )
    assert backward == 3 * (macs + 5 * 8 * 8) == (counter.get_total_flops() - forward) // 2


class Signs(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        return torch.sign(x) @ weight

    @staticmethod
    def backward(ctx, gradient):
        return gradient, gradient.T


class Custom(nn.Module):
    """A product inside an autograd function of the user's, whose forward pass runs without gradients."""

    def __init__(self):
        super().__init__()
        self.a, self.weight, self.b = nn.Linear(8, 8), nn.Parameter(torch.zeros(8, 8)), nn.Linear(8, 4)

    def forward(self, x):
        return self.b(Signs.apply(self.a(x), self.weight))


def test_functions_with_a_backward_pass_of_their_own_are_differentiated():
    apply = torch.autograd.Function.__dict__["apply"]
    recording = record_forward(Custom(), [torch.zeros(2, 8)], 2)
    assert gradients(recording) == {"a": (True, False), "weight": (True, True), "b": (True, True)}
    assert torch.autograd.Function.__dict__["apply"] is apply


def test_loop_whose_first_batch_runs_without_gradients_trains_all_the_same():
    model = Net()
    with record(model, optimizer="sgd") as recording:
        recording.phase = "gp"
        with torch.no_grad():
            model(torch.zeros(2, 3, 16, 16))
    assert all(layer.trainable for layer in recording.trace().layers if hasattr(layer, "trainable"))


def optimizers():
    return {
        "sgd": (lambda p: torch.optim.SGD(p, lr=0.1), "sgd", ()),
        "momentum": (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), "sgd_momentum", ()),
        "adam": (lambda p: torch.optim.Adam(p), "adam", ()),
        "adamw": (lambda p: torch.optim.AdamW(p), "adam", ("the optimizer is AdamW, recorded as adam",)),
        "rprop": (lambda p: torch.optim.Rprop(p), "sgd_momentum",
                  ("the optimizer is Rprop, recorded as sgd_momentum",)),
    }  # fmt: skip


@pytest.mark.parametrize("name", optimizers())
def test_optimizer_of_a_loop_is_the_one_that_steps(name):
    make, expected, notes = optimizers()[name]
    model, other = Net(), nn.Linear(2, 2)
    with record(model) as recording:
        optimizer, predictors = make(model.parameters()), torch.optim.Adam(other.parameters())
        (model(torch.zeros(2, 3, 16, 16)).sum() + other(torch.zeros(1, 2)).sum()).backward()
        predictors.step()
        optimizer.step()
    trace = recording.trace()
    assert trace.optimizer == expected
    assert trace.provenance.unrecorded == notes


def test_loop_without_an_optimizer_says_so():
    model = Net()
    with record(model) as recording:
        model(torch.zeros(2, 3, 16, 16))
    (note,) = recording.trace().provenance.unrecorded
    assert note == "no optimizer took a step on the model; recorded as sgd_momentum"


class Experts(nn.Module):
    """Four experts; each vector goes through the best one."""

    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(8, 4, bias=False)
        self.experts = nn.ModuleList(nn.Linear(8, 8, bias=False) for _ in range(4))

    def forward(self, x):
        best = self.gate(x).topk(1, dim=-1).indices[..., 0]
        y = torch.zeros_like(x)
        for index, expert in enumerate(self.experts):
            rows = (best == index).nonzero()[:, 0]
            if rows.numel():
                y[rows] = expert(x[rows])
        return y


def test_mixture_of_experts_says_that_values_decide():
    from workloads.pytorch.model_loading import record_anywhere

    recording = record_anywhere(Experts, [(6, 8)], [], "own")  # zeros: every vector goes to one expert
    assert "values decide what runs after nonzero: another batch may run other layers" in " ".join(recording.notes)
    reached = [layer.id for layer in recording.layers if layer.id.startswith("experts")]
    assert len(reached) == 1
    told = f"3 parameters ({3 * 64} numbers) are reached by no operator, and counted all the same: experts."
    assert recording.unreached.startswith(told)
    assert sum(getattr(layer, "parameters", 0) for layer in recording.layers) == 3 * 64


def test_rows_that_values_choose_are_rounded_up():
    """Three of four samples: no whole number of vectors a sample."""

    class Chosen(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 5)

        def forward(self, x):
            return self.fc(x[(x[:, 0] > 0).nonzero()[:, 0]])

    x = torch.ones(4, 4)
    x[2] = -1
    recording = record_forward(Chosen(), [x], 4)
    (layer,) = [one for one in recording.layers if one.kind == "linear"]
    assert layer.L == 1
    rounded = "vectors are no multiple of the batch; rounded up to whole ones a sample: 3 at fc"
    assert rounded in recording.notes


def test_branch_on_a_value_is_noted():
    class Branch(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x):
            return self.fc(x) if x.mean().item() < 1 else x

    (note,) = [one for one in record_forward(Branch(), [torch.zeros(2, 4)], 2).notes if "values" in one]
    assert note == ("values decide what runs after item: another batch may run other layers, or other sizes of them:"
                    " the top")  # fmt: skip


def test_share_that_is_not_simulated():
    """A transposed convolution of 4 x 4 pixels, two 3-D ones of 3 x 4 x 4 and a linear layer, counted by hand."""

    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.up, self.deep, self.fc = nn.ConvTranspose2d(3, 8, 2, stride=2), nn.Conv3d(1, 2, 3), nn.Linear(6, 5)
            self.large = nn.ConvTranspose3d(1, 2, 2)

        def forward(self, image, x):
            return self.up(image), self.large(image[:, None]), self.deep(image[:, None]), self.fc(x)

    recording = record_forward(Mixed(), [torch.zeros(2, 3, 4, 4), torch.zeros(2, 6)], 2)
    up, large, deep, fc = 16 * 3 * 8 * 4, 3 * 16 * 2 * 8, 1 * 2 * 2 * 27 * 2, 6 * 5
    total = up + large + deep + fc
    assert recording.unsimulated == (
        f"{(large + deep) / total:.2%} of the arithmetic is not simulated "
        f"(3-D transposed convolution {large / total:.2%}, 3-D convolution {deep / total:.2%})"
    )
    # Of a batch of two. Their inputs are data: the backward pass has the gradients of the weights alone.
    assert recording.missing == {
        "3-D transposed convolution": Lost(2 * large, 2 * large),
        "3-D convolution": Lost(2 * deep, 2 * deep),
    }
