"""Row stationary, from docs/microarchitecture.md ("Row stationary") and docs/machine.md, and nothing else.

A job is a tuple: groups, images, filters, channels, filter rows, filter columns, rows, columns, vertical and horizontal
stride, vertical and horizontal dilation. A mapping is a tuple of the letters h w q p r e t d. A machine has `pads`, the
words FW, IW and PW of a PE's scratchpads, and `whole_sets` beside what `naive_op` names.
"""

from functools import cache
from itertools import product
from math import gcd

from naive_time import cuts, up


def length(piece):
    return piece[1] - piece[0]


def job_of(part, tile):
    """Return the job of a tile: how many there are of each of its loops."""
    size = {name: length(tile[name]) for name in ("groups", "images", "rows", "channels", "filters")}
    r, s = part["window"]
    if part["wgrad"]:
        images, channels = size["channels"], size["images"]
        filter_rows, filter_columns, rows, columns = size["rows"], part["columns"], r, s
    else:
        images, channels = size["images"], size["channels"]
        filter_rows, filter_columns, rows, columns = r, s, size["rows"], part["columns"]
    sizes = (size["groups"], images, size["filters"], channels, filter_rows, filter_columns, rows, columns)
    return (*sizes, *part["stride"], *part["dilation"])


def runs(columns, stride, dilation):
    """Return the columns of each run of a row."""
    k = dilation // gcd(dilation, stride)
    return [list(range(columns))[c::k] for c in range(min(k, columns))]


def facts(job, mapping, ports):
    """Return the derived numbers of a job under a mapping."""
    *_, sy, sx, dy, dx = job
    h, w, q, p, r, e, t, d = mapping
    weight, moving, output = ports
    seen = len({y * sy + i * dy for y in range(e) for i in range(h)})
    step = sx // gcd(dx, sx)
    return {
        "U": w * q * p,
        "LC": up(h * r * t * d * p * q * w, weight),
        "I0": up(seen * r * q * d * w, moving),
        "I1": up(seen * r * q * d * min(w, step), moving),
        "O": up(e * t * d * p, output),
        "step": step,
    }


def blocks(job, mapping):
    """Return the folds: for each the pieces of groups, filters, channels, filter rows and filter columns."""
    groups, _, filters, channels, filter_rows, filter_columns, *_ = job
    h, w, q, p, r, _, t, d = mapping
    loops = ((groups, d), (filters, t * p), (channels, r * q), (filter_rows, h), (filter_columns, w))
    return list(product(*(cuts(extent, size) for extent, size in loops)))


@cache
def timing(job, mapping, ports):
    """Return fill, stream and drain of a job, and the gap to the next: position by position."""
    _, images, _, _, _, _, rows, columns, _, sx, _, dx = job
    f = facts(job, mapping, ports)
    entered, first = None, True
    for _ in blocks(job, mapping):
        new_fold = True
        for _ in product(range(images), cuts(rows, mapping[5])):
            for run in runs(columns, sx, dx):
                for number, _ in enumerate(run):
                    words = f["I1"] if number else f["I0"]
                    if first:
                        entered, first = max(f["LC"], f["I0"]) - 1, False
                    elif new_fold:
                        entered += max(f["U"] + f["LC"], f["I0"], f["O"])
                    else:
                        entered += max(f["U"], words, f["O"])
                    new_fold = False
    fill = max(f["LC"], f["I0"]) - 1
    gap = max(f["U"] + f["LC"], f["I0"], f["O"]) - 1
    drain = f["U"] + mapping[0] * mapping[4] + 1
    return {"fill": fill, "stream": entered + 1 - fill, "gap": gap, "drain": drain}


@cache
def counts(job, mapping):
    """Return the words that move: every fold, position and PE."""
    _, images, _, _, _, _, rows, columns, sy, sx, dy, dx = job
    q, p, e = mapping[2], mapping[3], mapping[5]
    step = sx // gcd(dx, sx)
    names = "macs moving stationary row_sums filters inputs positions local_read local_written"
    count = dict.fromkeys(names.split(), 0)
    folds = []
    for group, filters, channels, filter_rows, filter_columns in blocks(job, mapping):
        g, m, b, i, j = map(length, (group, filters, channels, filter_rows, filter_columns))
        count["stationary"] += g * m * b * i * j
        sets = [length(piece) for piece in cuts(m, p)]
        parts = [length(piece) for piece in cuts(b, q)]
        # A filter word goes into each chain of its set that has an output row.
        count["filters"] += g * m * b * i * j * min(e, rows)
        for _ in range(images):
            for strip in cuts(rows, e):
                y = length(strip)
                seen = len({a * sy + c * dy for a in range(*strip) for c in range(*filter_rows)})
                for run in runs(columns, sx, dx):
                    for number, _ in enumerate(run):
                        new = min(j, step) if number else j
                        macs = g * m * b * i * j * y
                        sums = g * m * y * i * len(parts)
                        count["macs"] += macs
                        count["moving"] += g * b * seen * new
                        count["row_sums"] += sums
                        count["inputs"] += g * len(sets) * b * i * y * new
                        count["positions"] += 1
        last = b and (channels[1], filter_rows[1], filter_columns[1]) == (job[3], job[4], job[5])
        begins = (channels[0], filter_rows[0], filter_columns[0]) == (0, 0, 0)
        folds.append((begins, last, g * m * images * rows * columns))
    return count, folds


