"""Words that a person reads: no phrase of `.ci/prose/phrases.yml`, and pages whose lines end at 100 columns.

textlint reads the same list for the pages, and checks the length of their sentences (`bash .ci/prose/run`).
"""

import ast
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")} - {ROOT / "CHANGELOG.md"})
CODE = sorted(path for package in ("workloads", "dataflows", "simulator") for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
# Words of ours where the field has its own: no name in the code has one.
OWN_WORDS = re.compile(r"(?i)(^|_)(likeness|mebibyte_cycles|mend|quanta|swept|told)(_|s|$)")
STORED_NAMES = {("workloads/pytorch/training.py", "likeness")}  # a key of checkpoints
RULES = yaml.safe_load((ROOT / ".ci/prose/phrases.yml").read_text(encoding="utf-8"))["rules"]
CONFIGS = sorted(path for kind in ("md", "yaml") for path in (ROOT / "configs").rglob(f"*.{kind}"))
MARKUP = ("|", "```", "<!--")
APART = "\n\0\n"  # no phrase goes over it


def pattern(rule: dict[str, str]) -> re.Pattern[str]:
    """Return the expression of a rule, which is written as JavaScript has it: `/held\\s+against/i`."""
    body, flags = rule["pattern"].removeprefix("/").rsplit("/", 1)
    return re.compile(body, {"": 0, "i": re.IGNORECASE}[flags])


PHRASES = {pattern(rule): rule["expected"] for rule in RULES}


def found(text: str) -> list[str]:
    return [f"{match[0]!r}: write {plainer}" for phrase, plainer in PHRASES.items() for match in phrase.finditer(text)]


def tokens(path: Path) -> list[tokenize.TokenInfo]:
    with path.open("rb") as file:
        return list(tokenize.tokenize(file.readline))


def comments(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the comments of a module with their lines; lines that follow each other are one comment."""
    first, last, text = 0, 0, ""
    for token in tokens(path):
        if token.type != tokenize.COMMENT:
            continue
        line, words = token.start[0], token.string.lstrip("# ")
        if line != last + 1:
            yield first, text
            first, text = line, ""
        last, text = line, f"{text} {words}"
    yield first, text


def words_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a module with their lines: docstrings, help texts, messages, comments."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value
    yield from comments(path)


def words_of_a_test(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the docstrings and comments of a module; its other texts are inputs."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield getattr(node, "lineno", 1), ast.get_docstring(node) or ""
    yield from comments(path)


def riddles(path: Path, words: Callable[[Path], Iterator[tuple[int, str]]]) -> list[str]:
    """Return the phrases of a module; its texts are searched as one, and one by one where there is one."""
    texts = list(words(path))
    if not found(APART.join(text for _, text in texts)):
        return []
    return [f"{path.relative_to(ROOT)}:{line} {one}" for line, text in texts for one in found(text)]


def test_no_riddle_in_the_code() -> None:
    assert not [one for path in CODE for one in riddles(path, words_of)]


def test_no_riddle_in_the_tests() -> None:
    assert not [one for path in TESTS for one in riddles(path, words_of_a_test)]


def test_names_are_the_fields_words() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), token.string)
        for path in CODE
        for token in tokens(path)
        if token.type == tokenize.NAME and OWN_WORDS.search(token.string)
    }
    assert found <= STORED_NAMES


def test_no_riddle_in_the_configs() -> None:
    """The report's words and the comments of shipped machines."""
    texts = {path: APART.join(path.read_text(encoding="utf-8").splitlines()) for path in CONFIGS}
    assert not [f"{path.relative_to(ROOT)}: {one}" for path, text in texts.items() for one in found(text)]


def test_lines_of_a_page_end_at_100_columns() -> None:
    """Tables, code, a code span or an address that fills its line, and a directive's rows may be longer."""
    assert not {str(page.relative_to(ROOT)): lines for page in PAGES if (lines := long_lines(page))}


def long_lines(page: Path) -> list[int]:
    longer, in_code = [], False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        in_code ^= line.lstrip().startswith("```")
        if (
            len(line) > 100
            and not in_code
            and not line.startswith(MARKUP)
            and " " in re.sub(r"`[^`]*`", "", line).strip()
        ):
            longer.append(number)
    return longer


def test_the_list_finds_what_it_is_for() -> None:
    text = "It is held\nagainst the the other, one of which stands for it."
    assert [one.split("'")[1] for one in found(text)] == [r"held\nagainst", "of which", "stands for", "the the"]
    assert not found("It is compared with the other one. That had a row of whichever.")
