"""One DRAM channel by its commands: ACT, PRE, RD, WR, REF (docs/dram.md).

The kernel looks only at cycles at which something can happen; a test holds it to a model that looks at each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from dataflows.integers import Integers
from simulator.dram import constraints
from simulator.dram.channel import channel_of
from simulator.dram.constraints import ACT, OTHER_RANK, PRE, PREA, RD, REF, SAME_BANK, SAME_GROUP, SAME_RANK, WR
from simulator.dram.part import DramPart
from workloads.foundation.errors import InputError
from workloads.foundation.kernel_sources import sources_of
from workloads.foundation.kernels import njit_inside

CYCLES, ACTIVATES, PRECHARGES, READS, WRITES, REFRESHES, ROW_HITS, ACTIVE_CYCLES = range(8)  # of `StreamResult`
NEVER = 1 << 60


@dataclass(frozen=True)
class StreamResult:
    """What a stream of requests took.

    Attributes
    ----------
    cycles : int
        Memory clock cycles from 0 to the last word on the data bus.
    activates, precharges, reads, writes, refreshes : int
        Commands; a precharge of all banks counts once a bank that it closes.
    row_hits : int
        Reads and writes that are not the first since their row was opened.
    active_rank_cycles : int
        Cycles that a rank has a bank open, added up over ranks.
    """

    cycles: int
    activates: int
    precharges: int
    reads: int
    writes: int
    refreshes: int
    row_hits: int
    active_rank_cycles: int


# The channel's state: arrays of records for its banks, its ranks and its queues (reads, then writes; oldest first).
# `open_row` is -1 for none. `bursts` counts reads and writes since the row was opened. `wanted` equals the step's stamp
# if a request in the queue wants the open row. `activates_at` are the last four activates, the first at `oldest`.
BANK = np.dtype([("open_row", np.int64), ("bursts", np.int64), ("wanted", np.int64)])
RANK = np.dtype([
    ("activates_at", np.int64, 4), ("oldest", np.int64), ("open_banks", np.int64), ("open_since", np.int64),
    ("refreshes_owed", np.int64), ("refresh_due", np.int64),
])  # fmt: skip
REQUEST = np.dtype([("bank", np.int64), ("row", np.int64)])
# A command in the log; its bank is counted over all banks of the channel.
ISSUED = np.dtype([(name, np.int64) for name in ("cycle", "command", "rank", "bank", "row")])


@njit_inside
def _start(banks: Any, ranks: Any, channel: Any, refreshing: bool) -> None:
    """Precharge all banks; nothing was done yet."""
    for bank in range(len(banks)):
        banks[bank].open_row = -1
    for rank in range(len(ranks)):
        for i in range(4):
            ranks[rank].activates_at[i] = -NEVER
        turn = rank * channel.refresh_interval // len(ranks)  # ranks take turns
        ranks[rank].refresh_due = channel.refresh_interval + turn if refreshing else NEVER


@njit_inside
def _enter(queue: Any, place: int, channel: Any, burst: int) -> None:
    """Put a request at a place of its queue."""
    rank = burst // channel.rank_divisor % channel.rank_extent
    group = rank * channel.bank_groups + burst // channel.bank_group_divisor % channel.bank_group_extent
    queue[place].bank = group * channel.banks + burst // channel.bank_divisor % channel.bank_extent
    queue[place].row = burst // channel.row_divisor % channel.row_extent


@njit(inline="always")
def _rank_command(ranks: Any, ready: Integers, rank_banks: int, now: int, finishing: bool) -> tuple[int, int, int]:
    """Return PREA or REF, its rank's first bank and `now`, if one may be issued; else -1, -1 and when one may.

    A rank that owes a refresh does nothing else; neither does one at the end of a transfer.
    """
    wake = NEVER
    for rank in range(len(ranks)):
        owed = ranks[rank].refreshes_owed > 0
        if ranks[rank].open_banks > 0 and (finishing or owed):
            command = PREA
        elif owed:
            command = REF
        else:
            continue
        may: Any = 0
        for bank in range(rank * rank_banks, (rank + 1) * rank_banks):
            may = max(may, ready[bank, command])
        if may <= now:
            return command, rank * rank_banks, now
        wake = min(wake, may)
    return -1, -1, wake


@njit(inline="always")
def _request_command(
    banks: Any, ranks: Any, queue: Any, waiting: int, ready: Integers, channel: Any, column: int, stamp: int, now: int
) -> tuple[int, int, int, int, int]:
    """Return command, bank, row and place in the queue, first ready, first come; else -1s and when one may."""
    rank_banks, faw, wake = channel.bank_groups * channel.banks, channel.four_activates, NEVER
    for i in range(waiting):  # the oldest read or write that is ready
        bank = queue[i].bank
        if banks[bank].open_row != queue[i].row:
            continue
        banks[bank].wanted = stamp
        if ranks[bank // rank_banks].refreshes_owed > 0:
            continue
        if ready[bank, column] <= now:
            return column, bank, queue[i].row, i, now
        wake = min(wake, ready[bank, column])
    for i in range(waiting):  # the oldest activate or precharge that is ready
        bank, row = queue[i].bank, queue[i].row
        rank = bank // rank_banks
        if banks[bank].open_row == row or ranks[rank].refreshes_owed > 0:
            continue
        if banks[bank].open_row < 0:
            command, may = ACT, max(ready[bank, ACT], ranks[rank].activates_at[ranks[rank].oldest] + faw)
        elif banks[bank].wanted != stamp:
            command, row, may = PRE, banks[bank].open_row, ready[bank, PRE]
        else:
            continue
        if may <= now:
            return command, bank, row, -1, now
        wake = min(wake, may)
    return -1, -1, -1, -1, wake


@njit(inline="always")
def _bind(ready: Integers, least: Integers, channel: Any, command: int, at: int, now: int) -> None:
    """Let every later command wait for this one by the table of constraints."""
    banks, rank_banks = channel.banks, channel.bank_groups * channel.banks
    for bank in range(len(ready)):
        if bank // rank_banks != at // rank_banks:
            place = OTHER_RANK
        elif bank == at or command in (PREA, REF):
            place = SAME_BANK
        else:
            place = SAME_GROUP if bank // banks == at // banks else SAME_RANK
        for later in range(6):
            ready[bank, later] = max(ready[bank, later], now + least[place, command, later])


@njit_inside
def _close(banks: Any, ranks: Any, bank: int, rank: int, now: int, numbers: Integers) -> None:
    """Close a bank's row, if one is open."""
    if banks[bank].open_row >= 0:
        banks[bank].open_row = -1
        ranks[rank].open_banks -= 1
        numbers[PRECHARGES] += 1
        if ranks[rank].open_banks == 0:
            numbers[ACTIVE_CYCLES] += now - ranks[rank].open_since


