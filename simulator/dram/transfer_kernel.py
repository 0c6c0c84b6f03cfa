"""Transfers through one DRAM channel, in a fraction of the time of the command kernel and equal to it to the cycle.

The rules are those of `command_kernel` with one direction, no refresh, and all banks precharged before and after. Three
short cuts make it fast. Tests compare each with the command kernel:

- Nothing happens between two cycles at which something can.
- A run: while every request in the queue, and those about to enter, go to rows that are open, reads (writes) follow
  each other in order at the pace of the data bus.
- A period: the pattern repeats itself a whole number of rows further on. If the channel's state, relative to time and
  place, repeats with it, all that came in between comes again. States are compared whole, so the result is exact.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from dataflows.integers import Integers
from simulator.dram import constraints, transfer_periods, transfer_state, transfer_table
from simulator.dram.constraints import ACT, PRE
from simulator.dram.transfer_periods import (
    Pattern,
    Period,
    burst_end,
    jump,
    known_order,
    next_segment,
    period_of,
    write_state,
)
from simulator.dram.transfer_state import (
    BANK,
    GROUP,
    NEVER,
    RANK,
    REQUEST,
    Rules,
    activate,
    choose,
    column,
    precharge,
    precharge_all,
    rules_of,
)  # fmt: skip
from simulator.dram.transfer_table import place_of_pattern, remember
from workloads.foundation.kernel_sources import sources_of
from workloads.foundation.kernels import njit_inside

# What a transfer takes. And how far it was at a state that is kept: its cycle, what it had issued, how many periods of
# its pattern had begun.
TIMES = np.dtype([("cycles", np.int64), ("activates", np.int64), ("bursts", np.int64)])
MARK = np.dtype([("cycle", np.int64), ("activates", np.int64), ("bursts", np.int64), ("periods", np.int64)])


@njit(inline="always")
def _in_order(banks: Any, groups: Any, queue: Any, rules: Rules, waiting: int, now: int) -> bool:
    """Return whether the requests in the queue will be served in order at the pace of the data bus.

    Their rows are open, none may go before the first, and neighbours are in different bank groups.
    """
    first = groups[queue[0].bank // rules.banks].column_ready
    for i in range(waiting):
        bank = queue[i].bank
        group = bank // rules.banks
        if (
            banks[bank].open_row != queue[i].row
            or banks[bank].column_ready > now
            or groups[group].column_ready < first
            or (rules.bank_groups > 1 and i > 0 and group == queue[i - 1].bank // rules.banks)
        ):
            return False
    return True


@njit_inside
def _run(
    banks: Any, groups: Any, queue: Any, entered: Integers, rules: Rules, pattern: Pattern, place_bursts: int,
    pace: int, waiting: int, segment: int, at: int, stop: int, now: int, last_command: int,
) -> tuple[int, int, int, int, int, int]:  # fmt: skip
    """Serve a run of bursts at once.

    Returns
    -------
    issued : int
        Bursts that were issued; 0 if there is no run.
    entering, segment, at, stop : int
        How many entered the queue, and what comes after them.
    last : int
        When the last was issued.
    """
    group_count, each_banks, depth = rules.bank_groups, rules.banks, len(queue)
    drained = segment >= pattern.segments
    row, newest = queue[waiting - 1].row, queue[waiting - 1].bank
    place_end = (row + 1) * place_bursts
    # `entering` requests after those in the queue may enter and find their row open.
    entering = 0
    limit = (1 << 50) if group_count == 1 else waiting - 1
    alone = -1  # first burst of a long run that enters by itself
    while segment < pattern.segments and at < place_end and entering < limit:
        if group_count == 1:
            take = min(stop, place_end) - at
            entering += take
            at += take
        elif entering == 0 and min(stop, place_end) - at >= depth:
            ready_groups = 0
            for group in range(group_count):
                bank = group * each_banks + row % each_banks
                if banks[bank].open_row == row and banks[bank].column_ready <= now:
                    ready_groups += 1
            if ready_groups < group_count or newest == at % group_count * each_banks + row % each_banks:
                break
            alone, limit = at, entering
            entering = min(stop, place_end) - at
            at += entering
        else:
            bank = at % group_count * each_banks + row % each_banks
            if bank == newest or banks[bank].open_row != row or banks[bank].column_ready > now:
                break
            newest = bank
            entered[entering] = bank
            entering += 1
            at += 1
        segment, at, stop = next_segment(pattern, segment, at, stop)
    issued = waiting if drained else entering + 1
    first = groups[queue[0].bank // each_banks].column_ready
    start = max(now, first, last_command + rules.column_bus)
    for i in range(min(issued, waiting)):
        bank = queue[i].bank
        banks[bank].precharge_ready = max(banks[bank].precharge_ready, start + i * pace + rules.column_to_precharge)
    last = start + (issued - 1) * pace
    if alone >= 0:
        for i in range(max(waiting, issued - group_count), issued):
            bank = (alone + i - waiting) % group_count * each_banks + row % each_banks
            after = start + i * pace + rules.column_to_precharge
            banks[bank].precharge_ready = max(banks[bank].precharge_ready, after)  # or its activate binds still
    else:
        bank = queue[issued - 1].bank if issued <= waiting else newest
        banks[bank].precharge_ready = max(banks[bank].precharge_ready, last + rules.column_to_precharge)
    for group in range(group_count):
        same = group == bank // each_banks
        after = last + (rules.column_to_column_same_group if same else rules.column_to_column_same_rank)
        groups[group].column_ready = max(groups[group].column_ready, after)
    kept = max(0, waiting - issued)
    for i in range(kept):
        queue[i].bank, queue[i].row = queue[i + issued].bank, queue[i + issued].row
    for i in range(kept, 0 if drained else waiting - 1):
        if alone >= 0:
            bank = (alone + entering - (waiting - 1) + i) % group_count * each_banks + row % each_banks
        else:
            bank = newest if group_count == 1 else entered[i - kept]
        queue[i].bank, queue[i].row = bank, row
    return issued, entering, segment, at, stop, last


@njit(inline="always")
def _place_of(channel: Any, rules: Rules, place_bursts: int, ordered: bool, burst: int) -> tuple[int, int]:
    """Return the bank (of all banks of the channel) and the row of a burst."""
    if ordered:
        row = burst // place_bursts
        group = row // rules.banks % rules.ranks * rules.bank_groups + burst % rules.bank_groups
        return group * rules.banks + row % rules.banks, row
    group = burst // channel.rank_divisor % rules.ranks * rules.bank_groups
    group += burst // channel.bank_group_divisor % rules.bank_groups
    return group * rules.banks + burst // channel.bank_divisor % rules.banks, (
        burst // channel.row_divisor % channel.row_extent
    )


@njit_inside
def _seen(found: Integers, states: Integers, marks: Any) -> int:
    """Return which of the states that are kept equals the one found; -1 for none."""
    for kept in range(len(marks)):
        if marks[kept].cycle >= 0 and np.array_equal(found, states[kept]):
            return kept
    return -1


@njit_inside
def _keep(mark: Any, cycle: int, activates: int, bursts: int, periods: int) -> None:
    """Write down how far a transfer is."""
    mark.cycle, mark.activates, mark.bursts, mark.periods = cycle, activates, bursts, periods


@njit_inside
def _skip(pattern: Pattern, period: Period, periods: int, segment: int, at: int, stop: int) -> tuple[int, int, int]:
    """Return segment, next burst and end of the segment after so many periods."""
    if pattern.segments == 1:
        at += periods * period.bursts
        return (0 if at < stop else 1), at, stop
    segment += periods * period.segments
    return segment, segment * pattern.stride_bytes >> pattern.shift, burst_end(pattern, segment)


@njit_inside
def _run_transfer(channel: Any, rules: Rules, depth: int, pattern: Pattern, short_cuts: bool, result: Any) -> None:
    """Write cycles, activates and bursts of one pattern into a record of `TIMES`.

    It goes from cycle `now` to the next one in which something can happen. `segment`, `at` and `stop` are the segment,
    the burst that enters the queue next, and the end of the segment; `waiting` requests are in the queue. At the start
    of each period (`next_period`) the state is written down and compared with two earlier ones.
    """
    ordered = short_cuts and known_order(channel)
    pace = rules.column_to_column_same_group if rules.bank_groups == 1 else rules.column_to_column_same_rank
    may_run = ordered and rules.ranks == 1 and 2 * pace >= rules.column_to_column_same_group
    period = period_of(pattern, channel, ordered)
    searching = period.bursts > 0
    ranks, groups = np.zeros(rules.ranks, RANK), np.zeros(rules.ranks * rules.bank_groups, GROUP)
    banks, queue = np.zeros(len(groups) * rules.banks, BANK), np.zeros(depth, REQUEST)
    entered = np.zeros(depth, np.int64)  # the banks of requests that enter during a run
    for each in range(len(banks)):
        banks[each].open_row = -1
    for each in range(rules.ranks):
        for i in range(4):
            ranks[each].activates_at[i] = -NEVER
    width = 4 * len(banks) + 2 * len(groups) + 5 * rules.ranks + 2 + 2 * depth if searching else 0
    found, states = np.zeros(width, np.int64), np.zeros((2, width), np.int64)  # the last, and one further back
    marks = np.zeros(2, MARK)  # of both
    marks[0].cycle = marks[1].cycle = -1
    begun, next_back, next_period = 0, 1, 0
    segment, at, stop = 0, 0, burst_end(pattern, 0)  # what comes next
    waiting, stamp, now, activates, bursts = 0, 0, 0, 0, 0
    last_command = last_column = -NEVER

    while segment < pattern.segments or waiting > 0:
        if searching and segment < pattern.segments and at == next_period and waiting < depth:
            write_state(
                found, banks, groups, ranks, queue, rules, at // period.place_bursts, now, last_command, waiting
            )
            same = _seen(found, states, marks)
            if same >= 0:
                mark = marks[same]
                periods = begun - mark.periods
                if pattern.segments == 1:
                    left = (stop - at) // period.bursts
                else:
                    left = (pattern.segments - segment) // period.segments
                repeats = left // periods
                later = repeats * (now - mark.cycle)
                moved = repeats * periods * period.bursts // period.place_bursts
                jump(banks, groups, ranks, queue, rules, later, moved, waiting)
                activates += repeats * (activates - mark.activates)
                bursts += repeats * (bursts - mark.bursts)
                now, last_command, last_column = now + later, last_command + later, last_column + later
                segment, at, stop = _skip(pattern, period, repeats * periods, segment, at, stop)
                searching = False
                continue
            # The state before catches most; one further and further back catches what swings between several.
            for i in range(2):
                if i == 0 or begun == next_back:
                    states[i, :] = found
                    _keep(marks[i], now, activates, bursts, begun)
            if begun == next_back:
                next_back *= 2
            begun += 1
            next_period += period.bursts

        if segment < pattern.segments and waiting < depth:  # a request enters
            queue[waiting].bank, queue[waiting].row = _place_of(channel, rules, period.place_bursts, ordered, at)
            waiting += 1
            bursts += 1
            segment, at, stop = next_segment(pattern, segment, at + 1, stop)
        more = segment < pattern.segments
        wake = now + 1 if more and waiting < depth else NEVER

        if may_run and (waiting == depth or not more) and _in_order(banks, groups, queue, rules, waiting, now):
            _, entering, segment, at, stop, last = _run(
                banks, groups, queue, entered, rules, pattern, period.place_bursts, pace, waiting, segment, at, stop,
                now, last_command,
            )  # fmt: skip
            bursts += entering
            last_command = last_column = last
            waiting = waiting - 1 if more else 0
            now = last + 1
            continue

        stamp += 1
        command, bank, row, place, ready = choose(banks, groups, ranks, queue, rules, waiting, stamp, now, last_command)
        if command < 0:
            now = min(wake, ready)
            continue
        last_command = now
        if command == ACT:
            activate(banks, groups, ranks, rules, bank, row, now)
            activates += 1
        elif command == PRE:
            precharge(banks, ranks, rules, bank, now)
        else:
            column(banks, groups, queue, rules, bank, place, waiting, now)
            last_column = now
            waiting -= 1
        now += 1

    result.cycles = precharge_all(banks, ranks, rules, now, last_command, last_column + rules.column_to_next)
    result.activates, result.bursts = activates, bursts


def _kernel(sources: int) -> Callable[..., Any]:
    @njit(cache=True)
    def run_transfers(
        channel: Any, least: Integers, burst_bytes: int, depth: int, segments: Integers, segment_bytes: Integers,
        stride_bytes: Integers, is_write: Any, short_cuts: bool, result: Any, begin: int, table: Any, filled: int,
        most_bytes: int,
    ) -> tuple[int, int]:  # fmt: skip
        """Write what each pattern takes; a pattern that the table has is not run again.

        Parameters
        ----------
        channel, least
            See `Channel`.
        burst_bytes, depth : int
            Bytes of a burst, a power of two; places in the queue.
        segments, segment_bytes, stride_bytes, is_write : [patterns]
            See `TransferPattern`.
        short_cuts : bool
            Whether to take runs and periods.
        result : [patterns] of TIMES
            Changed, from the pattern `begin` on; zeros before.
        table : [places] of ENTRY
            What was run before, changed; without a place nothing is remembered.
        filled, most_bytes : int
            Entries of the table, a quarter of them free; bytes of the channel.

        Returns
        -------
        done, filled : int
            Where it stopped: at the end, at a pattern that is none or does not fit, or where the table is full.
        """
        if sources == 0:  # never; numba's cache follows what a function closes over
            return begin, filled
        reading, writing = rules_of(channel, least, False), rules_of(channel, least, True)
        shift, place = 0, 0
        while (1 << shift) < burst_bytes:
            shift += 1
        for i in range(begin, len(segments)):
            count, size, stride = segments[i], segment_bytes[i], stride_bytes[i]
            if count < 0 or size < 0:
                return i, filled
            if count == 0 or size == 0:
                continue
            if size > most_bytes or (count > 1 and (stride < size or count - 1 > (most_bytes - size) // stride)):
                return i, filled
            if count == 1 or stride == size:  # contiguous
                count, size, stride = 1, count * size, count * size
            if len(table) > 0:
                place = place_of_pattern(table, count, size, stride, is_write[i])
                if table[place].segments > 0:
                    result[i].cycles, result[i].activates = table[place].cycles, table[place].activates
                    result[i].bursts = table[place].bursts
                    continue
                if 4 * filled >= 3 * len(table):
                    return i, filled
            pattern = Pattern(count, size, stride, shift)
            _run_transfer(channel, writing if is_write[i] else reading, depth, pattern, short_cuts, result[i])
            if len(table) > 0:
                remember(table[place], pattern, is_write[i], result[i])
                filled += 1
        return len(segments), filled

    return run_transfers


run_transfers = _kernel(sources_of(constraints, transfer_state, transfer_periods, transfer_table))
