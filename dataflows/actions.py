"""Action counts: everything that costs energy, as exact integers."""

from collections.abc import Iterable
from operator import add
from typing import NamedTuple


class ActionCounts(NamedTuple):
    """What an op does. Energy is a function of these numbers and of nothing else.

    Attributes
    ----------
    macs : int
        Multiply-accumulates.
    adds : int
        Additions of psum width (the sums of the batch mean).
    register_reads, register_writes : int
        Words read from and written to the PEs' stationary registers.
    scratchpad_reads, scratchpad_writes : int
        Words read from and written to the PEs' scratchpads (row stationary).
    array_network_bytes : int
        Bytes driven over the buses between buffer and PEs, psums at their width; a broadcast counts once.
    buffer_read_bytes, buffer_write_bytes : int
        Traffic of the global buffer, on the array's side and on the DRAM's.
    accumulator_read_bytes, accumulator_write_bytes : int
        Psums in and out of the arrays' accumulator memories.
    predictor_sram_read_bytes, predictor_sram_write_bytes : int
        Traffic of the predictor SRAM.
    dram_read_bytes, dram_write_bytes : int
        Traffic of the off-chip DRAM.
    dram_activates, dram_refreshes : int
        Rows opened, and refreshes of all ranks, where the DRAM model tells them.
    dram_active_rank_cycles, dram_standby_rank_cycles, dram_power_down_rank_cycles, dram_self_refresh_rank_cycles : int
        Cycles of the arrays' clock, times ranks of the DRAM in that state, where the DRAM model tells them.
    """

    macs: int = 0
    adds: int = 0
    register_reads: int = 0
    register_writes: int = 0
    scratchpad_reads: int = 0
    scratchpad_writes: int = 0
    array_network_bytes: int = 0
    buffer_read_bytes: int = 0
    buffer_write_bytes: int = 0
    accumulator_read_bytes: int = 0
    accumulator_write_bytes: int = 0
    predictor_sram_read_bytes: int = 0
    predictor_sram_write_bytes: int = 0
    dram_read_bytes: int = 0
    dram_write_bytes: int = 0
    dram_activates: int = 0
    dram_refreshes: int = 0
    dram_active_rank_cycles: int = 0
    dram_standby_rank_cycles: int = 0
    dram_power_down_rank_cycles: int = 0
    dram_self_refresh_rank_cycles: int = 0

    @property
    def uses_predictor_sram(self) -> bool:
        """Whether the predictor SRAM is read or written."""
        return self.predictor_sram_read_bytes > 0 or self.predictor_sram_write_bytes > 0

    def __add__(self, other: "ActionCounts") -> "ActionCounts":  # type: ignore[override]
        return ActionCounts(*map(add, self, other))


ACTIONS: tuple[str, ...] = ActionCounts._fields


def total(parts: Iterable[ActionCounts]) -> ActionCounts:
    """Return the sum of action counts."""
    found = list(parts)
    return found[0] if len(found) == 1 else ActionCounts(*map(sum, zip(*found, strict=True)))
