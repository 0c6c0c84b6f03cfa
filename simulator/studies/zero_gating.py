"""What zero gating would save: multipliers held still where an operand is zero, from the trace's shares of zeros.

As in Eyeriss (Chen et al., JSSC 2017), a PE looks at the word that comes from the image: the input in the
forward pass and the gradient of the weights, the output's gradient in the gradient of the input. Where it is zero the
multiplier does not switch; the cycle passes all the same. Shares are means over the run (`Trace.layers[].sparsity`).
Zeros of padding are not among them, and registers and memories are read as before: a bound from below.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from simulator.energy.energy import energy_table_of
from simulator.run.results import Results, RunResult
from workloads.layers import Sparsity


@dataclass(frozen=True, slots=True)
class GatedRun:
    """What gating saves in a whole run of a design.

    Attributes
    ----------
    macs, gated_macs : int
        Of all ops, and those whose multiplier is held still.
    saved_pj, saved_share : float
        Energy, and its share of the run's.
    """

    design: str
    macs: int
    gated_macs: int
    saved_pj: float
    saved_share: float


def zero_gating(results: Results) -> tuple[GatedRun, ...]:
    """Return what gating saves by run; nothing where the trace has no shares of zeros."""
    shares = {layer.id: layer.sparsity for layer in results.trace.mac_layers if layer.sparsity is not None}
    return tuple(_gated(run, shares) for run in results.runs) if shares else ()


def _gated(run: RunResult, shares: Mapping[str, Sparsity]) -> GatedRun:
    macs = gated = 0
    for row in run.rows:
        macs += row.count * row.counts.macs
        found = shares.get(row.layer)
        if found is None:
            continue
        share = {"forward": found.inputs, "wgrad": found.inputs, "dgrad": found.output_gradients}.get(row.pass_)
        if share is not None:
            # decimal digits as the trace has them, so that counts are whole and exact
            gated += row.count * int(row.counts.macs * Fraction(str(share)))
    action = energy_table_of(run.spec).actions["macs"]
    assert action.energy_pj is not None, "every machine has multipliers"
    saved = gated * action.energy_pj / action.counts_per_access
    return GatedRun(run.design, macs, gated, saved, saved / run.energy_pj)
