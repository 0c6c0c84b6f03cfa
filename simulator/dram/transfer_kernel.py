"""Transfers through one DRAM channel, in a fraction of the time of the command kernel and equal to it to the cycle.

The rules are those of `command_kernel` with one direction, no refresh, and all banks precharged before and after. Three
short cuts, each of which tests hold to the command kernel:

- Nothing happens between two cycles at which something can.
- While every request in the queue, and those about to enter, go to rows that are open, reads (writes) follow each
  other in order at the pace of the data bus.
- Where the pattern repeats itself a whole number of rows further on and the channel's state with it, relative to time
  and place, whatever came in between comes again. The state is compared, so this is no estimate.
"""

from typing import Any

import numpy as np
from numba import njit

from dataflows.plans.plan import Integers


@njit(cache=True)
def run_transfers(
    timing: tuple[int, ...], burst_bytes: int, depth: int, segments: Integers, segment_bytes: Integers,
    stride_bytes: Integers, is_write: Any, short_cuts: bool,
) -> Integers:  # fmt: skip
    """Return cycles, activates and bursts of each pattern.

    Parameters
    ----------
    timing : CommandTiming, as a plain tuple
    burst_bytes, depth : int
        Bytes of a burst, places in the queue.
    segments, segment_bytes, stride_bytes, is_write : [patterns]
        See `TransferPattern`.
    short_cuts : bool
        Whether to take the second and third short cut.

    Returns
    -------
    int64[patterns, 3]
    """
    result = np.zeros((len(segments), 3), np.int64)
    for i in range(len(segments)):
        if segments[i] > 0 and segment_bytes[i] > 0:
            _run_transfer(
                timing, burst_bytes, depth, segments[i], segment_bytes[i], stride_bytes[i], is_write[i], short_cuts,
                result[i],
            )  # fmt: skip
    return result


