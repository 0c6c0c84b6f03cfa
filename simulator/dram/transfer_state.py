"""A DRAM channel during a transfer: its state, and what each command changes. A part of `transfer_kernel`.

The state is arrays of records, one for each bank, bank group, rank and place of the queue (the oldest request first):

- `..._ready` is the first cycle in which a command may be issued. That of a bank follows from the commands to this
  bank; that of a group or a rank from the commands to all of its banks. A command waits for all of them.
- `open_row` is the row that is open, -1 for none.
- `activates_at` has the cycles of a rank's last four ACT; `oldest` says which of them is the oldest.
- `wanted` and `looked_at` are numbers of looks at the queue (the kernel counts them, `stamp`): the last look that found
  a request for the bank's open row, and the last one that found a request for another row. Only the oldest such
  request of a bank can be served, so that one look passes over the others.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from dataflows.integers import Integers
from simulator.dram.constraints import ACT, OTHER_RANK, PRE, PREA, RD, SAME_BANK, SAME_GROUP, SAME_RANK, WR
from workloads.foundation.kernels import njit_inside

NEVER = 1 << 60


def _fields(*names: str) -> np.dtype[np.void]:
    return np.dtype([(name, np.int64) for name in names])


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


@njit_inside
def rules_of(channel: Any, least: Integers, is_write: bool) -> Rules:
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


@njit(inline="always")
def choose(
    banks: Any, groups: Any, ranks: Any, queue: Any, rules: Rules, waiting: int, stamp: int, now: int, last_command: int
) -> tuple[int, int, int, int, int]:
    """Return command, bank, row and place in the queue, first ready, first come; else -1s and when one may."""
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


@njit(inline="always")
def activate(banks: Any, groups: Any, ranks: Any, rules: Rules, bank: int, row: int, now: int) -> None:
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


@njit(inline="always")
def precharge(banks: Any, ranks: Any, rules: Rules, bank: int, now: int) -> None:
    """Issue PRE."""
    banks[bank].open_row = -1
    banks[bank].activate_ready = max(banks[bank].activate_ready, now + rules.precharge_to_activate)
    ranks[bank // (rules.bank_groups * rules.banks)].precharge_ready = now + rules.precharge_to_precharge


@njit(inline="always")
def column(banks: Any, groups: Any, queue: Any, rules: Rules, bank: int, place: int, waiting: int, now: int) -> None:
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


@njit_inside
def precharge_all(banks: Any, ranks: Any, rules: Rules, now: int, last_command: int, end: int) -> int:
    """Issue PREA to every rank with an open bank; return when the next transfer may start."""
    rank_banks = rules.bank_groups * rules.banks
    while True:
        wake = NEVER
        for rank in range(rules.ranks):
            ready = NEVER
            for bank in range(rank * rank_banks, (rank + 1) * rank_banks):
                if banks[bank].open_row >= 0:
                    ready = max(banks[bank].precharge_ready, ready if ready < NEVER else 0)
            if ready < NEVER:
                ready = max(ready, ranks[rank].precharge_ready, last_command + rules.precharge_bus, now)
            if ready < wake:
                wake, first = ready, rank * rank_banks
        if wake == NEVER:
            return end
        for bank in range(first, first + rank_banks):
            banks[bank].open_row = -1
        last_command, end, now = wake, max(end, wake + rules.precharge_all_to_activate), wake + 1
