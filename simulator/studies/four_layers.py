"""The paper's four equal layers (section 3.7, figures 7 to 9) through the engine, in steps.

A step is one layer's forward; BW = 2 FW; the predictor's forward takes alpha steps and its backward 2 alpha. What the
paper leaves out there costs nothing here: updates and transfers.
"""

import re
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from dataflows.actions import ActionCounts
from dataflows.plans.plan import Plan
from dataflows.plans.transfers import contiguous
from simulator.dram.models.ideal import IdealDram
from simulator.engine.batch import BatchRun, run_batch
from simulator.engine.work import StepWork
from simulator.phases.checked_steps import checked_steps
from simulator.phases.design import Task, find_design
from simulator.phases.stages import LayerFacts, stages_of
from workloads.passes import Pass
from workloads.schedule import Phase

LAYERS = 4
CYCLES_A_STEP = 1000  # times every alpha below it is a whole number
ALPHAS = tuple(Fraction(text) for text in ("0", "1/20", "1/10", "1/4", "1/2"))
# Every layer has both gradients, so that BW = 2 FW holds for each, the first one too.
_FACTS = [LayerFacts(predicted=True, updated=True, has_weights=True, needs_dgrad=True)] * LAYERS
_IDEAL = IdealDram(model="ideal", capacity_bytes=1)


def four_layers(design: str, phase: Phase, alpha: Fraction) -> BatchRun:
    """Return one batch of four equal layers on a design.

    Raises
    ------
    ValueError
        If alpha is no whole number of cycles.
    """
    rules = find_design(design)
    stages = stages_of(_FACTS, rules.runs_as(phase))
    steps = checked_steps(rules, stages, [f"layer {number}" for number in range(1, LAYERS + 1)])
    works = [
        [StepWork((_busy(task, alpha),)) for task in step.first]
        + [StepWork((), (_busy(task, alpha),)) for task in step.second]
        for step in steps
    ]
    return run_batch(steps, works, _IDEAL, 1)


def steps_of(design: str, phases: Sequence[Phase], alpha: Fraction) -> Fraction:
    """Return the steps that batches take one after the other."""
    return sum((Fraction(four_layers(design, phase, alpha).cycles, CYCLES_A_STEP) for phase in phases), Fraction(0))


def paper_steps(formula: str | int, alpha: Fraction) -> Fraction:
    """Return the steps of a formula such as ``12 + 12*alpha`` in `configs/paper/`.

    Raises
    ------
    ValueError
        If it has another form.
    """
    found = re.fullmatch(r"(\d+)(?: \+ (\d+)\*alpha)?", str(formula))
    if found is None:
        raise ValueError(f"{formula!r} is no formula of alpha")
    return int(found[1]) + int(found[2] or 0) * alpha


def _busy(task: Task, alpha: Fraction) -> Plan:
    """Return a plan that keeps an array for a pass's steps and moves nothing."""
    one = Fraction(1)
    steps: dict[Pass, Fraction] = {
        "forward": one, "dgrad": one, "wgrad": one, "predictor_forward": alpha, "predictor_backward": 2 * alpha,
    }  # fmt: skip
    cycles = CYCLES_A_STEP * steps.get(task.pass_, Fraction(0))
    if cycles.denominator != 1:
        raise ValueError(f"alpha {alpha} is no whole number of 1/{CYCLES_A_STEP} steps")
    stream = np.array([int(cycles)], dtype=np.int64)
    nothing = contiguous(stream * 0, write=False)
    return Plan(nothing, nothing, stream, stream * 0, 0, 0, ActionCounts())
