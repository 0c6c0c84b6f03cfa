"""Odd names in a sweep: in its files, its table, its report and its CSV they are texts, and nobody obeys them."""

import csv
import io
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml
from browser import opened
from command_line import good, run_here
from small_trace import TRACE

# A trace's path. `</script>` is a folder and a file: a name has no stroke.
NAMES = (
    "plain.yaml", "[red]x.yaml", "[/].yaml", "$a$ $b$.yaml", "a\rb\x1b[31m\u202e.yaml", "'quoted\", x.yaml",
    "<img src=x onerror=document.title='run'>.yaml", "<!--<script><", "a</script><script>document.title='run'<",
)  # fmt: skip
FLOW = "</script><script>document.title='run'</script>[red]\x1b[31m"  # a dataflow that there is none of


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("names")
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(yaml.safe_dump(TRACE), encoding="utf-8")
    grid = {"dataflow": ["ws", FLOW], "design": ["baseline"]}
    (folder / "sweep.yaml").write_text(yaml.safe_dump({"trace": list(NAMES), "grid": grid}), encoding="utf-8")
    good(run_here("sweep", "sweep.yaml", "--out", "out", "--workers", "0", cwd=folder))
    return folder


def rows_of(swept: Path) -> list[dict[str, str]]:
    good(run_here("sweep", "export", "out", "--csv", "rows.csv", cwd=swept))
    with (swept / "rows.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_names_come_back_from_csv(swept: Path) -> None:
    rows = rows_of(swept)
    assert [row["trace"] for row in rows] == [str(swept / name) for name in NAMES for _ in range(2)]
    assert {row["dataflow"] for row in rows} == {"ws", FLOW}
    assert all((row["cycles"] == "") == (row["reason"] != "") == (row["dataflow"] == FLOW) for row in rows)


def test_names_come_back_from_csv_in_pandas(swept: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    text = (swept / "rows.csv").read_bytes().decode() if rows_of(swept) else ""
    frame = pandas.read_csv(io.StringIO(text, newline=""), keep_default_na=False)
    assert list(frame["trace"]) == [row["trace"] for row in rows_of(swept)]


def test_names_come_back_from_parquet(swept: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    pytest.importorskip("pyarrow", reason="needs the sweep extra")
    good(run_here("sweep", "export", "out", "--parquet", "rows.parquet", cwd=swept))
    assert list(pandas.read_parquet(swept / "rows.parquet")["trace"]) == [row["trace"] for row in rows_of(swept)]


def test_a_terminal_obeys_no_name(swept: Path) -> None:
    for arguments in (["sweep", "show", "out"], ["sweep", "sweep.yaml", "--out", "out", "--workers", "0"]):
        said = run_here(*arguments, cwd=swept)
        assert said.code == 0, said.err
        assert {one for one in said.out + said.err if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp")} <= {"\n"}
        assert "[/]" in said.out


@pytest.mark.long
def test_a_browser_shows_names_and_runs_none(swept: Path) -> None:
    pytest.importorskip("plotly", reason="needs the report extra")
    good(run_here("report", "out", "--out", "page.html", cwd=swept))
    with opened(swept / "page.html") as browser:
        check_shown(browser, [str(swept / name) for name in NAMES])


def check_shown(browser: Any, names: list[str]) -> None:
    assert browser.title != "run"
    assert not browser.find_elements("css selector", "img")
    assert not [line for line in browser.get_log("browser") if line["level"] == "SEVERE"]
    for section in ("points", "failed"):
        cells = browser.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map(cell => cell.textContent)", f"#{section} tbody td"
        )
        assert set(names) <= set(cells)
    assert FLOW in cells
