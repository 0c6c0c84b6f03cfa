"""Transfers through one DRAM channel, in a fraction of the time of the command kernel and equal to it to the cycle.

The rules are those of `command_kernel` with one direction, no refresh, and all banks precharged before and after. Three
short cuts make it fast. Tests compare each with the command kernel:

- Nothing happens between two cycles at which something can.
- A run: while every request in the queue, and those about to enter, go to rows that are open, reads (writes) follow
  each other in order at the pace of the data bus.
- A period: the pattern repeats itself a whole number of rows further on. If the channel's state, relative to time and
  place, repeats with it, all that came in between comes again. States are compared whole, so the result is exact.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from dataflows.plans.plan import Integers

# The order of `constraints.COMMANDS` and `constraints.PLACES`. It stands here too, since numba's cache does not notice a
# change in another file; a test compares both.
ACT, PRE, PREA, RD, WR, REF = range(6)
SAME_BANK, SAME_GROUP, SAME_RANK, OTHER_RANK = range(4)
NEVER = 1 << 60
LONGEST_COMMAND = 16  # cycles on the command bus that a part may state


def _fields(*names: str) -> np.dtype[np.void]:
    return np.dtype([(name, np.int64) for name in names])


# The channel's state: an array of records for its banks, its bank groups, its ranks, and the queue (oldest first).
# `..._ready` is the cycle from which on a command may be issued: for what came before in that bank, or, of a group or a
# rank, for what came before in all banks. `open_row` is -1 for none. `activates_at` are the last four activates; the
# oldest stands at `oldest`. `wanted` and `looked_at` equal the step's stamp once a request for the open row, or for
# another one, was found.
BANK = _fields("open_row", "activate_ready", "precharge_ready", "column_ready", "wanted", "looked_at")
GROUP = _fields("activate_ready", "column_ready")
RANK = np.dtype([("precharge_ready", np.int64), ("activates_at", np.int64, 4), ("oldest", np.int64)])
REQUEST = _fields("bank", "row")


class Rules(NamedTuple):
    """A channel for transfers in one direction: its shape, and least cycles from one command to another.

    `column` is the read or the write. A name ends in `same_group`, `same_rank` or `other_rank` where the place of both
    commands decides; four activates and the command bus bind all.
    """

    ranks: int
    bank_groups: int
    banks: int
    activate_to_column: int
    activate_to_precharge: int
    activate_to_activate: int
    activate_to_activate_same_group: int
    activate_to_activate_same_rank: int
    four_activates: int
    precharge_to_activate: int
    precharge_all_to_activate: int
    precharge_to_precharge: int
    column_to_precharge: int
    column_to_column_same_group: int
    column_to_column_same_rank: int
    column_to_column_other_rank: int
    column_to_next: int  # to the end of its words and the turn of the data bus
    activate_bus: int
    precharge_bus: int
    column_bus: int


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


@njit(cache=True)
def _rules(channel: Any, least: Integers, is_write: bool) -> Rules:
    """Read the rules of one direction from a channel; see `channel.Channel`."""
    column = WR if is_write else RD
    if is_write:
        to_next = channel.write_to_end + channel.write_end_to_next
    else:
        to_next = channel.read_to_end + channel.read_end_to_next
    return Rules(
        channel.ranks, channel.bank_groups, channel.banks,
        least[SAME_BANK, ACT, column], least[SAME_BANK, ACT, PRE], least[SAME_BANK, ACT, ACT],
        least[SAME_GROUP, ACT, ACT], least[SAME_RANK, ACT, ACT], channel.four_activates,
        least[SAME_BANK, PRE, ACT], least[SAME_BANK, PREA, ACT], least[SAME_RANK, PRE, PRE],
        least[SAME_BANK, column, PRE],
        least[SAME_GROUP, column, column], least[SAME_RANK, column, column], least[OTHER_RANK, column, column],
        to_next, channel.activate_bus, channel.precharge_bus, channel.column_bus,
    )  # fmt: skip


@njit(cache=True)
def _burst_end(pattern: Pattern, segment: int) -> int:
    """Return the burst after a segment's last one."""
    end = segment * pattern.stride_bytes + pattern.segment_bytes
    return (end + (np.int64(1) << pattern.shift) - 1) >> pattern.shift


@njit(cache=True, inline="always")
def _next_segment(pattern: Pattern, segment: int, at: int, stop: int) -> tuple[int, int, int]:
    """Return segment, next burst and end of the segment; what the segment before moved is not moved again."""
    while at >= stop and segment < pattern.segments:
        segment += 1
        at = max(stop, segment * pattern.stride_bytes >> pattern.shift)
        stop = max(stop, _burst_end(pattern, segment))
    return segment, at, stop


