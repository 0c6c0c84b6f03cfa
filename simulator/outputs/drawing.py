"""What all pictures of results share: no window, no word on the terminal, one way to make and to save them."""

import logging
import warnings
from io import BytesIO
from pathlib import Path
from typing import IO, Any

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # or it tells of its caches, while it is imported
from matplotlib.figure import Figure  # noqa: E402

from workloads.foundation.printable import printable  # noqa: E402

DOTS_PER_INCH = 130


class Picture(Figure):
    """A figure that belongs to no window: nobody need close it, and a notebook shows it."""

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows."""
        written = BytesIO()
        save(self, written)
        return written.getvalue()


def subplots(
    rows: int = 1, columns: int = 1, *, figsize: tuple[float, float], layout: Any = "constrained", **options: Any
) -> tuple[Picture, Any]:
    """Return a picture and its axes; `options` are those of matplotlib's ``Figure.subplots``."""
    picture = Picture(figsize=figsize, layout=layout)
    return picture, picture.subplots(rows, columns, **options)


def save(figure: Figure, place: Path | IO[bytes]) -> None:
    """Write a figure as PNG; a letter that the font lacks is drawn as a box, without a word on the terminal."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        figure.savefig(place, format="png", dpi=DOTS_PER_INCH)


def label(text: str, longest: int = 60) -> str:
    """Return a name as pictures show it: no mathematics between dollars, nothing unprintable, and not too long."""
    return shortened(printable(text), longest).replace("$", r"\$")


def shortened(text: str, longest: int) -> str:
    """Return the end of a text that is longer than so many characters: layers differ there."""
    return text if len(text) <= longest else f"…{text[1 - longest :]}"
