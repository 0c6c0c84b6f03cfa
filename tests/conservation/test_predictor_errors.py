"""The predictor's errors by layer: what a run measured is what its trace holds, and only of that run."""

from dataclasses import asdict
from math import inf, nan
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the torch extra")
pytest.importorskip("sklearn", reason="needs the torch extra")

from workloads.foundation.validation import validate  # noqa: E402
from workloads.networks import find_recipe  # noqa: E402
from workloads.predictor_errors import PAIRS  # noqa: E402
from workloads.pytorch.export import export_trained  # noqa: E402
from workloads.pytorch.gradient_prediction import PredictionError  # noqa: E402
from workloads.pytorch.layer_errors import layer_errors  # noqa: E402
from workloads.pytorch.settings import settings_of  # noqa: E402
from workloads.pytorch.training import Run, train  # noqa: E402
from workloads.schedule import Policy  # noqa: E402
from workloads.trace import load_policy, load_trace  # noqa: E402
from workloads.trace_writer import write_trace  # noqa: E402

LAYERS = ["conv1", "conv2", "conv3", "classifier"]


def policy(*phases: str) -> Policy:
    """Return a schedule of one epoch for each phase."""
    stages = tuple({"epochs": 1, "pattern": ({"phase": phase},)} for phase in phases)
    plain = {"version": 1, "name": "short", "description": "", "source": "", "epochs": len(phases)}
    return validate(Policy, plain | {"stages": stages}, "short")


def test_trace_holds_what_the_run_measured(tmp_path: Path) -> None:
    recipe, plan = find_recipe("digits-cnn"), policy("warm_up", "gp", "bp")
    trace = export_trained(recipe, plan, "the command")
    run = train(recipe.build, recipe.training.load_data(), trace.predictor, plan, settings_of(recipe))
    assert list(trace.predictor_errors) == LAYERS
    for layer, found in trace.predictor_errors.items():
        for name, values in found.model_dump().items():
            measured = run.similarity if name in PAIRS else run.layer_errors
            expected = [None if index == 1 else float(f"{getattr(measured[index][layer], name):.4g}")
                        for index in range(3)]  # fmt: skip
            assert list(values) == expected  # nothing is measured in an epoch of Phase GP alone
    write_trace(trace, tmp_path / "trace.yaml")
    assert load_trace(tmp_path / "trace.yaml") == trace


def test_a_run_that_only_predicts_has_no_errors(tmp_path: Path) -> None:
    trace = export_trained(find_recipe("digits-cnn"), policy("gp"), "the command")
    assert trace.predictor_errors == {}
    write_trace(trace, tmp_path / "trace.yaml")
    assert "predictor_errors" not in (tmp_path / "trace.yaml").read_text(encoding="utf-8")


def run_of(*epochs: dict[str, PredictionError]) -> Run:
    return Run(phases=(), metrics=(), layer_errors=epochs, similarity=({},) * len(epochs))


@pytest.mark.parametrize("value", [nan, inf])
def test_what_has_diverged_is_left_out(value: float) -> None:
    good = PredictionError(cosine=0.123456, relative_l2=1.0, mape=2.0, mse=1.23456e-9, norm_ratio=0.5, mae=0.25)
    bad = PredictionError(**asdict(good) | {"mape": value})
    found = layer_errors(run_of({"conv2": good}, {"conv2": bad}), load_trace("digits-cnn").layers)
    assert {name: errors.model_dump() for name, errors in found.items()} == {
        "conv2": {"cosine": (0.1235, None), "relative_l2": (1.0, None), "mape": (2.0, None), "mse": (1.235e-9, None),
                  "norm_ratio": (0.5, None), "mae": (0.25, None), **dict.fromkeys(PAIRS, (None, None))}
    }  # fmt: skip


def test_modules_that_are_no_predicted_layers_are_left_out() -> None:
    error = PredictionError(0.5, 1.0, 1.0, 1.0, 1.0, 1.0)
    layers = [
        layer.model_copy(update={"predicted": False}) if layer.id == "conv2" else layer
        for layer in load_trace("digits-cnn").layers
    ]
    names = ["classifier", "conv2", "another", "conv1"]
    assert list(layer_errors(run_of(dict.fromkeys(names, error)), layers)) == ["conv1", "classifier"]


def test_another_run_has_none_of_them() -> None:
    trace = load_trace("digits-cnn")
    assert list(trace.predictor_errors) == LAYERS
    assert trace.with_batch_size(trace.batch_size) == trace
    for other in (trace.with_batch_size(64), trace.with_schedule(load_policy("bp"))):
        assert (other.metrics, other.predictor_errors, other.controls) == ((), {}, ())
