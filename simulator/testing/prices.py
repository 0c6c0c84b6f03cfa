"""An energy table on a machine: every action costs its own component and no other."""

from dataflows.actions import ACTIONS, ActionCounts
from simulator.energy.energy import ENERGY_PARTS, EnergyTable
from simulator.energy.energy_table import EnergyTableFile
from simulator.testing.ladder import hold


def check_prices(file: EnergyTableFile, table: EnergyTable) -> None:
    """Hold what each action alone costs on a machine against the component that the table's file names.

    An action may cost nothing where the table says 0; and DRAM's commands, whose energy is within that of bytes unless
    DRAM is modelled by its commands, whatever it says.
    """
    for action in ACTIONS:
        energy = table.energy(ActionCounts(**{action: 1}), 0)
        paid: list[str] = [part for part in ENERGY_PARTS if getattr(energy, part) > 0]
        command = action.startswith("dram_") and not action.endswith("_bytes")
        free = file.actions[action].energy_pj == 0.0
        component = file.actions[action].component
        hold(
            paid == [component] or ((command or free) and not paid),
            f"{action} costs {paid or 'nothing'}, not {component}",
        )
        hold(energy.total == sum(getattr(energy, part) for part in paid), f"{action}: parts do not add up to the total")
        hold(bool(file.actions[action].source), f"{action} has no source")
    hold(table.energy(ActionCounts(), 0).total == 0, "no action at all costs energy")
