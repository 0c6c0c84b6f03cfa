"""Write the registers of a stepped array as a value change dump, which GTKWave opens."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from dataflows.arrays.stepped import Operand
from dataflows.integers import Integers
from workloads.foundation.atomic import atomic_file

CYCLE_TIME, EDGE_TIME = 10, 5  # cycle t ends at CYCLE_TIME * t + EDGE_TIME, as in the test bench of the RTL
_ALPHABET = [chr(code) for code in range(33, 127)]
_COUNTER_BITS = 32


def write_vcd(
    registers: Mapping[str, Operand],
    path: str | Path,
    fold: Integers | None = None,
    bits: Mapping[str, int] | None = None,
) -> None:
    """Write a clock, the number of the cycle and of its fold, and a signal for each register, such as `weight[3][7]`.

    Cycle t ends with the rising edge of `clk` at time 10 t + 5. A register that is written in cycle t changes at this
    edge; `cycle` and `fold` change there to those of cycle t + 1. Registers are zero at time 0. Integers are two's
    complement, floats are VCD reals.

    Parameters
    ----------
    registers : dict of str to [cycles, ...]
        The registers after each cycle, as stepping gives them.
    path : str or Path
        Where to write.
    fold : int64[cycles], optional
        Number of the fold in each cycle; without it there is no such signal.
    bits : dict of str to int, optional
        Widths of integer registers by name; 64 by default.
    """
    lines = ["$timescale 1 ns $end", f"$comment a cycle takes {CYCLE_TIME} ns $end", "$scope module array $end"]
    codes = _codes()
    clock, counter, folds = next(codes), next(codes), next(codes)
    lines += [f"$var wire 1 {clock} clk $end", f"$var wire {_COUNTER_BITS} {counter} cycle [31:0] $end"]
    lines += [f"$var wire {_COUNTER_BITS} {folds} fold [31:0] $end"] if fold is not None else []
    signals = []
    for name, values in registers.items():
        width = 0 if np.issubdtype(values.dtype, np.floating) else (bits or {}).get(name, 64)
        kind, span = ("wire", f" [{width - 1}:0]") if width else ("real", "")
        own = [next(codes) for _ in range(values[0].size)]
        for code, place in zip(own, np.ndindex(values.shape[1:]), strict=True):
            index = "".join(f"[{at}]" for at in place)
            lines.append(f"$var {kind} {width or 64} {code} {name}{index}{span} $end")
        signals.append((values.reshape(len(values), -1), own, width))
    lines += ["$upscope $end", "$enddefinitions $end", "#0", f"0{clock}", _value(0, counter, _COUNTER_BITS)]
    lines += [_value(int(fold[0]), folds, _COUNTER_BITS)] if fold is not None else []
    for values, own, width in signals:
        lines += [_value(values.dtype.type(0), code, width) for code in own]
    cycles = max((len(values) for values, _, _ in signals), default=0)
    for cycle in range(cycles):
        lines += [f"#{CYCLE_TIME * cycle + EDGE_TIME}", f"1{clock}", _value(cycle + 1, counter, _COUNTER_BITS)]
        if fold is not None and cycle + 1 < cycles and fold[cycle + 1] != fold[cycle]:
            lines.append(_value(int(fold[cycle + 1]), folds, _COUNTER_BITS))
        for values, own, width in signals:
            before = values[cycle - 1] if cycle else np.zeros_like(values[0])
            changed = np.flatnonzero(values[cycle] != before).tolist()
            lines += [_value(values[cycle, element], own[element], width) for element in changed]
        lines += [f"#{CYCLE_TIME * (cycle + 1)}", f"0{clock}"]
    with atomic_file(Path(path)) as file:
        file.write("\n".join(lines) + "\n")


def _codes() -> Iterator[str]:
    """Yield the identifiers of signals, short ones first."""
    number = 0
    while True:
        text, rest = "", number
        while True:
            rest, digit = divmod(rest, len(_ALPHABET))
            text += _ALPHABET[digit]
            if rest == 0:
                break
        yield text
        number += 1


def _value(value: int | np.generic, code: str, bits: int) -> str:
    """Return a change: an integer of so many bits, or a real where there are none."""
    if bits:
        return f"b{int(value) & ((1 << bits) - 1):b} {code}"
    return f"r{float(value):.17g} {code}"
