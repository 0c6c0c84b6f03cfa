"""Pages of the report: words in Markdown, numbers from their modules; and an exhibit that is one new file."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.reproduce.exhibit import Exhibit, exhibit_makers
from simulator.reproduce.exhibits.contradictions import SUBJECTS, all_contradictions
from simulator.reproduce.exhibits.other_networks import OtherNetwork
from simulator.reproduce.made import made_now
from simulator.reproduce.page import Page, PagedExhibit, filled, front_matter, pages
from simulator.reproduce.report_markdown import markdown_report
from simulator.reproduce.variants import SHIPPED, arrays, cells, studies, variants
from workloads.foundation.shipped import shipped_folder

FOLDER = shipped_folder("configs/reproduce")
PAGES = sorted(FOLDER.rglob("*.md"))
ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "reproduce.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_pages_are_well_formed(path: Path) -> None:
    matter, body = front_matter(path)
    assert body
    assert max(map(len, path.read_text(encoding="utf-8").splitlines())) <= 100
    # every brace opens a name, and every list is one line an entry
    assert body.count("{") == body.count("}") == len(re.findall(r"\{[^{}]+\}", body))
    assert matter.keys() <= {"exhibits", "pictures", "tables", "words", "title", "subject", "place"}


def test_every_page_has_its_exhibits() -> None:
    """No page lies about that no module reads, and each key is given once.

    A new exhibit's words are a page of its own, and docs/reproduce.md names it.
    """
    written = [one.constants["key"] for path in FOLDER.glob("*.md") for one in pages(path.stem)]
    assert sorted(written) == sorted(exhibit_makers())
    assert [key for key in written if f"`{key}`" not in DOCS] == []


def test_paragraphs_are_single_lines(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("---\na: 1\n---\n\nOne\ntwo.\n\n- three\n- four\n\n*Here*: five\nsix.\n", encoding="utf-8")
    assert front_matter(path) == ({"a": 1}, "One two.\n\n- three\n- four\n\n*Here*: five six.")


def test_figures_stand_where_their_names_are() -> None:
    page = Page({"key": "x", "dataflow": "ws"}, "{dataflow}: {mean of both:.2f}, {paper[claims][baseline_pes]} PEs")
    assert page.text(**{"mean of both": 1.256}) == "ws: 1.26, 180 PEs"
    with pytest.raises(KeyError, match="mean of both"):
        page.text()
    assert filled("{a[b]:+.1f}", {"a": {"b": 2}}) == "+2.0"


def test_columns_may_be_a_list_of_names() -> None:
    page = Page({"key": "x"}, "", tables={"t": {"title": "{count} rows", "columns": ["a", "{names}"], "digits": 1}})
    table = page.table("t", [(1, 2, 3)], names=["b", "c"], count=1)
    assert (table.name, table.title, table.columns, table.digits) == ("x-t", "1 rows", ("a", "b", "c"), 1)


def test_every_word_of_a_page_is_used() -> None:
    """A text, a picture or a table that no module asks for is a mistake in its name."""
    sources = {
        path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "simulator/reproduce/exhibits").glob("*.py")
    }
    for maker in exhibit_makers().values():
        assert isinstance(maker, PagedExhibit), f"{maker.key}: its words belong in configs/reproduce"
        source = sources[type(maker).__module__.rpartition(".")[2]]
        runs = maker.page.constants.get("runs", ())  # a picture for each run that the page names
        for name in (*maker.page.words, *maker.page.pictures):
            assert f'"{name}"' in source or name == maker.key or name in ("cifar10", "imagenet", *runs), (
                maker.key,
                name,
            )


def test_contradictions_are_in_the_papers_order() -> None:
    found = all_contradictions()
    assert tuple(found) == SUBJECTS
    for subject, those in found.items():
        places = [front_matter(FOLDER / "contradictions" / f"{one.key}.md")[0]["place"] for one in those]
        assert places == list(range(1, len(those) + 1)), subject


def test_variants_are_changes_of_one_thing_each() -> None:
    """The report's study of assumptions: variants, and other lengths of the run; docs/reproduce.md has their number."""
    found = variants()
    assert f"{len(found) + len(studies()['epochs'])} changes of what the paper leaves open" in DOCS
    assert len({(one.assumption, one.value) for one in found}) == len(found)
    jobs = [one.job(*cells()[0]) for one in (SHIPPED, *found, *arrays())]
    assert len(set(jobs)) == len(jobs)
    assert all(job.designs == ("baseline", "max") for job in jobs)


def test_assumptions_of_tables_2_and_3_begin_with_the_shipped_one() -> None:
    for maker in exhibit_makers().values():
        if isinstance(maker, OtherNetwork):
            first, *others = maker.jobs()
            assert (first.settings, first.batch_size, first.dataflow) == ((), None, "ws")
            assert first not in others


NEW = '''"""An exhibit of one file."""

from simulator.reproduce.exhibit import Comparison, Exhibit, ExhibitMaker, Table
from simulator.reproduce.jobs.design_comparison import DesignComparison

JOB = DesignComparison("digits-cnn", designs=("baseline", "max"))


class Digits(ExhibitMaker):
    """MAX on digits."""

    key, title, rank = "digits", "Digits", 15
    requires = (JOB,)

    def make(self, found):
        speedup = found[JOB]["max"]["speedup"]
        table = Table("digits-one", "One", ("a",), ((1,),))
        return Exhibit("Text.", (Comparison("speedup", 1.46, speedup),), (), (table,))


EXHIBITS = (Digits(),)
'''


def test_an_exhibit_is_one_new_file(tmp_path: Path) -> None:
    """As CONTRIBUTING.md says: it is listed, made and written, and nothing else is touched."""
    (tmp_path / "digits.py").write_text(NEW, encoding="utf-8")
    place = f"import simulator.reproduce.exhibits as package; package.__path__.append({str(tmp_path)!r})"
    call = f"{place}; from simulator.cli.main import main; main()"

    def run(*arguments: str) -> str:
        command = [sys.executable, "-c", call, "reproduce", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout

    assert run("--list").splitlines()[0].split() == ["digits", "Digits"]
    out = tmp_path / "report"
    said = run("--only", "digits", "--out", str(out), "--jobs", "1")
    assert "exhibits: 1, numbers beside the paper's: 1, of them predictions: 1," in said
    assert (out / "tables" / "digits-one.csv").read_text(encoding="utf-8") == "a\n1\n"
    assert "## Digits\n\nText." in (out / "report.md").read_text(encoding="utf-8")


def test_a_report_of_nothing_has_no_overview() -> None:
    maker = exhibit_makers()["contradictions"]
    made = made_now([(maker, Exhibit("Text."))])
    assert markdown_report(made).split("\n\n")[2:] == [f"## {maker.title}", "Text.\n"]
