"""The paper's four-layer timelines (section 3.7, figures 7 to 9) and its schedule, through the engine."""

from fractions import Fraction

import numpy as np
import pytest

from dataflows.actions import ActionCounts
from dataflows.plans.plan import Plan
from dataflows.plans.transfers import contiguous
from simulator.dram.ideal import IdealDram
from simulator.engine.batch import run_batch
from simulator.engine.work import StepWork
from simulator.phases.design import Task, find_design
from simulator.phases.phase import stages_of
from simulator.phases.stages import LayerFacts
from workloads.schedule import Phase
from workloads.trace import load_policy

STEP = 1000  # cycles of one layer's forward
IDEAL = IdealDram(model="ideal", capacity_bytes=1)
# Four equal layers, all with both gradients, so that BW = 2 FW for each of them as the paper assumes.
FOUR_LAYERS = [LayerFacts(predicted=True, updated=True, has_weights=True, needs_dgrad=True)] * 4


def cycles_of(task: Task, alpha: Fraction) -> int:
    """Return a pass's cycles under the paper's assumptions; what it leaves out (update, transfers) is free."""
    steps = {"forward": 1, "dgrad": 1, "wgrad": 1, "predictor_forward": alpha, "predictor_backward": 2 * alpha}
    cycles = STEP * Fraction(steps.get(task.pass_, 0))
    assert cycles.denominator == 1
    return int(cycles)


def busy(cycles: int) -> Plan:
    stream = np.array([cycles], dtype=np.int64)
    nothing = contiguous(stream * 0, write=False)
    return Plan(nothing, nothing, stream, stream * 0, 0, 0, ActionCounts())


def batch_cycles(design_name: str, phase: Phase, alpha: Fraction = Fraction(0)) -> int:
    design = find_design(design_name)
    steps = design.steps(stages_of(FOUR_LAYERS, design.runs_as(phase)))
    works = [
        [StepWork((busy(cycles_of(task, alpha)),)) for task in step.first]
        + [StepWork((), (busy(cycles_of(task, alpha)),)) for task in step.second]
        for step in steps
    ]
    run = run_batch(steps, works, IDEAL, 1)
    for array in (0, 1):
        assert run.busy_cycles(array) <= run.cycles
    return run.cycles


ALPHAS = [Fraction(0), Fraction(1, 10), Fraction(1, 4), Fraction(1, 2)]


@pytest.mark.parametrize("phase", ["warm_up", "bp", "gp"])
def test_baseline_takes_twelve_steps(phase: Phase) -> None:
    assert batch_cycles("baseline", phase, Fraction(1, 4)) == 12 * STEP


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("design", ["low", "efficient"])  # LOW's transfers are free under the paper's assumptions
def test_one_array(design: str, alpha: Fraction) -> None:
    for phase in ("warm_up", "bp"):
        assert batch_cycles(design, phase, alpha) == (12 + 12 * alpha) * STEP
    assert batch_cycles(design, "gp", alpha) == (4 + 4 * alpha) * STEP
    assert batch_cycles(design, "bp", alpha) + batch_cycles(design, "gp", alpha) == (16 + 16 * alpha) * STEP


@pytest.mark.parametrize("alpha", ALPHAS)
def test_two_equal_arrays(alpha: Fraction) -> None:
    for phase in ("warm_up", "bp"):
        assert batch_cycles("max", phase, alpha) == (12 + 2 * alpha) * STEP
    assert batch_cycles("max", "gp", alpha) == (4 + alpha) * STEP


def test_decoupled_interfaces_save_nothing() -> None:
    # "DNI does not improve training time. In fact, it slows down the training time" (section 2)
    for alpha in ALPHAS:
        assert batch_cycles("efficient", "dni", alpha) == (12 + 12 * alpha) * STEP


@pytest.mark.parametrize(("batches_per_epoch", "expected"), [(60, 1.4653), (391, 1.4669)])
def test_ideal_speedup_of_the_papers_schedule(batches_per_epoch: int, expected: float) -> None:
    counts = load_policy("paper").expand(batches_per_epoch).counts()
    total = {
        design: sum(count * batch_cycles(design, phase) for phase, count in counts.items())
        for design in ("baseline", "low", "efficient", "max")
    }
    for design in ("low", "efficient", "max"):
        assert round(total["baseline"] / total[design], 4) == expected


def test_all_gp_is_the_papers_almost_three() -> None:
    counts = load_policy("all-gp").expand(391).counts()
    assert set(counts) == {"gp"}
    assert Fraction(batch_cycles("baseline", "gp"), batch_cycles("efficient", "gp")) == 3
