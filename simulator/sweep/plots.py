"""Pictures of a sweep: each objective against the first one, and every point by its settings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simulator.outputs.drawing import Picture, label, save, subplots
from simulator.outputs.units import in_readable_unit
from simulator.sweep.results import SweepResults, shown
from workloads.foundation.atomic import atomic_file

_NAMES = {
    "cycles": "cycles of the run", "seconds": "time of the run, s", "energy": "energy of the run",
    "speedup": "speedup over the baseline of the same machine",
}  # fmt: skip
_MOST_LABELS = 40
_LABEL_PLACES = (
    (6, 0, "left", "center"), (-6, 0, "right", "center"), (0, 6, "center", "bottom"), (0, -6, "center", "top"),
    (5, 5, "left", "bottom"), (-5, 5, "right", "bottom"), (5, -5, "left", "top"), (-5, -5, "right", "top"),
)  # fmt: skip
"""Where the label of a point may stand: points of 1/72 inch to the right and up, and its sides there."""
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
    up_label, reached = _axis(up, [results.objectives.reached(row)[0] for row in results.done])
    heights = dict(zip(map(id, results.done), reached, strict=True))
    panes: list[tuple[Any, dict[int, Any]]] = []
    for axes, name in zip(np.atleast_1d(panels), across, strict=True):
        across_label, values = _axis(name, [row[name] for row in results.done])
        places = dict(zip(map(id, results.done), values, strict=True))
        for on_front, colour, size, words in ((False, "#999999", 12, "other points"), (True, "#D55E00", 30, "front")):
            chosen = [id(row) for row in results.done if (id(row) in best) == on_front]
            axes.scatter([places[one] for one in chosen], [heights[one] for one in chosen], s=size, color=colour,
                         label=words)  # fmt: skip
        axes.set_xlabel(across_label)
        axes.margins(0.12)
        axes.grid(alpha=0.3)
        panes.append((axes, places))
    first = np.atleast_1d(panels)[0]
    first.set_ylabel(up_label)
    figure.legend(*first.get_legend_handles_labels(), frameon=False, loc="outside lower right", ncols=2)
    figure.draw_without_rendering()  # from here on it is known where a point lies, in pixels
    for axes, across_of in panes:
        texts = {
            (across_of[id(row)], heights[id(row)]): ", ".join(label(str(row.get(key)), 16) for key in keys)
            for row in results.front
        }
        _label_points(axes, texts)
    return figure


def _axis(name: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return an axis' label and the values along it; energies in one unit that reads well."""
    said, read = in_readable_unit(name, values)
    if name == "logic_area_um2":
        return "logic area, mm²", [value / 1e6 for value in values]
    if said == name:
        return _NAMES.get(name, label(name)), read
    plain, _, unit = said.rpartition(", ")
    return f"{_NAMES.get(plain, label(plain))}, {unit}", read


def _label_points(axes: Any, texts: Mapping[tuple[float, float], str]) -> None:
    """Label points where there is room for a label; one that would cover another or a point is left out."""
    from matplotlib.transforms import Bbox

    places = axes.transData.transform(list(texts))
    taken = [Bbox.from_bounds(x - 4, y - 4, 8, 8) for x, y in places]
    room = axes.get_window_extent()
    for point, text in list(texts.items())[:: max(1, len(texts) // _MOST_LABELS)]:
        for right, up, across, along in _LABEL_PLACES:
            said = axes.annotate(text, point, xytext=(right, up), textcoords="offset points", fontsize=7, ha=across,
                                 va=along)  # fmt: skip
            box = said.get_window_extent()
            if not box.count_overlaps(taken) and room.x0 < box.x0 and box.x1 < room.x1:
                taken.append(box)
                break
            said.remove()


def parallel_picture(results: SweepResults) -> Picture:
    """Draw a line for each point through its settings and what it reaches; the front's are coloured."""
    rows = results.done
    names = [*results.keys, *results.objectives.directions]
    columns: list[Sequence[Any]] = list(zip(*(results.front_cells(row) for row in rows), strict=True))
    for place, (name, column) in enumerate(zip(names, columns, strict=True)):
        names[place], columns[place] = in_readable_unit(name, column)
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
        (place, shown(found[place]) if _is_number(found[place]) else label(str(found[place]), 14)) for place in places
    ]
