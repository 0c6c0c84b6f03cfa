"""Table 4: FPGA resources and power, and a baseline of MAX's power."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass

from simulator.area.fpga import FpgaPower, FpgaResources, fpga_power, fpga_resources, fpga_table
from simulator.area.sizes import sizes_of
from simulator.machine.spec_loading import load_accelerator
from simulator.reproduce.equal_budget import EqualBudget, beside
from simulator.reproduce.exhibit import Cell, Comparison, Exhibit, Table
from simulator.reproduce.job import Findings, Job
from simulator.reproduce.paper import DESIGNS, targets

_STUDY = EqualBudget("table4", "FPGA power")


@dataclass(frozen=True)
class Fpga:
    """The table beside the model that scales it, increases, and the study of equal power."""

    key: str = "table4"
    rank: int = 340
    title: str = "Table 4: FPGA resources and power"

    def jobs(self) -> list[Job]:
        """Return the jobs of the study."""
        return _STUDY.jobs()

    def make(self, found: Findings) -> Exhibit:
        """Return the table, increases of power, and what a baseline of equal power gains."""
        return Exhibit(
            text=(
                "The model of docs/area.md scales the paper's rows, so the shipped designs are these rows exactly: the "
                "anchor, not a result. What it adds is the cost of other sizes, here a larger baseline.\n\n"
                + _STUDY.text(found)
            ),
            comparisons=(*_increases(), *_STUDY.comparisons(found)),
            pictures=(_STUDY.picture(found),),
            tables=(*printed_tables(), *_STUDY.tables(found)),
        )


def printed_tables() -> tuple[Table, Table]:
    """Return resources and power of each design, printed and by the model; they take no job."""
    resources: list[tuple[Cell, ...]] = []
    powers: list[tuple[Cell, ...]] = []
    base = fpga_table()["baseline"][1].total_w
    for design, (printed, power) in fpga_table().items():
        sizes = sizes_of(load_accelerator(design=design))
        resources += [(design, whose, *astuple(one)) for whose, one in beside(printed, fpga_resources(sizes))]
        powers += [
            (design, whose, *astuple(one), 100 * (one.total_w / base - 1))
            for whose, one in beside(power, fpga_power(sizes))
        ]
    return (
        Table("table4-resources", "Resources", ("design", "from", *FpgaResources.__dataclass_fields__),
              tuple(resources)),
        Table("table4-power", "Power in watt; what the printed parts leave of the total is unnamed",
              ("design", "from", *FpgaPower.__dataclass_fields__, "more than the baseline, per cent"), tuple(powers)),
    )  # fmt: skip


def _increases() -> Iterator[Comparison]:
    base = fpga_table()["baseline"][1].total_w
    for name, paper in targets()["fpga_table_4"]["power_increase_percent"].items():
        design = name.lower()
        ours = 100 * (fpga_power(sizes_of(load_accelerator(design=design))).total_w / base - 1)
        why = f"the text cuts off: the paper's own totals give {ours:.2f} %"
        yield Comparison(f"power of {DESIGNS[design]} over the baseline's, per cent", paper, ours, why, digits=2)


EXHIBIT = Fpga()
