"""Equal power and equal area: how many PEs a baseline may have for what a design costs, and what they bring."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import ceil, floor

from dataflows.array import PEArray
from simulator.area.asic import asic_area, asic_power
from simulator.area.fpga import fpga_power
from simulator.area.sizes import Sizes, sizes_of
from simulator.machine.spec import Accelerator
from simulator.run.simulation import Simulation
from workloads.foundation.shipped import shipped_folder
from workloads.foundation.shipped_csv import read_csv
from workloads.trace import Trace

# What may be held equal, by name: a cost that grows with PEs.
BUDGETS: dict[str, Callable[[Sizes], float]] = {
    "FPGA power": lambda sizes: fpga_power(sizes).total_w,
    "ASIC power": lambda sizes: asic_power(sizes).total_uw,
    "ASIC area": lambda sizes: asic_area(sizes).total_um2,
}
_ROUNDING = 1e-12  # of a cost: equal costs reached by other sums


@dataclass(frozen=True, slots=True)
class Published:
    """What the paper says of a budget: PEs a baseline has more, and the average speedup by data set, in percent."""

    budget: str
    extra_pes_percent: float
    cifar10_percent: float
    cifar100_percent: float
    imagenet_percent: float

    def speedup_percent(self, dataset: str) -> float | None:
        """Return the average for a data set of a trace; None where the paper has none."""
        found: float | None = getattr(self, f"{dataset.lower()}_percent", None)
        return found


@dataclass(frozen=True, slots=True)
class LargerBaseline:
    """The baseline that costs no more than a design: `pes` would fit; `rows` x `columns` of them make an array."""

    budget: str
    design: str
    pes: int
    extra_pes: float


@dataclass(frozen=True, slots=True)
class EqualStudy:
    """What a larger baseline brings on a trace.

    Attributes
    ----------
    larger : LargerBaseline
        The budget, the design, and the PEs.
    rows, columns : int
        The fastest array of no more PEs.
    baseline_speedup : float
        Of the larger baseline over the plain one.
    slowest_speedup : float
        As that, had the PEs been laid out as the slowest of the arrays that `shapes` gives.
    design_speedup : float
        Of the design over the larger baseline.
    """

    larger: LargerBaseline
    rows: int
    columns: int
    baseline_speedup: float
    slowest_speedup: float
    design_speedup: float


@cache
def published() -> dict[str, Published]:
    """Return the paper's figures by budget."""
    rows = read_csv(shipped_folder("configs/hardware") / "equal_budgets.csv", texts=("budget",))
    found = [
        Published(str(row["budget"]), *(float(row[name]) for name in list(Published.__dataclass_fields__)[1:]))
        for row in rows
    ]
    return {one.budget: one for one in found}


def larger_baseline(budget: str, baseline: Sizes, design: str, sizes: Sizes) -> LargerBaseline:
    """Return how many PEs the baseline may have for what a design costs.

    Parameters
    ----------
    budget : str
        A name in `BUDGETS`.
    baseline : Sizes
        The baseline as it is.
    design : str
        Name of the design.
    sizes : Sizes
        The design's.
    """
    cost = BUDGETS[budget]
    limit = cost(sizes) * (1 + _ROUNDING)
    low, high = 0, baseline.pes
    while cost(replace(baseline, pes=high)) <= limit:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if cost(replace(baseline, pes=middle)) <= limit:
            low = middle
        else:
            high = middle
    return LargerBaseline(budget, design, low, low / baseline.pes - 1)


def larger_baselines(specs: Sequence[Accelerator]) -> list[LargerBaseline]:
    """Return the larger baseline of every budget and design; none without a baseline among the specs."""
    baseline = next((sizes_of(spec) for spec in specs if spec.design == "baseline"), None)
    if baseline is None:
        return []
    return [
        larger_baseline(budget, baseline, spec.design, sizes_of(spec))
        for budget in BUDGETS
        for spec in specs
        if spec.design != "baseline"
    ]


def as_published(specs: Sequence[Accelerator]) -> list[LargerBaseline]:
    """Return baselines with as many PEs more as the paper says, beside MAX."""
    pes = next(spec.array.pes for spec in specs if spec.design == "baseline")
    found = []
    for one in published().values():
        more = floor(pes * (100 + Fraction(one.extra_pes_percent)) / 100)
        found.append(LargerBaseline(f"{one.budget}, PEs as published", "max", more, more / pes - 1))
    return found


def grown(array: PEArray, rows: int, columns: int) -> PEArray:
    """Return a larger array; the ports of rows grow with rows, that of columns with columns, so none gets narrower."""
    return array.model_copy(update={
        "rows": rows,
        "columns": columns,
        "weight_port_words_per_cycle": ceil(Fraction(array.weight_port_words_per_cycle * rows, array.rows)),
        "input_port_words_per_cycle": ceil(Fraction(array.input_port_words_per_cycle * rows, array.rows)),
        "output_port_words_per_cycle": ceil(Fraction(array.output_port_words_per_cycle * columns, array.columns)),
    })  # fmt: skip


def shapes(array: PEArray, pes: int) -> Iterator[tuple[int, int]]:
    """Yield every array with no fewer rows or columns, to which neither can be added; as many as now, of `pes` PEs."""
    pes //= array.count
    for rows in range(array.rows, max(array.rows, pes // array.columns) + 1):
        columns = max(array.columns, pes // rows)
        if (rows + 1) * columns > pes:
            yield rows, columns


def equal_runs(
    specs: Sequence[Accelerator], more: Sequence[LargerBaseline] = ()
) -> dict[str | tuple[int, int], Accelerator]:
    """Return every machine that `equal_studies` simulates: designs by name, baselines by rows and columns."""
    by_design = {spec.design: spec for spec in specs}
    baseline = by_design["baseline"]
    found: dict[str | tuple[int, int], Accelerator] = {}
    for larger in [*_budgets(specs), *more]:
        for shape in shapes(baseline.array, larger.pes):
            found[shape] = baseline.model_copy(update={"array": grown(baseline.array, *shape)})
        found[larger.design] = by_design[larger.design]
    return found | {(baseline.array.rows, baseline.array.columns): baseline}


def equal_studies(
    trace: Trace,
    specs: Sequence[Accelerator],
    more: Sequence[LargerBaseline] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> list[EqualStudy]:
    """Simulate the larger baselines on a trace.

    Parameters
    ----------
    trace : Trace
        What runs.
    specs : sequence of Accelerator
        The designs.
    more : sequence of LargerBaseline
        Baselines beside those of `larger_baselines` and `as_published`.
    progress : callable
        Told before each simulation.

    Raises
    ------
    InputError
        If something does not fit, before it is simulated.
    """
    array = next(spec.array for spec in specs if spec.design == "baseline")
    cycles: dict[str | tuple[int, int], int] = {}
    for key, spec in equal_runs(specs, more).items():
        progress(key if isinstance(key, str) else f"baseline of {key[0]} x {key[1]} PEs")
        simulation = Simulation(trace, spec)
        simulation.prepare()
        cycles[key] = simulation.run().total_cycles
    studies = []
    for larger in [*_budgets(specs), *more]:
        found = {shape: cycles[shape] for shape in shapes(array, larger.pes)}
        (rows, columns), fastest = min(found.items(), key=lambda item: item[1])
        plain, own = cycles[array.rows, array.columns], cycles[larger.design]
        studies.append(EqualStudy(larger, rows, columns, plain / fastest, plain / max(found.values()), fastest / own))
    return studies


def _budgets(specs: Sequence[Accelerator]) -> list[LargerBaseline]:
    return [*larger_baselines(specs), *as_published(specs)]
