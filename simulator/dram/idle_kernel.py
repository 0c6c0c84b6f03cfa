"""What ranks do between transfers: stand by, refresh, power down, refresh themselves (docs/dram.md).

Times are cycles of the arrays' clock. Nothing here changes a cycle of a batch.
"""

from typing import Any, NamedTuple

from numba import njit

from dataflows.integers import Integers

NEVER = 1 << 62
_LARGEST = (1 << 63) - 1


class IdleRules(NamedTuple):
    """How ranks spend the cycles in which no transfer holds the channel.

    Attributes
    ----------
    interval_numerator, interval_denominator, refresh_cycles : int
        As `Refresh` has them.
    refreshes_hold : bool
        Whether refreshes that are owed when a transfer ends hold the channel then; else they wait for an idle cycle.
    power_down_after, power_down_exit, power_down_least : int
        Idle cycles before power-down, cycles that its exit takes, and the fewest cycles in it.
    self_refresh_after, self_refresh_exit, self_refresh_least : int
        The same for self-refresh. `NEVER` after means not at all.
    """

    interval_numerator: int
    interval_denominator: int
    refresh_cycles: int
    refreshes_hold: bool
    power_down_after: int
    power_down_exit: int
    power_down_least: int
    self_refresh_after: int
    self_refresh_exit: int
    self_refresh_least: int


class IdleCycles(NamedTuple):
    """Cycles of a batch outside its transfers, by what every rank does in them, and refreshes.

    `unmade` are refreshes that came due in self-refresh and were not commands. A refresh that found no idle cycle is in
    the time of transfers, and none of `refreshing`.
    """

    standby: int
    refreshing: int
    power_down: int
    self_refresh: int
    unmade: int


@njit
def _scaled(value: int, numerator: int, denominator: int) -> int:
    """Return floor(value numerator / denominator) exactly; neither of the two is above 10^18."""
    if numerator == 0 or value <= _LARGEST // numerator:
        return value * numerator // denominator
    whole, rest = 0, 0
    for bit in range(62, -1, -1):
        rest = 2 * rest + (value >> bit & 1) * numerator
        whole = 2 * whole + rest // denominator
        rest %= denominator
    return whole


@njit
def _due(cycle: int, rules: IdleRules) -> int:
    """Return how many refreshes came due up to a cycle."""
    return _scaled(cycle, rules.interval_denominator, rules.interval_numerator)


@njit
def _due_at(count: int, rules: IdleRules) -> int:
    """Return the first cycle up to which so many refreshes came due."""
    whole, rest = divmod(rules.interval_numerator, rules.interval_denominator)
    at = count * whole + _scaled(count, rest, rules.interval_denominator)
    return at if _due(at, rules) >= count else at + 1


@njit
def _stand(cycles: Any, since: int, begin: int, end: int, rules: IdleRules) -> None:
    """Spend idle cycles until the ranks are wanted at the end; no transfer came `since` a cycle."""
    down = max(begin, since + rules.power_down_after)
    asleep = end - rules.power_down_exit - down
    if asleep < rules.power_down_least:
        asleep = 0
    cycles[0] += end - begin - asleep
    cycles[2] += asleep


@njit
def _wait(cycles: Any, since: int, begin: int, end: int, made: int, count: int, rules: IdleRules) -> None:
    """Spend idle cycles in which the refreshes after the first `made` are made, so many, each when it is due.

    One that would not be done at the end begins earlier, and one that is late at once.
    """
    held = rules.refresh_cycles
    if since + rules.power_down_after >= end:  # too early to power down
        cycles[0] += end - begin - count * held
        cycles[1] += count * held
        return
    shortest = rules.interval_numerator // rules.interval_denominator - held
    left = count
    while left > 0:
        due = _due_at(made + 1, rules)
        at = max(begin, min(due, end - left * held))
        _stand(cycles, since, begin, at, rules)
        cycles[1] += held
        begin, made, left = at + held, made + 1, left - 1
        powers_down = shortest - rules.power_down_exit >= rules.power_down_least
        if left > 2 and at == due and powers_down and begin >= since + rules.power_down_after:
            # from here to the last one all are alike: an interval apart, with one power-down between two
            alike = left - 1
            last = _due_at(made + alike, rules)
            if last + held <= end - held:
                asleep = last - due - alike * (held + rules.power_down_exit)
                cycles[0] += alike * rules.power_down_exit
                cycles[1] += alike * held
                cycles[2] += asleep
                begin, made, left = last + held, made + alike, 1
    _stand(cycles, since, begin, end, rules)


@njit
def _idle(cycles: Any, since: int, begin: int, end: int, made: int, due: int, rules: IdleRules) -> int:
    """Spend the idle cycles before a transfer, up to which so many refreshes came due; return how many are made."""
    fit = (end - begin) // rules.refresh_cycles
    enter, leave = max(begin, since + rules.self_refresh_after), end - rules.self_refresh_exit
    if leave - enter < rules.self_refresh_least:
        count = min(due - made, fit)
        _wait(cycles, since, begin, end, made, count, rules)
        return made + count
    count = min(min(due, _due(enter, rules)) - made, (enter - begin) // rules.refresh_cycles)
    _wait(cycles, since, begin, enter, made, count, rules)
    cycles[0] += rules.self_refresh_exit
    cycles[3] += leave - enter
    cycles[4] += due - made - count
    return due


@njit(cache=True)
def run_idle_kernel(
    starts: Integers, ends: Integers, held: Integers, batch_cycles: int, refreshes: int, rules: IdleRules, cycles: Any
) -> None:
    """Add up what ranks do outside a batch's transfers.

    Parameters
    ----------
    starts, ends : int64[transfers]
        When each has the channel, in order.
    held : int64[transfers]
        Cycles of each without the refreshes in it.
    batch_cycles, refreshes : int
        Of the batch.
    rules : IdleRules
    cycles : int64[5]
        The fields of `IdleCycles`, to which they are added.
    """
    since = begin = made = due = 0
    next_due = _due_at(1, rules)
    soon = min(rules.power_down_after, rules.self_refresh_after)
    for i in range(len(starts)):
        start, end = starts[i], ends[i]
        if start >= next_due:
            due = _due(start, rules)
            next_due = _due_at(due + 1, rules)
        if due == made and start <= since + soon:  # no refresh, and too early for anything else
            cycles[0] += start - begin
        else:
            made = _idle(cycles, since, begin, start, made, due, rules)
        since = begin = end
        if rules.refreshes_hold:
            if end >= next_due:
                due = _due(end, rules)
                next_due = _due_at(due + 1, rules)
            if due > made:
                within = (end - start - held[i]) // rules.refresh_cycles
                owed = due - made
                cycles[1] += owed * rules.refresh_cycles
                begin += (owed - within) * rules.refresh_cycles
                made = due
    _idle(cycles, since, begin, batch_cycles, made, refreshes, rules)
