"""The controls of the digits run differ in their Phase GP batches, and in nothing else."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="needs the torch extra")
pytest.importorskip("sklearn", reason="needs the torch extra")

from simulator.cli.main import cli  # noqa: E402
from workloads.foundation.errors import InputError  # noqa: E402
from workloads.foundation.validation import validate  # noqa: E402
from workloads.pytorch import controls, export_controls  # noqa: E402
from workloads.pytorch.controls import CONTROLS, compared, run_controls, write_csv  # noqa: E402
from workloads.pytorch.export import export_trained  # noqa: E402
from workloads.pytorch.export_controls import runs_beside, with_controls  # noqa: E402
from workloads.schedule import Policy  # noqa: E402
from workloads.trace import load_policy, load_trace  # noqa: E402
from workloads.trace_writer import write_trace  # noqa: E402

WARM_UP, EPOCHS = 1, 2


@pytest.fixture(scope="module")
def policy() -> Policy:
    stages = ({"epochs": WARM_UP, "pattern": ({"phase": "warm_up"},)},
              {"epochs": "rest", "pattern": ({"phase": "gp"}, {"phase": "bp"})})  # fmt: skip
    plain = {"version": 1, "name": "short", "description": "", "source": "", "epochs": EPOCHS, "stages": stages}
    return validate(Policy, plain, "short")


@pytest.fixture(scope="module", params=[pytest.param(1, id="one seed"), pytest.param(2, marks=pytest.mark.long)])
def seeds(request) -> int:
    return request.param


@pytest.fixture(scope="module")
def results(policy, seeds):
    return run_controls(policy, range(seeds))


def by_key(results, seed: int) -> dict:
    return {result.control.key: result.run for result in results if result.seed == seed}


def learnt(run) -> list[tuple[float, float]]:
    return [(row.train_loss, row.test_accuracy) for row in run.metrics]


def test_every_control_runs_with_every_seed(results, seeds):
    expected = [(one, seed) for one in CONTROLS for seed in range(seeds)]
    assert [(result.control, result.seed) for result in results] == expected


def test_controls_are_equal_up_to_the_first_gp_batch(results, seeds):
    for seed in range(seeds):
        runs = by_key(results, seed)
        for key, run in runs.items():
            if key != "letter":  # another predictor watches the same network
                assert run.metrics[:WARM_UP] == runs["ada-gp"].metrics[:WARM_UP]
                assert run.layer_errors[:WARM_UP] == runs["ada-gp"].layer_errors[:WARM_UP]
            assert learnt(run)[:WARM_UP] == learnt(runs["ada-gp"])[:WARM_UP]
        # Unrounded: a predicted gradient changes so little that the losses of a trace, to four digits, can be equal.
        last = [run.layer_errors[-1]["conv2"].cosine for run in runs.values()]
        assert len(set(last)) == len(last)


def test_another_seed_is_another_run(policy, results):
    another = controls.run_control(controls.Task(CONTROLS[0], 1, policy, EPOCHS)).run
    assert another.metrics != by_key(results, 0)[CONTROLS[0].key].metrics


def test_controls_run_the_batches_that_they_say(results):
    runs = by_key(results, 0)
    mixed = ("gp", "bp") * 22
    for key in ("ada-gp", "letter", "true-norm", "zero", "random", "running-mean"):
        assert runs[key].phases == (("warm_up",) * 44, mixed)
    for key in ("skip", "skip-faster"):
        assert runs[key].phases == (("warm_up",) * 44, ("bp",) * 22)
    assert runs["bp"].phases == (("bp",) * 44,) * EPOCHS


def test_random_gradients_are_as_large_as_the_true_ones():
    from workloads.pytorch.digits import digits
    from workloads.pytorch.training import Settings, Trainer

    data, recipe = digits(), controls.find_recipe(controls.NETWORK)
    torch.manual_seed(0)
    sizes = controls.predictor_of(controls.record_anywhere(recipe.build, [(32, 1, 8, 8)], (), ""))
    trainer = Trainer(recipe.build(), sizes, Settings(32, 1.0, 0.0, 0.0, gp_gradient="random"))
    for group in trainer.optimizer.param_groups:
        group["lr"] = 0.0
    trainer.true_batch(data.train_images[:32], data.train_labels[:32])
    for group in trainer.optimizer.param_groups:
        group["lr"] = 1.0
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    trainer.predicted_batch(data.train_images[32:64], data.train_labels[32:64])
    for name in trainer.prediction.layers:
        step = (trainer.model.get_parameter(f"{name}.weight") - before[f"{name}.weight"]).detach()
        scale = float(trainer.prediction.predictor.scale(name))
        # The spread of a sample's RMS is 1 / sqrt(2 n): 6 % for the 144 weights of the smallest layer.
        assert float(step.square().mean().sqrt()) == pytest.approx(scale, rel=0.25)
        assert scale > 0


def test_page_and_table_hold_what_ran(results, policy, tmp_path):
    text = compared(results, policy, "the command")
    assert "Written by `the command`" in text
    assert "Equal accuracy is no evidence of prediction" in text
    for result in results:
        (line,) = [line for line in text.splitlines() if line.startswith(f"| {result.control.title} |")]
        assert f" {100 * result.run.metrics[-1].test_accuracy:.2f} " in line
    own = [result.run for result in results if result.control.key == "ada-gp"]
    cosine = sum(run.layer_errors[-1]["conv2"].cosine for run in own) / len(own)
    assert f"| conv2 | 4608 | {EPOCHS} | {cosine:.3f} |" in text
    inputs = sum(run.similarity[-1]["conv2"].inputs for run in own) / len(own)
    assert f"| conv2 | 4608 | {EPOCHS} | {inputs:.3f} |" in text

    write_csv(results, tmp_path / "errors.csv")
    with (tmp_path / "errors.csv").open(encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert len(written) == len(results) * EPOCHS * 4
    first = next(row for row in written if row["layer"] == "conv2")
    error = results[0].run.layer_errors[0]["conv2"]
    assert (float(first["cosine"]), float(first["mse"])) == pytest.approx((error.cosine, error.mse), rel=1e-5)


def test_page_of_the_documentation_has_the_shipped_run():
    text = (Path(__file__).parents[2] / "docs/training.md").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith("| ADA-GP |")]
    # Seed 0 is the trace's, within a sample or two: sums have another order on every machine.
    assert float(line.split("|")[4]) == pytest.approx(100 * load_trace("digits-cnn").metrics[-1].test_accuracy, abs=0.6)
    assert all(f"| {control.title} |" in text for control in CONTROLS)


def test_mean_of_the_layers_is_the_epochs_metric(results):
    for result in results:
        for row, errors in zip(result.run.metrics, result.run.layer_errors, strict=True):
            assert row.predictor_cosine == pytest.approx(sum(e.cosine for e in errors.values()) / 4, abs=1e-4)
            assert row.predictor_relative_l2 == pytest.approx(sum(e.relative_l2 for e in errors.values()) / 4, abs=1e-4)


@pytest.mark.long
def test_processes_change_no_number(policy, results):
    assert run_controls(policy, [0], epochs=1, jobs=2)[0].run.metrics == results[0].run.metrics[:1]


def test_trace_holds_what_the_controls_reached(policy, results, seeds, tmp_path, monkeypatch):
    if seeds == 1:  # the default run takes the runs that are there; the long run makes them again
        made = {(result.control.key, result.seed): result for result in results}
        monkeypatch.setattr(
            export_controls, "run_tasks", lambda tasks, _: (made[one.control.key, one.seed] for one in tasks)
        )
    recipe = controls.find_recipe(controls.NETWORK)
    alone = export_trained(recipe, policy, "the command")
    told = []
    trace = with_controls(alone, recipe.name, policy, None, seed=0, seeds=seeds, on_result=told.append)
    assert [(runs.name, runs.title) for runs in trace.controls] == [(one.key, one.title) for one in CONTROLS]
    expected = {"ada-gp": "predicted", "letter": "predicted", "bp": "backpropagated", "true-norm": "backpropagated",
                "skip": "left_out", "skip-faster": "left_out"}  # fmt: skip
    for runs in trace.controls:
        assert runs.gp_batches == expected.get(runs.name, "updated_only")
        for seed, row in enumerate(runs.test_accuracy):
            assert row == tuple(epoch.test_accuracy for epoch in by_key(results, seed)[runs.name].metrics)
    # The trace's own run is not made twice.
    assert len(told) == runs_beside(seeds) == len(results) - 1
    assert trace.model_copy(update={"controls": ()}) == alone
    write_trace(trace, tmp_path / "trace.yaml")
    assert load_trace(tmp_path / "trace.yaml") == trace
    lines = (tmp_path / "trace.yaml").read_text(encoding="utf-8").splitlines()
    assert lines.count("  test_accuracy:") == len(CONTROLS)
    assert sum(line.startswith("  - [") for line in lines) == len(results)


def export(folder: Path, *options: str):
    out = folder / "exported.yaml"
    run = CliRunner().invoke(cli, ["trace", "export", "digits-cnn", "--seed", "5", *options, "--out", str(out)])
    assert run.exit_code == 0, run.output
    return load_trace(out), run.stderr


def test_export_by_its_command(tmp_path):
    """Killed on the way or not, the run is the same one."""
    plain, _ = export(tmp_path, "--epochs", "2")
    saved = ("--checkpoint", str(tmp_path / "run.pt"))
    export(tmp_path, "--epochs", "1", *saved)
    resumed, said = export(tmp_path, "--epochs", "2", *saved)
    assert resumed == plain
    assert "epoch 1 of 2" not in said


@pytest.mark.long
def test_export_with_controls_by_its_command(tmp_path):
    """With controls or not, the run is the same one."""
    plain, _ = export(tmp_path, "--epochs", "2")
    full, said = export(tmp_path, "--epochs", "2", "--controls", "1", "--jobs", "2")
    assert full.provenance.command == "adagp-sim trace export digits-cnn --epochs 2 --seed 5 --controls 1"
    assert full.metrics == plain.metrics
    # Two epochs of Warm Up, in which all do the same.
    assert {runs.test_accuracy for runs in full.controls} == {(tuple(row.test_accuracy for row in plain.metrics),)}
    assert f"[8/8] {CONTROLS[-1].title}, seed 5: accuracy" in said


@pytest.mark.long
def test_command_writes_the_page_and_makes_no_run_twice(tmp_path, monkeypatch):
    out, runs = tmp_path / "made" / "training.md", tmp_path / "runs"
    options = ["train", "controls", "--seeds", "1", "--epochs", "1", "--out", str(out), "--runs", str(runs)]
    run = CliRunner().invoke(cli, options)
    assert run.exit_code == 0, run.output
    text = out.read_text(encoding="utf-8")
    assert "--seeds 1 --epochs 1" in text
    assert len(list(runs.iterdir())) == len(CONTROLS)
    monkeypatch.setattr("workloads.pytorch.training.Trainer.epoch", lambda *_: pytest.fail("it trains again"))
    again = CliRunner().invoke(cli, options)
    assert again.exit_code == 0, again.output
    assert out.read_text(encoding="utf-8") == text


def test_impossible_numbers_are_refused(policy):
    with pytest.raises(InputError, match="--jobs: is 0"):
        run_controls(policy, [0], jobs=0)
    with pytest.raises(InputError, match="--epochs: is 0"):
        run_controls(policy, [0], epochs=0)


@pytest.mark.long
def test_no_control_tells_the_accuracies_of_the_whole_run_apart():
    """docs/training.md: zero gradients, or none, end where the predicted ones do."""
    results = run_controls(load_policy("paper"), [0])
    final = {result.control.key: result.run.metrics[-1].test_accuracy for result in results}
    for key in ("skip", "zero"):
        assert final[key] == pytest.approx(final["ada-gp"], abs=0.0084)  # three samples of 360
