"""The page of `adagp-sim reproduce` in a browser: contents in view, rows that sort and lead on, themes, a phone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import as_wide_as, check_charts, opened, texts
from command_line import good, run_here

pytest.importorskip("plotly", reason="the extra report is not installed")
EXHIBITS = ("fig7", "fig9", "fig10")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder: Path = tmp_path_factory.mktemp("reproduce")
    good(run_here("reproduce", "--only", ",".join(EXHIBITS), "--out", str(folder)))
    with opened(folder / "report.html") as browser:
        yield browser


def check_place(browser: Any, width: int) -> None:
    """Check that nothing is wider than the window, and that the contents are in view at the page's end."""
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    browser.execute_script("window.scrollTo(0, document.documentElement.scrollHeight)")
    place = browser.execute_script("return document.querySelector('nav').getBoundingClientRect().toJSON()")
    assert -1 < place["top"] < 900 and place["width"] > 0 and place["height"] > 0


@pytest.mark.parametrize("width", [390, 1300])
def test_contents_stay_in_view_and_nothing_is_wider_than_the_window(browser: Any, width: int) -> None:
    with as_wide_as(browser, width):
        check_place(browser, width)
        links = browser.find_elements("css selector", "nav a")
        assert len(links) > len(EXHIBITS)
        assert not [one.text for one in links if one.get_property("scrollWidth") > one.get_property("clientWidth")]


def test_a_phone_shows_the_verdicts(browser: Any) -> None:
    with as_wide_as(browser, 390):
        edges = [
            head.get_property("offsetLeft") + head.get_property("offsetWidth")
            for head in browser.find_elements("css selector", "#numbers thead th")
            if head.text == "verdict"
        ]
        assert len(edges) == 1
        assert edges[0] <= browser.find_element("css selector", "#numbers .wide").get_property("clientWidth")


def test_every_chart_is_drawn_and_has_the_paper_s_number(browser: Any) -> None:
    check_charts(browser)
    captions = [one.text for one in browser.find_elements("css selector", "figcaption b")]
    assert captions == ["The paper's numbers.", "Figure 7.", "Figure 9.", "Figure 10."]


def test_rows_are_sorted_chosen_and_lead_to_their_exhibits(browser: Any) -> None:
    table = browser.find_element("css selector", "#numbers .table")
    assert set(texts(table, 1)) == {"Figure 7", "Figure 9", "Figure 10"}
    button = table.find_elements("css selector", "thead button")[3]
    button.click()
    paper = [float(text) for text in texts(table, 4)]
    assert paper == sorted(paper, reverse=True)
    assert paper[0] == 25  # two batches on GPipe, the paper's figure 10
    first = table.find_element("css selector", "tbody a")
    assert first.text == "Figure 10"
    first.click()
    assert browser.execute_script("return location.hash") == "#fig10"
    top = browser.execute_script("return document.getElementById('fig10').getBoundingClientRect().top")
    assert 0 <= top < 200
    (chooser,) = [one for one in table.find_elements("css selector", "label") if one.text.startswith("exhibit")]
    chooser.find_element("css selector", "option[value='Figure 7']").click()
    assert set(texts(table, 1)) == {"Figure 7"}


def test_a_timeline_has_the_paper_s_steps(browser: Any) -> None:
    """Figure 7: four layers of a step forward and two backward end after 12 steps, by hand."""
    data = browser.execute_script("return document.querySelector('#fig7 .js-plotly-plot').data")
    ends = {one["name"]: max(map(sum, zip(one["base"], one["x"], strict=True))) for one in data}
    assert ends == {"forward": 4, "backward": 12}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chart_has_the_ground_of_the_page(browser: Any, theme: str) -> None:
    """No white block in the dark: pictures and text change with the page."""
    emulated = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", emulated)
    browser.refresh()
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 24, 27)"}[theme]
    drawn = browser.execute_script(
        "return [...document.querySelectorAll('.main-svg')].map((one) => getComputedStyle(one).backgroundColor)"
    )
    assert set(drawn) <= {ground, "rgba(0, 0, 0, 0)"}
    assert ground in drawn
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
