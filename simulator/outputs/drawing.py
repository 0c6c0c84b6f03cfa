"""What all pictures of results share: no window, no word on the terminal, one palette, one way to save."""

import logging
from pathlib import Path

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # or it tells of its caches, while it is imported
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

DOTS_PER_INCH = 130
plt.switch_backend("Agg")
subplots = plt.subplots


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG and forget it."""
    figure.savefig(path, dpi=DOTS_PER_INCH)
    plt.close(figure)


def shortened(text: str, longest: int) -> str:
    """Return the end of a text that is longer than so many characters: layers differ there."""
    return text if len(text) <= longest else f"…{text[1 - longest :]}"