@njit(cache=True)
def _known_order(channel: Any) -> bool:
    """Return whether addresses go row, rank, bank, column, bank group; runs and periods know no other order."""
    groups, place_bursts = channel.bank_groups, channel.column_extent * channel.bank_groups
    return (
        (groups == 1 or channel.bank_group_divisor == 1)
        and channel.column_divisor == groups
        and channel.bank_divisor == place_bursts
        and channel.rank_divisor == place_bursts * channel.banks
        and channel.row_divisor == place_bursts * channel.banks * channel.ranks
    )


@njit(cache=True)
def _period_of(pattern: Pattern, channel: Any, known_order: bool) -> Period:
    """Return the period of a pattern, if it is long enough to have some."""
    place_bursts = channel.column_extent * channel.bank_groups
    unit = place_bursts * (1 if channel.ranks == 1 else channel.banks * channel.ranks)
    if pattern.segments == 1:
        segments, bursts, reach = np.int64(0), unit, _burst_end(pattern, 0)
    else:
        a, b = pattern.stride_bytes, unit << pattern.shift
        while b:
            a, b = b, a % b
        segments = (unit << pattern.shift) // a
        bursts = segments * pattern.stride_bytes >> pattern.shift
        reach = pattern.segments * pattern.stride_bytes >> pattern.shift
    if not known_order or reach < 3 * bursts:
        bursts = np.int64(0)
    return Period(segments, bursts, place_bursts)