@njit(inline="always")
def _change(
    banks: Any, ranks: Any, rank_banks: int, command: int, bank: int, row: int, now: int, numbers: Integers
) -> None:
    """Do what a command does to its bank and its rank, and count it."""
    rank = bank // rank_banks
    if command == ACT:
        banks[bank].open_row, banks[bank].bursts = row, 0
        ranks[rank].activates_at[ranks[rank].oldest] = now
        ranks[rank].oldest = (ranks[rank].oldest + 1) % 4
        if ranks[rank].open_banks == 0:
            ranks[rank].open_since = now
        ranks[rank].open_banks += 1
        numbers[ACTIVATES] += 1
    elif command == PRE:
        _close(banks, ranks, bank, rank, now, numbers)
    elif command == PREA:
        for each in range(bank, bank + rank_banks):
            _close(banks, ranks, each, rank, now, numbers)
    elif command == REF:
        ranks[rank].refreshes_owed -= 1
        numbers[REFRESHES] += 1
    else:
        numbers[READS if command == RD else WRITES] += 1
        if banks[bank].bursts > 0:
            numbers[ROW_HITS] += 1
        banks[bank].bursts += 1


@njit(inline="always")
def _owe_refresh(rank: Any, interval: int, now: int) -> None:
    """Let a rank owe the refresh that has come due."""
    if now >= rank.refresh_due:
        rank.refreshes_owed += 1
        rank.refresh_due += interval


@njit_inside
def _direction(writing: int, reads: int, writes: int, depth: int) -> int:
    """Return which queue is served, 1 for writes: Ramulator 2's watermarks."""
    if writing == 0:
        return 1 if 5 * writes > 4 * depth or reads == 0 else 0
    return 0 if 5 * writes < depth and reads > 0 else 1


@njit_inside
def _note(record: Any, now: int, command: int, rank: int, bank: int, row: int) -> None:
    """Write a command into the log."""
    record.cycle, record.command, record.rank, record.bank, record.row = now, command, rank, bank, row


