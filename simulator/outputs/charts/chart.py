"""What a chart shows, as plain data: the picture in a file and the one in a page are of the same numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import Field

BoxKind = Literal[
    "forward", "forward, Phase BP", "forward, Phase GP", "backward", "predictor's forward", "predictor's backward"
]


@dataclass(frozen=True, slots=True)
class Lines:
    """A panel of lines.

    Attributes
    ----------
    lines : dict
        By label: the points (x, y); y may be None where there is none.
    marks : dict
        Horizontal lines by label.
    named : dict
        By label: few points such as those that the paper names, drawn large.
    logarithmic : str
        Which axes are: ``x`` has a tick for each value.
    dots : bool
        Whether each point is drawn.
    ticks : sequence of str
        Names of x = 0, 1, 2 and so on.
    """

    title: str
    x_label: str
    y_label: str
    lines: Mapping[str, Sequence[tuple[float, float | None]]]
    marks: Mapping[str, float] = field(default_factory=dict)
    named: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    logarithmic: Literal["", "x", "y"] = ""
    dots: bool = False
    ticks: Sequence[str] = ()
    kind: Literal["lines"] = "lines"


@dataclass(frozen=True, slots=True)
class Bars:
    """A panel of groups of bars, and one more group of every series' average.

    Attributes
    ----------
    names : sequence of str
        The groups, without the average.
    series : dict
        By label: a height for each group.
    marks : sequence of (str, float)
        Horizontal lines with their labels, such as the paper's average.
    floor : float, optional
        Where the y axis begins, if not at 0; the chart then says so.
    """

    title: str
    y_label: str
    names: Sequence[str]
    series: Mapping[str, Sequence[float]]
    marks: Sequence[tuple[str, float]] = ()
    floor: float | None = None
    kind: Literal["bars"] = "bars"


@dataclass(frozen=True, slots=True)
class Stacks:
    """A panel of bars in pairs: by name a plain bar, beside it one of a design's parts, and a note above both."""

    title: str
    y_label: str
    names: Sequence[str]
    plain_name: str
    plain: Sequence[float]
    design: str
    parts: Mapping[str, Sequence[float]]
    notes: Sequence[str]
    kind: Literal["stacks"] = "stacks"


@dataclass(frozen=True, slots=True)
class Changes:
    """A bar from zero for each row, such as what an assumption moves, the longest on top."""

    title: str
    x_label: str
    rows: Sequence[tuple[str, float]]
    kind: Literal["changes"] = "changes"


@dataclass(frozen=True, slots=True)
class Dots:
    """Rows of dots.

    Attributes
    ----------
    names : sequence of str
        The rows, from the top.
    series : dict
        By label: the dots (row's name, x, what a reader sees of it under the pointer).
    marks : dict
        Vertical lines by label, such as the paper's numbers.
    """

    title: str
    x_label: str
    names: Sequence[str]
    series: Mapping[str, Sequence[tuple[str, float, str]]]
    marks: Mapping[str, float]
    logarithmic: bool = False
    kind: Literal["dots"] = "dots"


@dataclass(frozen=True, slots=True)
class Box:
    """Something that takes time: in a row (from the top), from start to end in steps, with a label written into it.

    `kind` is its name in the legend; boxes of every second batch are drawn lighter.
    """

    row: int
    start: float
    end: float
    kind: BoxKind
    label: str
    batch: int = 0


@dataclass(frozen=True, slots=True)
class Timeline:
    """Names of rows and their boxes; the axis ends where the longest timeline of the chart does."""

    title: str
    rows: Sequence[str]
    boxes: Sequence[Box]
    longest: float = 0.0
    kind: Literal["timeline"] = "timeline"

    @property
    def end(self) -> float:
        """When the last box ends."""
        return max(box.end for box in self.boxes)


Panel = Annotated[Lines | Bars | Stacks | Changes | Dots | Timeline, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class Chart:
    """Panels of one kind, row by row; so many stand side by side where there is room."""

    panels: Sequence[Panel]
    columns: int = 1


def timelines(panels: Sequence[Timeline]) -> Chart:
    """Return timelines one below the other on one axis of steps."""
    longest = max(one.end for one in panels)
    return Chart([replace(one, longest=longest) for one in panels])
