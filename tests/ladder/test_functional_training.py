"""A training step on the stepped array gives PyTorch's weights, in Phase BP and in Phase GP."""

import numpy as np
import pytest
from array_specs import RUN_IN_FLOATS, RUN_NAMES, RUNS, array_of
from samples import sampled

from dataflows.functional.training import FunctionalNetwork, FunctionalPredictor
from workloads.predictor import Predictor
from workloads.shapes import ConvShape, linear_shape

torch = pytest.importorskip("torch", reason="needs the torch extra")
# conv 2 -> 3 stride 1, conv 3 -> 4 stride 2, linear 36 -> 5, on 6 x 6 images, batch 3
SHAPES = [
    ConvShape(N=3, C=2, H=6, W=6, K=3, R=3, S=3, P=6, Q=6, padding=(1, 1)),
    ConvShape(N=3, C=3, H=6, W=6, K=4, R=3, S=3, P=3, Q=3, stride=(2, 2), padding=(1, 1)),
    linear_shape(3, 36, 5),
]


def torch_network(seed: int) -> "torch.nn.Sequential":
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 3, padding=1, bias=False), torch.nn.ReLU(),
        torch.nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False), torch.nn.ReLU(),
        torch.nn.Flatten(), torch.nn.Linear(36, 5, bias=False),
    ).double()  # fmt: skip


def on_array(model: "torch.nn.Sequential", flow, kind: str) -> FunctionalNetwork:
    pe = array_of(kind, 4, 5, (5, 4, 5))
    weights = [p.detach().numpy().copy() for p in model.parameters()]
    weights[2] = weights[2].reshape(5, 36, 1, 1)
    return FunctionalNetwork(SHAPES, weights, flow, pe, learning_rate=0.05, momentum=0.9)


def assert_same(network: FunctionalNetwork, model: "torch.nn.Sequential") -> None:
    for ours, theirs in zip(network.weights, model.parameters(), strict=True):
        np.testing.assert_allclose(ours.reshape(theirs.shape), theirs.detach().numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("flow", "kind"), sampled(RUNS, lambda one: one == RUN_IN_FLOATS), ids=RUN_NAMES)
def test_bp_batches_give_pytorchs_weights(flow, kind: str) -> None:
    model = torch_network(1)
    network = on_array(model, flow, kind)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for batch in range(3):
        torch.manual_seed(batch)
        X, target = torch.randn(3, 2, 6, 6, dtype=torch.float64), torch.randint(0, 5, (3,))
        optimizer.zero_grad()
        output = model(X)
        output.retain_grad()
        torch.nn.functional.cross_entropy(output, target).backward()
        optimizer.step()
        np.testing.assert_allclose(network.forward(X.numpy()).reshape(3, 5), output.detach().numpy(), rtol=1e-9)
        network.backward(output.grad.numpy())
        assert_same(network, model)
    assert network.cycles > 0


@pytest.mark.parametrize(("flow", "kind"), sampled(RUNS, lambda one: one == RUN_IN_FLOATS), ids=RUN_NAMES)
def test_gp_batches_give_the_reference_runs_weights(flow, kind: str) -> None:
    from workloads.pytorch.predictor_module import GradientPredictor, reorganize

    model = torch_network(2)
    network = on_array(model, flow, kind)
    layers = {"0": model[0], "2": model[2], "5": model[5]}
    torch.manual_seed(3)
    reference = GradientPredictor(Predictor(outputs=36), list(layers)).double()
    with torch.no_grad():  # the reference starts its last layer at zero; here it must say something
        for parameter in reference.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.1)
        for layer, module in layers.items():
            reference.observe(layer, torch.randn_like(module.weight))
    conv, linear = (p.detach().numpy() for p in reference.parameters())
    scales = tuple(float(reference.scale(layer)) for layer in layers)
    predictor = FunctionalPredictor(conv, linear, (4, 4), scales)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

    def update(name: str):
        def hook(module, inputs, output) -> None:
            with torch.no_grad():
                images = reorganize(output, channels_last=isinstance(module, torch.nn.Linear))
                module.weight.grad = reference.predict(name, images, module.weight)
            optimizer.step()
            module.weight.grad = None

        return hook

    handles = [module.register_forward_hook(update(name)) for name, module in layers.items()]
    for batch in range(3):
        torch.manual_seed(10 + batch)
        X = torch.randn(3, 2, 6, 6, dtype=torch.float64)
        with torch.no_grad():
            expected = model(X)
        found = network.forward_and_predict(X.numpy(), predictor)
        np.testing.assert_allclose(found.reshape(3, 5), expected.numpy(), rtol=1e-9)
        assert_same(network, model)
    for handle in handles:
        handle.remove()
