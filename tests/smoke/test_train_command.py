"""`adagp-sim train` has the manners of the other commands, and finds out before the training whether it can write."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli import main as program
from simulator.cli.main import cli
from workloads.foundation.errors import InputError

TRAINING = {
    "reference": "workloads.pytorch.reference.reference_trace",
    "controls": "workloads.pytorch.controls.run_controls",
    "predictors": "workloads.pytorch.predictor_study.study",
}


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="needs the torch extra")
    pytest.importorskip("sklearn", reason="needs the torch extra")

    def begun(*_: object, **__: object) -> None:
        raise AssertionError("the training began")

    for name in TRAINING.values():
        monkeypatch.setattr(name, begun)


@pytest.mark.parametrize(
    ("command", "option"),
    [("reference", "--out"), ("reference", "--checkpoint"), ("controls", "--out"), ("controls", "--csv"),
     ("predictors", "--out")],
)  # fmt: skip
@pytest.mark.parametrize("place", ["a folder", "below a file"])
@pytest.mark.usefixtures("no_training")
def test_places_are_tried_before_the_training(command: str, option: str, place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    path = tmp_path if place == "a folder" else tmp_path / "file/below"
    given = [option, str(path)] if option == "--out" else ["--out", str(tmp_path / "new"), option, str(path)]
    run = CliRunner().invoke(cli, ["train", command, *given], standalone_mode=False)
    assert isinstance(run.exception, InputError), run.exception
    assert run.exception.where == str(path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    with pytest.raises(AssertionError, match="began"):
        CliRunner().invoke(cli, ["train", command, "--out", str(tmp_path / "new")], catch_exceptions=False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reference", "digits-cn"], ["digits-cn", "did you mean digits-cnn?"]),
        (["reference", "--schedule", "papers"], ["papers", "did you mean paper?"]),
        (["reference", "--epochs", "0"], ["--epochs"]),
        (["reference", "--predictor-targets", "runing"], ["--predictor-targets", "running"]),
        (["controls"], ["--out"]),
        (["controls", "--seeds", "0", "--out", "x.md"], ["--seeds"]),
        (["predictors", "--stream-epochs", "none", "--out", "x.md"], ["--stream-epochs"]),
        (["refrence"], ["refrence"]),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["adagp-sim", "train", *arguments])
    with pytest.raises(SystemExit) as told:
        program.main()
    said = capsys.readouterr().err
    assert told.value.code == 2
    assert said.count("\n") == 1
    assert all(word in said for word in words), said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("subject", TRAINING)
def test_a_missing_torch_is_told_in_one_line(subject: str, tmp_path: Path) -> None:
    # In a process of its own: a package that is loaded anew here stays half loaded for the tests that follow.
    code = "import sys; sys.modules['torch'] = None; from simulator.cli.main import main; main()"
    command = [sys.executable, "-c", code, "train", subject, "--out", str(tmp_path / "new")]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 2, run.stderr
    assert run.stderr.count("\n") == 1
    assert "pip install '.[torch]'" in run.stderr
    assert not list(tmp_path.iterdir())
