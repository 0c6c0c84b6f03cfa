"""The picture of a comparison: measured against simulated, with bands of 10 %."""

import numpy as np

from simulator.outputs.colours import MARK, series_colours
from simulator.outputs.drawing import Picture, label, subplots
from simulator.validation.comparison import WITHIN, Validation


def scatter(found: Validation) -> Picture:
    """Draw each row as a point; both axes are logarithmic."""
    picture, axes = subplots(figsize=(6.4, 6.0))
    every = [value for row in found.rows for value in (row.measured, row.simulated) if value > 0]
    ends = np.array([min(every) / 1.5, max(every) * 1.5])
    axes.plot(ends, ends, color=MARK, linewidth=1)
    axes.fill_between(ends, ends * (1 - WITHIN), ends * (1 + WITHIN), color=MARK, alpha=0.2, linewidth=0,
                      label=f"within {WITHIN:.0%}")  # fmt: skip
    series = list(dict.fromkeys(row.series for row in found.rows))
    for name, colour in series_colours(series).items():
        points = [(row.measured, row.simulated) for row in found.rows if row.series == name]
        axes.scatter(*zip(*points, strict=True), s=22, color=colour, alpha=0.8, linewidth=0, label=label(name))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    axes.set_aspect("equal")
    axes.set_xlabel(f"measured, {found.comparison.unit}")
    axes.set_ylabel(f"simulated, {found.comparison.unit}")
    axes.set_title(f"{found.comparison.title}: mean absolute error {found.mean_absolute_error:.1%}")
    axes.legend(frameon=False, loc="upper left")
    return picture
