"""One DRAM channel by its commands: ACT, PRE, RD, WR, REF (docs/dram.md).

The kernel looks only at cycles at which something can happen; a test holds it to a model that looks at each.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from dataflows.plans.plan import Integers
from simulator.dram.part import DramPart
from workloads.foundation.errors import InputError

ACTIVATE, PRECHARGE, PRECHARGE_ALL, READ, WRITE, REFRESH = range(6)  # kinds in a command log


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


@njit(cache=True)
def run_command_kernel(
    timing: tuple[int, ...], bursts: Integers, is_write: Any, arrival: Integers, depth: int, refreshing: bool,
    closing: bool, log: Any,
) -> Integers:  # fmt: skip
    """Run requests through the channel.

    Parameters
    ----------
    timing : CommandTiming, as a plain tuple
    bursts, is_write, arrival : [requests]
        Addresses in bursts, directions, and cycles before which requests may not enter.
    depth : int
        Places in the queue of reads, and in that of writes.
    refreshing : bool
        Whether banks are refreshed.
    closing : bool
        Whether to precharge all banks at the end; cycles then last until another transfer may start.
    log : int64[n, 5]
        Takes the first n commands: cycle, kind, rank, bank of all banks of the channel, row.

    Returns
    -------
    int64[8]
        The fields of `StreamResult`.
    """
    (
        act_col, act_pre, act_act, act_act_s, act_act_l, faw, pre_act, prea_act, pre_pre, rd_pre, wr_pre,
        col_s, col_l, col_r, rd_wr, rd_wr_r, wr_rd_s, wr_rd_l, wr_rd_r, rd_end, wr_end, rd_next, wr_next, rfc, refi,
        act_bus, pre_bus, col_bus, ref_bus, ranks, groups, banks, row_div, row_mod, rank_div, bank_div, _, _, group_div,
    ) = timing  # fmt: skip
    never, past = np.int64(1) << 60, -(np.int64(1) << 60)
    total, all_groups, all_banks = len(bursts), ranks * groups, ranks * groups * banks
    open_row = np.full(all_banks, -1, np.int64)
    hits = np.zeros(all_banks, np.int64)  # reads and writes since the row was opened
    act_ready, pre_ready = np.zeros(all_banks, np.int64), np.zeros(all_banks, np.int64)
    col_ready = np.zeros(all_banks, np.int64)
    group_act, group_rd = np.zeros(all_groups, np.int64), np.zeros(all_groups, np.int64)
    group_wr = np.zeros(all_groups, np.int64)
    window, window_at = np.full((ranks, 4), past, np.int64), np.zeros(ranks, np.int64)  # last four activates
    rank_pre = np.zeros(ranks, np.int64)
    open_banks, open_since = np.zeros(ranks, np.int64), np.zeros(ranks, np.int64)
    owed, due = np.zeros(ranks, np.int64), np.full(ranks, never, np.int64)
    if refreshing:
        for r in range(ranks):
            due[r] = refi + r * refi // ranks  # ranks take turns
    # queues[0] reads, queues[1] writes, oldest first
    q_bank, q_row = np.zeros((2, depth), np.int64), np.zeros((2, depth), np.int64)
    length = np.zeros(2, np.int64)
    wanted = np.zeros(all_banks, np.int64)  # by stamp: whether a request of the queue wants the open row
    stamp = 0
    numbers = np.zeros(8, np.int64)
    logged, last_command, end, mode = 0, past, np.int64(0), 0
    entered = served = 0
    t = np.int64(0)
    while True:
        wake = never
        for r in range(ranks):
            if t >= due[r]:
                owed[r] += 1
                due[r] += refi
            wake = min(wake, due[r])
        if entered < total:
            side = 1 if is_write[entered] else 0
            if length[side] < depth and arrival[entered] <= t:
                at = bursts[entered]
                rank = at // rank_div % ranks
                group = rank * groups + at // group_div % groups
                q_bank[side, length[side]] = group * banks + at // bank_div % banks
                q_row[side, length[side]] = at // row_div % row_mod
                length[side] += 1
                entered += 1
            if entered < total and length[1 if is_write[entered] else 0] < depth:
                wake = min(wake, max(t + 1, arrival[entered]))
        if mode == 0:
            if 5 * length[1] > 4 * depth or length[0] == 0:
                mode = 1
        elif 5 * length[1] < depth and length[0] > 0:
            mode = 0
        finishing = served == total
        if finishing and (not closing or open_banks.sum() == 0):
            break

        kind, which, row = -1, -1, np.int64(-1)
        # A rank that owes a refresh does nothing else; neither does one at the end of a transfer.
        for r in range(ranks):
            if kind >= 0 or (owed[r] == 0 and not finishing):
                continue
            first, last = r * groups * banks, (r + 1) * groups * banks
            if open_banks[r] > 0:
                ready = max(rank_pre[r], last_command + pre_bus)
                for b in range(first, last):
                    if open_row[b] >= 0:
                        ready = max(ready, pre_ready[b])
                if ready <= t:
                    kind, which = 2, first
                else:
                    wake = min(wake, ready)
            elif owed[r] > 0:
                ready = last_command + ref_bus
                for b in range(first, last):
                    ready = max(ready, act_ready[b])
                if ready <= t:
                    kind, which = 5, first
                else:
                    wake = min(wake, ready)

        chosen = -1
        if kind < 0 and length[mode] > 0:
            stamp += 1
            # the oldest read or write that is ready
            for i in range(length[mode]):
                b = q_bank[mode, i]
                if open_row[b] != q_row[mode, i]:
                    continue
                wanted[b] = stamp
                if owed[b // (groups * banks)] > 0:
                    continue
                ready = max(col_ready[b], last_command + col_bus)
                ready = max(ready, group_wr[b // banks] if mode else group_rd[b // banks])
                if ready <= t:
                    kind, chosen, which, row = 3 + mode, i, b, q_row[mode, i]
                    break
                wake = min(wake, ready)
            if kind < 0:  # the oldest activate or precharge that is ready
                for i in range(length[mode]):
                    b = q_bank[mode, i]
                    r = b // (groups * banks)
                    if open_row[b] == q_row[mode, i] or owed[r] > 0:
                        continue
                    if open_row[b] < 0:
                        ready = max(act_ready[b], group_act[b // banks], last_command + act_bus)
                        ready = max(ready, window[r, window_at[r]] + faw)
                        command = 0
                    elif wanted[b] != stamp:
                        ready = max(pre_ready[b], rank_pre[r], last_command + pre_bus)
                        command = 1
                    else:
                        continue
                    if ready <= t:
                        kind, which, row = command, b, q_row[mode, i] if command == 0 else open_row[b]
                        break
                    wake = min(wake, ready)

        if kind < 0:
            t = wake
            continue
        r, g = which // (groups * banks), which // banks
        if logged < len(log):
            log[logged, 0], log[logged, 1], log[logged, 2], log[logged, 3], log[logged, 4] = t, kind, r, which, row
            logged += 1
        last_command = t
        if kind == 0:
            open_row[which], hits[which] = row, 0
            col_ready[which], pre_ready[which] = t + act_col, t + act_pre
            act_ready[which] = t + act_act
            for other in range(r * groups, (r + 1) * groups):
                group_act[other] = max(group_act[other], t + (act_act_l if other == g else act_act_s))
            window[r, window_at[r]] = t
            window_at[r] = (window_at[r] + 1) % 4
            if open_banks[r] == 0:
                open_since[r] = t
            open_banks[r] += 1
            numbers[1] += 1
        elif kind == 1 or kind == 2:
            span = 1 if kind == 1 else groups * banks
            for b in range(which, which + span):
                if kind == 2:  # a precharge of all banks holds up closed ones too
                    act_ready[b] = max(act_ready[b], t + prea_act)
                if open_row[b] >= 0:
                    open_row[b] = -1
                    act_ready[b] = max(act_ready[b], t + (pre_act if kind == 1 else prea_act))
                    open_banks[r] -= 1
                    numbers[2] += 1
            rank_pre[r] = t + pre_pre
            if open_banks[r] == 0:
                numbers[7] += t - open_since[r]
            if finishing:
                end = max(end, t + prea_act)
        elif kind == 5:
            owed[r] -= 1
            for b in range(which, which + groups * banks):
                act_ready[b] = t + rfc
            numbers[5] += 1
        else:
            for other in range(all_groups):
                same_rank = other // groups == r
                if not same_rank:
                    to_same, to_read, to_write = col_r, wr_rd_r, rd_wr_r
                elif other == g:
                    to_same, to_read, to_write = col_l, wr_rd_l, rd_wr
                else:
                    to_same, to_read, to_write = col_s, wr_rd_s, rd_wr
                if mode:
                    group_wr[other] = max(group_wr[other], t + to_same)
                    group_rd[other] = max(group_rd[other], t + to_read)
                else:
                    group_rd[other] = max(group_rd[other], t + to_same)
                    group_wr[other] = max(group_wr[other], t + to_write)
            pre_ready[which] = max(pre_ready[which], t + (wr_pre if mode else rd_pre))
            finished = t + (wr_end if mode else rd_end)
            end = max(end, finished + ((wr_next if mode else rd_next) if closing else 0))
            numbers[3 + mode] += 1
            if hits[which] > 0:
                numbers[6] += 1
            hits[which] += 1
            served += 1
            for i in range(chosen, length[mode] - 1):
                q_bank[mode, i], q_row[mode, i] = q_bank[mode, i + 1], q_row[mode, i + 1]
            length[mode] -= 1
        t += 1
    for r in range(ranks):
        if open_banks[r] > 0:
            numbers[7] += max(end, open_since[r]) - open_since[r]
    numbers[0] = end
    return numbers


def simulate_stream(
    part: DramPart,
    addresses: ArrayLike,
    is_write: ArrayLike | bool = False,
    arrival_cycles: ArrayLike | None = None,
    queue_depth: int = 32,
    *,
    refresh: bool = True,
    close: bool = False,
    log: NDArray[np.int64] | None = None,
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
    log : int64[n, 5], optional
        Takes the first n commands: cycle, kind, rank, bank of all banks of the channel, row.

    Raises
    ------
    InputError
        If arrays differ in length, an address is negative, arrivals go back in time, or there is no queue.
    """
    where = "DRAM stream"
    places = np.atleast_1d(np.asarray(addresses, np.int64))
    writes = np.broadcast_to(np.asarray(is_write, np.bool_), places.shape) if np.ndim(is_write) == 0 else is_write
    writes = np.ascontiguousarray(writes, np.bool_)
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
    record = np.empty((0, 5), np.int64) if log is None else log
    numbers = run_command_kernel(
        tuple(part.command_timing), bursts, writes, arrivals, queue_depth, refresh, close, record
    )
    return StreamResult(*(int(number) for number in numbers))
