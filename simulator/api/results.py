"""Results as a notebook's user expects them: a table, a data frame, pictures."""

from html import escape
from typing import TYPE_CHECKING, Any, Literal, Self

from simulator.phases.stages import PHASE_RULES
from simulator.run import results
from workloads.foundation.errors import nearest

if TYPE_CHECKING:
    import pandas

    from simulator.outputs.drawing import Picture


def data_frame(rows: list[dict[str, Any]], without: str) -> "pandas.DataFrame":
    """Return rows as a data frame; `without` names what gives them without pandas.

    Raises
    ------
    ImportError
        If pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        problem = (
            "to_dataframe() takes pandas: pip install pandas, or this project's extra dataframe (pip install "
            f"'.[dataframe]' in a clone); {without} gives the same rows without it"
        )
        raise ImportError(problem) from None
    return pandas.DataFrame(rows)


class Results(results.Results):
    """Runs of one or several designs on one trace.

    A notebook shows it as a table. `runs` has the runs, and `rows` every pass of every layer of them.
    """

    @classmethod
    def of(cls, found: results.Results) -> Self:
        """Return the same runs."""
        return cls(found.trace, found.runs)

    def totals(self) -> list[dict[str, Any]]:
        """Return a row for each design: totals of the whole run, named as in summary.json (docs/results.md)."""
        return [
            {
                "design": run.design,
                "dataflow": run.dataflow,
                "total_cycles": run.total_cycles,
                "seconds": run.seconds,
                "speedup": self.speedup(run),
                "energy_pj": run.energy_pj,
                "energy_reduction": self.energy_reduction(run),
                "memory_energy_pj": run.memory_energy_pj,
                "memory_energy_reduction": self.memory_energy_reduction(run),
                "peak_dram_bytes": run.peak_dram_bytes,
            }
            for run in self.runs
        ]

    def to_dataframe(self, what: Literal["layers", "totals"] = "layers") -> "pandas.DataFrame":
        """Return the rows as a data frame.

        Parameters
        ----------
        what : str
            `layers`: a row for each pass of each layer, with the columns of layers.csv (docs/results.md). `totals`: a
            row for each design.

        Raises
        ------
        ImportError
            If pandas is not installed; `table` and `totals` give the same rows without it.
        ValueError
            If there are no such rows.
        """
        rows = {"layers": self.table, "totals": self.totals}
        if what not in rows:
            raise ValueError(f"no rows {what!r}; {nearest(str(what), rows)}")
        return data_frame(rows[what](), "table()" if what == "layers" else "totals()")

    def plot(self, what: Literal["comparison", "layers"] = "comparison") -> "Picture":
        """Return a matplotlib figure, which a notebook shows.

        Parameters
        ----------
        what : str
            `comparison`: cycles of a batch, speedups and energy of the designs. `layers`: cycles layer by layer.

        Raises
        ------
        ValueError
            If there is no such picture.
        """
        from simulator.outputs.plots import comparison_picture, layers_picture

        pictures = {"comparison": comparison_picture, "layers": layers_picture}
        if what not in pictures:
            raise ValueError(f"no picture {what!r}; {nearest(str(what), pictures)}")
        return pictures[what](self)

    def __repr__(self) -> str:
        """Return a line for each run."""
        lines = [f"{self._title}:"]
        for run in self.runs:
            speedup = self.speedup(run)
            gain = "" if speedup is None else f", speedup {speedup:.4f}"
            lines.append(f"  {run.design} {run.dataflow}: {run.total_cycles:,} cycles{gain}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the table that a notebook shows."""
        phases = [phase.phase for phase in self.runs[0].phases]
        head = ["design", "dataflow", *(f"{PHASE_RULES[phase].title}, cycles a batch" for phase in phases)]
        head += ["whole run, cycles", "time, s", "speedup", "energy, J", "energy saved"]
        rows = []
        for run in self.runs:
            speedup, saved = self.speedup(run), self.energy_reduction(run)
            rows.append([
                run.design, run.dataflow, *(f"{run.phase(phase).cycles_per_batch:,}" for phase in phases),
                f"{run.total_cycles:,}", f"{run.seconds:,.4g}", "" if speedup is None else f"{speedup:.4f}",
                f"{run.energy_pj * 1e-12:,.4g}", "" if saved is None else f"{saved:.1%}",
            ])  # fmt: skip
        cells = "".join(f"<th>{escape(name)}</th>" for name in head)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        return (f"<table><caption>{escape(self._title)}</caption><thead><tr>{cells}</tr></thead>"
                f"<tbody>{body}</tbody></table>")  # fmt: skip

    @property
    def _title(self) -> str:
        trace = self.trace
        return f"{trace.network} on {trace.dataset.name}, batch {trace.batch_size}, {trace.schedule.batches:,} batches"
