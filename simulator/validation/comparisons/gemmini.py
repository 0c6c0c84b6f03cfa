"""Gemmini, 16 x 16: cycles of its RTL on FireSim, each for the mapping that ran."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from dataflows.plans.given import Given, MappingError
from simulator.machine.spec_loading import load_accelerator
from simulator.validation.comparison import WITHIN, Case, Comparison, Range, Row
from simulator.validation.measured import MeasuredRow, measured_rows
from simulator.validation.products import product_cycles
from workloads.foundation.errors import InputError
from workloads.shapes import ConvShape

_COLUMNS = ("layer", "C", "K", "P", "Q", "R", "S", "stride", "scratchpad_entries", "accumulator_entries", "mapping",
            "cycles")  # fmt: skip
_LOOPS = {"P": "rows", "Q": "positions", "C": "channels", "R": "kernel_rows", "S": "kernel_columns", "K": "filters",
          "N": "images"}  # fmt: skip
_LEVEL = re.compile(r"L(\d)\[[A-Z]*\]((?: [A-Z]\d+X?)*)$")
_SUM_BYTES, _COLUMNS_OF_PES, _ROWS_OF_PES = 4, 16, 16
_LEAST_CYCLES = 8  # of a compute, seen in rows whose tiles are 2 or 4 positions wide: 7.7 to 8.2
_CAUSE = "a compute takes up to 16 positions of one row, and at least 8 cycles; that alone gives this row's time"


@dataclass(frozen=True)
class DosaMapping:
    """A mapping as DOSA writes it: by level, from DRAM (3) to the registers (0), its loops from the outermost.

    `across` are those on the rows and columns of the array.
    """

    levels: dict[int, tuple[tuple[str, int], ...]]
    across: tuple[tuple[str, int], ...]

    def given(self) -> Given:
        """Return it as a mapping of ours: tiles are what lies in the scratchpad, in the order of the loops over them.

        Gemmini's software loads both operands for every tile, and its loop unroller orders what is inside a tile by
        itself (docs/decisions/0107).
        """
        inside = [factor for level in (2, 1, 0) for factor in self.levels.get(level, ())]
        sizes = {loop: prod(size for name, size in inside if name == letter) for letter, loop in _LOOPS.items()}
        order = [_LOOPS[name] for name, _ in self.levels.get(3, ()) if name != "N"]
        return Given(tuple(sizes.items()), tuple(order) or None, reload_operands=True)

    @property
    def least_cycles(self) -> int:
        """Cycles of all computes, if one takes 16 positions of a row at most, and 8 cycles at least."""
        every = [factor for level in self.levels.values() for factor in level]
        width = prod(size for level in (1, 0) for name, size in self.levels.get(level, ()) if name == "P")
        blocks = [min(_ROWS_OF_PES, width - first) for first in range(0, width, _ROWS_OF_PES)]
        along_array = prod(size for _, size in self.across)
        turns = prod(size for _, size in every) // (along_array * width)
        return turns * sum(max(_LEAST_CYCLES, block) for block in blocks)


def read_dosa_mapping(text: str) -> DosaMapping:
    """Read a mapping such as ``L3[WIO] P7 Q4 - L2[WI] N1 K16X - L1[O] K4 C4 Q14 P8 C16X - L0[W] N1``.

    Raises
    ------
    ValueError
        If the text is none.
    """
    levels, spatial = {}, []
    for part in text.split(" - "):
        found = _LEVEL.match(part.strip())
        if found is None:
            raise ValueError(text)
        factors = [(one[0], int(one[1:].removesuffix("X")), one.endswith("X")) for one in found[2].split()]
        if any(name not in _LOOPS or size < 1 for name, size, _ in factors):
            raise ValueError(text)
        spatial += [(name, size) for name, size, across in factors if across]
        levels[int(found[1])] = tuple((name, size) for name, size, across in factors if not across)
    levels[2] = (*levels.get(2, ()), *spatial)
    return DosaMapping(levels, tuple(spatial))


def _cause(mapping: DosaMapping, measured: int) -> str:
    """Return why a row differs, where that alone gives its time."""
    return _CAUSE if abs(mapping.least_cycles / measured - 1) <= WITHIN else ""


def _check_covers(mapping: DosaMapping, row: MeasuredRow) -> None:
    for name in "KCPQRS":
        turns = prod(size for level in mapping.levels.values() for one, size in level if one == name)
        if turns < row.number(name):
            problem = f"has {name} {turns} times, and the layer {row.number(name)}"
            raise row.wrong("mapping", problem, f"give factors of {name} that make {row.number(name)}")


def _simulated(row: MeasuredRow, case: Case) -> tuple[int, DosaMapping]:
    C, K, P, Q, R, S, stride = map(row.number, ("C", "K", "P", "Q", "R", "S", "stride"))
    shape = ConvShape(1, C, (P - 1) * stride + R, (Q - 1) * stride + S, K, R, S, P, Q, (stride,) * 2, (0, 0), (1, 1), 1)
    sums = row.number("accumulator_entries")
    # A mapping fills the entries with one tile. The next one is loaded meanwhile, so the buffer here holds two; results
    # wait in accumulators, which are a part of the buffer here.
    capacity = 2 * (row.number("scratchpad_entries") + sums * _COLUMNS_OF_PES * _SUM_BYTES)
    settings = {"global_buffer.bank_bytes": -(-capacity // 4), "array.accumulator_sums": sums, **case.settings}
    spec = load_accelerator("gemmini", overrides=settings)
    try:
        mapping = read_dosa_mapping(row.text("mapping"))
        _check_covers(mapping, row)
        return product_cycles(spec, shape, mapping.given()), mapping
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        remedy = "write it as L3[WIO] P7 Q4 - L2[WI] N1 K16X - L1[O] K4 C4 Q14 P8 C16X - L0[W] N1"
        raise row.wrong("mapping", f"is {row.text('mapping')[:60]!r}", remedy) from None
    except MappingError as error:
        raise row.wrong("mapping", f"{error.key} {error.problem}", error.remedy) from None


def _rows(case: Case) -> Iterator[Row]:
    for row in measured_rows(case.data, "gemmini_firesim.csv", _COLUMNS):
        taps = "1 x 1" if row.number("R") == row.number("S") == 1 else "larger kernels"
        cycles, (simulated, mapping) = row.number("cycles"), _simulated(row, case)
        cause = _cause(mapping, cycles)
        yield Row(f"{row.text('layer')}, {row.text('mapping')}", cycles, simulated, taps, cause)


COMPARISON = Comparison(
    "gemmini", "Gemmini, 16 x 16", "cycles", "RTL on FireSim: ucb-bar/dosa, data/firesim_test_data (BSD 2-clause)",
    "The machine `gemmini` with the scratchpad and the accumulators of each row, and the mapping of each row.",
    lambda case: tuple(_rows(case)), "gemmini", takes_data=True, rank=8,
    ranges=(
        Range("dram.latency_ns", (20, 100), "of a transfer; the DMA has many requests on the way"),
        Range("dram.peak_bytes_per_second", (16_000_000_000,), "the DMA's width; DOSA's arch.yaml has 8 B a cycle"),
    ),
)  # fmt: skip
