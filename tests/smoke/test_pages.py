"""Every command and program of the tutorial and the how-to pages runs, in order, and prints what the page shows."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
from command_line import run_here

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = [DOCS / "tutorial.md", *sorted((DOCS / "how-to").glob("*.md"))]
# A page that builds a package, simulates many machines, or trains in a process of its own.
SLOW = "pip install ./", "--ranges", "adagp-sim sweep", "python loop.py"
ENVIRONMENT = os.environ | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "PYTHONPATH": os.pathsep.join(sys.path),
    "NO_COLOR": "1",
}
BLOCK = re.compile(r"(?:<!-- (?P<mark>[a-z ]+) -->\n)?```(?P<kind>[^\n]*)\n(?P<text>.*?)```", re.DOTALL)
CAPTION = re.compile(r":caption: (\S+)\n")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language, the file that it is, and what the comment before it says."""

    language: str
    file: str | None
    mark: str
    text: str


def blocks(page: Path) -> list[Block]:
    found = []
    for match in BLOCK.finditer(page.read_text(encoding="utf-8")):
        text, kind = match["text"], match["kind"]
        caption = CAPTION.match(text)
        language = kind.removeprefix("{code-block}").strip()
        found.append(Block(language, caption and caption[1], match["mark"] or "", CAPTION.sub("", text, count=1)))
    return found


def squeezed(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def environment_of(folder: Path) -> dict[str, str]:
    """Return the environment of a page's commands: what it installs goes into its folder, without network."""
    site = folder / "installed"
    pip = {"TARGET": str(site), "NO_DEPS": "1", "NO_INDEX": "1", "NO_BUILD_ISOLATION": "0", "QUIET": "1"}
    return ENVIRONMENT | {f"PIP_{key}": value for key, value in pip.items()} | {
        "PYTHONPATH": os.pathsep.join([str(site), ENVIRONMENT["PYTHONPATH"]])
    }  # fmt: skip


def run(text: str, folder: Path) -> tuple[int, str]:
    """Run a block of shell line by line, as its reader does; return the first exit code that is not 0, and all output.

    A plain call of the command runs in this process, which takes milliseconds, unless the page has installed something.
    """
    said = ""
    for line in text.strip().replace("\\\n", "").splitlines():
        words = shlex.split(line, comments=True)
        here = not (folder / "installed").exists()
        if here and words[:1] == ["adagp-sim"] and not {">", "|", "||", "&&"} & set(words):
            code, out, err = run_here(*words[1:], cwd=folder)
            said += out + err
        else:
            done = subprocess.run(["bash", "-c", line], cwd=folder, env=environment_of(folder), capture_output=True,
                                  text=True, check=False, timeout=240)  # fmt: skip
            code, said = done.returncode, said + done.stdout + done.stderr
        if code:
            return code, said
    return 0, said


def is_slow(page: Path) -> bool:
    text = page.read_text(encoding="utf-8")
    return any(f"\n{word}" in text or f" {word}" in text for word in SLOW)


@pytest.mark.parametrize(
    "page", [pytest.param(page, id=page.stem, marks=[pytest.mark.long] * is_slow(page)) for page in PAGES]
)
def test_a_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    said, ran = "", True
    for block in blocks(page):
        if block.file is not None:
            (tmp_path / block.file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "sh":
            ran = block.mark != "not run" and (block.mark != "takes torch" or find_spec("torch") is not None)
            if ran:
                code, said = run(block.text, tmp_path)
                assert (code != 0) == (block.mark == "fails"), f"{block.text}\n{said}"
        elif block.language == "text" and ran:
            missing = [line for line in squeezed(block.text) if line not in squeezed(said)]
            assert not missing, f"{page.name} shows {missing}; the command says\n{said}"


def test_pages_have_commands() -> None:
    for page in PAGES:
        known = {"sh", "python", "yaml", "text", "toml", "{toctree}"}
        assert {block.language for block in blocks(page)} <= known, page.name
    assert sum(block.language == "sh" for page in PAGES for block in blocks(page)) > 15
