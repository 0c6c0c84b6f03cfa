"""summary.json: what a run came to, as plain data."""

from dataclasses import asdict
from typing import Any

from simulator.run.results import RESULT_SCHEMA, PhaseResult, Results, RunResult
from simulator.studies.cost_to_target import cost_to_target
from simulator.studies.explain import explain, ideal_speedup
from simulator.studies.zero_gating import zero_gating
from workloads.trace import Trace


def summary(results: Results, target_accuracy: float | None = None) -> dict[str, Any]:
    """Return the summary; docs/results.md describes it. Costs are counted to the target, or to the default."""
    data: dict[str, Any] = {
        "schema": RESULT_SCHEMA,
        "trace": trace_summary(results.trace),
        "runs": [_run(results, run) for run in results.runs],
    }
    gated = zero_gating(results)
    if gated:
        data["zero_gating"] = [asdict(run) for run in gated]
    found = cost_to_target(results, target_accuracy)
    if found is not None:
        data["cost_to_target"] = {
            "target_accuracy": found.target_accuracy,
            "runs": [asdict(cost) for cost in found.costs],
        }
    return data


def trace_summary(trace: Trace) -> dict[str, Any]:
    """Return what a summary says of the trace."""
    return {
        "network": trace.network,
        "dataset": trace.dataset.name,
        "batch_size": trace.batch_size,
        "schedule": trace.schedule.name,
        "epochs": trace.schedule.epoch_count,
        "batches": trace.schedule.batches,
        "origin": trace.provenance.origin,
    }


def _run(results: Results, run: RunResult) -> dict[str, Any]:
    data: dict[str, Any] = {
        "design": run.design,
        "dataflow": run.dataflow,
        "total_cycles": run.total_cycles,
        "seconds": run.seconds,
        "energy_pj": run.energy_pj,
        "memory_energy_pj": run.memory_energy_pj,
        "speedup": results.speedup(run),
        "ideal_speedup": ideal_speedup(run),
        "energy_reduction": results.energy_reduction(run),
        "memory_energy_reduction": results.memory_energy_reduction(run),
        "peak_dram_bytes": run.peak_dram_bytes,
        "phases": {phase.phase: _phase(phase) for phase in run.phases},
    }
    if results.baseline is not None:
        data["causes"] = [asdict(cause) for cause in explain(results, run)] if run.design != "baseline" else []
    if run.exact is not None:
        data["exact"] = {
            "first_batch": run.exact.first_batch,
            "batches": len(run.exact.cycles),
            "cycles": sum(run.exact.cycles),
            "composed_cycles": sum(run.exact.composed_cycles),
            "equal": run.exact.equal,
        }
    return data


def _phase(phase: PhaseResult) -> dict[str, Any]:
    data = asdict(phase)
    del data["phase"]
    data["arrays"] = [asdict(use) for use in phase.arrays]
    return data
