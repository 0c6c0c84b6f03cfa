"""Beyond the paper: which order of Phase GP and Phase BP is best at an equal share of each."""

from dataclasses import dataclass

from simulator.reproduce.exhibit import Cell, Exhibit, Table
from simulator.reproduce.job import Findings
from simulator.reproduce.jobs.design_comparison import DesignComparison
from simulator.reproduce.unit_pipelines import BatchPhase, unit_run

_PHASES: tuple[BatchPhase, BatchPhase] = ("gp", "bp")
_PIPELINES = ("gpipe", "dapple", "chimera")
_TURNS = ((1, 1), (2, 2), (4, 4))  # k Phase GP batches, then m Phase BP batches
_BATCHES = 8  # in a row, a whole number of turns of each
_TRACE = "vgg13-cifar10"
_SHARES = ((8, 1), (4, 1), (3, 1), (2, 1), (1, 1), (1, 2))


@dataclass(frozen=True)
class BestSchedule:
    """Orders of equal share, and what the share itself is worth."""

    key: str = "schedules"
    title: str = "Beyond the paper: the best k:m schedule"
    rank: int = 820

    def jobs(self) -> list[DesignComparison]:
        """Return the default run whose batches are counted."""
        return [self._job]

    @property
    def _job(self) -> DesignComparison:
        return DesignComparison(_TRACE, "ws")

    def make(self, found: Findings) -> Exhibit:
        """Return steps of each order on pipelines, cycles on one device, and the speedup of other shares."""
        phases = {design: run["phases"] for design, run in found[self._job].items()}
        orders: list[tuple[Cell, ...]] = []
        for k, m in _TURNS:
            gp, bp = _PHASES
            turn: list[BatchPhase] = [gp] * k + [bp] * m
            batches = turn * (_BATCHES // (k + m))
            cycles = sum(phases["max"][phase]["cycles"] for phase in batches)
            orders.append((f"{k}:{m}", cycles, *(unit_run(name, batches).steps for name in _PIPELINES)))
        shares: list[tuple[Cell, ...]] = []
        for k, m in _SHARES:
            speedups = [
                (k + m) * phases["baseline"]["bp"]["cycles"]
                / (k * phases[design]["gp"]["cycles"] + m * phases[design]["bp"]["cycles"])
                for design in ("low", "efficient", "max")
            ]  # fmt: skip
            shares.append((f"{k}:{m}", k / (k + m), *speedups))
        alike = all(len({row[place] for row in orders}) == 1 for place in range(1, len(orders[0])))
        verdict = (
            "every order takes exactly as long: on one device batches end with a barrier, and in a pipeline a change "
            "of phase costs nothing"
            if alike
            else "orders differ where a pipeline's flush is not hidden"
        )
        return Exhibit(
            text=(
                f"At an equal share of Phase BP, {_BATCHES} batches of {_TRACE} (MAX, `ws`) on one device, and in unit "
                f"steps on four devices with four micro-batches: {verdict}. Among schedules that take as long the one "
                "that trains best is best. What pays is the share itself."
            ),
            tables=(
                Table("schedules-orders", f"{_BATCHES} batches, half of them Phase GP",
                      ("k:m", "cycles on one device", *(f"steps, {name}" for name in _PIPELINES)), tuple(orders)),
                Table("schedules-shares", "Speedup without Warm Up by the share of Phase GP",
                      ("k:m", "share of Phase GP", "LOW", "Efficient", "MAX"), tuple(shares)),
            ),
        )  # fmt: skip


EXHIBIT = BestSchedule()
