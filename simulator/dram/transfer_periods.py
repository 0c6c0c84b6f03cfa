"""The period of a transfer's pattern: where it repeats itself, and how the channel's state is compared and moved.

These functions are parts of `transfer_kernel`.
"""

from typing import Any, NamedTuple

from numba import njit

from dataflows.integers import Integers
from simulator.dram.transfer_state import NEVER, Rules
from workloads.foundation.kernels import njit_inside

LONGEST_COMMAND = 16  # cycles on the command bus that a part may state


class Pattern(NamedTuple):
    """See `TransferPattern`; a contiguous one is one segment. A burst has ``1 << shift`` bytes."""

    segments: int
    segment_bytes: int
    stride_bytes: int
    shift: int


class Period(NamedTuple):
    """After so many segments and bursts the pattern comes to the start of another place; 0 bursts for never.

    A place is a row of all bank groups. With several ranks the period ends at the same rank and bank.
    """

    segments: int
    bursts: int
    place_bursts: int


@njit_inside
def burst_end(pattern: Pattern, segment: int) -> int:
    """Return the burst after a segment's last one."""
    end = segment * pattern.stride_bytes + pattern.segment_bytes
    return (end + (1 << pattern.shift) - 1) >> pattern.shift


@njit(inline="always")
def next_segment(pattern: Pattern, segment: int, at: int, stop: int) -> tuple[int, int, int]:
    """Return segment, next burst and end of the segment; what the segment before moved is not moved again."""
    while at >= stop and segment < pattern.segments:
        segment += 1
        at = max(stop, segment * pattern.stride_bytes >> pattern.shift)
        stop = max(stop, burst_end(pattern, segment))
    return segment, at, stop


@njit_inside
def known_order(channel: Any) -> bool:
    """Return whether addresses go row, rank, bank, column, bank group; runs and periods know no other order."""
    groups, place_bursts = channel.bank_groups, channel.column_extent * channel.bank_groups
    return (
        (groups == 1 or channel.bank_group_divisor == 1)
        and channel.column_divisor == groups
        and channel.bank_divisor == place_bursts
        and channel.rank_divisor == place_bursts * channel.banks
        and channel.row_divisor == place_bursts * channel.banks * channel.ranks
    )


@njit_inside
def period_of(pattern: Pattern, channel: Any, ordered: bool) -> Period:
    """Return the period of a pattern, if it is long enough to have some."""
    place_bursts = channel.column_extent * channel.bank_groups
    unit = place_bursts * (1 if channel.ranks == 1 else channel.banks * channel.ranks)
    if pattern.segments == 1:
        segments, bursts, reach = 0, unit, burst_end(pattern, 0)
    else:
        a, b = pattern.stride_bytes, unit << pattern.shift
        while b:
            a, b = b, a % b
        segments = (unit << pattern.shift) // a
        if segments > pattern.segments:  # and so many segments may reach beyond 64 bits
            return Period(0, 0, place_bursts)
        bursts = segments * pattern.stride_bytes >> pattern.shift
        reach = pattern.segments * pattern.stride_bytes >> pattern.shift
    if not ordered or reach < 3 * bursts:
        bursts = 0
    return Period(segments, bursts, place_bursts)


@njit_inside
def write_state(
    into: Integers, banks: Any, groups: Any, ranks: Any, queue: Any, rules: Rules, place: int, now: int,
    last_command: int, waiting: int,
) -> None:  # fmt: skip
    """Write what decides the future, relative to cycle `now` and to a place; times gone by are 0.

    With one rank, banks are listed in the order in which the pattern comes to them, so it does not matter which comes
    next.
    """
    n = 0
    for each in range(len(banks)):
        bank = each
        if rules.ranks == 1:
            bank = each // rules.banks * rules.banks + (place + each) % rules.banks
        into[n] = banks[bank].open_row - place if banks[bank].open_row >= 0 else -NEVER
        into[n + 1] = max(0, banks[bank].activate_ready - now)
        into[n + 2] = max(0, banks[bank].precharge_ready - now)
        into[n + 3] = max(0, banks[bank].column_ready - now)
        n += 4
    for group in range(len(groups)):
        into[n] = max(0, groups[group].activate_ready - now)
        into[n + 1] = max(0, groups[group].column_ready - now)
        n += 2
    for rank in range(rules.ranks):
        for i in range(4):
            at = ranks[rank].activates_at[(ranks[rank].oldest + i) % 4]
            into[n + i] = max(0, at + rules.four_activates - now)
        into[n + 4] = max(0, ranks[rank].precharge_ready - now)
        n += 5
    into[n], into[n + 1] = waiting, max(0, last_command + LONGEST_COMMAND - now)
    n += 2
    for i in range(len(queue)):
        into[n] = queue[i].row - place if i < waiting else 0
        into[n + 1] = queue[i].bank // rules.banks if i < waiting else 0
        n += 2


@njit_inside
def jump(banks: Any, groups: Any, ranks: Any, queue: Any, rules: Rules, later: int, moved: int, waiting: int) -> None:
    """Move the channel's state by so many cycles and places."""
    for group in range(len(groups)):
        groups[group].activate_ready += later
        groups[group].column_ready += later
    for rank in range(len(ranks)):
        ranks[rank].precharge_ready += later
        for i in range(4):
            ranks[rank].activates_at[i] += later
    old = banks.copy()
    for each in range(len(banks)):
        bank = each
        if rules.ranks == 1:
            bank = each // rules.banks * rules.banks + (each + moved) % rules.banks
        banks[bank].open_row = old[each].open_row + moved if old[each].open_row >= 0 else -1
        banks[bank].activate_ready = old[each].activate_ready + later
        banks[bank].precharge_ready = old[each].precharge_ready + later
        banks[bank].column_ready = old[each].column_ready + later
    for i in range(waiting):
        queue[i].row += moved
        if rules.ranks == 1:
            bank = queue[i].bank
            queue[i].bank = bank // rules.banks * rules.banks + (bank + moved) % rules.banks
