"""`adagp-sim reproduce`: what it writes, and what it refuses."""

import json
import re
from pathlib import Path

import adagp_sim
import pytest
from command_line import Outcome, run_here

from simulator.reproduce.exhibit import exhibit_makers


def run(*arguments: str, code: int = 0) -> Outcome:
    done = run_here("reproduce", *arguments)
    assert done.code == code, done.err
    return done


def test_exhibits_are_listed_in_the_order_of_the_report() -> None:
    lines = run("--list").out.splitlines()
    keys = [line.split()[0] for line in lines]
    assert keys == list(exhibit_makers())
    papers = [f"fig{number}" for number in (7, 8, 9, 10, 11, 12, 15, 16, 17, 18, 19, 20, 21)]
    papers += [f"table{number}" for number in range(1, 6)]
    assert set(papers) <= set(keys)


def test_what_is_written(tmp_path: Path) -> None:
    out = tmp_path / "report"
    done = run("--only", "fig7,fig10,schedules", "--out", str(out), "--jobs", "1")
    assert "exhibits: 3, numbers" in done.out and str(out / "report.html") in done.out
    names = {path.name for path in out.iterdir()}
    assert names == {"report.html", "report.md", "figures", "tables", "exhibits", "provenance.json", "jobs.sqlite"}
    markdown = (out / "report.md").read_text(encoding="utf-8")
    for path in (out / "figures").iterdir():
        assert path.read_bytes().startswith(b"\x89PNG")
        assert f"(figures/{path.name})" in markdown
    for path in (out / "tables").iterdir():
        assert f"(tables/{path.name})" in markdown
        assert len(path.read_text(encoding="utf-8").splitlines()) > 1
    html = (out / "report.html").read_text(encoding="utf-8")
    # a figure for each picture, and the one of the first page
    assert html.count("<figure>") - 1 == len(list((out / "figures").iterdir())) == 2
    assert f"This page has 3 of {len(exhibit_makers())} exhibits;" in html
    assert 'id="fig10"' in html and 'href="#fig10"' in html and "figures/" not in html
    tables = json.loads((out / "provenance.json").read_text(encoding="utf-8"))["outputs"]
    assert set(tables) == {path.name for path in (out / "tables").iterdir()}


def test_a_second_call_takes_what_is_there_and_leaves_other_files(tmp_path: Path) -> None:
    first = run("--only", "schedules", "--out", str(tmp_path))
    assert re.search(r"^\[1/1 jobs\] [\d.]+ jobs a second, vgg13, ws$", first.err, re.MULTILINE)
    (tmp_path / "notes.txt").write_text("mine")
    before = (tmp_path / "tables" / "schedules-orders.csv").read_text()
    second = run("--only", "schedules,fig7", "--out", str(tmp_path))
    assert second.err == "writing the report\n"
    assert (tmp_path / "tables" / "schedules-orders.csv").read_text() == before
    assert (tmp_path / "figures" / "fig7-timeline.png").exists()
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_some_exhibits_are_made_anew_and_the_others_stay(tmp_path: Path) -> None:
    """The report has all of them afterwards, those that were not asked for as they were, whatever made them."""
    run("--only", "fig7,fig10,contradictions", "--out", str(tmp_path))
    kept = tmp_path / "exhibits" / "fig10.json"
    changed = json.loads(kept.read_text(encoding="utf-8"))
    changed["exhibit"]["text"], changed["sources"] = "What an earlier version said.", "of an earlier version"
    changed["version"], changed["model"] = "0.0.1", "0123456789ab"
    kept.write_text(json.dumps(changed), encoding="utf-8")
    before = read_tree(tmp_path)
    done = run("--only", "fig7", "--out", str(tmp_path))
    # both numbers of figure 7 are counts of steps, so neither is a prediction
    assert "exhibits: 1, numbers beside the paper's: 2, of them predictions: 0, and more than 2 % off: 0;" in done.out
    assert "other exhibits stay as they were: 2;" in done.out
    after = read_tree(tmp_path)
    assert after.keys() == before.keys()
    for name in after.keys() - {"report.html", "report.md", "provenance.json", "jobs.sqlite", "exhibits/fig7.json"}:
        assert after[name] == before[name], name
    first, again = "adagp-sim reproduce --only fig7,fig10,contradictions", "adagp-sim reproduce --only fig7"
    made = json.loads(after["provenance.json"])["exhibits"]
    assert {key: one["command"] for key, one in made.items()} == {
        "fig7": again, "fig10": first, "contradictions": first,
    }  # fmt: skip
    assert (made["fig10"]["version"], made["fig10"]["model"]) == ("0.0.1", "0123456789ab")
    assert made["fig7"]["model"] == json.loads(after["provenance.json"])["model"] == adagp_sim.model_version()
    markdown = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "What an earlier version said." in markdown
    assert markdown.index("## Figure 7:") < markdown.index("## Figure 10:")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert html.count("files have changed since") == 1
    kept.write_text("{}", encoding="utf-8")
    done = run("--only", "fig7", "--out", str(tmp_path))
    assert "exhibits/fig10.json: was not written by this version, and is left out of the report" in done.err
    assert not kept.exists() and not (tmp_path / "tables" / "fig10-steps.csv").exists()


def read_tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_without_plotly_the_report_is_markdown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.cli.reproduce.find_spec", lambda name: None)
    done = run("--only", "fig7", "--out", str(tmp_path))
    assert "pip install plotly" in done.err and str(tmp_path / "report.md") in done.out
    assert (tmp_path / "report.md").exists() and not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--only", "fig71", "--out", "new"), ("--only", "fig71", "did you mean fig7")),
        (("--only", "", "--out", "new"), ("--only", "known:")),
        (("--only", "fig7"), ("--out DIR",)),
        (("--only", "fig7", "--out", "new", "--jobs", "0"), ("--jobs",)),
    ],
)
def test_what_is_refused(arguments: tuple[str, ...], words: tuple[str, ...], tmp_path: Path) -> None:
    paths = [str(tmp_path / one) if one == "new" else one for one in arguments]
    done = run(*paths, code=2)
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    for word in words:
        assert word in done.err
    assert not (tmp_path / "new").exists()


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "taken"
    place.write_text("mine")
    done = run("--only", "fig7", "--out", str(place), code=2)
    assert len(done.err.splitlines()) == 1 and "--out" in done.err
    assert place.read_text() == "mine"


def test_a_store_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "jobs.sqlite").write_text("no data base at all, but long enough to be one" * 100)
    done = run("--only", "schedules", "--out", str(tmp_path), code=2)
    assert len(done.err.splitlines()) == 1
    assert done.err.endswith("jobs.sqlite: is no store; give another --out\n")
    assert {path.name for path in tmp_path.iterdir()} == {"jobs.sqlite"}