def compute(machine, tile):
    """Return a tile's timing and the words that move."""
    time = timing(tile["job"], tile["mapping"], (machine["weight_port"], machine["input_port"], machine["output_port"]))
    count, folds = counts(tile["job"], tile["mapping"])
    count = dict(count, sums_read=0, sums_written=0, results=0)
    h, w, q, p, r, e, t, d = tile["mapping"]
    chains, edge, first = e * t * d, machine["rows"] + machine["columns"], count["row_sums"]
    count |= {
        "product_register_writes": count["positions"] * w * q * p * h * r * chains,
        "passing_sum_register_writes": count["positions"] * p * (h * r + 1) * chains,
        "scratchpad_reads": 2 * count["macs"],
        "scratchpad_writes": count["filters"] + count["inputs"],
        "scratchpad_sum_reads": count["macs"] - first,
        "scratchpad_sum_writes": count["macs"] - first,
        "array_network_word_pitches": (count["moving"] + count["stationary"]) * edge
        + (count["filters"] - count["stationary"]) + 2 * (count["inputs"] - count["moving"]),
    }  # fmt: skip
    for begins, ends, sums in folds:
        if not begins or not tile["first"]:
            count["sums_read"] += sums
        if ends and tile["final"]:
            count["results"] += sums
        else:
            count["sums_written"] += sums
    leave = count["sums_read"] + count["sums_written"] + count["results"]
    return time, count | {"array_network_sum_pitches": first + leave * edge}


def cycles(job, mapping, ports):
    """Return the cycles of a job, by the closed form."""
    _, images, _, _, _, _, rows, columns, _, sx, _, dx = job
    h, _, _, _, r, e, _, _ = mapping
    f = facts(job, mapping, ports)
    F, A, B = len(blocks(job, mapping)), images * up(rows, e), len(runs(columns, sx, dx))
    S = (A * B - 1) * max(f["U"], f["I0"], f["O"]) + A * (columns - B) * max(f["U"], f["I1"], f["O"])
    return max(f["LC"], f["I0"]) + F * S + (F - 1) * max(f["U"] + f["LC"], f["I0"], f["O"]) + f["U"] + h * r + 1


def choose_mapping(job, wgrad, machine, ports):
    """Return the mapping of a job, by docs/microarchitecture.md ("Choice of the mapping")."""
    groups, images, filters, channels, filter_rows, filter_columns, rows, columns, _, sx, _, dx = job
    R, C, pads = machine["rows"], machine["columns"], machine["pads"]
    whole = machine["whole_sets"] and not wgrad
    tallest, widest = min(R, filter_rows), min(filter_columns, pads["IW"], pads["FW"])
    found = []
    for h in range(tallest if whole else 1, tallest + 1):
        heights = [rows] if whole and rows <= C else range(1, rows + 1)
        for e, r in product(heights, range(1, min(R // h, channels) + 1)):
            places = R // (h * r) * C // e
            widths = [filter_columns] if widest == filter_columns else range(1, widest + 1)
            for w, q in product(widths, range(1, up(channels, r) + 1)):
                most = min(pads["PW"], pads["FW"] // (q * w))
                if q * w > min(pads["IW"], pads["FW"]):
                    continue
                for t in range(1, min(places, filters) + 1):
                    each = up(filters, t)
                    if t > 1 and each == up(filters, t - 1):
                        continue  # a smaller t cuts the filters into as many
                    d = min(places // t, groups)
                    for p in range(min(most, each), 0, -1):
                        if p > 1 and up(each, p) == up(each, p - 1):
                            continue  # a smaller p does
                        mapping = (h, w, q, p, r, e, t, d)
                        f = facts(job, mapping, ports)
                        first, after = (max(f["U"], f[words], f["O"]) for words in ("I0", "I1"))
                        several = len(runs(columns, sx, dx))
                        positions = len(blocks(job, mapping)) * images * up(rows, e)
                        streaming = positions * (several * first + (columns - several) * after)
                        seen = len({y * job[8] + i * job[10] for y in range(e) for i in range(h)})
                        windows = several * w + (columns - several) * min(w, f["step"])
                        words = positions * seen * r * q * d * windows
                        key = (streaming, h * r * e * t * d, cycles(job, mapping, ports), words)
                        found.append((key, mapping))
    return min(found, key=lambda one: one[0])[1]


def mappings(part, machine):
    """Return the mappings that compete: of the whole product, of one image, and of that halved along one axis.

    Each is listed for ports of several widths, whatever the machine's own.
    """
    sides = machine["rows"], machine["rows"], machine["columns"]
    widths = [(1 << 20,) * 3, sides]
    while max(widths[-1]) > 1:
        widths.append(tuple(max(1, words // 4) for words in widths[-1]))
    sizes = {name: part[name] for name in ("groups", "images", "channels", "filters")} | {"rows": len(part["rows"])}
    one = dict(sizes, images=1)
    several = [sizes, one]
    for axis in ("images" if part["wgrad"] else "channels", "filters", "rows"):
        size = sizes[axis]
        while size > 1:
            size = up(size, 2)
            several.append(dict(one, **{axis: size}))
    jobs = [job_of(part, {name: (0, size) for name, size in some.items()}) for some in several]
    return list(dict.fromkeys(choose_mapping(job, part["wgrad"], machine, ports) for job in jobs for ports in widths))


def units(mapping, wgrad):
    """Return what fills the array along each axis, in pieces."""
    h, _, q, p, r, e, t, d = mapping
    filled = {"images": r * q, "rows": h, "channels": 1} if wgrad else {"images": 1, "rows": e, "channels": r * q}
    return filled | {"filters": t * p, "groups": d}
