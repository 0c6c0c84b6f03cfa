"""One op alone on its array, from the pages of docs/ and nothing else: loops over tiles, folds and vectors.

A layer, a machine and a tiling are plain dictionaries. A layer has N C H W K R S P Q, stride, padding, dilation (pairs)
and groups. A machine has rows, columns, SP, MP, OP (the ports as docs/microarchitecture.md names them for the
dataflow), weight, input and output port, sums (of an accumulator), word and psum (bytes), share (bytes), banks, port
(bytes a cycle of a bank), sram_banks, sram_port, bandwidth (a fraction of bytes a cycle), latency (cycles).
"""

from itertools import permutations, product
from math import ceil, gcd, log2

STALLS = ("stall_load_cycles", "stall_store_cycles", "stall_buffer_port_cycles")
SUMS = (
    "macs", "adds", "register_reads", "register_writes", "array_network_bytes", "buffer_read_bytes",
    "buffer_write_bytes", "accumulator_read_bytes", "accumulator_write_bytes", "predictor_sram_read_bytes",
    "predictor_sram_write_bytes", "dram_read_bytes", "dram_write_bytes",
)  # fmt: skip
COLUMNS = ("cycles", "compute_cycles", "pipeline_cycles", *STALLS, *SUMS)


def up(a, b):
    """Return a / b, rounded up."""
    return -(-a // b)


# --- products: what a pass multiplies (docs/machine.md, "Passes as products") -------------------------------------


def rows_and_taps(extent, other, taps, stride, padding, dilation):
    """Return for each position modulo the stride: its rows of dX, and for each the rows of dY that taps read."""
    found = []
    for rest in range(stride):
        reached = [t for t in range(taps) if (rest + padding - t * dilation) % stride == 0]
        rows = [
            [(h + padding - t * dilation) // stride for t in reached] for h in range(rest, extent, stride)
        ]  # dY's row; outside of it lies padding
        found.append((len(reached), [[y for y in row if 0 <= y < other] for row in rows]))
    return [(taps_there, rows) for taps_there, rows in found if taps_there and rows]


def products(layer, task, dense=False):
    """Return the products of a pass: their axes, and which rows of the image each row of the result touches."""
    N, K, C, groups = (layer[key] for key in ("N", "K", "C", "groups"))
    kg, cg, R, S, P, Q, H, W = K // groups, C // groups, *(layer[key] for key in "RSPQHW")
    (sv, sh), (pv, ph), (dv, dh) = layer["stride"], layer["padding"], layer["dilation"]
    touched = [[y for t in range(R) if 0 <= (y := p * sv - pv + t * dv) < H] for p in range(P)]
    if task == "forward":
        return [{"groups": groups, "images": N, "rows": touched, "columns": Q, "channels": cg, "taps": R * S, "filters": kg,
                     "width": W, "wgrad": False}]  # fmt: skip
    if task == "wgrad":
        return [{"groups": groups, "images": N, "rows": touched, "columns": Q, "channels": cg, "taps": R * S, "filters": kg,
                     "width": W, "wgrad": True}]  # fmt: skip
    if dense:
        down = [[y // sv for t in range(R) if (y := h + pv - t * dv) % sv == 0 and 0 <= y // sv < P] for h in range(H)]
        return [{"groups": groups, "images": N, "rows": down, "columns": W, "channels": kg, "taps": R * S, "filters": cg,
                     "width": Q, "wgrad": False}]  # fmt: skip
    vertical = rows_and_taps(H, P, R, sv, pv, dv)
    horizontal = rows_and_taps(W, Q, S, sh, ph, dh)
    return [
        {"groups": groups, "images": N, "rows": rows, "columns": len(cols), "channels": kg, "taps": r * s, "filters": cg,
             "width": Q, "wgrad": False}
        for (r, rows), (s, cols) in product(vertical, horizontal)
    ]  # fmt: skip


# --- tiles: what each loads, multiplies and stores (docs/machine.md, "Tiles") -------------------------------------


def cuts(extent, size):
    """Return the pieces of an axis."""
    return [(first, min(first + size, extent)) for first in range(0, extent, size)]


def tiles(part, tiling):
    """Yield the tiles of a product in their order, each as the pieces of its axes by name."""
    size, order = tiling["size"], tiling["order"]
    images = cuts(part["images"], size["images"])
    rows = cuts(len(part["rows"]), size["rows"])
    pixels = list(product(images, rows))
    channels, filters = cuts(part["channels"], size["channels"]), cuts(part["filters"], size["filters"])
    loops = {"filters": filters}
    loops["vectors"], loops["reduction"] = (channels, pixels) if part["wgrad"] else (pixels, channels)
    for group in cuts(part["groups"], size["groups"]):
        for chosen in product(*(loops[axis] for axis in order)):
            tile = dict(zip(order, chosen, strict=False), groups=group)
            pixel, channel = ("reduction", "vectors") if part["wgrad"] else ("vectors", "reduction")
            tile["images"], tile["rows"] = tile[pixel]
            tile["channels"] = tile[channel]
            yield tile


def from_dram(operand):
    """Return how many tensors of an operand, (place, tensors), are loaded."""
    return operand[1] * (operand[0] == "dram")


def length(piece):
    return piece[1] - piece[0]


def loads(part, machine, tiling, places):
    """Yield each tile with V, D, N, its groups, and what its DMA loads and stores in bytes."""
    word, psum = machine["word"], machine["psum"]
    sequence = list(tiles(part, tiling))
    begun, last = set(), {}
    for number, tile in enumerate(sequence):
        last[tile["groups"], tile["vectors"], tile["filters"]] = number
    before = None
    for number, tile in enumerate(sequence):
        g, n = length(tile["groups"]), length(tile["filters"])
        pixels = length(tile["images"]) * length(tile["rows"]) * part["columns"]
        touched = {y for row in part["rows"][slice(*tile["rows"])] for y in row}
        channels = length(tile["channels"])
        image = g * length(tile["images"]) * channels * len(touched) * part["width"] * word
        if part["wgrad"]:
            V, D, kernel = channels * part["taps"], pixels, g * pixels * n * word
            names = (("groups", "images", "rows", "channels"), ("groups", "images", "rows", "filters"))
        else:
            V, D, kernel = pixels, channels * part["taps"], g * channels * part["taps"] * n * word
            names = (("groups", "images", "rows", "channels"), ("groups", "channels", "filters"))
        fresh = [before is None or any(before[a] != tile[a] for a in axes) for axes in names]
        result = (tile["groups"], tile["vectors"], tile["filters"])
        after = sequence[number + 1] if number + 1 < len(sequence) else None
        follows = before is not None and result == (before["groups"], before["vectors"], before["filters"])
        stays = after is not None and result == (after["groups"], after["vectors"], after["filters"])
        first, final = result not in begun, last[result] == number
        begun.add(result)
        load = image * fresh[0] * from_dram(places["image"])
        load += kernel * fresh[1] * from_dram(places["filter"])
        back = g * V * n * psum if not first and not follows else 0
        store = (
            g * V * n * (word if final else psum)
            if (final and places["result"] == "dram") or (not final and not stays)
            else 0
        )
        yield {"g": g, "V": V, "D": D, "N": n, "load": load + back, "store": store, "first": first, "final": final}
        before = tile


# --- the array: folds of a tile (docs/microarchitecture.md) -------------------------------------------------------


def array_facts(machine, flow):
    """Return fill, drain, cycles between vectors (II) and the load or drain of a fold."""
    R, C, SP, MP, OP = (machine[key] for key in ("rows", "columns", "SP", "MP", "OP"))
    if machine["systolic"]:  # nothing overlaps, so all of a fold streams
        load = 0 if flow == "os" else R * up(C, SP)
        drain = R * up(C, OP) if flow == "os" and machine["serial"] else 0
        return {"fill": 0, "drain": 0, "II": max(up(R, MP), up(C, SP if flow == "os" else OP)), "L": load + drain}
    if flow == "os":
        return {"fill": 0, "drain": up(R * C, OP) + 3, "II": max(up(R, MP), up(C, SP)), "L": up(R * C, OP)}
    LC = up(R * C, SP)
    return {"fill": LC + 1, "drain": ceil(log2(R)) + 2, "II": max(up(R, MP), up(C, OP)), "L": LC + 1}


def folds(machine, flow, tile):
    """Yield the folds of a tile: group, block of columns, block of the reduction, and their real sizes."""
    R, C = machine["rows"], machine["columns"]
    V, D, N = tile["V"], tile["D"], tile["N"]
    if flow == "is":
        V, N = N, V
    if flow == "os":
        for _, n, v in product(range(tile["g"]), cuts(N, C), cuts(V, R)):
            yield {"vectors": length(v), "steps": D, "columns": length(n), "block": 0, "blocks": 1}
        return
    blocks = cuts(D, R)
    pieces = [(0, V)]
    if len(blocks) > 1 and machine["sums"]:
        pieces = cuts(V, machine["sums"])
    for piece in pieces:
        for _, n in product(range(tile["g"]), cuts(N, C)):
            for b, d in enumerate(blocks):
                yield {
                    "vectors": length(piece),
                    "steps": length(d),
                    "columns": length(n),
                    "block": b,
                    "blocks": len(blocks),
                }


def compute(machine, flow, tile):
    """Return the stream's cycles, the words that move, and the sizes of the first and the last fold."""
    facts = array_facts(machine, flow)
    R, C, II, L = machine["rows"], machine["columns"], facts["II"], facts["L"]
    names = "macs moving stationary writes_in_array sums_written sums_read local_written local_read results"
    count = dict.fromkeys(names.split(), 0)
    stream, ends = 0, []
    done = list(folds(machine, flow, tile))
    for i, fold in enumerate(done):
        v, d, n = fold["vectors"], fold["steps"], fold["columns"]
        count["macs"] += v * d * n
        if machine["systolic"]:
            stream += L + ((d if flow == "os" else v) + R + C - 2) * II
            ends.append(0)
        else:
            busy = (d if flow == "os" else v) * II
            stream += max(busy, L) if i + 1 < len(done) else busy
            ends.append(busy)
        count["moving"] += v * d
        count["stationary"] += d * n
        count["writes_in_array"] += v * d * n if flow == "os" else d * n
        # Within a tile sums lie in the accumulators, where there are any; between two tiles in the buffer.
        where = "local" if machine["sums"] and flow != "os" else "sums"
        if fold["block"]:
            count[f"{where}_read"] += v * n
        elif not tile["first"]:
            count["sums_read"] += v * n
        if fold["block"] + 1 < fold["blocks"]:
            count[f"{where}_written"] += v * n
        elif tile["final"]:
            count["results"] += v * n
        else:
            count["sums_written"] += v * n
    return stream, ends, count


def gap_between(machine, flow, before, after):
    """Return the gap between two tiles, by the last fold of one and the first of the other."""
    facts = array_facts(machine, flow)
    if machine["systolic"]:
        return 0
    gap = max(0, facts["L"] - before)
    return max(gap, facts["L"] - after) if flow == "os" else gap


# --- time of a plan alone (docs/machine.md, "Time of a step", "Ports of the banks") -------------------------------


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
        "cycles": finish, "compute_cycles": compute_cycles + drain, "pipeline_cycles": pipeline + drain,
        "stall_load_cycles": stall_load, "stall_store_cycles": stall_store + finish - drained,
        "stall_buffer_port_cycles": sum(waits),
    }  # fmt: skip


# --- ops ----------------------------------------------------------------------------------------------------------


def product_row(machine, flow, part, tiling, places, written_beside=0):
    """Return a product's row: time and counts.

    `places` says where image and filter lie, (place, tensors), and where the result goes: dram, buffer or sram.
    """
    word, psum = machine["word"], machine["psum"]
    facts = array_facts(machine, flow)
    sequence, row, before = [], dict.fromkeys(SUMS, 0), None
    row["buffer_write_bytes"] = written_beside
    inside = flow != "os" and not machine["systolic"]  # else the memory adds up partial sums
    for tile in loads(part, machine, tiling, places):
        stream, ends, count = compute(machine, flow, tile)
        gap = gap_between(machine, flow, before, ends[0]) if before is not None else 0
        before = ends[-1]
        sequence.append({"stream": stream, "gap": gap, "load": tile["load"], "store": tile["store"]})
        back = count["sums_read"] + count["local_read"]
        away = count["sums_written"] + count["local_written"]
        row["macs"] += count["macs"]
        row["adds"] += 0 if inside else back
        row["register_reads"] += count["macs"]
        row["register_writes"] += count["writes_in_array"]
        row["accumulator_read_bytes"] += count["local_read"] * psum
        row["accumulator_write_bytes"] += count["local_written"] * psum
        words = count["moving"] + count["stationary"] + count["results"]
        row["array_network_bytes"] += words * word + (away + back * inside) * psum
        row["buffer_read_bytes"] += count["sums_read"] * psum
        row["buffer_write_bytes"] += count["sums_written"] * psum
        image, kernel = ("stationary", "moving") if flow == "is" else ("moving", "stationary")
        for operand, held in (("image", image), ("filter", kernel)):
            place, tensors = places[operand]
            row[memory(place) + "_read_bytes"] += count[held] * word * tensors
        row[memory(places["result"]) + "_write_bytes"] += count["results"] * word
    return finish(machine, row, {"fill": facts["fill"], "drain": facts["drain"], "tiles": sequence})


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
    for key, moved in (("dram_read_bytes", loaded), ("dram_write_bytes", stored), ("buffer_read_bytes", stored),
                       ("buffer_write_bytes", loaded)):  # fmt: skip
        row[key] += moved
    return row


def added(rows):
    """Return the sum of the rows of an op's plans: each begins where the one before ends."""
    return {key: sum(row[key] for row in rows) for key in COLUMNS}


def pieces():
    """Yield 1, 2, 3, 4, 6, 8, 12, ..."""
    yield 1
    step = 2
    while True:
        yield step
        yield step * 3 // 2
        step *= 2


def elementwise_row(machine, words, macs, reads, writes, room, adds=0):
    """Return the row of work on so many elements, cut into the equal pieces that are fastest.

    Reads and writes are operands, (place, tensors).
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
        found.append(finish(machine, row, {"fill": 1, "drain": 2, "tiles": sequence}))
    return min(found, key=lambda one: (one["cycles"], one["tiles"])) if found else None


def transfer_row(machine, load, store, room):
    """Return the row of a plain transfer, in equal pieces of at most half the room; first all loads, then all stores."""
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
    """Return the sizes of 1, 2, 3, 4, 6, 8, 12, ... equal pieces, and of single words."""
    found = []
    for count in pieces():
        if count >= words:
            return [*found, 1]
        found.append(up(words, count))
    return None


# --- the choice (docs/machine.md, "Tiles") ------------------------------------------------------------------------


def sizes(extent, unit_size):
    """Return the sizes of tiles along an axis: equal cuts, and the multiples of the unit next to them."""
    equal = {up(extent, n) for n in range(1, extent + 1)}
    return sorted(
        equal | {m for e in equal for m in (e // unit_size * unit_size, up(e, unit_size) * unit_size) if 0 < m < extent}
    )


def sizes_that_read_less(rows):
    """Return the sizes with which all tiles read fewer rows than with any smaller size of as many tiles."""
    found, least = [], {}
    for size in range(1, len(rows) + 1):
        pieces_there = cuts(len(rows), size)
        read = sum(len({y for row in rows[slice(*piece)] for y in row}) for piece in pieces_there)
        if read < least.get(len(pieces_there), read + 1):
            least[len(pieces_there)] = read
            found.append(size)
    return found


def unit(lanes, each):
    """Return the fewest pieces of `each` words that fill so many lanes some whole number of times."""
    return lanes // gcd(lanes, each)


def tilings(part, machine, flow):
    """Yield every tiling of a product; orders that give the same tiles count once."""
    R, C = machine["rows"], machine["columns"]
    # What fills the array along the loops over vectors, the reduction and the columns of the product.
    lanes = {
        "ws": {"vectors": 1, "reduction": R, "filters": C},
        "is": {"vectors": C, "reduction": R, "filters": 1},
        "os": {"vectors": R, "reduction": 1, "filters": C},
    }[flow]
    pixel, channel = ("reduction", "vectors") if part["wgrad"] else ("vectors", "reduction")
    row, image = part["columns"], part["columns"] * len(part["rows"])
    spaces = [(n, len(part["rows"])) for n in sizes(part["images"], unit(lanes[pixel], image))]
    spaces += [(1, n) for n in sizes(len(part["rows"]), unit(lanes[pixel], row))]
    spaces += [(1, n) for n in sizes_that_read_less(part["rows"])]
    inner = sizes(part["channels"], unit(lanes[channel], part["taps"]))
    for (images, rows), channels, filters, groups in product(
        dict.fromkeys(spaces), inner, sizes(part["filters"], lanes["filters"]), sizes(part["groups"], 1)
    ):
        size = {"images": images, "rows": rows, "channels": channels, "filters": filters, "groups": groups}
        many = {"filters": filters < part["filters"]}
        pixels = images < part["images"] or rows < len(part["rows"])
        several = channels < part["channels"]
        many["vectors"], many["reduction"] = (several, pixels) if part["wgrad"] else (pixels, several)
        seen = set()
        for order in permutations(("vectors", "reduction", "filters")):
            loops = tuple(axis for axis in order if many[axis])
            if loops not in seen:
                seen.add(loops)
                yield {"size": size, "order": order}


def fits(part, machine, tiling, places, room):
    """Return whether the largest tile fits: what it loads twice, and partial sums twice."""
    size = tiling["size"]
    pixels = size["images"] * size["rows"] * part["columns"]
    spans = [{y for row in part["rows"][slice(*piece)] for y in row} for piece in cuts(len(part["rows"]), size["rows"])]
    touched = max(map(len, spans))
    image = size["images"] * touched * part["width"] * size["channels"]
    inner = size["channels"] * part["taps"]
    kernel = size["filters"] * (pixels if part["wgrad"] else inner)
    result = size["filters"] * (inner if part["wgrad"] else pixels)
    held = image * from_dram(places["image"]) + kernel * from_dram(places["filter"])
    needed = 2 * size["groups"] * (held * machine["word"] + result * machine["psum"])
    return needed <= room


def too_soon(part, tiling):
    """Return whether partial sums come back from DRAM less than four tiles after they left."""
    left, before = {}, None
    for number, tile in enumerate(tiles(part, tiling)):
        result = (tile["groups"], tile["vectors"], tile["filters"])
        if result != before and result in left and number - left[result] < 4:
            return True
        left[result], before = number, result
    return False


def choose(machine, flow, part, places, room, written_beside=0):
    """Return the rows of the tilings that docs/machine.md takes: one, or several that are equal in all it looks at.

    `written_beside` bytes pass the buffer's ports, too, which the choice does not weigh.
    """
    found = [
        (product_row(machine, flow, part, tiling, places), tiling)
        for tiling in tilings(part, machine, flow)
        if fits(part, machine, tiling, places, room) and not too_soon(part, tiling)
    ]
    if not found:
        return []
    least, slack = min(row["cycles"] for row, _ in found), machine["slack"]
    if slack is not None:
        found = [(row, tiling) for row, tiling in found if row["cycles"] <= least + least * slack // 100]

    def rank(row):
        moved, passed = (row[f"{of}_read_bytes"] + row[f"{of}_write_bytes"] for of in ("dram", "buffer"))
        return moved, passed, row["cycles"], row["tiles"]

    best = min(rank(row) for row, _ in found)
    chosen = [tiling for row, tiling in found if rank(row) == best]
    return [product_row(machine, flow, part, tiling, places, written_beside) for tiling in chosen]


def sequences(plans):
    """Return the rows of an op, given for each of its plans the rows that it may have; None where nothing fits."""
    if not all(plans):
        return None
    return [added(rows) for rows in product(*plans)]


IN_DRAM = {"image": ("dram", 1), "filter": ("dram", 1), "result": "dram"}
SGD_MOMENTUM, ADAM = {"macs": 2, "state": 1}, {"macs": 13, "state": 2}


def weights_of(layer):
    return layer["K"] * layer["C"] // layer["groups"] * layer["R"] * layer["S"]


def op_rows(layer, machine, flow, task):
    """Return the possible rows of a layer's own pass in a batch of Phase BP: all operands lie in DRAM."""
    room = machine["share"]
    if task == "update":
        reads, writes = [("dram", 2 + SGD_MOMENTUM["state"])], [("dram", 1 + SGD_MOMENTUM["state"])]
        plan = elementwise_row(machine, weights_of(layer), SGD_MOMENTUM["macs"], reads, writes, room)
        return sequences([[plan] if plan else []])
    parts = products(layer, task, machine["dense"])
    return (
        sequences([choose(machine, flow, part, IN_DRAM, room) for part in parts])
        if parts
        else [dict.fromkeys(COLUMNS, 0)]
    )
