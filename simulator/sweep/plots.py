"""Pictures of a sweep: each objective against the first one, and every point by its settings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simulator.outputs.drawing import Picture, label, save, subplots
from simulator.sweep.objectives import Row
from simulator.sweep.results import SweepResults
from workloads.foundation.atomic import atomic_file

_NAMES = {
    "cycles": "cycles of the run", "seconds": "time of the run, s", "energy_pj": "energy of the run, pJ",
    "logic_area_um2": "logic area, µm²", "speedup": "speedup over the baseline of the same machine",
}  # fmt: skip
_MOST_LABELS = 12
_MOST_TICKS = 12


def write_plots(results: SweepResults, folder: Path) -> list[Path]:
    """Write front.png and parallel.png into a folder, and return them; nothing where no point has a result."""
    if not results.done:
        return []
    made = {"front.png": front_picture(results), "parallel.png": parallel_picture(results)}
    for name, picture in made.items():
        with atomic_file(folder / name, binary=True) as file:
            save(picture, file)
    return [folder / name for name in made]


def front_picture(results: SweepResults) -> Picture:
    """Draw the first objective against area and against energy; points of the front have labels."""
    up = next(iter(results.objectives.directions))
    across = [name for name in ("logic_area_um2", "energy_pj") if name != up]
    figure, panels = subplots(1, len(across), figsize=(6.8 * len(across), 5.4), sharey=True)
    keys = [key for key in results.keys if len({str(row.get(key)) for row in results.front}) > 1]
    figure.suptitle(f"{label(repr(results))}\nlabels: {label(', '.join(keys), 90)}", fontsize=10)
    best = {id(row) for row in results.front}
    heights = {id(row): results.objectives.reached(row)[0] for row in results.done}
    for axes, name in zip(np.atleast_1d(panels), across, strict=True):
        for on_front, colour, size, words in ((False, "#999999", 12, "other points"), (True, "#D55E00", 30, "front")):
            chosen = [row for row in results.done if (id(row) in best) == on_front]
            axes.scatter([row[name] for row in chosen], [heights[id(row)] for row in chosen], s=size, color=colour,
                         label=words)  # fmt: skip
        _label_front(axes, keys, results.front, name, heights)
        axes.set_xlabel(_NAMES.get(name, name))
        axes.margins(0.12)
        axes.grid(alpha=0.3)
    first = np.atleast_1d(panels)[0]
    first.set_ylabel(_NAMES.get(up, label(up)))
    figure.legend(*first.get_legend_handles_labels(), frameon=False, loc="outside lower right", ncols=2)
    return figure


def _label_front(
    axes: Any, keys: Sequence[str], front: Sequence[Row], across: str, heights: Mapping[int, float]
) -> None:
    """Label points of the front, not more than can be read, by turns above and below."""
    step = max(1, -(-len(front) // _MOST_LABELS))
    for index, row in enumerate(sorted(front, key=lambda row: row[across])[::step]):
        text = ", ".join(label(str(row.get(key)), 16) for key in keys)
        axes.annotate(text, (row[across], heights[id(row)]), xytext=(4, (8, -14, 20, -26)[index % 4]),
                      textcoords="offset points", fontsize=7)  # fmt: skip


def parallel_picture(results: SweepResults) -> Picture:
    """Draw a line for each point through its settings and what it reaches; the front's are coloured."""
    rows = results.done
    names = [*results.keys, *results.objectives.directions]
    columns = list(zip(*(results.front_cells(row) for row in rows), strict=True))
    figure, axes = subplots(figsize=(max(6.0, 1.6 * len(names)), 5))
    heights = np.array([_heights(column) for column in columns])
    best = {id(row) for row in results.front}
    order = sorted(range(len(rows)), key=lambda index: id(rows[index]) in best)
    for index in order:
        on_front = id(rows[index]) in best
        axes.plot(range(len(names)), heights[:, index], color="#D55E00" if on_front else "#999999",
                  alpha=0.9 if on_front else 0.25, linewidth=1.4 if on_front else 0.6)  # fmt: skip
    for place, column in enumerate(columns):
        axes.axvline(place, color="black", linewidth=0.8)
        for height, text in _ticks(column):
            axes.annotate(text, (place, height), xytext=(3, 0), textcoords="offset points", fontsize=7)
    axes.set_xticks(range(len(names)), [label(name, 22) for name in names], rotation=20, ha="right", fontsize=8)
    axes.set_yticks([])
    axes.set_title(f"{label(repr(results))}: settings and objectives; the front in orange", fontsize=10)
    return figure


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _heights(column: Sequence[Any]) -> list[float]:
    """Return the place of each value between the least, 0, and the largest, 1; texts keep their order."""
    if all(_is_number(value) for value in column):
        low, high = min(column), max(column)
        return [(value - low) / (high - low) if high > low else 0.5 for value in column]
    names = list(dict.fromkeys(map(str, column)))
    return [names.index(str(value)) / max(1, len(names) - 1) for value in column]


def _ticks(column: Sequence[Any]) -> list[tuple[float, str]]:
    found = dict(zip(_heights(column), column, strict=True))
    places = sorted(found)
    if len(places) > _MOST_TICKS:
        places = [places[0], places[-1]]
    return [
        (place, f"{found[place]:.4g}" if isinstance(found[place], float) else label(str(found[place]), 14))
        for place in places
    ]
