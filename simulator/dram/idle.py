"""What a DRAM does in a batch that belongs to no transfer, as action counts."""

import numpy as np

from dataflows.actions import ActionCounts
from dataflows.integers import Integers
from simulator.dram.idle_kernel import IdleCycles, run_idle_kernel
from simulator.dram.model import DramModel


def idle_counts(
    dram: DramModel, frequency_hz: int, starts: Integers, ends: Integers, held: Integers, *, batch_cycles: int,
    made: int | None,
) -> ActionCounts:  # fmt: skip
    """Return refreshes and the cycles of ranks outside transfers; nothing where the energy table prices DRAM.

    Parameters
    ----------
    dram : DramModel
    frequency_hz : int
        The arrays' clock.
    starts, ends, held : int64[transfers]
        When each transfer has the channel, in order, and its cycles without the refreshes in it.
    batch_cycles : int
        Cycles of the batch.
    made : int or None
        Refreshes that the batch made on the channel; None where they take no time there: all that came due.
    """
    rules = dram.idle_rules(frequency_hz)
    if rules is None:
        return ActionCounts()
    refreshes = made
    if refreshes is None:
        refreshes = batch_cycles * rules.interval_denominator // rules.interval_numerator
    sums = np.zeros(len(IdleCycles._fields), np.int64)
    run_idle_kernel(starts, ends, held, batch_cycles, refreshes, rules, sums)
    idle = IdleCycles(*sums.tolist())
    beside = (dram.ranks - dram.active_ranks) * int(held.sum())  # other ranks while one has a transfer
    return ActionCounts(
        dram_refreshes=refreshes - idle.unmade,
        dram_active_rank_cycles=dram.ranks * idle.refreshing,
        dram_standby_rank_cycles=dram.ranks * idle.standby + beside,
        dram_power_down_rank_cycles=dram.ranks * idle.power_down,
        dram_self_refresh_rank_cycles=dram.ranks * idle.self_refresh,
    )
