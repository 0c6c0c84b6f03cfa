"""A design: every pass once and not before what it reads, in each phase; one batch of each kind as it is composed."""

from simulator.batch.batches import Batches
from simulator.machine.spec_loading import load_accelerator
from simulator.phases.design import batch_kind, designs
from simulator.phases.stages import PHASE_RULES
from simulator.testing.ladder import Ladder, hold
from workloads.trace import load_trace

TRACE = "digits-cnn"


def check(name: str) -> None:
    """Check the steps of a design in every phase, with layers without MACs and without."""
    design, trace = designs()[name], load_trace(TRACE)
    for costed in ("[]", "[activation]"):
        batches = Batches(trace, load_accelerator(design=name, overrides=[f"vector_unit.costed={costed}"]))
        for phase in PHASE_RULES:
            kind = batch_kind(design, phase)
            hold(batch_kind(design, kind) == kind, f"a batch of {phase} is one of {kind}, which is another one")
            batches.steps(kind)  # refuses what is left out, doubled or too early
            run = batches.run(kind)
            hold(run.cycles > 0, f"a batch of {phase} takes no time")


LADDER = Ladder("designs", "each pass once and after what it reads, in every phase", designs, check)
