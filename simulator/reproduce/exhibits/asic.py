"""Table 5: ASIC area and power, and a baseline of MAX's area."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass

from simulator.area.asic import AsicArea, AsicPower, asic_area, asic_power, asic_table
from simulator.area.sizes import sizes_of
from simulator.machine.spec_loading import load_accelerator
from simulator.reproduce.equal_budget import EqualBudget, beside
from simulator.reproduce.exhibit import Cell, Comparison, Exhibit, Table
from simulator.reproduce.job import Findings, Job
from simulator.reproduce.paper import DESIGNS, targets

_STUDY = EqualBudget("table5", "ASIC area")


@dataclass(frozen=True)
class Asic:
    """The table beside the model that scales it, increases, and the study of equal area."""

    key: str = "table5"
    rank: int = 350
    title: str = "Table 5: ASIC area and power"

    def jobs(self) -> list[Job]:
        """Return the jobs of the study."""
        return _STUDY.jobs()

    def make(self, found: Findings) -> Exhibit:
        """Return the table, increases of area, and what a baseline of equal area gains."""
        base, most = (asic_table()[design][0] for design in ("baseline", "max"))
        more = 100 * (most.total_um2 / base.total_um2 - 1)
        cells = 100 * (most.total_um2 - base.total_um2) / base.combinational_um2
        return Exhibit(
            text=(
                "The model of docs/area.md scales the paper's rows, so the shipped designs are these rows exactly: the "
                "anchor, not a result. Unit of area and process are not stated; um2 and microwatt are assumed.\n\n"
                f"The paper's 11 % more PEs do not follow from its areas, {more:.2f} % more; if "
                f" combinational cells alone grew with PEs it would be {cells:.1f} %.\n\n" + _STUDY.text(found)
            ),
            comparisons=(*_increases(), *_STUDY.comparisons(found)),
            pictures=(_STUDY.picture(found),),
            tables=(*printed_tables(), *_STUDY.tables(found)),
        )


def printed_tables() -> tuple[Table, Table]:
    """Return area and power of each design, printed and by the model; they take no job."""
    areas: list[tuple[Cell, ...]] = []
    powers: list[tuple[Cell, ...]] = []
    base = asic_table()["baseline"][0].total_um2
    for design, (area, power) in asic_table().items():
        sizes = sizes_of(load_accelerator(design=design))
        areas += [
            (design, whose, *astuple(one), 100 * (one.total_um2 / base - 1))
            for whose, one in beside(area, asic_area(sizes))
        ]
        powers += [(design, whose, *astuple(one)) for whose, one in beside(power, asic_power(sizes))]
    return (
        Table("table5-area", "Area in square micrometres",
              ("design", "from", *AsicArea.__dataclass_fields__, "more than the baseline, per cent"), tuple(areas)),
        Table("table5-power", "Power in microwatt", ("design", "from", *AsicPower.__dataclass_fields__),
              tuple(powers)),
    )  # fmt: skip


def _increases() -> Iterator[Comparison]:
    base = asic_table()["baseline"][0].total_um2
    for name, paper in targets()["asic_table_5"]["area_increase_percent"].items():
        design = name.lower()
        ours = 100 * (asic_area(sizes_of(load_accelerator(design=design))).total_um2 / base - 1)
        why = f"the text cuts off: the paper's own totals give {ours:.2f} %"
        yield Comparison(f"area of {DESIGNS[design]} over the baseline's, per cent", paper, ours, why, digits=2)


EXHIBIT = Asic()