@njit(cache=True)
def _run_transfer(
    timing: tuple[int, ...], burst_bytes: int, depth: int, segments: int, segment_bytes: int, stride_bytes: int,
    is_write: Any, short_cuts: bool, result: Integers,
) -> None:  # fmt: skip
    (
        act_col, act_pre, act_act, act_act_s, act_act_l, faw, pre_act, prea_act, pre_pre, rd_pre, wr_pre,
        col_s, col_l, col_r, _, _, _, _, _, rd_end, wr_end, rd_next, wr_next, _, _,
        act_bus, pre_bus, col_bus, _, ranks, groups, banks, row_div, row_mod, rank_div, bank_div, col_div, col_mod,
        group_div,
    ) = timing  # fmt: skip
    col_pre = wr_pre if is_write else rd_pre
    never, past = np.int64(1) << 60, -(np.int64(1) << 60)
    all_groups, rank_banks, all_banks = ranks * groups, groups * banks, ranks * groups * banks

    # Short cuts know one address mapping: row, rank, bank, column, bank group. A place is a row of all bank groups.
    place_bursts = col_mod * groups
    short_cuts = (
        short_cuts and (groups == 1 or group_div == 1) and col_div == groups and bank_div == place_bursts
        and rank_div == bank_div * banks and row_div == rank_div * ranks
    )  # fmt: skip
    pace = max(col_l if groups == 1 else col_s, col_bus)  # of bursts whose neighbours are in other bank groups
    running = short_cuts and ranks == 1 and 2 * pace >= col_l

    shift = 0  # a burst is a power of two
    while (1 << shift) < burst_bytes:
        shift += 1
    if stride_bytes <= segment_bytes:  # contiguous
        segment_bytes *= segments
        stride_bytes, segments = segment_bytes, 1
    segment: Any = np.int64(0)
    at: Any = np.int64(0)  # the next burst
    stop: Any = (segment_bytes + burst_bytes - 1) >> shift  # and the end of its segment
    more: Any = True
    bank: Any
    row: Any

    # A period brings the pattern to the start of another place; with several ranks, of the same rank and bank.
    period_segments: Any = np.int64(0)
    period_bursts: Any = np.int64(0)
    if short_cuts:
        unit = place_bursts * (1 if ranks == 1 else banks * ranks)
        if segments == 1:
            period_bursts = unit
            reach = stop
        else:
            a, b = stride_bytes, unit * burst_bytes
            while b:
                a, b = b, a % b
            period_segments = unit * burst_bytes // a
            period_bursts = period_segments * stride_bytes // burst_bytes
            reach = segments * stride_bytes // burst_bytes
        if reach < 3 * period_bursts:
            period_bursts = np.int64(0)
    width = 4 * all_banks + 2 * all_groups + 5 * ranks + 2 + 2 * depth if period_bursts > 0 else 0
    state, states = np.zeros(width, np.int64), np.zeros((2, width), np.int64)  # the last, and one further back
    marks = np.full((2, 4), -1, np.int64)  # of both: t, activates, bursts, how many periods had begun
    begun, next_back, next_period = np.int64(0), np.int64(1), np.int64(0)

    open_row = np.full(all_banks, -1, np.int64)
    act_ready, pre_ready = np.zeros(all_banks, np.int64), np.zeros(all_banks, np.int64)
    col_ready = np.zeros(all_banks, np.int64)
    group_act, group_col = np.zeros(all_groups, np.int64), np.zeros(all_groups, np.int64)
    window, window_at = np.full((ranks, 4), past, np.int64), np.zeros(ranks, np.int64)
    rank_pre = np.zeros(ranks, np.int64)
    q_bank, q_row, length = np.zeros(depth, np.int64), np.zeros(depth, np.int64), 0
    fresh = np.zeros(depth, np.int64)  # what enters during a run
    wanted, looked, stamp = np.zeros(all_banks, np.int64), np.zeros(all_banks, np.int64), 0
    last_command, last_column = past, past
    activates, bursts = np.int64(0), np.int64(0)
    t = np.int64(0)

    while more or length > 0:
        if period_bursts > 0 and more and at == next_period and length < depth:
            base = at // place_bursts
            _write_state(
                state, base, t, ranks, groups, banks, open_row, act_ready, pre_ready, col_ready, group_act, group_col,
                window, window_at, faw, rank_pre, last_command, q_bank, q_row, length,
            )  # fmt: skip
            same = -1
            for i in range(2):
                if same < 0 and marks[i, 0] >= 0 and np.array_equal(state, states[i]):
                    same = i
            if same >= 0:  # jump
                periods = begun - marks[same, 3]
                left = (stop - at) // period_bursts if segments == 1 else (segments - segment) // period_segments
                repeats = left // periods
                later, moved = repeats * (t - marks[same, 0]), repeats * periods * period_bursts // place_bursts
                activates += repeats * (activates - marks[same, 1])
                bursts += repeats * (bursts - marks[same, 2])
                t += later
                last_command += later
                last_column += later
                group_act += later
                group_col += later
                window += later
                rank_pre += later
                old = np.stack((open_row, act_ready, pre_ready, col_ready))
                for bank in range(all_banks):
                    b = bank // banks * banks + (bank + moved) % banks if ranks == 1 else bank
                    open_row[b] = old[0, bank] + moved if old[0, bank] >= 0 else -1
                    act_ready[b], pre_ready[b], col_ready[b] = (
                        old[1, bank] + later, old[2, bank] + later, old[3, bank] + later
                    )  # fmt: skip
                for i in range(length):
                    q_row[i] += moved
                    if ranks == 1:
                        q_bank[i] = q_bank[i] // banks * banks + (q_bank[i] + moved) % banks
                if segments == 1:
                    at += repeats * periods * period_bursts
                    more = at < stop
                else:
                    segment += repeats * periods * period_segments
                    at = segment * stride_bytes >> shift
                    stop = (segment * stride_bytes + segment_bytes + burst_bytes - 1) >> shift
                    more = segment < segments
                period_bursts = np.int64(0)
                continue
            # The state before catches most; one further and further back catches what swings between several.
            for i in range(2):
                if i == 0 or begun == next_back:
                    states[i, :] = state
                    marks[i, 0], marks[i, 1], marks[i, 2], marks[i, 3] = t, activates, bursts, begun
            if begun == next_back:
                next_back *= 2
            begun += 1
            next_period += period_bursts

        if more and length < depth:  # a request enters
            if short_cuts:
                row = at // place_bursts
                bank = (row // banks % ranks * groups + at % groups) * banks + row % banks
            else:
                row = at // row_div % row_mod
                group = at // rank_div % ranks * groups + at // group_div % groups
                bank = group * banks + at // bank_div % banks
            q_bank[length], q_row[length] = bank, row
            length += 1
            bursts += 1
            at += 1
            while at >= stop and more:  # the next segment; what the one before moved is not moved again
                segment += 1
                more = segment < segments
                at = max(stop, segment * stride_bytes >> shift)
                stop = max(stop, (segment * stride_bytes + segment_bytes + burst_bytes - 1) >> shift)
        wake = t + 1 if more and length < depth else never

        if running and (length == depth or not more):
            calm = True
            first: Any = group_col[q_bank[0] // banks]
            for i in range(length):
                b = q_bank[i]
                if (
                    open_row[b] != q_row[i] or col_ready[b] > t or group_col[b // banks] < first
                    or (groups > 1 and i > 0 and b // banks == q_bank[i - 1] // banks)
                ):  # fmt: skip
                    calm = False
                    break
            if calm:
                drained = not more
                # `entering` requests after those in the queue may enter and find their row open.
                entering, row, newest = np.int64(0), q_row[length - 1], q_bank[length - 1]
                limit: Any = (np.int64(1) << 50) if groups == 1 else length - 1
                stretch: Any = np.int64(-1)  # first burst of a run that enters alone
                place_end = (row + 1) * place_bursts
                while more and at < place_end and entering < limit:
                    if groups == 1:
                        take = min(stop, place_end) - at
                        entering += take
                        at += take
                    elif entering == 0 and min(stop, place_end) - at >= depth:  # a long run, alone
                        ready_groups = 0
                        for g in range(groups):
                            bank = g * banks + row % banks
                            if open_row[bank] == row and col_ready[bank] <= t:
                                ready_groups += 1
                        if ready_groups < groups or newest == at % groups * banks + row % banks:
                            break
                        stretch, limit = at, entering
                        entering = min(stop, place_end) - at
                        at += entering
                    else:
                        bank = at % groups * banks + row % banks
                        if bank == newest or open_row[bank] != row or col_ready[bank] > t:
                            break
                        newest = bank
                        fresh[entering] = bank
                        entering += 1
                        at += 1
                    while at >= stop and more:
                        segment += 1
                        more = segment < segments
                        at = max(stop, segment * stride_bytes >> shift)
                        stop = max(stop, (segment * stride_bytes + segment_bytes + burst_bytes - 1) >> shift)
                issued = length if drained else entering + 1
                start = max(t, first, last_command + col_bus)
                for i in range(min(issued, length)):
                    pre_ready[q_bank[i]] = max(pre_ready[q_bank[i]], start + i * pace + col_pre)
                last = start + (issued - 1) * pace
                if stretch >= 0:
                    for i in range(max(length, issued - groups), issued):
                        bank = (stretch + i - length) % groups * banks + row % banks
                        pre_ready[bank] = start + i * pace + col_pre
                else:
                    bank = q_bank[issued - 1] if issued <= length else newest
                    pre_ready[bank] = max(pre_ready[bank], last + col_pre)
                for g in range(groups):
                    group_col[g] = max(group_col[g], last + (col_l if g == bank // banks else col_s))
                last_command = last_column = last
                bursts += entering
                kept = max(0, length - issued)
                for i in range(kept):
                    q_bank[i], q_row[i] = q_bank[i + issued], q_row[i + issued]
                length = 0 if drained else length - 1
                for i in range(kept, length):
                    if stretch >= 0:
                        bank = (stretch + entering - length + i) % groups * banks + row % banks
                    else:
                        bank = newest if groups == 1 else fresh[i - kept]
                    q_bank[i], q_row[i] = bank, row
                t = last + 1
                continue

        # first ready, first come, as in the command kernel
        kind, chosen, which, row = -1, -1, -1, np.int64(-1)
        stamp += 1
        for i in range(length):
            b = q_bank[i]
            if open_row[b] != q_row[i] or wanted[b] == stamp:  # of one bank the oldest is first
                continue
            wanted[b] = stamp
            ready = max(col_ready[b], group_col[b // banks], last_command + col_bus)
            if ready <= t:
                kind, chosen, which = 3, i, b
                break
            wake = min(wake, ready)
        if kind < 0:
            for i in range(length):
                b = q_bank[i]
                r = b // rank_banks
                if open_row[b] == q_row[i] or looked[b] == stamp:
                    continue
                looked[b] = stamp
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
                    kind, which, row = command, b, q_row[i]
                    break
                wake = min(wake, ready)
        if kind < 0:
            t = wake
            continue
        r, g = which // rank_banks, which // banks
        last_command = t
        if kind == 0:
            open_row[which] = row
            col_ready[which], pre_ready[which], act_ready[which] = t + act_col, t + act_pre, t + act_act
            for other in range(r * groups, (r + 1) * groups):
                group_act[other] = max(group_act[other], t + (act_act_l if other == g else act_act_s))
            window[r, window_at[r]] = t
            window_at[r] = (window_at[r] + 1) % 4
            activates += 1
        elif kind == 1:
            open_row[which] = -1
            act_ready[which] = max(act_ready[which], t + pre_act)
            rank_pre[r] = t + pre_pre
        else:
            for other in range(all_groups):
                between = col_l if other == g else (col_s if other // groups == r else col_r)
                group_col[other] = max(group_col[other], t + between)
            pre_ready[which] = max(pre_ready[which], t + col_pre)
            last_column = t
            length -= 1
            for i in range(chosen, length):
                q_bank[i], q_row[i] = q_bank[i + 1], q_row[i + 1]
        t += 1

    # precharge all banks of every rank
    end = last_column + (wr_end + wr_next if is_write else rd_end + rd_next)
    open_ranks = 0
    for r in range(ranks):
        if np.any(open_row[r * rank_banks : (r + 1) * rank_banks] >= 0):
            open_ranks += 1
    while open_ranks > 0:
        wake, issued_now = never, False
        for r in range(ranks):
            ready = never
            for b in range(r * rank_banks, (r + 1) * rank_banks):
                if open_row[b] >= 0:
                    ready = max(pre_ready[b], rank_pre[r], last_command + pre_bus, ready if ready < never else 0)
            if ready <= t:
                open_row[r * rank_banks : (r + 1) * rank_banks] = -1
                last_command, end = t, max(end, t + prea_act)
                open_ranks -= 1
                issued_now = True
                break
            wake = min(wake, ready)
        t = t + 1 if issued_now else wake
    result[0], result[1], result[2] = end, activates, bursts


@njit(cache=True)
def _write_state(
    state: Integers, base: int, t: int, ranks: int, groups: int, banks: int, open_row: Integers, act_ready: Integers,
    pre_ready: Integers, col_ready: Integers, group_act: Integers, group_col: Integers, window: Integers,
    window_at: Integers, faw: int, rank_pre: Integers, last_command: int, q_bank: Integers, q_row: Integers,
    length: int,
) -> None:  # fmt: skip
    """Write what decides the future, relative to cycle `t` and place `base`; times gone by are 0.

    With one rank banks stand in the order in which the pattern comes to them, so it does not matter which comes next.
    """
    n = 0
    for bank in range(ranks * groups * banks):
        b = bank // banks * banks + (base + bank) % banks if ranks == 1 else bank
        state[n] = open_row[b] - base if open_row[b] >= 0 else -(np.int64(1) << 60)
        state[n + 1] = max(0, act_ready[b] - t)
        state[n + 2] = max(0, pre_ready[b] - t)
        state[n + 3] = max(0, col_ready[b] - t)
        n += 4
    for g in range(ranks * groups):
        state[n], state[n + 1] = max(0, group_act[g] - t), max(0, group_col[g] - t)
        n += 2
    for r in range(ranks):
        for i in range(4):
            state[n + i] = max(0, window[r, (window_at[r] + i) % 4] + faw - t)
        state[n + 4] = max(0, rank_pre[r] - t)
        n += 5
    state[n], state[n + 1] = length, max(0, last_command + 16 - t)  # no command is longer than 16 cycles
    n += 2
    for i in range((len(state) - n) // 2):
        state[n + 2 * i] = q_row[i] - base if i < length else 0
        state[n + 2 * i + 1] = q_bank[i] // banks if i < length else 0
