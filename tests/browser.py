"""A page in headless Chromium, for tests of reports."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def opened(page: Path) -> Iterator[Any]:
    """Give a browser that shows a page, 1,300 pixels wide; skip where there is none."""
    pytest.importorskip("selenium", reason="selenium is not installed")
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.skip("Chromium and its driver are not installed (Debian: chromium chromium-driver)")
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = shutil.which("chromium") or ""
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--disable-background-networking", "--window-size=1300,1000"):  # fmt: skip
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        browser.get(page.as_uri())
        yield browser
    finally:
        browser.quit()


def check_charts(browser: Any) -> None:
    """Check that the page's scripts ran without a fault and drew every chart."""
    assert not [line for line in browser.get_log("browser") if line["level"] == "SEVERE"]
    charts = browser.find_elements("css selector", ".chart")
    assert charts
    for chart in charts:
        assert chart.find_elements("css selector", ".js-plotly-plot .main-svg"), chart.get_attribute("aria-label")


@contextmanager
def as_wide_as(browser: Any, width: int) -> Iterator[None]:
    """Show the page in a window of another width."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        browser.refresh()
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def texts(table: Any, column: int) -> list[str]:
    """Return the cells of a column, counted from 1, as they are shown."""
    return [cell.text for cell in table.find_elements("css selector", f"tbody td:nth-child({column})")]
