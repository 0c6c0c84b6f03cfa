"""The time of a step: arrays that run their plans in order and share the channel, from docs/machine.md alone.

A plan has `fill`, `drain`, `tiles` (each with `stream`, `gap`, which is 0 in tile 0, `load` and `store`), and the bytes
between the array and its memories: `array` of the buffer, `sram` of the predictor SRAM. `naive_op` says what a machine
is.
"""

from math import ceil

STALLS = ("stall_load_cycles", "stall_store_cycles", "stall_other_array_cycles", "stall_buffer_port_cycles")
TIMES = ("cycles", "compute_cycles", "pipeline_cycles", *STALLS, "dram_cycles")


def up(a, b):
    """Return a / b, rounded up."""
    return -(-a // b)


class Running:
    """A plan that runs on an array: how much is done, and what its tiles wait for."""

    def __init__(self, machine, plan, start):
        self.machine, self.plan, self.start = machine, plan, start
        self.tiles = plan["tiles"]
        self.ports = machine["banks"] * machine["port"]
        self.windows = [tile["stream"] + (tile["gap"] if t else plan["fill"]) for t, tile in enumerate(self.tiles)]
        self.waits = [self.port_wait(tile, w) for tile, w in zip(self.tiles, self.windows, strict=True)]
        self.storing = [t for t, tile in enumerate(self.tiles) if tile["store"]]
        self.load_end, self.begin, self.end, self.store_end = [], [], [], {}
        self.behind = {}
        self.row = dict.fromkeys(TIMES, 0)
        self.row["pipeline_cycles"] = self.row["compute_cycles"] = plan["fill"] + plan["drain"]
        self.row["stall_buffer_port_cycles"] = sum(self.waits)

    def port_wait(self, tile, w):
        if not w:
            return 0
        total = sum(self.windows)
        n = up(up(self.plan["array"] * w, total) + tile["load"] + tile["store"], self.ports)
        m = 0
        if self.plan["sram"]:
            m = up(up(self.plan["sram"] * w, total), self.machine["sram_banks"] * self.machine["sram_port"])
        return max(0, n - w, m - w)

    def holds(self, size, tile):
        """Return for how long a transfer holds the channel."""
        machine = self.machine
        held = ceil(size / machine["bandwidth"]) + machine["latency"] if machine["bandwidth"] else 0
        return held if self.windows[tile] else max(held, up(size, self.ports))

    def stalled(self, kind, wait, transfer):
        other = min(wait, self.behind.get(transfer, 0))
        self.row["stall_other_array_cycles"] += other
        self.row[f"stall_{kind}_cycles"] += wait - other

    def stream(self):
        """Begin the stream of every tile whose load and store are done."""
        fill = self.plan["fill"]
        while len(self.begin) < len(self.load_end):
            t = len(self.begin)
            stored = [s for s in self.storing if s < t]
            awaited = stored[-2] if len(stored) >= 2 else None
            if awaited is not None and awaited not in self.store_end:
                return
            gap, stream = (self.tiles[t][key] for key in ("gap", "stream"))
            gap *= t > 0
            ready = self.end[-1] + gap if t else self.start + fill
            loaded = max(ready, self.load_end[t] + fill)
            at = max(loaded, self.store_end[awaited] if awaited is not None else 0)
            self.stalled("load", loaded - ready, ("load", t))
            self.stalled("store", at - loaded, ("store", awaited))
            self.row["pipeline_cycles"] += gap
            self.row["compute_cycles"] += gap + stream
            self.begin.append(at)
            self.end.append(at + stream + self.waits[t])

    def asks(self):
        """Return the transfers that can be asked for: cycle, load or not, tile."""
        self.stream()
        found, t = [], len(self.load_end)
        if t < len(self.tiles) and (t < 2 or t - 2 < len(self.end)):
            before = self.load_end[-1] if t else self.start
            found.append((max(before, self.end[t - 2] if t >= 2 else 0), 1, t))
        number = len(self.store_end)
        if number < len(self.storing) and self.storing[number] < len(self.end):
            tile = self.storing[number]
            before = self.store_end[self.storing[number - 1]] if number else 0
            found.append((max(self.end[tile] + self.plan["drain"], before), 0, tile))
        return found

    def finished(self):
        """Return when the plan is done; call this when nothing is left to be asked for."""
        drained = self.end[-1] + self.plan["drain"]
        done = max([drained, *self.store_end.values()])
        if self.storing:
            self.stalled("store", done - drained, ("store", self.storing[-1]))
        self.row["cycles"] = done - self.start
        return done


def held_by(plan, ask):
    """Return for how long a transfer that a plan asks for holds the channel; one of no bytes does not."""
    _, is_load, _, tile = ask
    size = plan.tiles[tile]["load" if is_load else "store"]
    return plan.holds(size, tile) if size else 0


def run_step(machines, ops, start=0):
    """Run ops, a list for each array, each a list of plans; return for each array (start, end, row) of its ops."""
    queues = [[(number, plan) for number, op in enumerate(some) for plan in op] for some in ops]
    found = [[[None, None, dict.fromkeys(TIMES, 0)] for _ in some] for some in ops]
    at, free, carried = [start] * len(ops), start, []
    current = [None] * len(ops)
    while True:
        asks = []
        for array, queue in enumerate(queues):
            while True:
                if current[array] is None:
                    if not queue:
                        break
                    number, plan = queue.pop(0)
                    current[array] = number, Running(machines[array], plan, at[array])
                mine = current[array][1].asks()
                if mine:
                    asks += [(asked, is_load, array, tile) for asked, is_load, tile in mine]
                    break
                number, plan = current[array]
                begun = at[array]
                at[array] = plan.finished()
                op = found[array][number]
                op[0] = begun if op[0] is None else op[0]
                op[1] = at[array]
                for key in TIMES:
                    op[2][key] += plan.row[key]
                current[array] = None
        if not asks:
            break
        empty = [one for one in asks if not held_by(current[one[2]][1], one)]  # these end without the channel
        asked, is_load, array, tile = min(empty or asks)
        plan = current[array][1]
        held = held_by(plan, (asked, is_load, array, tile))
        over = asked
        if held:
            begins = max(asked, free)
            over = free = begins + held
            plan.behind["load" if is_load else "store", tile] = sum(
                max(0, last - max(first, asked)) for whose, first, last in carried if whose != array
            )
            carried = [one for one in carried if one[2] > asked] + [(array, begins, over)]
            plan.row["dram_cycles"] += over - begins
        if is_load:
            plan.load_end.append(over)
        else:
            plan.store_end[tile] = over
    for some in found:  # an op of no plans takes no time, after the one before
        last = start
        for op in some:
            op[0], op[1] = (last, last) if op[0] is None else op[:2]
            last = op[1]
    return found


def run(machine, plan):
    """Return the row of a plan that has the channel to itself."""
    ((op,),) = run_step([machine], [[[plan]]])
    return op[2]
