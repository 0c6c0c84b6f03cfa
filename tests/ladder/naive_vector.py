"""The vector unit's work on a layer without MACs, from docs/machine.md ("The vector unit") and nothing else."""

from naive_time import SUMS, finish, nothing, up

# kind: (operations a word, reads of inputs, of the output, writes of inputs, of the output), forward and backward
WORK = {
    "activation": ((1, 1, 0, 0, 1), (1, 0, 2, 1, 0)),
    "add": ((1, 1, 0, 0, 1), None),
    "batch_norm": ((4, 2, 0, 0, 1), (8, 2, 2, 1, 0)),
    "dropout": ((1, 1, 0, 0, 1), (1, 0, 1, 1, 0)),
    "layer_norm": ((4, 1, 0, 0, 1), (8, 1, 1, 1, 0)),
    "multiply": ((1, 1, 0, 0, 1), (2, 1, 1, 1, 0)),
    "pool": ((1, 1, 0, 0, 1), (1, 1, 1, 1, 0)),
    "softmax": ((4, 1, 0, 0, 1), (4, 0, 2, 1, 0)),
}


def vector_row(machine, kind, backward, inputs, output):
    """Return the row of one direction of a layer of so many words in and out in a batch; None where nothing fits."""
    if WORK[kind][backward] is None:
        return nothing()
    operations, *moves = WORK[kind][backward]
    word = machine["word"]
    work = operations * max(inputs, output)
    read, written = moves[0] * inputs + moves[1] * output, moves[2] * inputs + moves[3] * output
    row = dict.fromkeys(SUMS, 0) | {"adds": work}
    row["buffer_read_bytes"], row["buffer_write_bytes"] = read * word, written * word
    found = []
    room = machine["share"] - 2 * word
    if room < 2 * word:
        return None
    least = up(2 * word * (read + written), room)
    most = max(work, read, written, least)
    for count in [*(2**n for n in range(most.bit_length()) if 2**n < most), most]:
        if count < least:
            continue
        tiles = []
        for n in range(count):
            a, b, c = (of * (n + 1) // count - of * n // count for of in (work, read, written))
            stream = max(up(words, machine["lanes"]) for words in (a, b, c))
            tiles.append({"stream": stream, "gap": 0, "load": b * word, "store": c * word})
        found.append(finish(machine, row, {"fill": 1, "drain": 1, "tiles": tiles}))
    return min(found, key=lambda one: (one["cycles"], one["tiles"]), default=None)
