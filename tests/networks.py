"""Small traces for tests."""

from hypothesis import strategies as st

from workloads.shapes import output_extent
from workloads.trace import Trace


def make_trace(
    layers: list[dict], batch_size: int = 4, inputs: dict | None = None, outputs: int | None = None
) -> Trace:
    """Return a trace of layers given as dictionaries, with one epoch of every phase."""
    widths = [
        layer["C"] // layer.get("groups", 1) * layer.get("R", 1) * layer.get("S", 1)
        for layer in layers
        if layer["kind"] in ("conv2d", "linear") and layer.get("predicted", True)
    ]
    return Trace.model_validate({
        "version": 1,
        "network": "test",
        "dataset": {"name": "none", "training_samples": 100},
        "batch_size": batch_size,
        "inputs": inputs or {"input": (layers[0]["C"], layers[0]["H"], layers[0]["W"])},
        "predictor": {"outputs": outputs or max(widths, default=1)},
        "layers": tuple(layers),
        "schedule": {
            "name": "test",
            "epochs": (
                {"repeat": 2, "batches": ({"phase": "warm_up", "count": 3},)},
                {"batches": (
                    {"repeat": 2, "batches": ({"phase": "gp", "count": 2}, {"phase": "bp"})}, {"phase": "gp"},
                )},
            ),
        },
        "provenance": {"origin": "recorded", "command": "tests"},
    })  # fmt: skip


@st.composite
def chains(draw: st.DrawFn) -> Trace:
    """Draw a chain of convolutions and a linear layer at its end."""
    C, H, W = draw(st.integers(1, 20)), draw(st.integers(3, 12)), draw(st.integers(3, 12))
    layers: list[dict] = []
    inputs = {"input": (C, H, W)}
    before = "input"
    for index in range(draw(st.integers(1, 4))):
        kernel, stride = draw(st.sampled_from([1, 3])), draw(st.sampled_from([1, 2]))
        padding = kernel // 2
        groups = C if draw(st.booleans()) and index else 1
        K = groups * draw(st.integers(1, 3)) if groups > 1 else draw(st.integers(1, 40))
        P, Q = (output_extent(size, kernel, stride, padding, 1) for size in (H, W))
        layers.append({
            "id": f"conv{index}", "kind": "conv2d", "inputs": (before,), "C": C, "H": H, "W": W, "K": K, "R": kernel,
            "S": kernel, "P": P, "Q": Q, "stride": (stride, stride), "padding": (padding, padding), "groups": groups,
            "predicted": draw(st.sampled_from([True, True, False])),
        })  # fmt: skip
        before, C, H, W = f"conv{index}", K, P, Q
    layers.append({"id": "flat", "kind": "reshape", "inputs": (before,), "op": "flatten", "shape": (C * H * W,)})
    layers.append({"id": "head", "kind": "linear", "inputs": ("flat",), "C": C * H * W, "K": draw(st.integers(1, 20))})
    return make_trace(layers, draw(st.integers(1, 8)), inputs)
