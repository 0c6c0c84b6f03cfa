"""An energy table: every action has a price on a machine that has all parts."""

from functools import partial

from simulator.energy.energy import energy_table_of
from simulator.energy.energy_table import FOLDER, load_energy_table
from simulator.machine.spec_loading import load_accelerator
from simulator.testing.ladder import Ladder, hold
from simulator.testing.prices import check_prices
from workloads.foundation.shipped import shipped_names


def check(name: str) -> None:
    """Check what each action costs, on the machine with all parts and the widths that the table is for."""
    file = load_energy_table(name)
    hold(file.name == name, f"the table calls itself {file.name}")
    widths = {
        f"precision.{key}": getattr(file, key)
        for key in ("word_bits", "partial_sum_bits") if getattr(file, key) is not None
    }  # fmt: skip
    check_prices(file, energy_table_of(load_accelerator(design="max", overrides={"energy_table": name, **widths})))


LADDER = Ladder("energy_tables", "every action is priced, in its own component", partial(shipped_names, FOLDER), check)
