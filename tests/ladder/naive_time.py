"""Rows of plans, and plans without products, from docs/machine.md and nothing else.

A machine is a plain dictionary; `naive_op` says what is in it.
"""

from naive_step import TIMES, run, up

# what registers, scratchpads and wires inside the array do (docs/microarchitecture.md)
INSIDE = (
    "stationary_register_reads",
    "kept_sum_register_reads",
    "stationary_register_writes",
    "operand_register_writes",
    "product_register_writes",
    "passing_sum_register_writes",
    "kept_sum_register_writes",
    "scratchpad_reads",
    "scratchpad_writes",
    "scratchpad_sum_reads",
    "scratchpad_sum_writes",
    "array_network_word_pitches",
    "array_network_sum_pitches",
)
SUMS = (
    "macs",
    "adds",
    *INSIDE,
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
COLUMNS = (*TIMES, *SUMS)


def cuts(extent, size):
    """Return the pieces of an axis."""
    return [(first, min(first + size, extent)) for first in range(0, extent, size)]


def from_dram(operand):
    """Return how many tensors of an operand, (place, tensors), are loaded."""
    return operand[1] * (operand[0] == "dram")


def nothing():
    """Return the row of what takes no time."""
    return dict.fromkeys(COLUMNS, 0) | {"plans": []}


def memory(place):
    """Return the memory on the array's side: what comes from DRAM or goes there lies in the buffer."""
    return "predictor_sram" if place == "sram" else "buffer"


def finish(machine, row, plan):
    """Return a row with its time and its DMA, given what passes on the array's side of the memories."""
    loaded, stored = (sum(tile[way] for tile in plan["tiles"]) for way in ("load", "store"))
    array = row["buffer_read_bytes"] + row["buffer_write_bytes"]
    sram = row["predictor_sram_read_bytes"] + row["predictor_sram_write_bytes"]
    plan = dict(plan, array=array, sram=sram)
    row = {**row, **run(machine, plan), "plans": [plan], "tiles": len(plan["tiles"])}
    for key, moved in (
        ("dram_read_bytes", loaded),
        ("dram_write_bytes", stored),
        ("buffer_read_bytes", stored),
        ("buffer_write_bytes", loaded),
    ):
        row[key] += moved
    return row


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
    row["array_network_word_pitches"] = words * (words_in + words_out) * (machine["rows"] + machine["columns"])
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
        return nothing()
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
