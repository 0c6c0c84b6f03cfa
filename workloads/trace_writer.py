"""Write a trace as YAML that a person can read: one line a layer, defaults left out."""

from pathlib import Path
from typing import Any

from workloads.control_runs import ControlRuns
from workloads.foundation.atomic import atomic_file
from workloads.foundation.strict_yaml import yaml_text
from workloads.foundation.validation import StrictModel
from workloads.predictor import Predictor
from workloads.trace import Trace

_NEWER = ("pooling", "earlier_pools")  # keys of the predictor that shipped traces were written without


def trace_text(trace: Trace) -> str:
    """Return the trace as YAML text; reading it back gives an equal trace."""
    head = {
        "version": trace.version,
        "network": trace.network,
        "dataset": _without_defaults(trace.dataset),
        "batch_size": trace.batch_size,
        "inputs": {name: list(shape) for name, shape in trace.inputs.items()},
        "optimizer": trace.optimizer,
        "predictor": _plain(trace.predictor.model_dump(exclude=_at_their_default(trace.predictor))),
    }
    lines = [_block(head), "layers:\n", *(f"- {_flow(_without_defaults(layer))}\n" for layer in trace.layers)]
    lines.append(f"schedule:\n  {_line({'name': trace.schedule.name})}\n  epochs:\n")
    for epochs in trace.schedule.epochs:
        lines.append(f"  - repeat: {epochs.repeat}\n    batches:\n")
        lines += [f"    - {_flow(_plain(item.model_dump()))}\n" for item in epochs.batches]
    if trace.metrics:
        lines.append("metrics:\n")
        lines += [f"- {_flow(row.model_dump(exclude_none=True))}\n" for row in trace.metrics]
    if trace.predictor_errors:
        errors = {layer: _plain(one.model_dump()) for layer, one in trace.predictor_errors.items()}
        lines.append(yaml_text({"predictor_errors": errors}, flow=None))
    if trace.controls:
        lines += ["controls:\n", *(_control(runs) for runs in trace.controls)]
    lines.append(_block({"provenance": _plain(_without_defaults(trace.provenance))}))
    return "".join(lines)


def write_trace(trace: Trace, path: Path) -> None:
    """Write a trace whole or not at all.

    Raises
    ------
    InputError
        If the place cannot be written.
    """
    text = trace_text(trace)
    with atomic_file(path) as file:
        file.write(text)


def _control(runs: ControlRuns) -> str:
    """Return the runs of a control: a line a key, and one a seed."""
    head = "\n  ".join(_line({key: value}) for key, value in runs.model_dump(exclude={"test_accuracy"}).items())
    return f"- {head}\n  test_accuracy:\n" + "".join(f"  - {_flow(list(row))}\n" for row in runs.test_accuracy)


def _at_their_default(predictor: Predictor) -> set[str]:
    """Return the newer keys that hold their default, which a file leaves out."""
    return {key for key in _NEWER if getattr(predictor, key) == Predictor.model_fields[key].default}


def _without_defaults(model: StrictModel) -> dict[str, Any]:
    data = model.model_dump(exclude_defaults=True)
    first = {key: data.pop(key) for key in ("id", "kind", "inputs") if key in data}
    return _plain(first | data)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _block(data: dict[str, Any]) -> str:
    return yaml_text(data, flow=None, width=100)


def _flow(data: dict[str, Any] | list[Any]) -> str:
    return yaml_text(data, flow=True).rstrip("\n")


def _line(data: dict[str, Any]) -> str:
    """Return one key and its value in one line."""
    return yaml_text(data).rstrip("\n")
