"""What is in a trace, as plain data: its graph, sizes, work and schedule."""

from collections import Counter
from collections.abc import Sequence
from math import prod
from typing import Any

from workloads.graph import input_gradients
from workloads.layers import Conv2d, Layer, Linear, Matmul, VectorLayer, WeightedLayer
from workloads.passes import ROLES, Role, layer_products
from workloads.trace import Trace


def inspection(trace: Trace) -> dict[str, Any]:
    """Return a trace's sizes, and in `graph` every layer with what it reads; MACs are of one batch."""
    gradients = input_gradients(trace.layers)
    rows = [_row(trace, layer, gradients[layer.id]) for layer in trace.layers]
    read = {name for layer in trace.layers for name in layer.inputs}
    owners = [
        layer for layer in trace.mac_layers if isinstance(layer, Conv2d | Linear) and layer.shares_weights_with is None
    ]
    return {
        "network": trace.network,
        "dataset": f"{trace.dataset.name}, {trace.dataset.training_samples:,} training samples",
        "origin": f"{trace.provenance.origin} by: {trace.provenance.command}",
        "notes": list(trace.provenance.notes),
        "batch_size": trace.batch_size,
        "layers": len(trace.layers),
        "layers_by_kind": dict(Counter(layer.kind for layer in trace.layers).most_common()),
        "inputs": [f"{name} ({_sizes(shape)})" for name, shape in trace.inputs.items()],
        "read_by_no_layer": [layer.id for layer in trace.layers if layer.id not in read],
        "weights": sum(layer.product_shape(1).weight_words for layer in owners),
        "other_parameters": sum(layer.K for layer in owners if layer.bias)
        + sum(layer.parameters for layer in trace.layers if isinstance(layer, VectorLayer)),
        "macs_per_batch": {
            role: sum(row[f"macs_{role}"] for row in rows) for role in ("forward", "dgrad", "wgrad")
        },
        "activations_per_sample": sum(prod(layer.output_shape) for layer in trace.layers),
        "frozen_layers": sum(not getattr(layer, "trainable", True) for layer in trace.layers),
        "not_simulated": _not_simulated(trace),
        "predictor": {
            "features": trace.predictor.features,
            "outputs": trace.predictor.outputs,
            "weights": trace.predictor.total_weight_words,
        },
        "schedule": {"name": trace.schedule.name, "epochs": trace.schedule.epoch_count} | trace.schedule.counts(),
        "final_test_accuracy": trace.metrics[-1].test_accuracy if trace.metrics else "not trained",
        "controls": _controls(trace),
        "graph": rows,
    }  # fmt: skip


def _not_simulated(trace: Trace) -> list[str]:
    others = sum(layer.kind == "other" for layer in trace.layers)
    costless = [f"what {others:,} layers of kind other do: their shapes chain, and they cost nothing"] if others else []
    return [*trace.provenance.unrecorded, *costless]


def _controls(trace: Trace) -> str:
    if not trace.controls:
        return "none"
    return f"{', '.join(runs.name for runs in trace.controls)}, {len(trace.controls[0].test_accuracy)} seeds"


def _row(trace: Trace, layer: Layer, gradients: Sequence[bool]) -> dict[str, Any]:
    """Return a layer: what it reads, which ties the graph together, and its sizes."""
    row = {
        "id": layer.id,
        "kind": layer.kind,
        "op": layer.op if isinstance(layer, VectorLayer) else layer.kind,
        "inputs": list(layer.inputs),
        "shape": _shape_text(layer),
        "parameters": _parameters(layer),
        "activations_per_sample": prod(layer.output_shape),
    }
    return row | {f"macs_{role}": _macs(trace, layer, role, gradients) for role in ROLES} | {
        "predicted": isinstance(layer, WeightedLayer) and layer.predicted
    }  # fmt: skip


def _macs(trace: Trace, layer: Layer, role: Role, gradients: Sequence[bool]) -> int:
    """Return a batch's multiply-accumulates of a pass of a layer."""
    none = (role == "dgrad" and not any(gradients)) or (role == "wgrad" and not getattr(layer, "trainable", True))
    if isinstance(layer, VectorLayer) or none:
        return 0
    return sum(product.macs for product in layer_products(layer, role, trace.batch_size, gradients=gradients))


def _parameters(layer: Layer) -> int:
    """Return a layer's own parameters; shared weights are another's."""
    if isinstance(layer, VectorLayer):
        return layer.parameters
    if isinstance(layer, Matmul) or layer.shares_weights_with is not None:
        return 0
    return layer.product_shape(1).weight_words + layer.K * layer.bias


def _sizes(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _shape_text(layer: Layer) -> str:
    if isinstance(layer, Conv2d):
        groups = f", groups {layer.groups}" if layer.groups > 1 else ""
        stride = f", stride {layer.stride[0]}x{layer.stride[1]}" if layer.stride != (1, 1) else ""
        return f"{layer.C}x{layer.H}x{layer.W} -> {layer.K}x{layer.P}x{layer.Q}, {layer.R}x{layer.S}{stride}{groups}"
    if isinstance(layer, Linear):
        return f"{layer.C} -> {layer.K}" + (f", {layer.L} vectors" if layer.L > 1 else "")
    if isinstance(layer, Matmul):
        return f"{layer.G} x ({layer.M}x{layer.C} by {layer.C}x{layer.K})"
    return _sizes(layer.shape)
