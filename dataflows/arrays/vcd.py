"""Write the registers of a stepped job as a value change dump, which GTKWave opens."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dataflows.arrays.stepped import Operand
from workloads.foundation.atomic import atomic_file

_ALPHABET = [chr(code) for code in range(33, 127)]


def write_vcd(registers: Mapping[str, Operand], path: str | Path, width_bits: int = 64) -> None:
    """Write registers, a scope a name and a variable an element.

    The value after cycle t is at time t + 1; one time unit is one cycle. Integers are two's complement of
    `width_bits`, floats are VCD reals.

    Parameters
    ----------
    registers : dict of str to [cycles, elements]
        As `step_job` gives them.
    path : str or Path
        Where to write.
    width_bits : int
        Width of integer registers.
    """
    lines = ["$timescale 1 ns $end", "$comment one time unit is one cycle $end", "$scope module array $end"]
    codes: dict[tuple[str, int], str] = {}
    for name, values in registers.items():
        lines.append(f"$scope module {name} $end")
        kind, bits = ("integer", width_bits) if np.issubdtype(values.dtype, np.integer) else ("real", 64)
        for element in range(values.shape[1]):
            codes[name, element] = code = _code(len(codes))
            lines.append(f"$var {kind} {bits} {code} e{element} $end")
        lines.append("$upscope $end")
    lines += ["$upscope $end", "$enddefinitions $end"]
    cycles = max((len(values) for values in registers.values()), default=0)
    for cycle in range(-1, cycles):
        lines.append(f"#{cycle + 1}")
        for name, values in registers.items():
            before = np.zeros_like(values[0]) if cycle < 1 else values[cycle - 1]
            now = np.zeros_like(values[0]) if cycle < 0 else values[cycle]
            changed = range(values.shape[1]) if cycle < 0 else np.flatnonzero(now != before).tolist()
            lines += [f"{_value(now[element], width_bits)} {codes[name, element]}" for element in changed]
    with atomic_file(Path(path)) as file:
        file.write("\n".join(lines) + "\n")


def _code(number: int) -> str:
    text = ""
    while True:
        number, digit = divmod(number, len(_ALPHABET))
        text += _ALPHABET[digit]
        if number == 0:
            return text


def _value(value: np.generic, width_bits: int) -> str:
    if isinstance(value, np.integer):
        return f"b{int(value) & ((1 << width_bits) - 1):b}"
    return f"r{float(value):.17g}"
