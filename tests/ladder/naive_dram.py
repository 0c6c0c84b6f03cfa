"""A DRAM channel cycle by cycle, from the rules of docs/dram.md and nothing else: slow, and easy to check.

It keeps the list of all commands so far, and a command is legal in a cycle when every rule of the table below holds
against each of them. No registers of ready times, no skipped cycles.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from simulator.dram.part import DramPart, load_part

FAR = 1000  # cycles, more than any rule
WIDE = ("PREA", "REF")  # of all banks of a rank
KINDS = ("ACT", "PRE", "PREA", "RD", "WR", "REF")


@dataclass(frozen=True)
class Command:
    cycle: int
    kind: str
    rank: int
    group: int
    bank: int
    row: int


@dataclass
class Request:
    write: bool
    rank: int
    group: int
    bank: int
    row: int


@dataclass
class NaiveChannel:
    part: DramPart
    depth: int = 32
    refresh: bool = True
    close: bool = False
    commands: list[Command] = field(default_factory=list)
    open_rows: dict[tuple[int, int, int], int] = field(default_factory=dict)
    rules: dict[tuple[str, str, bool, bool, bool], int] = field(default_factory=dict)
    asked: dict[tuple[object, ...], tuple[object, bool]] = field(default_factory=dict)

    def least(self, old: Command, kind: str, rank: int, group: int, bank: int) -> int:
        """Cycles that must lie between an old command and a new one, for the pairs that are bound at all."""
        same_rank = old.rank == rank
        same_group = same_rank and old.group == group
        same_bank = same_rank and (kind in WIDE or old.kind in WIDE or (same_group and old.bank == bank))
        key = (old.kind, kind, same_rank, same_group, same_bank)
        if key not in self.rules:
            self.rules[key] = self.rule(*key)
        return self.rules[key]

    def rule(self, old: str, new: str, same_rank: bool, same_group: bool, same_bank: bool) -> int:
        t, bus = self.part.timing_cycles, self.part.command_bus_cycles
        data = self.part.organization.burst_length // 2
        row_bus = {"ACT": bus.activate, "PRE": bus.precharge, "PREA": bus.precharge, "REF": bus.refresh}
        found = [row_bus.get(new, bus.column)]
        pair = (old, new)
        if same_rank and pair == ("ACT", "ACT"):
            found.append(t.RRD_L if same_group else t.RRD_S)
        if same_bank:
            write_end = t.CWL + t.DQSS + data + t.WR
            in_bank = {
                ("ACT", "ACT"): t.RAS + t.RP, ("ACT", "REF"): t.RAS + t.RP,
                ("ACT", "RD"): t.RCD, ("ACT", "WR"): t.RCD, ("ACT", "PRE"): t.RAS, ("ACT", "PREA"): t.RAS,
                ("RD", "PRE"): t.RTP, ("RD", "PREA"): t.RTP, ("WR", "PRE"): write_end, ("WR", "PREA"): write_end,
                ("PRE", "ACT"): t.RP, ("PRE", "REF"): t.RP,
                ("PREA", "ACT"): t.RP_ALL, ("PREA", "REF"): t.RP_ALL, ("REF", "ACT"): t.RFC, ("REF", "REF"): t.RFC,
            }  # fmt: skip
            found.append(in_bank.get(pair, 0))
        if same_rank and old in ("PRE", "PREA") and new in ("PRE", "PREA"):
            found.append(t.PPD)
        if same_rank:
            ccd = max(data, t.CCD_L if same_group else t.CCD_S)
            gap = t.READ_TO_WRITE_GAP
            write_read = t.CWL + t.DQSS + data + (t.WTR_L if same_group else t.WTR_S)
        else:
            ccd = data + t.RANK_SWITCH_GAP
            gap = max(t.READ_TO_WRITE_GAP, t.RANK_SWITCH_GAP)
            write_read = t.CWL + t.DQSS + data + t.RANK_SWITCH_GAP - t.CL
        columns = {
            ("RD", "RD"): ccd, ("WR", "WR"): ccd, ("RD", "WR"): t.CL + data + gap - t.CWL, ("WR", "RD"): write_read,
        }  # fmt: skip
        found.append(columns.get(pair, 0))
        return max(found)

    def legal(self, cycle: int, kind: str, rank: int, group: int, bank: int) -> bool:
        key = (cycle, len(self.commands), kind, rank, group, bank)
        if key != self.asked.get(key[2:], (None, None))[0]:
            self.asked[key[2:]] = (key, self.look(cycle, kind, rank, group, bank))
        return self.asked[key[2:]][1]

    def look(self, cycle: int, kind: str, rank: int, group: int, bank: int) -> bool:
        opened = []
        for old in reversed(self.commands):
            if old.cycle + FAR < cycle:
                break
            if old.cycle + self.least(old, kind, rank, group, bank) > cycle:
                return False
            if old.kind == "ACT" and old.rank == rank:
                opened.append(old.cycle)
        return not (kind == "ACT" and len(opened) >= 4 and opened[3] + self.part.timing_cycles.FAW > cycle)

    def issue(self, cycle: int, kind: str, rank: int, group: int, bank: int, row: int) -> None:
        self.commands.append(Command(cycle, kind, rank, group, bank, row))
        if kind == "ACT":
            self.open_rows[rank, group, bank] = row
        elif kind == "PRE":
            del self.open_rows[rank, group, bank]
        elif kind == "PREA":
            self.open_rows = {key: value for key, value in self.open_rows.items() if key[0] != rank}

    def try_request(self, cycle: int, queue: list[Request], blocked: set[int]) -> Request | None:
        """Issue one command for the queue if any is legal; return the request that it finished."""
        for one in queue:  # the oldest read or write that is ready
            if one.rank not in blocked and self.open_rows.get((one.rank, one.group, one.bank)) == one.row:
                kind = "WR" if one.write else "RD"
                if self.legal(cycle, kind, one.rank, one.group, one.bank):
                    self.issue(cycle, kind, one.rank, one.group, one.bank, one.row)
                    return one
        for one in queue:  # the oldest activate or precharge that is ready
            key = (one.rank, one.group, one.bank)
            row = self.open_rows.get(key)
            if one.rank in blocked or row == one.row:
                continue
            if row is None:
                if self.legal(cycle, "ACT", *key):
                    self.issue(cycle, "ACT", *key, one.row)
                    return None
            elif not any((o.rank, o.group, o.bank, o.row) == (*key, row) for o in queue) and self.legal(
                cycle, "PRE", *key
            ):
                self.issue(cycle, "PRE", *key, row)
                return None
        return None

    def run(self, addresses: list[int], is_write: list[bool], arrivals: list[int] | None = None) -> int:
        """Return the cycle of the last word, or with `close` that at which the next transfer may start."""
        part, t = self.part, self.part.timing_cycles
        ranks, data = part.organization.ranks, part.organization.burst_length // 2
        waiting = []
        for address, write in zip(addresses, is_write, strict=True):
            at = part.located(address % part.channel_bytes // part.burst_bytes)
            waiting.append(Request(write, at["rank"], at["bank_group"], at["bank"], at["row"]))
        arrivals = arrivals or [0] * len(waiting)
        queues: tuple[list[Request], list[Request]] = ([], [])
        owed, writing, entered, cycle = [0] * ranks, False, 0, 0
        while True:
            for rank in range(ranks):
                first = t.REFI + rank * t.REFI // ranks
                if self.refresh and cycle >= first and (cycle - first) % t.REFI == 0:
                    owed[rank] += 1
            if entered < len(waiting) and arrivals[entered] <= cycle:
                queue = queues[waiting[entered].write]
                if len(queue) < self.depth:
                    queue.append(waiting[entered])
                    entered += 1
            reads, writes = queues
            if not writing and (len(writes) > 0.8 * self.depth or not reads):
                writing = True
            elif writing and len(writes) < 0.2 * self.depth and reads:
                writing = False
            finishing = entered == len(waiting) and not reads and not writes
            if finishing and not (self.close and self.open_rows):
                break
            blocked = set(range(ranks)) if finishing else {rank for rank in range(ranks) if owed[rank]}
            for rank in sorted(blocked):
                kind = "PREA" if any(key[0] == rank for key in self.open_rows) else "REF"
                if (kind == "PREA" or owed[rank]) and self.legal(cycle, kind, rank, 0, 0):
                    self.issue(cycle, kind, rank, 0, 0, -1)
                    owed[rank] -= kind == "REF"
                    break
            else:
                done = self.try_request(cycle, queues[writing], blocked)
                if done is not None:
                    queues[writing].remove(done)
            cycle += 1
        ends = [0]
        for command in self.commands:
            if command.kind == "RD":
                ends.append(command.cycle + t.CL + data + (t.READ_TO_WRITE_GAP if self.close else 0))
            elif command.kind == "WR":
                ends.append(command.cycle + t.CWL + t.DQSS + data + (t.WTR_L if self.close else 0))
        if self.close and self.commands and self.commands[-1].kind == "PREA":
            ends.append(self.commands[-1].cycle + t.RP_ALL)
        return max(ends)


def odd_part(seed: int) -> DramPart:
    """Return a part with small rows and any timing that is allowed, to reach what no real part needs."""
    rng = np.random.default_rng(seed)
    data = load_part("ddr4-2400").model_dump()
    choices = {"bank_groups": [1, 2, 4], "banks": [2, 3, 4], "columns": [64, 512]}
    data["organization"] |= {name: int(rng.choice(some)) for name, some in choices.items()}
    times = {name: int(rng.integers(1, 40)) for name in data["timing_cycles"]}
    for short, long in (("RRD_S", "RRD_L"), ("CCD_S", "CCD_L"), ("WTR_S", "WTR_L"), ("RP", "RP_ALL")):
        times[long] = times[short] + int(rng.integers(0, 12))
    times["RAS"] = max(times["RAS"], times["RCD"])
    times["FAW"] = int(rng.integers(1, times["RAS"] + times["RP"] + 3 * times["RRD_S"] + 1))
    data["timing_cycles"] = times | {"RFC": 100, "REFI": 5000, "XS": 100}
    data["power"]["currents_ma"]["IDD0"] = 60  # above standby, whatever RAS and RP are
    data["command_bus_cycles"] = {name: int(rng.integers(1, 8)) for name in data["command_bus_cycles"]}
    return DramPart.model_validate(data)


def dealt(part: DramPart, segments: int, size: int, stride: int) -> list[list[tuple[int, int]]]:
    """Return what each channel moves, as (first byte, bytes) of it: segments dealt out one by one (docs/dram.md)."""
    channels, block = part.organization.channels, part.organization.interleave_bytes
    if segments > 1 and stride == size:
        segments, size, stride = 1, segments * size, segments * size
    wide = 1
    while wide < channels and wide * block < size:
        wide += 1
    held: list[list[tuple[int, int]]] = [[] for _ in range(channels)]
    groups = [range(first, first + wide) for first in range(0, channels - wide + 1, wide)]
    share = math.ceil(size / wide)
    for index in range(segments):
        turn, group = divmod(index, len(groups))
        for channel in groups[group]:
            held[channel].append((turn * max(share, math.ceil(stride * len(groups) / channels)), share))
    return held


def naive_transfer(part: DramPart, segments: int, size: int, stride: int, write: bool) -> int:
    """Return the cycles of a transfer over all channels, each by its commands, cycle by cycle."""
    longest = 0
    for pieces in dealt(part, segments, size, stride):
        bursts = {
            burst for first, count in pieces for burst in range(first // part.burst_bytes,
                                                                (first + count - 1) // part.burst_bytes + 1)
        }  # fmt: skip
        addresses = [burst * part.burst_bytes for burst in sorted(bursts)]
        if addresses:
            channel = NaiveChannel(part, 32, refresh=False, close=True)
            longest = max(longest, channel.run(addresses, [write] * len(addresses)))
    return longest
