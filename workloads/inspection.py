"""What is in a trace, as plain data: sizes, work and schedule."""

from math import prod
from typing import Any

from workloads.graph import needs_input_gradient
from workloads.layers import Conv2d, Linear, MacLayer, Matmul, VectorLayer
from workloads.passes import Role, layer_products
from workloads.trace import Trace


def inspection(trace: Trace) -> dict[str, Any]:
    """Return a trace's sizes; MACs are of one batch."""
    needed = needs_input_gradient(trace.layers)
    rows = [_row(trace, layer, needed[layer.id]) for layer in trace.mac_layers]
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
        "weights": sum(layer.product_shape(1).weight_words for layer in owners),
        "other_parameters": sum(layer.K for layer in owners if layer.bias)
        + sum(layer.parameters for layer in trace.layers if isinstance(layer, VectorLayer)),
        "macs_per_batch": {
            role: sum(row[f"macs_{role}"] for row in rows) for role in ("forward", "dgrad", "wgrad")
        },
        "activations_per_sample": sum(prod(layer.output_shape) for layer in trace.layers),
        "frozen_layers": sum(not getattr(layer, "trainable", True) for layer in trace.layers),
        "not_simulated": list(trace.provenance.unrecorded),
        "predictor": {
            "features": trace.predictor.features,
            "outputs": trace.predictor.outputs,
            "weights": trace.predictor.total_weight_words,
        },
        "schedule": {"name": trace.schedule.name, "epochs": trace.schedule.epoch_count} | trace.schedule.counts(),
        "final_test_accuracy": trace.metrics[-1].test_accuracy if trace.metrics else "not trained",
        "controls": _controls(trace),
        "mac_layers": rows,
    }  # fmt: skip


def _controls(trace: Trace) -> str:
    if not trace.controls:
        return "none"
    return f"{', '.join(runs.name for runs in trace.controls)}, {len(trace.controls[0].test_accuracy)} seeds"


def _row(trace: Trace, layer: MacLayer, needs_dgrad: bool) -> dict[str, Any]:
    shape = layer.product_shape(trace.batch_size)

    def macs(role: Role) -> int:
        if (role == "dgrad" and not needs_dgrad) or (role == "wgrad" and not getattr(layer, "trainable", True)):
            return 0
        return sum(product.macs for product in layer_products(layer, role, trace.batch_size))

    return {
        "id": layer.id,
        "kind": layer.kind,
        "inputs": list(layer.inputs),
        "shape": _shape_text(layer),
        "weights": 0 if isinstance(layer, Matmul) else shape.weight_words,
        "macs_forward": macs("forward"),
        "macs_dgrad": macs("dgrad"),
        "macs_wgrad": macs("wgrad"),
        "predicted": not isinstance(layer, Matmul) and layer.predicted,
    }


def _shape_text(layer: MacLayer) -> str:
    if isinstance(layer, Conv2d):
        groups = f", groups {layer.groups}" if layer.groups > 1 else ""
        stride = f", stride {layer.stride[0]}x{layer.stride[1]}" if layer.stride != (1, 1) else ""
        return f"{layer.C}x{layer.H}x{layer.W} -> {layer.K}x{layer.P}x{layer.Q}, {layer.R}x{layer.S}{stride}{groups}"
    if isinstance(layer, Linear):
        return f"{layer.C} -> {layer.K}" + (f", {layer.L} vectors" if layer.L > 1 else "")
    return f"{layer.G} x ({layer.M}x{layer.C} by {layer.C}x{layer.K})"
