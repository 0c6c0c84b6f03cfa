"""Explain one layer: mapping, folds, tiles, cycles, stalls and energy of each pass, and what would make it faster."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dataflows.plans.origin import Origin
from dataflows.plans.plan import Plan
from simulator.batch.batches import Batches
from simulator.energy.energy import ENERGY_PARTS, Energy, energy_table_of
from simulator.engine.batch import OpRun
from simulator.explain.chosen import check_passes, chosen_layer, chosen_phase
from simulator.explain.limits import PassKey, Relieved, relieved
from simulator.machine.spec import Accelerator
from simulator.phases.design import batch_kind
from simulator.run.simulation import check_cycles, check_macs
from workloads.schedule import Phase
from workloads.trace import Trace

STALLS = ("stall_load_cycles", "stall_store_cycles", "stall_other_array_cycles", "stall_buffer_port_cycles")


@dataclass(frozen=True)
class PassExplanation:
    """One pass of a layer as it ran.

    Attributes
    ----------
    op : OpRun
        Cycles, stalls and counts.
    plans : tuple of Plan
        Its plans, one after the other; each has its origin, with mapping and formula.
    """

    op: OpRun
    plans: tuple[Plan, ...]
    energy: Energy

    @property
    def key(self) -> PassKey:
        """The pass, and whether it belongs to the backward visit of the layer."""
        return self.op.task.pass_, self.op.task.backward

    @property
    def name(self) -> str:
        """The pass."""
        return self.op.task.pass_

    @property
    def stalls(self) -> dict[str, int]:
        """Cycles of each kind of stall."""
        return {name: getattr(self.op, name) for name in STALLS}

    @property
    def origins(self) -> list[tuple[Origin, Plan]]:
        """The plans with what they were made from."""
        return [(plan.origin, plan) for plan in self.plans if plan.origin is not None]

    @property
    def folds(self) -> int:
        """Folds of all plans."""
        return sum(origin.formula.folds for origin, _ in self.origins)

    @property
    def tiles(self) -> int:
        """Tiles of all plans."""
        return sum(len(plan.stream_cycles) for plan in self.plans)

    def values(self) -> dict[str, Any]:
        """Return the pass as a row of plain values."""
        op = self.op
        return {
            "pass": self.name, "backward": self.key[1], "array": op.array, "cycles": op.cycles,
            "compute_cycles": op.compute_cycles, **self.stalls, "pipeline_cycles": op.pipeline_cycles,
            "dram_cycles": op.dram_cycles, "folds": self.folds, "tiles": self.tiles, "macs": op.counts.macs,
            "dram_read_bytes": op.counts.dram_read_bytes, "dram_write_bytes": op.counts.dram_write_bytes,
            **{f"energy_{part}_pj": getattr(self.energy, part) for part in ENERGY_PARTS},
            "energy_pj": self.energy.total,
        }  # fmt: skip


@dataclass(frozen=True)
class Explained:
    """One layer on one machine in a batch of one phase."""

    trace: Trace
    spec: Accelerator
    phase: Phase
    layer: str
    passes: tuple[PassExplanation, ...]

    @cached_property
    def reliefs(self) -> tuple[Relieved, ...]:
        """What would make the passes faster, the most first; the layer is planned again for each."""
        kind, layer = batch_kind(self.spec.design_rules, self.phase), chosen_layer(self.trace, self.layer)
        return tuple(relieved(self.trace, self.spec, kind, layer, {one.key for one in self.passes}))

    @property
    def cycles(self) -> int:
        """Cycles of all passes that are explained."""
        return sum(one.op.cycles for one in self.passes)

    @property
    def energy_pj(self) -> float:
        """Energy of all passes that are explained, without leakage."""
        return sum(one.energy.total for one in self.passes)

    def binds(self, key: PassKey | None = None) -> Relieved | None:
        """Return the relief that saves most, of a pass or of all; None where none saves anything."""
        saved = [(one.saved if key is None else one.saved_cycles[key], one) for one in self.reliefs]
        most = max(saved, key=lambda pair: pair[0], default=None)
        return most[1] if most is not None and most[0] > 0 else None

    def data(self) -> dict[str, Any]:
        """Return everything as plain values, as ``--json`` prints it."""
        binds = self.binds()
        return {
            "network": self.trace.network, "layer": self.layer, "design": self.spec.design,
            "dataflow": self.spec.dataflow, "phase": self.phase, "cycles": self.cycles, "energy_pj": self.energy_pj,
            "binds": None if binds is None else binds.limit,
            "passes": [{**one.values(), "plans": [_plan_data(*pair) for pair in one.origins]} for one in self.passes],
            "reliefs": [
                {"limit": one.limit, "change": one.name, "saved_cycles": one.saved,
                 "by_pass": [saved for _, saved in one.saved_cycles.items()]}
                for one in self.reliefs
            ],
        }  # fmt: skip

    def mapping(self) -> dict[str, Any]:
        """Return the mappings that were chosen, as plain values: a list of plans for each pass."""
        array = self.spec.array
        passes: dict[str, list[dict[str, Any]]] = {}
        for one in self.passes:
            chosen = [origin.mapping for origin, _ in one.origins if "loop_order" in origin.mapping]
            if chosen:
                passes[one.name] = chosen
        return {
            "version": 1,
            "network": self.trace.network,
            "batch_size": self.trace.batch_size,
            "dataflow": self.spec.dataflow,
            "array": {"kind": array.kind, "rows": array.rows, "columns": array.columns},
            "layers": {self.layer: passes},
        }


def _plan_data(origin: Origin, plan: Plan) -> dict[str, Any]:
    formula = origin.formula
    own = formula.formula
    return {
        "work": origin.title,
        "mapping": origin.mapping,
        "folds": formula.folds,
        "compute_cycles": plan.compute_cycles,
        "formula": {"fill": own.fill, "stream": own.stream, "gap": own.gap, "drain": own.drain, "where": own.where},
        "machine": formula.fixed,
        "tiles": [{"count": kind.count, **kind.names} for kind in formula.kinds],
    }


def explain_layer(
    trace: Trace, spec: Accelerator, layer: str, phase: str | None = None, passes: Sequence[str] = ()
) -> Explained:
    """Explain one layer on one machine.

    Parameters
    ----------
    phase : str, optional
        The phase of the batch; else bp, or the run's first.
    passes : sequence of str
        The passes that are wanted; all by default.

    Raises
    ------
    InputError
        If the trace has no such layer, phase or pass, or something does not fit on the machine.
    """
    index, asked = chosen_layer(trace, layer), chosen_phase(trace, phase)
    name = trace.mac_layers[index].id
    check_macs(trace, spec)
    batches, table = Batches(trace, spec), energy_table_of(spec)
    ops = batches.layer_ops(batches.kind(asked), index)
    check_cycles(spec, (work for _, work in ops), f"layer {name}")
    check_passes(passes, [op.task.pass_ for op, _ in ops], name)
    found = tuple(
        PassExplanation(op, work.plans, table.energy(op.counts, op.array))
        for op, work in ops
        if not passes or op.task.pass_ in passes
    )
    return Explained(trace, spec, asked, name, found)
