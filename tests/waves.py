"""Reads the project's own value change dumps: a clock, the fold, and signals named `weight[3][7]`."""

import re
from pathlib import Path

import numpy as np

SIGNAL = re.compile(r"\$var (wire|real) (\d+) (\S+) (\w+)((?:\[\d+\])*)(?: \[\d+:0\])? \$end")


def read_vcd(path: Path) -> dict[str, np.ndarray]:
    """Return every signal as it stands when the clock has risen: [cycles] or [cycles, ...].

    `before cycle` and `before fold` are the two counters just before the edge: those of the cycle that ends there.
    """
    header, _, body = path.read_text().partition("$enddefinitions $end\n")
    places, widths = {}, {}
    for kind, width, code, name, index in SIGNAL.findall(header):
        places[code] = (name, tuple(map(int, re.findall(r"\d+", index))))
        widths[code] = int(width) if kind == "wire" else 0
    assert len(places) == header.count("$var"), "a signal that no reader knows"
    clock = next(code for code, (name, _) in places.items() if name == "clk")
    now: dict[str, float] = {}
    rows: list[dict[str, float]] = []
    for moment in re.split(r"^#", body, flags=re.MULTILINE)[1:]:
        time, *changes = moment.split("\n")
        before = dict(now)
        for change in filter(None, changes):
            value, code = (change[0], change[1:]) if change[0] in "01" else change.split()
            if value[0] == "r":
                now[code] = float(value[1:])
            else:
                number = int(value.removeprefix("b"), 2)
                now[code] = number - (1 << widths[code] if widths[code] > 1 and number >> (widths[code] - 1) else 0)
        if now[clock] and not before.get(clock):
            assert int(time) == 10 * len(rows) + 5
            rows.append(dict(now))
            rows[-1] |= {f"before {code}": value for code, value in before.items()}
    found: dict[str, np.ndarray] = {}
    for name in dict.fromkeys(name for name, _ in places.values()):
        mine = {at: code for code, (other, at) in places.items() if other == name}
        shape = tuple(np.max(list(mine), axis=0) + 1) if () not in mine else ()
        for label, prefix in ((name, ""), (f"before {name}", "before ")):
            values = np.array([[row[prefix + mine[at]] for at in np.ndindex(shape)] for row in rows])
            found[label] = values.reshape(len(rows), *shape)
    return found
