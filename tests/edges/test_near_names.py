"""A wrong name says which one was meant, where it stands, and leaves nothing behind."""

from pathlib import Path

import click
import pytest
from command_line import Outcome, good, run_here

from simulator.cli.main import cli


def refused(outcome: Outcome) -> str:
    """Return the one line of a command that refuses its input."""
    assert (outcome.code, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    return line


def choices(command: click.Command, above: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Parameter]]:
    """Return every parameter that is one of some words, with the words of its command."""
    if isinstance(command, click.Group):
        return [one for name, inner in command.commands.items() for one in choices(inner, (*above, name))]
    return [(above, one) for one in command.params if isinstance(one.type, click.Choice)]


CHOICES = choices(cli)


@pytest.mark.parametrize(("words", "parameter"), CHOICES, ids=[f"{' '.join(w)} {p.name}" for w, p in CHOICES])
def test_a_word_that_is_not_among_some_is_told_the_nearest(words: tuple[str, ...], parameter: click.Parameter) -> None:
    assert isinstance(parameter.type, click.Choice)
    right = str(parameter.type.choices[0])
    option = [one for one in parameter.opts if one.startswith("-")]
    said = refused(run_here(*words, *option, right[:-1] + "x"))
    assert f"did you mean {right}?" in said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("trace: digits-cn\ngrid: {array.rows: [6]}", "s.yaml: trace: trace digits-cn: no such trace"),
        ("trace: digits-cnn\nmachine: eyerss\ngrid: {array.rows: [6]}", "s.yaml: machine: accelerator eyerss: no such"),
    ],
    ids=["trace", "machine"],
)
def test_a_name_in_a_sweep_is_told_with_its_file_and_key(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(text)
    said = refused(run_here("sweep", "s.yaml", "--out", "o", cwd=tmp_path))
    assert told in said
    assert "did you mean" in said
    assert not (tmp_path / "o").exists()


def test_a_command_of_sweep_that_is_misspelt_is_no_sweep(tmp_path: Path) -> None:
    assert "'shwo' is no command and no file; did you mean show?" in refused(run_here("sweep", "shwo", "dir"))
    (tmp_path / "shwo").write_text("trace: digits-cnn\ngrid: {array.row: [6]}\n")
    assert "shwo: grid.array.row: unknown key" in refused(run_here("sweep", "shwo", "--out", "o", cwd=tmp_path))


def test_a_machine_without_room_for_a_design_is_named_and_runs_the_others() -> None:
    """Gemmini's scratchpad has 4 banks, and the second array of max takes 16."""
    said = refused(run_here("compare", "digits-cnn", "--config", "gemmini"))
    assert said.startswith("error: gemmini as design max: second_array.buffer_banks: is 16 of 4 banks")
    assert "--design" in said
    out = good(run_here("compare", "digits-cnn", "--config", "gemmini", "--design", "low")).out
    assert [line.split()[0] for line in out.splitlines() if line.startswith((" baseline ", " low "))][:2] == [
        "baseline", "low",
    ]  # fmt: skip
