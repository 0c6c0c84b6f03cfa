"""Timelines in the form of the paper's figures 7 to 12: one below the other on one axis of steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from simulator.outputs.charts import GREEN, ORANGE, PURPLE, SKY, YELLOW, tidy
from simulator.outputs.drawing import subplots

Kind = Literal[
    "forward", "forward, Phase BP", "forward, Phase GP", "backward", "predictor's forward", "predictor's backward"
]


@dataclass(frozen=True, slots=True)
class Box:
    """Something that takes time: in a row (from the top), from start to end in steps, with a label written into it.

    `kind` is its name in the legend; boxes of every second batch are drawn lighter.
    """

    row: int
    start: float
    end: float
    kind: Kind
    label: str
    batch: int = 0


@dataclass(frozen=True, slots=True)
class Timeline:
    """One panel: names of rows and their boxes."""

    title: str
    rows: tuple[str, ...]
    boxes: tuple[Box, ...]

    @property
    def end(self) -> float:
        """When the last box ends."""
        return max(box.end for box in self.boxes)


# In the order of the legend.
COLOURS: dict[Kind, str] = {
    "forward": SKY, "forward, Phase BP": SKY, "forward, Phase GP": ORANGE, "backward": GREEN,
    "predictor's forward": PURPLE, "predictor's backward": YELLOW,
}  # fmt: skip

ROW_INCHES = 0.34
WIDTH_INCHES = 12.0
LIGHTER = 0.55  # how much of its colour every second batch keeps, so that one can tell where the next begins


def gantt(timelines: Sequence[Timeline]) -> Figure:
    """Draw timelines, a panel each from the top; where there are several batches, every second one is lighter."""
    heights = [len(one.rows) * ROW_INCHES + 0.62 for one in timelines]
    figure, grid = subplots(
        len(timelines), 1, figsize=(WIDTH_INCHES, sum(heights) + 0.75), layout="constrained", squeeze=False,
        sharex=True, height_ratios=heights,
    )  # fmt: skip
    longest = max(one.end for one in timelines)
    for axes, one in zip(grid[:, 0], timelines, strict=True):
        _draw(axes, one, longest)
    grid[-1, 0].set_xlabel("steps")
    used = {box.kind for one in timelines for box in one.boxes}
    patches = [Patch(color=colour, label=kind) for kind, colour in COLOURS.items() if kind in used]
    if any(box.batch for one in timelines for box in one.boxes):
        patches.append(Patch(color="none", label="(every second batch is lighter)"))
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches), frameon=False, fontsize=9)
    return figure


def _draw(axes: Any, timeline: Timeline, longest: float) -> None:
    inches_a_step = (WIDTH_INCHES - 1.5) / longest
    for box in timeline.boxes:
        colour = to_rgb(COLOURS[box.kind])
        if box.batch % 2:
            red, green, blue = (1 - LIGHTER * (1 - part) for part in colour)
            colour = (red, green, blue)
        axes.barh(box.row, box.end - box.start, left=box.start, height=0.88, color=colour, linewidth=0.8,
                  edgecolor="white")  # fmt: skip
        # A label needs about 0.075 inches a letter at this size.
        if (box.end - box.start) * inches_a_step > 0.075 * len(box.label):
            axes.text((box.start + box.end) / 2, box.row, box.label, ha="center", va="center", fontsize=8)
    axes.axvline(timeline.end, color="#000000", linewidth=1.0, linestyle=":")
    axes.set_ylim(len(timeline.rows) - 0.45, -0.55)
    axes.set_xlim(0, longest * 1.01)
    axes.set_xticks(range(int(longest) + 1))
    axes.tick_params(axis="x", labelsize=8, labelbottom=True)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_yticks(range(len(timeline.rows)), timeline.rows, fontsize=8)
    axes.set_title(timeline.title, fontsize=9.5, loc="left")
    tidy(axes)