@njit(cache=True)
def _write_state(
    into: Integers, banks: Any, groups: Any, ranks: Any, queue: Any, rules: Rules, place: int, now: int,
    last_command: int, waiting: int,
) -> None:  # fmt: skip
    """Write what decides the future, relative to cycle `now` and to a place; times gone by are 0.

    With one rank banks stand in the order in which the pattern comes to them, so it does not matter which comes next.
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


@njit(cache=True)
def _jump(banks: Any, groups: Any, ranks: Any, queue: Any, rules: Rules, later: int, moved: int, waiting: int) -> None:
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


@njit(cache=True, inline="always")
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


@njit(cache=True)
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
    entering = np.int64(0)
    limit = (np.int64(1) << 50) if group_count == 1 else np.int64(waiting - 1)
    alone = np.int64(-1)  # first burst of a long run that enters by itself
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
        segment, at, stop = _next_segment(pattern, segment, at, stop)
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
            banks[bank].precharge_ready = start + i * pace + rules.column_to_precharge
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


@njit(cache=True, inline="always")
def _choose(
    banks: Any, groups: Any, ranks: Any, queue: Any, rules: Rules, waiting: int, stamp: int, now: int, last_command: int
) -> tuple[int, int, int, int, int]:
    """Return command, bank, row and place in the queue, first ready, first come; else -1 four times and when one may."""
    rank_banks, wake = rules.bank_groups * rules.banks, NEVER
    for i in range(waiting):
        bank = queue[i].bank
        if banks[bank].open_row != queue[i].row or banks[bank].wanted == stamp:  # of one bank the oldest is first
            continue
        banks[bank].wanted = stamp
        ready = max(banks[bank].column_ready, groups[bank // rules.banks].column_ready, last_command + rules.column_bus)
        if ready <= now:
            return RD, bank, queue[i].row, i, ready
        wake = min(wake, ready)
    for i in range(waiting):
        bank = queue[i].bank
        if banks[bank].open_row == queue[i].row or banks[bank].looked_at == stamp:
            continue
        banks[bank].looked_at = stamp
        rank = bank // rank_banks
        if banks[bank].open_row < 0:
            command = ACT
            ready = max(
                banks[bank].activate_ready, groups[bank // rules.banks].activate_ready,
                last_command + rules.activate_bus,
                ranks[rank].activates_at[ranks[rank].oldest] + rules.four_activates,
            )  # fmt: skip
        elif banks[bank].wanted != stamp:
            command = PRE
            ready = max(banks[bank].precharge_ready, ranks[rank].precharge_ready, last_command + rules.precharge_bus)
        else:
            continue
        if ready <= now:
            return command, bank, queue[i].row, -1, ready
        wake = min(wake, ready)
    return -1, -1, -1, -1, wake


@njit(cache=True, inline="always")
def _activate(banks: Any, groups: Any, ranks: Any, rules: Rules, bank: int, row: int, now: int) -> None:
    """Issue ACT."""
    group, rank = bank // rules.banks, bank // (rules.bank_groups * rules.banks)
    banks[bank].open_row = row
    banks[bank].column_ready = now + rules.activate_to_column
    banks[bank].precharge_ready = now + rules.activate_to_precharge
    banks[bank].activate_ready = now + rules.activate_to_activate
    for other in range(rank * rules.bank_groups, (rank + 1) * rules.bank_groups):
        between = (
            rules.activate_to_activate_same_group if other == group else rules.activate_to_activate_same_rank
        )  # fmt: skip
        groups[other].activate_ready = max(groups[other].activate_ready, now + between)
    ranks[rank].activates_at[ranks[rank].oldest] = now
    ranks[rank].oldest = (ranks[rank].oldest + 1) % 4


@njit(cache=True, inline="always")
def _precharge(banks: Any, ranks: Any, rules: Rules, bank: int, now: int) -> None:
    """Issue PRE."""
    banks[bank].open_row = -1
    banks[bank].activate_ready = max(banks[bank].activate_ready, now + rules.precharge_to_activate)
    ranks[bank // (rules.bank_groups * rules.banks)].precharge_ready = now + rules.precharge_to_precharge


@njit(cache=True, inline="always")
def _column(banks: Any, groups: Any, queue: Any, rules: Rules, bank: int, place: int, waiting: int, now: int) -> None:
    """Issue the read or write of the request at a place of the queue, and take it out."""
    group, group_count = bank // rules.banks, rules.bank_groups
    for other in range(len(groups)):
        if other == group:
            between = rules.column_to_column_same_group
        elif other // group_count == group // group_count:
            between = rules.column_to_column_same_rank
        else:
            between = rules.column_to_column_other_rank
        groups[other].column_ready = max(groups[other].column_ready, now + between)
    banks[bank].precharge_ready = max(banks[bank].precharge_ready, now + rules.column_to_precharge)
    for i in range(place, waiting - 1):
        queue[i].bank, queue[i].row = queue[i + 1].bank, queue[i + 1].row


@njit(cache=True)
def _precharge_all(banks: Any, ranks: Any, rules: Rules, now: int, last_command: int, end: int) -> int:
    """Issue PREA to every rank with an open bank; return when the next transfer may start."""
    rank_banks = rules.bank_groups * rules.banks
    while True:
        wake = NEVER
        for rank in range(rules.ranks):
            ready = NEVER
            for bank in range(rank * rank_banks, (rank + 1) * rank_banks):
                if banks[bank].open_row >= 0:
                    ready = max(banks[bank].precharge_ready, ready if ready < NEVER else np.int64(0))
            if ready < NEVER:
                ready = max(ready, ranks[rank].precharge_ready, last_command + rules.precharge_bus, now)
            if ready < wake:
                wake, first = ready, rank * rank_banks
        if wake == NEVER:
            return end
        for bank in range(first, first + rank_banks):
            banks[bank].open_row = -1
        last_command, end, now = wake, max(end, wake + rules.precharge_all_to_activate), wake + 1


@njit(cache=True)
def _run_transfer(channel: Any, rules: Rules, depth: int, pattern: Pattern, short_cuts: bool, result: Integers) -> None:
    """Write cycles, activates and bursts of one pattern into `result`."""
    known_order = short_cuts and _known_order(channel)
    pace = rules.column_to_column_same_group if rules.bank_groups == 1 else rules.column_to_column_same_rank
    may_run = known_order and rules.ranks == 1 and 2 * pace >= rules.column_to_column_same_group
    period = _period_of(pattern, channel, known_order)
    searching = period.bursts > 0
    ranks, groups = np.zeros(rules.ranks, RANK), np.zeros(rules.ranks * rules.bank_groups, GROUP)
    banks, queue, entered = (
        np.zeros(len(groups) * rules.banks, BANK),
        np.zeros(depth, REQUEST),
        np.zeros(depth, np.int64),
    )
    for each in range(len(banks)):
        banks[each].open_row = -1
    for each in range(rules.ranks):
        for i in range(4):
            ranks[each].activates_at[i] = -NEVER
    width = 4 * len(banks) + 2 * len(groups) + 5 * rules.ranks + 2 + 2 * depth if searching else 0
    found, states = np.zeros(width, np.int64), np.zeros((2, width), np.int64)  # the last, and one further back
    marks = np.full((2, 4), -1, np.int64)  # of both: cycle, activates, bursts, how many periods had begun
    begun, next_back, next_period = np.int64(0), np.int64(1), np.int64(0)
    segment, at, stop = np.int64(0), np.int64(0), _burst_end(pattern, 0)  # what comes next
    waiting, stamp, now, activates, bursts = 0, 0, np.int64(0), np.int64(0), np.int64(0)
    last_command = last_column = np.int64(-NEVER)

    while segment < pattern.segments or waiting > 0:
        if searching and segment < pattern.segments and at == next_period and waiting < depth:
            _write_state(
                found, banks, groups, ranks, queue, rules, at // period.place_bursts, now, last_command, waiting
            )
            same = -1
            for i in range(2):
                if same < 0 and marks[i, 0] >= 0 and np.array_equal(found, states[i]):
                    same = i
            if same >= 0:
                periods = begun - marks[same, 3]
                if pattern.segments == 1:
                    left = (stop - at) // period.bursts
                else:
                    left = (pattern.segments - segment) // period.segments
                repeats = left // periods
                later = repeats * (now - marks[same, 0])
                moved = repeats * periods * period.bursts // period.place_bursts
                _jump(banks, groups, ranks, queue, rules, later, moved, waiting)
                activates += repeats * (activates - marks[same, 1])
                bursts += repeats * (bursts - marks[same, 2])
                now, last_command, last_column = now + later, last_command + later, last_column + later
                if pattern.segments == 1:
                    at += repeats * periods * period.bursts
                    segment = np.int64(0) if at < stop else np.int64(1)
                else:
                    segment += repeats * periods * period.segments
                    at = segment * pattern.stride_bytes >> pattern.shift
                    stop = _burst_end(pattern, segment)
                searching = False
                continue
            # The state before catches most; one further and further back catches what swings between several.
            for i in range(2):
                if i == 0 or begun == next_back:
                    states[i, :] = found
                    marks[i, 0], marks[i, 1], marks[i, 2], marks[i, 3] = now, activates, bursts, begun
            if begun == next_back:
                next_back *= 2
            begun += 1
            next_period += period.bursts

        if segment < pattern.segments and waiting < depth:  # a request enters
            if known_order:
                row = at // period.place_bursts
                group = row // rules.banks % rules.ranks * rules.bank_groups + at % rules.bank_groups
                bank = group * rules.banks + row % rules.banks
            else:
                row = at // channel.row_divisor % channel.row_extent
                group = at // channel.rank_divisor % rules.ranks * rules.bank_groups
                group += at // channel.bank_group_divisor % rules.bank_groups
                bank = group * rules.banks + at // channel.bank_divisor % rules.banks
            queue[waiting].bank, queue[waiting].row = bank, row
            waiting += 1
            bursts += 1
            segment, at, stop = _next_segment(pattern, segment, at + 1, stop)
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
        command, bank, row, place, ready = _choose(
            banks, groups, ranks, queue, rules, waiting, stamp, now, last_command
        )
        if command < 0:
            now = min(wake, ready)
            continue
        last_command = now
        if command == ACT:
            _activate(banks, groups, ranks, rules, bank, row, now)
            activates += 1
        elif command == PRE:
            _precharge(banks, ranks, rules, bank, now)
        else:
            _column(banks, groups, queue, rules, bank, place, waiting, now)
            last_column = now
            waiting -= 1
        now += 1

    result[0] = _precharge_all(banks, ranks, rules, now, last_command, last_column + rules.column_to_next)
    result[1], result[2] = activates, bursts


@njit(cache=True)
def run_transfers(
    channel: Any, least: Integers, burst_bytes: int, depth: int, segments: Integers, segment_bytes: Integers,
    stride_bytes: Integers, is_write: Any, short_cuts: bool,
) -> Integers:  # fmt: skip
    """Return cycles, activates and bursts of each pattern.

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

    Returns
    -------
    int64[patterns, 3]
    """
    result = np.zeros((len(segments), 3), np.int64)
    reading, writing = _rules(channel, least, False), _rules(channel, least, True)
    shift = np.int64(0)
    while (1 << shift) < burst_bytes:
        shift += 1
    for i in range(len(segments)):
        if segments[i] > 0 and segment_bytes[i] > 0:
            if stride_bytes[i] <= segment_bytes[i]:  # contiguous
                moved = segments[i] * segment_bytes[i]
                pattern = Pattern(np.int64(1), moved, moved, shift)
            else:
                pattern = Pattern(segments[i], segment_bytes[i], stride_bytes[i], shift)
            _run_transfer(channel, writing if is_write[i] else reading, depth, pattern, short_cuts, result[i])
    return result
