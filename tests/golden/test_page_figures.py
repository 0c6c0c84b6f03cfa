"""Figures in the text of a page are those of the reviewed tables: a page does not keep a figure of former plans.

A statement is the page's own text with a figure's format in the place of the figure.
"""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

TABLES = Path(__file__).parent / "reproduce"
DOCS = Path(__file__).parents[2] / "docs"
Row = dict[str, str]


def rows(name: str) -> list[Row]:
    """Return a reviewed table."""
    with (TABLES / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def here(name: str, number: str) -> float:
    """Return our figure of a comparison with the paper."""
    (row,) = (row for row in rows(f"{name}-comparisons") if row["number"] == number)
    return float(row["here"])


def averages(figure: str) -> tuple[float, ...]:
    """Return the averages of MAX by data set."""
    return tuple(float(row["average"]) for row in rows(f"{figure}-averages") if row["design"] == "ADA-GP-MAX")


def pipeline_averages() -> tuple[float, ...]:
    """Return the averages of MAX by pipeline, GP and BP in turn."""
    column = "GP and BP in turn: average"
    return tuple(float(row[column]) for row in rows("fig20-averages") if row["design"] == "ADA-GP-MAX")


def by_design(figure: str) -> dict[tuple[str, str], dict[str, float]]:
    """Return speedups of each data set and network by design."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows(f"{figure}-speedup"):
        found.setdefault((row["data set"], row["network"]), {})[row["design"]] = float(row["speedup"])
    return found


def in_order() -> tuple[int, int, float]:
    """Return in how many runs LOW <= Efficient <= MAX, of how many, and by how many per cent MAX is behind at most."""
    runs = [run for figure in ("fig17", "fig18", "fig19", "os") for run in by_design(figure).values()]
    ordered = sum(run["low"] <= run["efficient"] <= run["max"] for run in runs)
    return ordered, len(runs), max(100 * (run["efficient"] / run["max"] - 1) for run in runs)


def largest() -> tuple[float]:
    """Return MAX's largest speedup on ImageNet."""
    return (max(run["max"] for (data, _), run in by_design("fig17").items() if data == "ImageNet"),)


def shape_of_6_by_30(data: str) -> tuple[float]:
    """Return MAX's speedup of MobileNet-V2 on 6 x 30 PEs."""
    (row,) = (row for row in rows("study-speedups") if row["value"] == "6 x 30")
    return (float(row[f"MobileNet-V2, {data}"]),)


def vgg13_on_12_by_16(table: str) -> tuple[float, float]:
    """Return what 12 x 16 PEs gain on VGG13, CIFAR10, in per cent, and MAX over that."""
    (row,) = (row for row in rows(table) if (row["data set"], row["network"]) == ("CIFAR10", "VGG13"))
    return float(row["12 x 16, per cent"]), float(row["MAX over the larger"])


STATEMENTS: list[tuple[str, str, Callable[[], tuple[float, ...]]]] = [
    ("reproduce", "`ws` | {:.3f} (1.46) | {:.3f} (1.46) | {:.3f} (1.48) |", lambda: averages("fig17")),
    ("reproduce", "`rs` | {:.3f} (1.46) | {:.3f} (1.46) | {:.3f} (1.47) |", lambda: averages("fig18")),
    ("reproduce", "`is` | {:.3f} (1.46) | {:.3f} (1.46) | {:.3f} (1.48) |", lambda: averages("fig19")),
    ("reproduce", "{:.3f} (1.654), {:.3f} (1.654), {:.3f} (1.575) |", pipeline_averages),
    ("reproduce", "LOW <= Efficient <= MAX holds in {} of {} runs", lambda: in_order()[:2]),
    ("reproduce", "MAX is up to {:.2f} % behind Efficient", lambda: in_order()[2:]),
    ("reproduce", "The largest speedup on ImageNet** is {:.3f} here (MobileNet-V2)", largest),
    ("reproduce", "6 x 30 gives {:.3f}. But", lambda: shape_of_6_by_30("ImageNet")),
    ("reproduce", "6 x 30 gives {:.3f} on CIFAR10", lambda: shape_of_6_by_30("CIFAR10")),
    (
        "reproduce",
        "{:.1f} % (34 %) if activations and ReLU masks are counted",
        lambda: (here("fig21", "all data sets, + ReLU masks, per cent saved"),),
    ),
    (
        "reproduce",
        "{:.1f} % of all that the machine charges (34 %)",
        lambda: (here("fig21", "all that the machine charges, per cent saved"),),
    ),
    (
        "reproduce",
        "{:.3f} and {:.3f} in 90 epochs",
        lambda: (here("table2", "speedup of ADA-GP-MAX"), here("table3", "speedup of ADA-GP-MAX")),
    ),
    (
        "reproduce",
        "a baseline with {:.1f} % more PEs gains {:.0f} %",
        lambda: (
            here("table4", "PEs a baseline may have more at MAX's FPGA power, per cent"),
            here("table4", "the larger baseline gains, CIFAR10, per cent"),
        ),
    ),
    ("reproduce", "average under `ws` is {:.3f} here", lambda: averages("fig17")[2:]),
    ("reproduce", "CIFAR10's from {:.3f} to", lambda: averages("fig17")[:1]),
    (
        "area",
        "| FPGA power | MAX | 12 x 16 | {:.1f} % | 7.8 % | 4.31 % | {:.3f} |",
        lambda: vgg13_on_12_by_16("table4-networks"),
    ),
    (
        "area",
        "| ASIC area | MAX | 12 x 16 | {0:.1f} % | {0:.1f} % | 4.63 % | {1:.3f} |",
        lambda: vgg13_on_12_by_16("table5-networks"),
    ),
]


@pytest.mark.parametrize(("page", "statement", "figures"), STATEMENTS, ids=[one[1] for one in STATEMENTS])
def test_a_page_has_the_figures_of_the_reviewed_tables(
    page: str, statement: str, figures: Callable[[], tuple[float, ...]]
) -> None:
    text = " ".join((DOCS / f"{page}.md").read_text(encoding="utf-8").split())
    assert statement.format(*figures()) in text
