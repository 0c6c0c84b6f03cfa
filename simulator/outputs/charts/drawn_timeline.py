"""Timelines in the form of the paper's figures 7 to 12, drawn by matplotlib."""

from collections.abc import Sequence
from typing import Any

from simulator.outputs.charts.chart import Timeline
from simulator.outputs.colours import BOXES, lighter
from simulator.outputs.drawing import Picture

_ROW_INCHES, _WIDTH_INCHES = 0.34, 12.0


def timeline_height(timeline: Timeline) -> tuple[float, float]:
    """Return inches of width and height of a panel."""
    return _WIDTH_INCHES, len(timeline.rows) * _ROW_INCHES + 0.72


def draw_timeline(axes: Any, timeline: Timeline) -> None:
    """Draw a panel; boxes of every second batch are lighter."""
    longest = timeline.longest or timeline.end
    inches_a_step = (_WIDTH_INCHES - 1.5) / longest
    for box in timeline.boxes:
        colour = lighter(BOXES[box.kind]) if box.batch % 2 else BOXES[box.kind]
        axes.barh(box.row, box.end - box.start, left=box.start, height=0.88, color=colour, linewidth=0.8,
                  edgecolor="white")  # fmt: skip
        # A label needs about 0.075 inches a letter at this size.
        if (box.end - box.start) * inches_a_step > 0.075 * len(box.label):
            axes.text((box.start + box.end) / 2, box.row, box.label, ha="center", va="center", fontsize=8)
    axes.axvline(timeline.end, color="#000000", linewidth=1.0, linestyle=":")
    axes.set_ylim(len(timeline.rows) - 0.45, -0.55)
    axes.set_xlim(0, longest * 1.01)
    axes.set_xticks(range(int(longest) + 1))
    axes.tick_params(axis="x", labelsize=8)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_yticks(range(len(timeline.rows)), timeline.rows, fontsize=8)
    axes.set_xlabel("steps", fontsize=8)


def timeline_legend(figure: Picture, panels: Sequence[Timeline]) -> None:
    """Put one legend of the kinds of boxes below all panels."""
    from matplotlib.patches import Patch

    used = {box.kind for one in panels for box in one.boxes}
    patches = [Patch(color=colour, label=kind) for kind, colour in BOXES.items() if kind in used]
    if any(box.batch for one in panels for box in one.boxes):
        patches.append(Patch(color="none", label="(every second batch is lighter)"))
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches), frameon=False, fontsize=9)
