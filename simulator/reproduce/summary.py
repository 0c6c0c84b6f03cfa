"""The first page: what agrees with the paper, what does not and what is unknown, in ten lines and one picture.

The lines are in `configs/reproduce/summary.yaml`; docs/reproduce.md has them too.
"""

from collections.abc import Mapping

from simulator.outputs.charts.chart import Chart, Dots
from simulator.reproduce.exhibit import EXPLAIN_BEYOND, Comparison, Verdict
from simulator.reproduce.made import Report
from simulator.reproduce.paper import targets
from workloads.foundation.shipped import shipped_folder
from workloads.foundation.strict_yaml import read_yaml

HEADINGS = {"agrees": "What agrees", "differs": "What does not", "unknown": "What is unknown"}
MEANINGS: dict[Verdict, str] = {
    "agrees": f"within {EXPLAIN_BEYOND:.0%} of the paper's",
    "differs": "further away, with a reason that an experiment found",
    "unexplained": "further away, without a reason",
    "unknown": "nothing here to compare with",
}
_LEAST, _MOST = 0.25, 4.0  # ours over the paper's: what is beyond is drawn there


def summary_lines(compared: Mapping[str, Mapping[str, Comparison]]) -> dict[str, list[str]]:
    """Return the lines in Markdown under each heading; those whose exhibits were not made are left out."""
    written = read_yaml(shipped_folder("configs/reproduce") / "summary.yaml")
    found: dict[str, list[str]] = {}
    for group, heading in HEADINGS.items():
        for line in written[group]:
            try:
                said = line.format_map({"paper": targets(), **compared})
            except KeyError:
                continue
            found.setdefault(heading, []).append(said)
    return found


def summary_text(compared: Mapping[str, Mapping[str, Comparison]]) -> str:
    """Return the lines as Markdown."""
    groups = summary_lines(compared).items()
    return "\n\n".join(f"**{heading}:**\n\n" + "\n".join(f"- {line}" for line in lines) for heading, lines in groups)


def overview(report: Report) -> Chart | None:
    """Return a dot for every number, by exhibit and verdict; None where there is none."""
    series: dict[str, list[tuple[str, float, str]]] = {verdict: [] for verdict in MEANINGS if verdict != "unknown"}
    for made in report.values():
        for one in made.exhibit.comparisons:
            if one.difference is not None and one.ours is not None:
                ratio = min(max(1 + one.difference, _LEAST), _MOST)
                words = f"({one.what}: {one.ours:,.{one.digits}f} here, {one.paper:,.{one.digits}f} in the paper)"
                series[one.verdict].append((made.name, ratio, words))
    names = list(dict.fromkeys(made.name for made in report.values() if any(
        made.name == name for points in series.values() for name, *_ in points)))  # fmt: skip
    if not names:
        return None
    axis = "here over the paper's"
    return Chart([Dots("", axis, names, {name: points for name, points in series.items() if points},
                       {"the same": 1.0}, logarithmic=True)])  # fmt: skip
