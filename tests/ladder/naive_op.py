"""One op alone on its array, from the pages of docs/ and nothing else: loops over tiles, folds and vectors.

A layer, a machine and a tiling are plain dictionaries. A layer has N C H W K R S P Q, stride, padding, dilation (pairs)
and groups. A machine has kind (of its array), rows, columns, SP, MP, OP (the ports as docs/microarchitecture.md names
them for the dataflow), weight, input and output port, channels (whether rows take channels of one tap), sums (of an
accumulator), word and psum (bytes), share (bytes), banks, port (bytes a cycle of a bank), sram_banks, sram_port,
bandwidth (a fraction of bytes a cycle), latency (cycles).
"""

from itertools import product
from math import ceil, gcd, log2

import naive_rows
from naive_rows import job_of, length
from naive_time import COLUMNS, INSIDE, SUMS, cuts, elementwise_row, finish, from_dram, memory, nothing, up

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
    """Return the products of a pass: their axes, and which rows of the image each row of the result touches.

    `window`, `stride` and `dilation` are those of the convolution that row stationary makes of it.
    """
    names = ("groups", "images", "rows", "columns", "channels", "window", "filters", "width", "stride", "dilation")

    def part(*values, wgrad=False):
        found = dict(zip(names, values, strict=True), wgrad=wgrad)
        return found | {"taps": found["window"][0] * found["window"][1]}

    N, K, C, groups = (layer[key] for key in ("N", "K", "C", "groups"))
    kg, cg, R, S, P, Q, H, W = K // groups, C // groups, *(layer[key] for key in "RSPQHW")
    stride, dilation = layer["stride"], layer["dilation"]
    (sv, sh), (pv, ph), (dv, dh) = stride, layer["padding"], dilation
    touched = [[y for t in range(R) if 0 <= (y := p * sv - pv + t * dv) < H] for p in range(P)]
    if task == "forward":
        return [part(groups, N, touched, Q, cg, (R, S), kg, W, stride, dilation)]
    if task == "wgrad":
        return [part(groups, N, touched, Q, cg, (R, S), kg, W, dilation, stride, wgrad=True)]
    if dense:
        down = [[y // sv for t in range(R) if (y := h + pv - t * dv) % sv == 0 and 0 <= y // sv < P] for h in range(H)]
        return [part(groups, N, down, W, kg, (R, S), cg, Q, (1, 1), dilation)]
    vertical = rows_and_taps(H, P, R, sv, pv, dv)
    horizontal = rows_and_taps(W, Q, S, sh, ph, dh)
    apart = (dv // gcd(dv, sv), dh // gcd(dh, sh))  # rows and columns of dY between two taps of a part
    return [
        part(groups, N, rows, len(cols), kg, (r, s), cg, Q, (1, 1), apart)
        for (r, rows), (s, cols) in product(vertical, horizontal)
    ]


# --- tiles: what each loads, multiplies and stores (docs/machine.md, "Tiles") -------------------------------------


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
        work = {"job": job_of(part, tile), "mapping": tiling["mapping"]} if "mapping" in tiling else {}
        size = {"g": g, "V": V, "D": D, "N": n, "first": first, "final": final}
        yield {**size, **work, "load": load + back, "store": store}
        before = tile


# --- the array: folds of a tile (docs/microarchitecture.md) -------------------------------------------------------


def array_facts(machine, flow):
    """Return fill, drain, cycles between vectors (II) and the load or drain of a fold."""
    R, C, SP, MP, OP = (machine[key] for key in ("rows", "columns", "SP", "MP", "OP"))
    if machine["kind"] == "systolic_overlapped":  # the last fold's words pass all PEs
        if flow == "os":
            drain = C * up(R, OP)
            return {"fill": 0, "drain": drain + R + C, "II": max(up(R, MP), up(C, SP)), "L": drain}
        load = R * up(C, SP)
        return {"fill": load, "drain": R + C - 1, "II": max(up(R, MP), up(C, OP)), "L": load}
    if machine["kind"] == "systolic":  # nothing overlaps, so all of a fold streams
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
    if machine["channels"]:  # each tap has folds of its own
        blocks = [block for _ in range(tile["taps"]) for block in cuts(D // tile["taps"], R)]
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
    names = "macs moving stationary sums_written sums_read local_written local_read results"
    count = dict.fromkeys(names.split(), 0)
    stream, ends, inside = 0, [], dict.fromkeys(INSIDE, 0)
    done = list(folds(machine, flow, tile))
    if machine["kind"] == "systolic_overlapped":
        streamed = "steps" if flow == "os" else "vectors"
        stream = overlapped_stream(flow, [fold[streamed] * II for fold in done], L)
    for i, fold in enumerate(done):
        v, d, n = fold["vectors"], fold["steps"], fold["columns"]
        count["macs"] += v * d * n
        busy = (d if flow == "os" else v) * II
        if machine["kind"] == "systolic_overlapped":
            ends.append(busy)
        elif machine["kind"] == "systolic":
            stream += L + ((d if flow == "os" else v) + R + C - 2) * II
            ends.append(0)
        else:
            stream += max(busy, L) if i + 1 < len(done) else busy
            ends.append(busy)
        count["moving"] += v * d
        count["stationary"] += d * n
        for action, times in inside_fold(machine, flow, v, d, n):
            inside[action] += times
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
    return stream, ends, {**count, **inside}


def overlapped_stream(flow, busy, cycles):
    """Return the cycles from a tile's first vector to its last one's entry, event by event.

    Under os a fold's sums are copied where its steps end, and leave the registers of the fold before `cycles` later; it
    does not begin too early for that. Else a fold begins where the last vector of the one before has entered and its
    own words are there; these begin to load where the one before begins, and take `cycles`.
    """
    entered = begins = 0
    empty = loaded = 0  # cycles in which the sums of the fold before have left, and the words of this one are there
    for steps in busy:
        begins = max(entered, empty - steps) if flow == "os" else max(entered, loaded)
        entered = begins + steps
        empty, loaded = entered + cycles, begins + cycles
    return entered


def bus(side, across, port):
    """Return the wire that carries a word along its row (column), and its lines: several where a port has more."""
    lines = min(across, max(1, port // side))
    return sum(up((line + 1) * across, lines) for line in range(lines)), lines


def port_lines(machine, flow):
    """Return the lines that carry each stationary and each moving word, only on the broadcast array more than one."""
    R, C = machine["rows"], machine["columns"]
    if machine["kind"] != "broadcast" or flow == "rs":
        return 1, 1
    return bus(C, R, machine["SP"])[1] if flow == "os" else 1, bus(R, C, machine["MP"])[1]


def inside_fold(machine, flow, v, d, n):
    """Yield what a fold of so many real vectors, steps and columns does inside the array."""
    R, C, SP, MP, OP = (machine[key] for key in ("rows", "columns", "SP", "MP", "OP"))
    kept = "kept_sum" if flow == "os" else "stationary"
    yield f"{kept}_register_reads", v * d * n
    word, sums = "array_network_word_pitches", "array_network_sum_pitches"
    side = 0 if SP % C == 0 else C  # of a bus that feeds any PE: one down a column may do
    if machine["kind"] == "systolic_overlapped" and flow == "os":
        yield "operand_register_writes", 2 * R * C * d
        yield "product_register_writes", R * C * d
        yield "kept_sum_register_writes", R * C * d
        yield "passing_sum_register_writes", R * C + C * R * (C - 1) + C * R * C  # a copy, shifts, and what waits
        yield word, C * v * d + R * n * d
        yield sums, v * sum(C - c for c in range(n))
    elif machine["kind"] == "systolic_overlapped":
        yield "stationary_register_writes", 2 * R * R * C + R * C
        yield "operand_register_writes", R * C * v
        yield "passing_sum_register_writes", R * C * v
        yield word, C * v * d + n * sum(r + 1 for r in range(d))
        yield sums, R * v * n
    elif machine["kind"] == "systolic" and flow == "os":
        yield "operand_register_writes", 2 * R * C * d
        yield "kept_sum_register_writes", R * C * d + (R * (R - 1) * C if machine["serial"] else 0)
        yield word, C * v * d + R * n * d
        yield sums, n * sum(R - r for r in range(v))
    elif machine["kind"] == "systolic":
        yield "stationary_register_writes", R * R * C
        yield "operand_register_writes", R * C * v
        yield "passing_sum_register_writes", R * C * v
        yield word, C * v * d + n * sum(r + 1 for r in range(d))
        yield sums, R * v * n
    elif flow == "os":
        yield "operand_register_writes", (R + C) * d
        yield "product_register_writes", R * C * d
        yield "kept_sum_register_writes", R * C * d
        yield "passing_sum_register_writes", R * C
        yield word, bus(R, C, MP)[0] * v * d + bus(C, R, SP)[0] * n * d
        yield sums, v * n * (R + (0 if OP % C == 0 else C))
    else:
        yield "stationary_register_writes", 2 * R * C
        yield "operand_register_writes", R * v
        yield "product_register_writes", R * C * v
        nodes, here, links = [], list(range(R)), 0  # a node is at its first row
        while len(here) > 1:
            links += sum(b - a for a, b in zip(here[::2], here[1::2], strict=False) if b < d)
            here = here[::2]
            nodes.append(len(here))
        yield "passing_sum_register_writes", (sum(nodes) + 1) * C * v
        yield word, bus(R, C, MP)[0] * v * d + d * n * (R + side)
        yield sums, links * v * n


def gap_between(machine, flow, before, after):
    """Return the gap between two tiles, by the last fold of one and the first of the other."""
    facts = array_facts(machine, flow)
    if machine["kind"] == "systolic":
        return 0
    gap = max(0, facts["L"] - before)
    return max(gap, facts["L"] - after) if flow == "os" else gap


# --- ops ----------------------------------------------------------------------------------------------------------


def product_row(machine, flow, part, tiling, places, written_beside=0):
    """Return a product's row: time and counts.

    `places` says where image and filter lie, (place, tensors), and where the result goes: dram, buffer or sram.
    """
    word, psum = machine["word"], machine["psum"]
    sequence, row, before, facts = [], dict.fromkeys(SUMS, 0), None, None
    row["buffer_write_bytes"] = written_beside
    inside = flow != "os" and machine["kind"] == "broadcast"  # else the memory adds up partial sums
    for tile in loads(part, machine, tiling, places):
        if flow == "rs":
            facts, count = naive_rows.compute(machine, tile)
            stream, gap = facts["stream"], facts["gap"] if sequence else 0
        else:
            facts = array_facts(machine, flow)
            stream, ends, count = compute(machine, flow, {**tile, "taps": 1 if part["wgrad"] else part["taps"]})
            gap = gap_between(machine, flow, before, ends[0]) if before is not None else 0
            before = ends[-1]
        sequence.append({"stream": stream, "gap": gap, "load": tile["load"], "store": tile["store"]})
        back = count["sums_read"] + count["local_read"]
        row["macs"] += count["macs"]
        row["adds"] += 0 if inside else back
        for action in INSIDE:
            row[action] += count.get(action, 0)
        row["accumulator_read_bytes"] += count["local_read"] * psum
        row["accumulator_write_bytes"] += count["local_written"] * psum
        lines = port_lines(machine, flow)
        words = count["moving"] * lines[1] + count["stationary"] * lines[0] + count["results"]
        # what lies in the accumulators stays beside the array
        far = count["sums_written"] + count["sums_read"] * inside
        row["array_network_bytes"] += words * word + far * psum
        row["buffer_read_bytes"] += count["sums_read"] * psum
        row["buffer_write_bytes"] += count["sums_written"] * psum
        image, kernel = ("stationary", "moving") if flow == "is" else ("moving", "stationary")
        for operand, held in (("image", image), ("filter", kernel)):
            place, tensors = places[operand]
            row[memory(place) + "_read_bytes"] += count[held] * word * tensors
        row[memory(places["result"]) + "_write_bytes"] += count["results"] * word
    return finish(machine, row, {"fill": facts["fill"], "drain": facts["drain"], "tiles": sequence})


def added(rows):
    """Return the sum of the rows of an op's plans: each begins where the one before ends."""
    plans = [plan for row in rows for plan in row["plans"]]
    return {key: sum(row[key] for row in rows) for key in COLUMNS} | {"plans": plans}


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


ORDERS = (
    ("filters", "vectors", "reduction"),
    ("vectors", "filters", "reduction"),
    ("filters", "reduction", "vectors"),
    ("vectors", "reduction", "filters"),
    ("reduction", "filters", "vectors"),
    ("reduction", "vectors", "filters"),
)


def units(part, machine, flow):
    """Return what fills the array along each axis, in pieces."""
    R, C = machine["rows"], machine["columns"]
    # Lanes along the loops over vectors, the reduction and the columns of the product.
    vectors, reduction, filters = {"ws": (1, R, C), "is": (C, R, 1), "os": (R, 1, C)}[flow]
    pixel, channel = (reduction, vectors) if part["wgrad"] else (vectors, reduction)
    row, image = part["columns"], part["columns"] * len(part["rows"])
    taps = 1 if machine["channels"] and not part["wgrad"] else part["taps"]  # of a channel on the rows
    filled = {"images": unit(pixel, image), "rows": unit(pixel, row), "channels": unit(channel, taps)}
    return filled | {"filters": filters, "groups": 1}


def tilings(part, machine, flow):
    """Yield every tiling of a product, under rs with each mapping."""
    if flow != "rs":
        yield from cut_up(part, units(part, machine, flow))
        return
    for mapping in naive_rows.mappings(part, machine):
        for tiling in cut_up(part, naive_rows.units(mapping, part["wgrad"])):
            yield dict(tiling, mapping=mapping)


def cut_up(part, fills):
    """Yield every way to cut a product; orders that load the same count once, unless partial sums leave."""
    spaces = [(n, len(part["rows"])) for n in sizes(part["images"], fills["images"])]
    spaces += [(1, n) for n in sizes(len(part["rows"]), fills["rows"])]
    spaces += [(1, n) for n in sizes_that_read_less(part["rows"])]
    axes = (sizes(part[axis], fills[axis]) for axis in ("channels", "filters", "groups"))
    for (images, rows), channels, filters, groups in product(dict.fromkeys(spaces), *axes):
        size = {"images": images, "rows": rows, "channels": channels, "filters": filters, "groups": groups}
        many = {"filters": filters < part["filters"]}
        pixels = images < part["images"] or rows < len(part["rows"])
        several = channels < part["channels"]
        many["vectors"], many["reduction"] = (several, pixels) if part["wgrad"] else (pixels, several)
        cut = [axis for axis in many if many[axis]]
        seen = set()
        for order in ORDERS:
            loops = [axis for axis in order if axis in cut]
            again = frozenset(loops[:-1])  # an operand comes again for each turn of such a loop that it does not span
            key = tuple(loops) if "reduction" in again else again
            if key not in seen:
                seen.add(key)
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
ADAM = {"macs": 13, "state": 2}


def weights_of(layer):
    return layer["K"] * layer["C"] // layer["groups"] * layer["R"] * layer["S"]


def weight_update(layer, machine, gradient, room):
    """Return the row of a layer's update by SGD with momentum; master weights and momentum may be wider than words."""
    wide = ("dram", machine["master"])
    copy = [("dram", 1)] if machine["master"] > 1 else []
    reads, writes = [wide, (gradient, 1), wide], [wide, *copy, wide]
    return elementwise_row(machine, weights_of(layer), 2, reads, writes, room)


def op_rows(layer, machine, flow, task):
    """Return the possible rows of a layer's own pass in a batch of Phase BP: all operands lie in DRAM."""
    room = machine["share"]
    if task == "update":
        plan = weight_update(layer, machine, "dram", room)
        return sequences([[plan] if plan else []])
    parts = products(layer, task, machine["dense"])
    return sequences([choose(machine, flow, part, IN_DRAM, room) for part in parts]) if parts else [nothing()]
