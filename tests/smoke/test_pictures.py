"""Pictures show what was run, at a size that can be read, and without a word on the terminal."""

import struct
import warnings
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from simulator.machine.spec_loading import load_accelerator, load_designs
from simulator.outputs import plots
from simulator.outputs.timeline import timeline, timeline_tiles
from simulator.outputs.trace_events import write_events
from simulator.run.results import Results
from simulator.run.simulation import compare
from workloads.trace import load_trace

PIXELS = 2600  # as wide as a large screen


def size_of(path: Path) -> tuple[int, int]:
    """Return (width, height) of a PNG, from its header."""
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    return width, height


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Keep the figures that are saved, and let no warning pass."""
    figures: list[Figure] = []
    whole = plots.save

    def keep(figure: Figure, path: Path) -> None:
        figures.append(figure)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            whole(figure, path)

    monkeypatch.setattr(plots, "save", keep)
    return figures


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(plt.Text) if text.get_text()]


def draw(results: Results, folder: Path) -> None:
    plots.plot_comparison(results, folder / "comparison.png")
    plots.plot_layers(results, folder / "layers.png")


@pytest.mark.parametrize("design", ["max", "low"])
def test_nothing_is_faster_than_a_baseline_that_did_not_run(design: str, drawn: list[Figure], tmp_path: Path) -> None:
    results = compare(load_trace("digits-cnn"), [load_accelerator(design=design)])
    draw(results, tmp_path)
    said = texts(drawn[0])
    assert not [text for text in said if "speedup" in text or "baseline" in text]
    assert "billion cycles" in said
    assert f"{results.runs[0].total_cycles / 1e9:,.4g}" in said


def test_a_comparison_shows_its_speedups(drawn: list[Figure], tmp_path: Path) -> None:
    results = compare(load_trace("digits-cnn"))
    draw(results, tmp_path)
    said = texts(drawn[0])
    assert "speedup over the baseline" in said
    for run in results.runs:
        assert f"{results.speedup(run):.3f}" in said
    layers = {layer.id for layer in results.trace.mac_layers}
    assert layers <= set(texts(drawn[1]))  # few layers: a bar each, by its whole name


@pytest.mark.parametrize("name", ["densenet201-cifar10", "resnet152-cifar10", "transformer-multi30k", "yolo-v3-voc"])
def test_many_layers_fit(name: str, drawn: list[Figure], tmp_path: Path) -> None:
    """The bars hold every layer: their heights add up to the cycles of layers.csv."""
    results = compare(load_trace(name), [load_accelerator(design="baseline")])
    draw(results, tmp_path)
    for path in tmp_path.iterdir():
        assert max(size_of(path)) <= PIXELS
    (axes,) = [one for one in drawn[1].axes if one.get_title()]
    bars: list[Any] = list(axes.patches)
    (first, *_) = results.runs[0].phases
    cycles = sum(row.cycles for row in results.runs[0].rows if row.phase == first.phase)
    assert sum(bar.get_height() for bar in bars) == pytest.approx(cycles / 1e6)
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert len(labels) <= 40
    more = [int(label.rpartition(" + ")[2]) if " + " in label else 0 for label in labels]
    assert sum(more) + len(labels) == len(results.trace.mac_layers)
    assert max(map(len, labels)) <= 34


def test_vector_layers_are_in_the_bars(drawn: list[Figure], tmp_path: Path) -> None:
    specs = load_designs(overrides=["vector_unit.costed=[activation, pool, batch_norm, add]"])
    results = compare(load_trace("digits-cnn"), specs[:1])
    draw(results, tmp_path)
    (axes,) = [one for one in drawn[1].axes if one.get_title()]
    phase = results.runs[0].phases[0].phase
    cycles = sum(row.cycles for row in results.runs[0].rows if row.phase == phase)
    assert sum(bar.get_height() for bar in axes.patches) == pytest.approx(cycles / 1e6)


def test_the_size_that_is_told_of_a_timeline(tmp_path: Path) -> None:
    """What the note says beforehand is the size of the file, to a tenth."""
    results = compare(load_trace("digits-cnn"))
    tiles, told = timeline_tiles(results)
    sizes = []
    for with_tiles in (True, False):
        write_events(tmp_path / "timeline.json", timeline(results, with_tiles), "n", 1)
        sizes.append((tmp_path / "timeline.json").stat().st_size)
    assert sizes[0] - sizes[1] == pytest.approx(told, rel=0.1)
    assert tiles > 100
