"""The time of a plan that has the channel to itself, and plans without products, from docs/machine.md and nothing else.

A machine is a plain dictionary; `naive_op` says what is in it.
"""

from math import ceil

STALLS = ("stall_load_cycles", "stall_store_cycles", "stall_buffer_port_cycles")
SUMS = (
    "macs",
    "adds",
    "register_reads",
    "register_writes",
    "array_network_bytes",
    "buffer_read_bytes",
    "buffer_write_bytes",
    "accumulator_read_bytes",
    "accumulator_write_bytes",
    "predictor_sram_read_bytes",
    "predictor_sram_write_bytes",
    "dram_read_bytes",
    "dram_write_bytes",
)
COLUMNS = ("cycles", "compute_cycles", "pipeline_cycles", *STALLS, *SUMS)


def up(a, b):
    """Return a / b, rounded up."""
    return -(-a // b)


def cuts(extent, size):
    """Return the pieces of an axis."""
    return [(first, min(first + size, extent)) for first in range(0, extent, size)]


def from_dram(operand):
    """Return how many tensors of an operand, (place, tensors), are loaded."""
    return operand[1] * (operand[0] == "dram")


def run(machine, plan):
    """Run a plan that has the channel to itself.

    `plan` has `fill`, `drain` and `tiles`, each with `stream`, `gap` (tile 0: 0), `load`, `store`, and the plan `array`
    (bytes between buffer and array) and `sram` (bytes of the predictor SRAM).
    """
    fill, drain, todo = plan["fill"], plan["drain"], plan["tiles"]
    ports = machine["banks"] * machine["port"]
    windows = [tile["stream"] + (tile["gap"] if t else fill) for t, tile in enumerate(todo)]
    W = sum(windows)
    waits = []
    for tile, w in zip(todo, windows, strict=False):
        n = m = 0
        if w:
            n = up(up(plan["array"] * w, W) + tile["load"] + tile["store"], ports)
            if plan["sram"]:
                m = up(up(plan["sram"] * w, W), machine["sram_banks"] * machine["sram_port"])
        waits.append(max(0, n - w, m - w))

    def channel(size, window):
        held = ceil(size / machine["bandwidth"]) + machine["latency"] if machine["bandwidth"] else 0
        return held if window else max(held, up(size, ports))

    load_end, begin, end, store_end = [], [], [], {}
    storing = [t for t, tile in enumerate(todo) if tile["store"]]
    free = stall_load = stall_store = 0
    pipeline = compute_cycles = fill

    def start_streams():
        """Begin the stream of every tile whose load and store are done."""
        nonlocal stall_load, stall_store, pipeline, compute_cycles
        while len(begin) < len(load_end):
            t = len(begin)
            stored = [s for s in storing if s < t]
            awaited = stored[-2] if len(stored) >= 2 else None
            if awaited is not None and awaited not in store_end:
                return
            gap = todo[t]["gap"] if t else 0
            ready = end[-1] + gap if t else fill
            loaded = max(ready, load_end[t] + fill)
            at = max(loaded, store_end[awaited] if awaited is not None else 0)
            stall_load += loaded - ready
            stall_store += at - loaded
            pipeline += gap
            compute_cycles += gap + todo[t]["stream"]
            begin.append(at)
            end.append(at + todo[t]["stream"] + waits[t])

    while len(load_end) < len(todo) or len(store_end) < len(storing):
        start_streams()
        asks = []
        t = len(load_end)
        if t < len(todo) and (t < 2 or t - 2 < len(end)):
            asks.append((max(load_end[-1] if t else 0, end[t - 2] if t >= 2 else 0), 1, t))
        if len(store_end) < len(storing) and storing[len(store_end)] < len(end):
            s = storing[len(store_end)]
            done = store_end[storing[len(store_end) - 1]] if store_end else 0
            asks.append((max(end[s] + drain, done), 0, s))
        asked, is_load, tile = min(asks)
        size = todo[tile]["load" if is_load else "store"]
        over = asked
        if size:
            over = free = max(asked, free) + channel(size, windows[tile])
        if is_load:
            load_end.append(over)
        else:
            store_end[tile] = over
    start_streams()
    drained = end[-1] + drain
    finish = max([drained, *store_end.values()])
    return {
        "cycles": finish,
        "compute_cycles": compute_cycles + drain,
        "pipeline_cycles": pipeline + drain,
        "stall_load_cycles": stall_load,
        "stall_store_cycles": stall_store + finish - drained,
        "stall_buffer_port_cycles": sum(waits),
    }


def memory(place):
    """Return the memory on the array's side: what comes from DRAM or goes there lies in the buffer."""
    return "predictor_sram" if place == "sram" else "buffer"


def finish(machine, row, plan):
    """Return a row with its time and its DMA, given what passes on the array's side of the memories."""
    loaded, stored = (sum(tile[way] for tile in plan["tiles"]) for way in ("load", "store"))
    array = row["buffer_read_bytes"] + row["buffer_write_bytes"]
    sram = row["predictor_sram_read_bytes"] + row["predictor_sram_write_bytes"]
    row = {**row, **run(machine, dict(plan, array=array, sram=sram))}
    row["tiles"] = len(plan["tiles"])
    for key, moved in (
        ("dram_read_bytes", loaded),
        ("dram_write_bytes", stored),
        ("buffer_read_bytes", stored),
        ("buffer_write_bytes", loaded),
    ):
        row[key] += moved
    return row


def pieces():
    """Yield 1, 2, 3, 4, 6, 8, 12, ..."""
    yield 1
    step = 2
    while True:
        yield step
        yield step * 3 // 2
        step *= 2


def elementwise_row(machine, words, macs, reads, writes, room, adds=0, written_beside=0):
    """Return the row of work on so many elements, cut into the equal pieces that are fastest.

    Reads and writes are operands, (place, tensors). `written_beside` bytes pass the buffer's ports, too, which the
    choice does not weigh.
    """
    word = machine["word"]
    loaded, stored = (sum(map(from_dram, some)) for some in (reads, writes))
    words_in, words_out = (sum(tensors for _, tensors in some) for some in (reads, writes))
    row = dict.fromkeys(SUMS, 0)
    row["macs"], row["adds"] = words * macs, words * adds
    row["array_network_bytes"] = words * (words_in + words_out) * word
    for some, way in ((reads, "_read_bytes"), (writes, "_write_bytes")):
        for place, tensors in some:
            row[memory(place) + way] += words * tensors * word
    found = []
    for size in piece_sizes(words):
        if 2 * size * (loaded + stored) * word > room:
            continue
        sequence = []
        for first, last in cuts(words, size):
            n = last - first
            stream = max(
                up(n * (macs + adds), machine["rows"] * machine["columns"]),
                up(n * words_in, machine["input_port"] + machine["weight_port"]),
                up(n * words_out, machine["output_port"]),
            )
            sequence.append({"stream": stream, "gap": 0, "load": n * loaded * word, "store": n * stored * word})
        plan = {"fill": 1, "drain": 2, "tiles": sequence}
        found.append((finish(machine, row, plan), plan))
    if not found:
        return None
    _, plan = min(found, key=lambda one: (one[0]["cycles"], one[0]["tiles"]))
    return finish(machine, {**row, "buffer_write_bytes": row["buffer_write_bytes"] + written_beside}, plan)


def transfer_row(machine, load, store, room):
    """Return the row of a plain transfer, in equal pieces of at most half the room; all loads come first."""
    most = max(load, store)
    if not most:
        return dict.fromkeys(COLUMNS, 0)
    found = []
    for size in piece_sizes(most):
        if size > max(1, room // 2):
            continue
        sequence = [{"stream": 0, "gap": 0, "load": b - a, "store": 0} for a, b in cuts(load, min(size, load) or 1)]
        sequence += [{"stream": 0, "gap": 0, "load": 0, "store": b - a} for a, b in cuts(store, min(size, store) or 1)]
        found.append(finish(machine, dict.fromkeys(SUMS, 0), {"fill": 0, "drain": 0, "tiles": sequence}))
    return min(found, key=lambda one: (one["cycles"], one["tiles"]))


def piece_sizes(words):
    """Return the sizes of 1, 2, 4, 8, ... equal pieces, and of single words."""
    found, count = [], 1
    while count < words:
        found.append(up(words, count))
        count *= 2
    return [*found, 1]
