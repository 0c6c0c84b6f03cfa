"""What a timeline in the paper's form consists of: rows, and boxes of time in them."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "forward", "forward, Phase BP", "forward, Phase GP", "backward", "predictor's forward", "predictor's backward"
]


@dataclass(frozen=True, slots=True)
class Box:
    """Something that takes time in a row.

    Attributes
    ----------
    row : int
        Which row, from the top.
    start, end : float
        In steps.
    kind : Kind
        What it is, as the legend calls it.
    label : str
        Written into it.
    batch : int
        Which batch; every second one is drawn lighter.
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
