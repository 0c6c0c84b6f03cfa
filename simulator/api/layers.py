"""`explain` and `step` from Python: one layer on one machine."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Self

from simulator.api.inputs import Machine, Settings, as_names, as_spec, as_trace, check_whole, with_mapping
from simulator.api.messages import pythonic
from simulator.api.results import data_frame
from simulator.explain import layer as layers
from simulator.explain.stepping import FOLDS, LayerSteps, step_layer
from workloads.trace import Trace

if TYPE_CHECKING:
    import pandas


class Explanation(layers.Explained):
    """One layer on one machine. A notebook shows its passes as a table; `print` shows the formulas, too.

    `passes` has the passes, `reliefs` what would make the layer faster, `mapping()` the mappings that were chosen, and
    `data()` everything as plain values.
    """

    @classmethod
    def of(cls, found: layers.Explained) -> Self:
        """Return the same explanation."""
        return cls(found.trace, found.spec, found.phase, found.layer, found.passes)

    def to_dataframe(self) -> "pandas.DataFrame":
        """Return a row for each pass: cycles, stalls, folds, tiles, bytes and energy.

        Raises
        ------
        ImportError
            If pandas is not installed; `data` gives the same rows without it.
        """
        return data_frame([one.values() for one in self.passes], "data()")

    def __str__(self) -> str:
        """Return what `adagp-sim explain` prints."""
        from simulator.explain.text import explanation_text

        return explanation_text(self)

    def __repr__(self) -> str:
        """Return the cycles, and the limit that binds."""
        binds = self.binds()
        reason = "" if binds is None else f", {binds.limit} binds"
        return f"{self.layer} of {self.trace.network} on {self.spec.design}: {self.cycles:,} cycles{reason}"

    def _repr_html_(self) -> str:
        """Return the tables that a notebook shows."""
        passes = [one.values() for one in self.passes]
        reliefs = [{"limit": one.limit, "machine with": one.name, "cycles saved": one.saved} for one in self.reliefs]
        return _table(repr(self), passes) + _table("What would make it faster", reliefs)


def _table(title: str, rows: Sequence[dict[str, object]]) -> str:
    heads = "".join(f"<th>{escape(name)}</th>" for name in (rows[0] if rows else ()))
    body = "".join(
        "<tr>"
        + "".join(
            f"<td>{f'{cell:,.6g}' if type(cell) is float else escape(_plain(cell))}</td>" for cell in row.values()
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><caption>{escape(title)}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _plain(cell: object) -> str:
    return f"{cell:,}" if type(cell) is int else str(cell)


@pythonic
def explain(
    trace: Trace | str | Path,
    layer: str,
    machine: Machine | None = None,
    *,
    design: str = "baseline",
    dataflow: str | None = None,
    overrides: Settings | None = None,
    mapping: str | Path | None = None,
    batch_size: int | None = None,
    phase: str | None = None,
    passes: Sequence[str] = (),
) -> Explanation:
    """Explain one layer: mapping, folds, tiles, cycles, stalls, energy, and what would make it faster.

    Parameters
    ----------
    trace, machine, dataflow, overrides, mapping, batch_size
        As in `simulate`.
    layer : str
        Name of a layer with MACs.
    design : str
        The design that runs it.
    phase : str, optional
        Phase of the batch; else `bp`, or the run's first.
    passes : sequence of str
        Only these passes, such as `forward`; all by default.

    Raises
    ------
    InputError
        If the trace has no such layer, phase or pass, or something does not fit.
    """
    spec = as_spec(machine, design, dataflow, with_mapping(overrides, mapping))
    return Explanation.of(layers.explain_layer(as_trace(trace, batch_size, None), spec, layer, phase, as_names(passes)))


@pythonic
def step(
    trace: Trace | str | Path,
    layer: str,
    machine: Machine | None = None,
    *,
    design: str = "baseline",
    dataflow: str | None = None,
    overrides: Settings | None = None,
    batch_size: int | None = None,
    phase: str | None = None,
    pass_: str | None = None,
    folds: int = FOLDS,
    cycles: int | None = None,
    vcd: str | Path | None = None,
) -> LayerSteps:
    """Step the first folds of a layer in the array, every register in every cycle.

    Parameters
    ----------
    trace, layer, machine, design, dataflow, overrides, batch_size, phase
        As in `explain`.
    pass_ : str, optional
        The pass; else the layer's first.
    folds : int
        How many folds are stepped.
    cycles : int, optional
        How many cycles are kept; else all of these folds, at most 5,000.
    vcd : str or Path, optional
        Also write the waveform there, for GTKWave.

    Returns
    -------
    LayerSteps
        `registers`, such as `weight` [cycles, rows, columns]; `picture()` and `history()` show cycles as text, and
        `write_vcd()` writes the waveform.

    Raises
    ------
    InputError
        If the trace has no such layer, phase or pass, or the pass has no product.
    """
    check_whole("folds", folds)
    check_whole("cycles", cycles)
    spec = as_spec(machine, design, dataflow, overrides)
    found = step_layer(as_trace(trace, batch_size, None), spec, layer, phase, pass_, folds, cycles)
    if vcd is not None:
        found.write_vcd(vcd)
    return found