def _kernel(sources: int) -> Callable[..., Integers]:
    @njit(cache=True)
    def run_command_kernel(
        channel: Any, least: Integers, bursts: Integers, is_write: Any, arrival: Integers, depth: int, refreshing: bool,
        closing: bool, log: Any,
    ) -> Integers:  # fmt: skip
        """Run requests through the channel.

        Parameters
        ----------
        channel, least
            See `Channel`.
        bursts, is_write, arrival : [requests]
            Addresses in bursts, directions, and cycles before which requests may not enter.
        depth : int
            Places in the queue of reads, and in that of writes.
        refreshing : bool
            Whether banks are refreshed.
        closing : bool
            Whether to precharge all banks at the end; cycles then last until another transfer may start.
        log : [n] of ISSUED
            Takes the first n commands.

        Returns
        -------
        int64[8]
            The fields of `StreamResult`.
        """
        rank_banks, total = channel.bank_groups * channel.banks, len(bursts)
        read_end = channel.read_to_end + (channel.read_end_to_next if closing else 0)
        write_end = channel.write_to_end + (channel.write_end_to_next if closing else 0)
        ranks, banks = np.zeros(channel.ranks, RANK), np.zeros(channel.ranks * rank_banks, BANK)
        ready = np.zeros((len(banks), 6), np.int64)  # from which cycle on a command may be issued to a bank
        queues, waiting = np.zeros((2, depth), REQUEST), np.zeros(2, np.int64)
        numbers = np.zeros(8, np.int64)
        if sources == 0:  # never; numba's cache follows what a function closes over
            return numbers
        _start(banks, ranks, channel, refreshing)
        entered = logged = stamp = 0
        writing = 0  # which queue is served
        end: Any = 0
        now: Any = 0
        while True:
            wake, some_open = NEVER, False
            for rank in range(len(ranks)):
                _owe_refresh(ranks[rank], channel.refresh_interval, now)
                wake = min(wake, ranks[rank].refresh_due)
                some_open = some_open or ranks[rank].open_banks > 0
            if entered < total:
                side = 1 if is_write[entered] else 0
                if waiting[side] < depth and arrival[entered] <= now:
                    _enter(queues[side], waiting[side], channel, bursts[entered])
                    waiting[side] += 1
                    entered += 1
                if entered < total and waiting[1 if is_write[entered] else 0] < depth:
                    wake = min(wake, max(now + 1, arrival[entered]))
            writing = _direction(writing, waiting[0], waiting[1], depth)
            finishing = numbers[READS] + numbers[WRITES] == total
            if finishing and not (closing and some_open):
                break

            command, bank, may = _rank_command(ranks, ready, rank_banks, now, finishing)
            row = place = -1
            if command < 0:
                wake, stamp = min(wake, may), stamp + 1
                command, bank, row, place, may = _request_command(
                    banks, ranks, queues[writing], waiting[writing], ready, channel, WR if writing else RD, stamp, now
                )
            if command < 0:
                now = min(wake, may)
                continue
            if logged < len(log):
                _note(log[logged], now, command, bank // rank_banks, bank, row)
                logged += 1
            _change(banks, ranks, rank_banks, command, bank, row, now, numbers)
            _bind(ready, least, channel, command, bank, now)
            if place >= 0:  # the request leaves its queue
                waiting[writing] -= 1
                for i in range(place, waiting[writing]):
                    queues[writing, i] = queues[writing, i + 1]
                end = max(end, now + (write_end if writing else read_end))
            elif finishing and command == PREA:
                end = max(end, now + least[SAME_BANK, PREA, ACT])
            now += 1
        for rank in range(len(ranks)):
            if ranks[rank].open_banks > 0:
                numbers[ACTIVE_CYCLES] += max(end, ranks[rank].open_since) - ranks[rank].open_since
        numbers[CYCLES] = end
        return numbers

    return run_command_kernel


run_command_kernel = _kernel(sources_of(constraints))


def simulate_stream(
    part: DramPart,
    addresses: ArrayLike,
    is_write: ArrayLike | bool = False,
    arrival_cycles: ArrayLike | None = None,
    queue_depth: int = 32,
    *,
    refresh: bool = True,
    close: bool = False,
    log: Any = None,
) -> StreamResult:
    """Send a stream of burst-sized requests through one channel.

    Parameters
    ----------
    part : DramPart
    addresses : [requests]
        Byte addresses in the channel, rounded down to bursts and taken modulo its capacity.
    is_write : [requests] or bool
        Which requests are writes.
    arrival_cycles : [requests], optional
        Memory cycles before which requests may not enter, in order; without, each enters as soon as there is room.
    queue_depth : int
        Places in the queue of reads, and in that of writes.
    refresh : bool
        Whether banks are refreshed.
    close : bool
        Whether the stream is a transfer: it ends when all banks are precharged and the data bus may turn round.
    log : [n] of ISSUED, optional
        Takes the first n commands.

    Raises
    ------
    InputError
        If arrays differ in length, an address is negative, arrivals go back in time, or there is no queue.
    """
    where = "DRAM stream"
    places = np.atleast_1d(np.asarray(addresses, np.int64))
    writes = np.broadcast_to(np.asarray(is_write, np.bool_), places.shape) if np.ndim(is_write) == 0 else is_write
    writes = np.array(writes, np.bool_)  # a copy: what is read-only would be a kernel of its own
    arrivals = np.zeros(len(places), np.int64) if arrival_cycles is None else np.asarray(arrival_cycles, np.int64)
    for key, array in (("is_write", writes), ("arrival_cycles", arrivals)):
        if array.shape != places.shape:
            raise InputError(where, key, f"has shape {array.shape}", f"give {places.shape}, one a request")
    if len(places) and places.min() < 0:
        raise InputError(where, "addresses", f"{places.min()} is negative", "give byte addresses from 0 on")
    if len(arrivals) and (arrivals[0] < 0 or np.any(np.diff(arrivals) < 0)):
        raise InputError(where, "arrival_cycles", "go back in time", "give them in order, from 0 on")
    if not 1 <= queue_depth <= 4096:
        raise InputError(where, "queue_depth", f"is {queue_depth}", "give 1 to 4096")
    bursts = places % part.channel_bytes // part.burst_bytes
    record = np.empty(0, ISSUED) if log is None else log
    channel, least = channel_of(part)
    numbers = run_command_kernel(channel, least, bursts, writes, arrivals, queue_depth, refresh, close, record)
    return StreamResult(*(int(number) for number in numbers))
