"""Energy of DRAM commands and states from IDD currents.

After Micron TN-41-01 ("Calculating memory system power for DDR3"): the current of a command above the standby current
of its state, times the supply voltage and the time of JEDEC's measurement loop. Standby draws all the time.
Interface and termination are left out.
"""

from dataclasses import dataclass

from simulator.dram.command_kernel import StreamResult
from simulator.dram.part import DramPart


@dataclass(frozen=True)
class CommandEnergies:
    """Energy in pJ of one command of a rank (all its devices), and of one cycle in a state.

    Attributes
    ----------
    activate_pj : float
        One activate and its precharge.
    read_pj, write_pj : float
        One burst.
    refresh_pj : float
        One refresh of all banks.
    active_cycle_pj, precharged_cycle_pj : float
        One memory clock cycle of one rank with a bank open or in a refresh, and with none.
    power_down_cycle_pj, self_refresh_cycle_pj : float
        One memory clock cycle of one rank in power-down with no bank open, and in self-refresh.
    """

    activate_pj: float
    read_pj: float
    write_pj: float
    refresh_pj: float
    active_cycle_pj: float
    precharged_cycle_pj: float
    power_down_cycle_pj: float
    self_refresh_cycle_pj: float


@dataclass(frozen=True)
class StreamEnergy:
    """Energy of a stream in pJ, by cause."""

    activate_pj: float
    read_pj: float
    write_pj: float
    refresh_pj: float
    background_pj: float

    @property
    def total_pj(self) -> float:
        """All of it."""
        return self.activate_pj + self.read_pj + self.write_pj + self.refresh_pj + self.background_pj


def command_energies(part: DramPart) -> CommandEnergies:
    """Return the energies of a part's commands.

    IDD0 is measured over cycles of RAS + RP with one activate and one precharge. Its standby part, IDD3N for RAS and
    IDD2N for RP, is taken off. IDD4 and IDD5 are measured back to back, above IDD3N.
    """
    t, i = part.timing_cycles, part.power.currents_ma
    # V x mA x cycles x ns a cycle = pJ
    scale = part.power.VDD * part.devices_per_rank * (1_000_000_000 / part.clock_hz)
    return CommandEnergies(
        activate_pj=scale * (i.IDD0 * (t.RAS + t.RP) - i.IDD3N * t.RAS - i.IDD2N * t.RP),
        read_pj=scale * (i.IDD4R - i.IDD3N) * part.burst_cycles,
        write_pj=scale * (i.IDD4W - i.IDD3N) * part.burst_cycles,
        refresh_pj=scale * (i.IDD5AB - i.IDD3N) * t.RFC,
        active_cycle_pj=scale * i.IDD3N,
        precharged_cycle_pj=scale * i.IDD2N,
        power_down_cycle_pj=scale * i.IDD2P,
        self_refresh_cycle_pj=scale * i.IDD6,
    )


def stream_energy(part: DramPart, result: StreamResult) -> StreamEnergy:
    """Return the energy of a stream on one channel."""
    each = command_energies(part)
    idle = part.organization.ranks * result.cycles - result.active_rank_cycles
    return StreamEnergy(
        activate_pj=each.activate_pj * result.activates,
        read_pj=each.read_pj * result.reads,
        write_pj=each.write_pj * result.writes,
        refresh_pj=each.refresh_pj * result.refreshes,
        background_pj=each.active_cycle_pj * result.active_rank_cycles + each.precharged_cycle_pj * idle,
    )
