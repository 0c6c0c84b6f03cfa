"""Beyond the paper: which order of Phase GP and Phase BP is best at an equal share of each."""

from simulator.reproduce.exhibit import Cell, Comparison, Exhibit
from simulator.reproduce.jobs.design_comparison import DesignComparison
from simulator.reproduce.jobs.job import Findings
from simulator.reproduce.page import PagedExhibit, page
from simulator.reproduce.paper import DESIGNS, targets
from simulator.reproduce.run_arithmetic import batch_cycles, ideal_speedup
from simulator.studies.unit_pipelines import BatchPhase, unit_run

_PIPELINES = ("gpipe", "dapple", "chimera")
_TURNS = (1, 2, 4)  # k Phase GP batches, then k Phase BP batches
_BATCHES = 8  # in a row, a whole number of turns of each
_SHARES = ((8, 1), (4, 1), (3, 1), (2, 1), (1, 1), (1, 2))
JOB = DesignComparison("vgg13-cifar10")


class BestSchedule(PagedExhibit):
    """Orders of equal share, and what the share itself gives."""

    requires = (JOB,)

    def make(self, found: Findings) -> Exhibit:
        """Return steps of each order on pipelines, cycles on one device, and the speedup of other shares."""
        cycles = {design: batch_cycles(found[JOB], design) for design in DESIGNS}
        orders: list[tuple[Cell, ...]] = []
        for k in _TURNS:
            phases: tuple[BatchPhase, BatchPhase] = ("gp", "bp")
            batches = [phase for _ in range(_BATCHES // (2 * k)) for phase in phases for _ in range(k)]
            alone = sum(cycles["max"].gp if phase == "gp" else cycles["max"].bp for phase in batches)
            orders.append((f"{k}:{k}", alone, *(unit_run(name, batches).steps for name in _PIPELINES)))
        shares = (
            (f"{k}:{m}", k / (k + m), *(one.speedup({"gp": k, "bp": m}) for one in cycles.values())) for k, m in _SHARES
        )
        alike = len({row[1:] for row in orders}) == 1
        predicted = Comparison(
            f"speedup of MAX with Phase GP batches alone, {JOB.trace}", targets()["claims"]["speedup_of_phase_gp"],
            cycles["max"].speedup({"gp": 1}), constant=ideal_speedup(1.0),
        )  # fmt: skip
        return Exhibit(
            self.page.text(batches=_BATCHES, trace=JOB.trace, verdict=self.page.say("alike" if alike else "unlike")),
            (predicted,),
            tables=(self.page.table("orders", orders, batches=_BATCHES), self.page.table("shares", shares)),
        )


EXHIBITS = (BestSchedule(page("schedules")),)
