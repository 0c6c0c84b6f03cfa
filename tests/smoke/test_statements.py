"""What pages, help and docstrings say of the project is so: files are there, and commands can be called."""

import re
import shlex
from functools import cache
from pathlib import Path

import click
import pytest

from simulator.cli.main import cli

ROOT = Path(__file__).parents[2]
# CHANGELOG.md tells of what is gone.
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "setup.cfg"} - {ROOT / "CHANGELOG.md"})
CODE = sorted(path for package in ("workloads", "dataflows", "simulator") for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))
HERE = Path(__file__)

FOLDERS = "workloads|dataflows|simulator|configs|traces|docs|tests"
# A path of the project: from a top-level folder, or between backticks beside such a one. `NAME` represents a name.
A_PATH = re.compile(rf"(?<![\w./-])((?:{FOLDERS})/[\w./*-]*\w/?)")


def named_paths(text: str) -> set[str]:
    return {path for path in A_PATH.findall(text) if not re.search(r"[A-Z]{3,}|\*", path)}


@cache
def exists(path: str) -> bool:
    """Return whether there is such a file or folder; `docs/decisions/0011` represents the page of that number."""
    return (ROOT / path).exists() or any((ROOT / path).parent.glob(f"{Path(path).name}[-.]*"))


@pytest.mark.parametrize("files", [PAGES, CODE, CONFIGS], ids=["pages", "code", "configs"])
def test_every_path_that_is_named_is_there(files: list[Path]) -> None:
    made_by_a_reader = {"configs/accelerators/eager.yaml", "simulator/designs/eager.py"}
    wrong = [
        f"{file.relative_to(ROOT)}: {path}"
        for file in files
        for path in sorted(named_paths(file.read_text(encoding="utf-8")) - made_by_a_reader)
        if not exists(path)
    ]
    assert not wrong


def test_the_search_for_paths_finds_them() -> None:
    text = "see docs/dram.md, `configs/energy/NAME.yaml`, (docs/decisions/0011) and simulator/gone.py."
    assert named_paths(text) == {"docs/dram.md", "docs/decisions/0011", "simulator/gone.py"}
    assert exists("docs/dram.md")
    assert exists("docs/decisions/0011")
    assert not exists("simulator/gone.py")


def commands(text: str) -> list[str]:
    """Return what is typed at a prompt: in code spans and blocks, from `adagp-sim` to the end of the line or span."""
    found = re.findall(r"`(adagp-sim [^`\n]+)`", text)
    for block in re.findall(r"```(?:sh|bash|console)\n(.*?)```", text, re.DOTALL):
        found += re.findall(r"(?:^|&& |bin/)(adagp-sim .+?)(?=$| && | > )", block.replace("\\\n", " "), re.MULTILINE)
    return found


def parse(group: click.Group, words: list[str]) -> None:
    """Read a command line as click does, without running anything."""
    if words[0] in [name for option in group.params for name in option.opts]:
        if words[1:]:
            parse(group, words[1:])
        return
    command = group.commands.get(words[0], group.commands.get("run"))  # a sweep's file needs no command before it
    if command is None:
        raise click.UsageError(f"no such command {words[0]!r}")
    if not isinstance(command, click.Group):
        # a command keeps the help option of its first context: as `adagp-sim` gives it, with -h
        command.make_context(words[0], words[1:], parent=click.Context(cli, help_option_names=["-h", "--help"]))
    elif words[1:]:
        parse(command, words[1:])


def asked(command: str) -> list[str]:
    """Return the words of a command, with a value for each word that means any; what follows a pipe is another's."""
    words = shlex.split(re.sub(r"\[[^\]]*\]|\.\.\.|\{[^}]*\}", "", command), comments=True)[1:]
    own = words[: words.index("|")] if "|" in words else words
    return [{"N": "1", "SHARE": "1", "SHELL": "bash"}.get(word, word) for word in own]


def refusal(command: str) -> str | None:
    """Return what click says of a command that cannot be called; what represents several values is left out."""
    words = asked(command)
    if not words or words in (["--help"], ["COMMAND", "--help"]):
        return None
    try:
        parse(cli, words)
    except click.MissingParameter:
        return None  # a command spoken of, as in "`adagp-sim simulate` takes ..."
    except click.exceptions.Exit:
        return None
    except click.ClickException as error:
        return error.format_message()
    return None


def test_every_command_of_the_pages_can_be_called() -> None:
    """Its options exist and their values are of the right kind."""
    named = {one: page for page in [*PAGES, *CODE] for one in commands(page.read_text(encoding="utf-8"))}
    assert len(named) > 100
    wrong = {f"{page.relative_to(ROOT)}: {one}": refusal(one) for one, page in named.items() if refusal(one)}
    assert not wrong


def test_the_search_for_commands_finds_wrong_ones() -> None:
    text = "run `adagp-sim compare x --plott` or\n```sh\npip x && .venv/bin/adagp-sim simulat x --out y\n```"
    found = commands(text)
    assert found == ["adagp-sim compare x --plott", "adagp-sim simulat x --out y"]
    for command in found:
        assert refusal(command)
        with pytest.raises(click.UsageError):
            parse(cli, command.split()[1:])


@pytest.mark.parametrize(
    "wrong",
    [r"install '?\"?adagp-sim\b", r"python -m workloads\.", r"shared/paper"],
    ids=["the package is on no index", "modules are no commands", "files outside the project"],
)
def test_no_text_says_what_cannot_be_done(wrong: str) -> None:
    for path in [*PAGES, *CODE, *TESTS, *CONFIGS]:
        if path != HERE:
            assert not re.search(wrong, path.read_text(encoding="utf-8")), path.relative_to(ROOT)
