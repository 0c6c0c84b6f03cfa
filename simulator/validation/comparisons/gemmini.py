"""Gemmini, 16 x 16: cycles of its RTL on FireSim, each for the mapping that ran."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from dataflows.plans.given import Given, MappingError
from dataflows.plans.plan import Plan
from dataflows.plans.transfers import LoadPattern, StorePattern, Transfers
from simulator.machine.spec import Accelerator
from simulator.machine.spec_loading import load_accelerator
from simulator.validation.comparison import WITHIN, Case, Comparison, Range, Row
from simulator.validation.measured import MeasuredRow, measured_rows
from simulator.validation.products import plan_cycles, product_plan
from workloads.foundation.errors import InputError
from workloads.shapes import ConvShape

_COLUMNS = ("layer", "C", "K", "P", "Q", "R", "S", "stride", "scratchpad_entries", "accumulator_entries", "mapping",
            "cycles")  # fmt: skip
# Timeloop's P and R run along a row (docs/decisions/0107).
_LOOPS = {"P": "positions", "Q": "rows", "C": "channels", "R": "kernel_columns", "S": "kernel_rows", "K": "filters",
          "N": "images"}  # fmt: skip
_LEVEL = re.compile(r"L(\d)\[[A-Z]*\]((?: [A-Z]\d+X?)*)$")
_SUM_BYTES, _COLUMNS_OF_PES, _DRAM_BYTES_PER_CYCLE = 4, 16, 8


@dataclass(frozen=True)
class DosaMapping:
    """A mapping as DOSA writes it: by level, from DRAM (3) to the registers (0), its loops from the outermost."""

    levels: dict[int, tuple[tuple[str, int], ...]]

    def given(self) -> Given:
        """Return it as a mapping of ours: tiles are what lies in the scratchpad, in the order of the loops over them.

        Gemmini's software loads both operands for every tile, and its loop unroller orders what is inside a tile by
        itself (docs/decisions/0107).
        """
        inside = [factor for level in (2, 1, 0) for factor in self.levels.get(level, ())]
        sizes = {loop: prod(size for name, size in inside if name == letter) for letter, loop in _LOOPS.items()}
        order = [_LOOPS[name] for name, _ in self.levels.get(3, ()) if name != "N"]
        return Given(tuple(sizes.items()), tuple(order) or None, reload_operands=True)


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
    return DosaMapping(levels)


def as_run(plan: Plan, mapping: DosaMapping, stride: int) -> Plan:
    """Return a plan with what the chip's program moves (docs/decisions/0156).

    Its loads are whole windows: also the words between those that a stride takes. Its psums never leave the
    accumulators, even where a loop over filters is inside one over the reduction; then its results are wrong.
    """
    size, loads, stores = mapping.given().size, plan.loads, plan.stores
    taken, of_a_piece = loads.segments.copy(), loads.segment_bytes.copy()
    if stride > 1:
        height = size["rows"] * stride + size["kernel_rows"] - 1
        width = size["positions"] * stride + size["kernel_columns"] - 1
        taken[LoadPattern.IFMAP] = taken[LoadPattern.IFMAP] > 0
        of_a_piece[LoadPattern.IFMAP] = size["channels"] * height * width
    taken[LoadPattern.PSUMS] = 0
    left = stores.segments.copy()
    left[StorePattern.PSUMS] = 0
    return replace(
        plan,
        loads=Transfers(taken, of_a_piece, loads.stride_bytes, write=False),
        stores=Transfers(left, stores.segment_bytes, stores.stride_bytes, write=True),
    )


def _check_covers(mapping: DosaMapping, row: MeasuredRow) -> None:
    for name in "KCPQRS":
        turns = prod(size for level in mapping.levels.values() for one, size in level if one == name)
        if turns < row.number(name):
            problem = f"has {name} {turns} times, and the layer {row.number(name)}"
            raise row.wrong("mapping", problem, f"give factors of {name} that make {row.number(name)}")


@dataclass(frozen=True)
class _Run:
    """A row's layer under its mapping on its machine."""

    row: MeasuredRow
    case: Case

    def plan(self, **settings: Any) -> tuple[Accelerator, Plan]:
        """Return the machine, with further settings, and the plan."""
        row = self.row
        C, K, P, Q, R, S, stride = map(row.number, ("C", "K", "P", "Q", "R", "S", "stride"))
        sums = row.number("accumulator_entries")
        # A mapping fills the entries with one tile. The next one is loaded meanwhile, so the buffer here holds two;
        # results wait in accumulators, which are a part of the buffer here.
        capacity = 2 * (row.number("scratchpad_entries") + sums * _COLUMNS_OF_PES * _SUM_BYTES)
        given = {"global_buffer.bank_bytes": -(-capacity // 4), "array.accumulator_sums": sums}
        spec = load_accelerator("gemmini", overrides={**given, **self.case.settings, **settings})
        height, width = (Q - 1) * stride + S, (P - 1) * stride + R
        shape = ConvShape(1, C, height, width, K, S, R, Q, P, (stride,) * 2, (0, 0), (1, 1), 1)
        try:
            mapping = read_dosa_mapping(row.text("mapping"))
            _check_covers(mapping, row)
            return spec, as_run(product_plan(spec, shape, mapping.given()), mapping, stride)
        except ValueError as error:
            if isinstance(error, InputError):
                raise
            remedy = "write it as L3[WIO] P7 Q4 - L2[WI] N1 K16X - L1[O] K4 C4 Q14 P8 C16X - L0[W] N1"
            raise row.wrong("mapping", f"is {row.text('mapping')[:60]!r}", remedy) from None
        except MappingError as error:
            raise row.wrong("mapping", f"{error.key} {error.problem}", error.remedy) from None

    def cause(self, plan: Plan) -> str:
        """Return what an experiment says of the error: a change of the model under which it is within 10 %."""

        def within(cycles: float) -> bool:
            return abs(cycles / self.row.number("cycles") - 1) <= WITHIN

        loads = int(plan.load_bytes.sum()) / _DRAM_BYTES_PER_CYCLE
        if within(plan.compute_cycles + loads):
            return "within 10 % if no load of a tile overlaps with the compute of the tile before"
        if within(plan_cycles(*self.plan(**{"dram.peak_bytes_per_second": 16_000_000_000}))):
            return "within 10 % if DRAM passes 16 B a cycle, the width of the DMA: the L2 cache is not modelled"
        return ""


def _rows(case: Case) -> Iterator[Row]:
    for row in measured_rows(case.data, "gemmini_firesim.csv", _COLUMNS):
        taps = "1 x 1" if row.number("R") == row.number("S") == 1 else "larger kernels"
        run, cycles = _Run(row, case), row.number("cycles")
        spec, plan = run.plan()
        found = Row(f"{row.text('layer')}, {row.text('mapping')}", cycles, plan_cycles(spec, plan), taps)
        yield found if abs(found.error) <= WITHIN else replace(found, cause=run.cause(plan))


COMPARISON = Comparison(
    "gemmini", "Gemmini, 16 x 16", "cycles", "RTL on FireSim: ucb-bar/dosa, data/firesim_test_data (BSD 2-clause)",
    "The machine `gemmini` with the scratchpad and the accumulators of each row, and the mapping of each row.",
    lambda case: tuple(_rows(case)), "gemmini", takes_data=True, rank=8,
    ranges=(
        Range("array.instructions.result_cycles", (32, 36), "registers that the data set's version may lack or add"),
        Range("array.instructions.in_flight", (4, 6), "as for a queue of tags that is one shorter or longer"),
        Range("array.instructions.least_cycles", (2, 8), "the sources say 4, and once had 2"),
        Range("dram.latency_ns", (20, 100), "of a transfer; the DMA has many requests on the way"),
        Range("dram.peak_bytes_per_second", (16_000_000_000,), "the DMA's width; DOSA's arch.yaml has 8 B a cycle"),
    ),
)  # fmt: skip
