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
    stationary_register_reads, kept_sum_register_reads : int
        Stationary words, and sums that stay in their PE, that MACs read.
    stationary_register_writes, operand_register_writes : int
        Words written to registers of what stays (also on its way in), and of operands that pass.
    product_register_writes, passing_sum_register_writes, kept_sum_register_writes : int
        Products, sums on their way out, and sums that stay, written to registers; all have the psums' width.
    scratchpad_reads, scratchpad_writes : int
        Words read from and written to the PEs' scratchpads (row stationary).
    scratchpad_sum_reads, scratchpad_sum_writes : int
        Psums read from and written to them.
    array_network_bytes : int
        Bytes between the memories' banks and the array's edge, psums at their width; a word counts for each line.
    array_network_word_pitches, array_network_sum_pitches : int
        Words, and sums, times the PE pitches of wire inside the array that they are driven over.
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
    stationary_register_reads: int = 0
    kept_sum_register_reads: int = 0
    stationary_register_writes: int = 0
    operand_register_writes: int = 0
    product_register_writes: int = 0
    passing_sum_register_writes: int = 0
    kept_sum_register_writes: int = 0
    scratchpad_reads: int = 0
    scratchpad_writes: int = 0
    scratchpad_sum_reads: int = 0
    scratchpad_sum_writes: int = 0
    array_network_bytes: int = 0
    array_network_word_pitches: int = 0
    array_network_sum_pitches: int = 0
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
SUM_WIDE: frozenset[str] = frozenset(name for name in ACTIONS if "_sum_" in name or name.startswith("product_"))
"""Actions that count things of the psums' width; others that count words count those of the operands' width."""


def total(parts: Iterable[ActionCounts]) -> ActionCounts:
    """Return the sum of action counts."""
    found = list(parts)
    return found[0] if len(found) == 1 else ActionCounts(*map(sum, zip(*found, strict=True)))
