"""Two arrays that differ in every key: what an array does is timed, counted and priced by its own numbers."""

import csv
from pathlib import Path
from typing import Any

import pytest
from array_specs import choices
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.actions import ActionCounts
from dataflows.array import arrays
from dataflows.dataflow import dataflows
from simulator.energy.energy import energy_table_of
from simulator.machine.spec import Accelerator
from simulator.machine.spec_loading import load_accelerator
from simulator.outputs.resolved import spec_data
from simulator.run.results import LayerRow
from simulator.run.simulation import Simulation
from workloads.foundation.errors import InputError
from workloads.trace import load_trace

CACTI = Path(__file__).parents[2] / "configs" / "energy" / "cacti_sram.csv"
BANKS = (512, 2048, 8192, 32_768)  # bytes, of CACTI's grid, so that prices can be looked up


def cacti(capacity: int, width: int) -> tuple[float, float]:
    """Return CACTI's picojoules of a read and of a write at a point of its grid, 45 nm."""
    lines = (line for line in CACTI.read_text().splitlines() if not line.startswith("#"))
    for row in csv.DictReader(lines):
        if (int(row["node_nm"]), int(row["capacity_bytes"]), int(row["width_bits"])) == (45, capacity, width):
            return float(row["read_pj"]), float(row["write_pj"])
    raise KeyError((capacity, width))


def accumulator(sums: int) -> tuple[float, float]:
    """Return what a psum of 32 bits costs to read and to write: a third of the way from 16 bits to 64."""
    narrow, wide = cacti(sums * 4, 16), cacti(sums * 4, 64)
    read, write = (a + (b - a) / 3 for a, b in zip(narrow, wide, strict=True))
    return read, write


@st.composite
def array_data(draw: st.DrawFn, kind: str, flow: str) -> dict[str, Any]:
    """Draw an array's keys: banks of CACTI's sizes, or no accumulators."""
    side, port = st.integers(2, 24), st.integers(2, 24)
    keys: dict[str, Any] = {"kind": kind, "rows": draw(side), "columns": draw(side)}
    keys |= {f"{name}_port_words_per_cycle": draw(port) for name in ("weight", "input", "output")}
    keys |= {"accumulator_sums": draw(st.sampled_from([0, *(size // 4 for size in BANKS)]))}
    if "scratchpads" in arrays()[kind].model_fields:
        filters = draw(st.sampled_from(BANKS)) // 2
        keys["scratchpads"] = {"filter_words": filters, "input_words": 12, "partial_sum_words": 24}
    return {**keys, **draw(st.sampled_from(choices(kind, dataflows()[kind, flow])))}


@st.composite
def arrays_of(draw: st.DrawFn, flow: str) -> dict[str, Any]:
    """Draw an array of any kind that has a dataflow."""
    return draw(array_data(draw(st.sampled_from([kind for kind, name in dataflows() if name == flow])), flow))


def spec_of(first: dict[str, Any], second: dict[str, Any], flow: str) -> Accelerator:
    shipped = spec_data(load_accelerator(design="max", dataflow=flow))
    data = {**shipped, "array": first, "second_array": {**second, "buffer_banks": 16}}
    data["vector_unit"]["costed"] = tuple(data["vector_unit"]["costed"])
    return Accelerator.model_validate(data)


def run(first: dict[str, Any], second: dict[str, Any], flow: str) -> list[LayerRow]:
    rows = Simulation(load_trace("digits-cnn"), spec_of(first, second, flow)).run().rows
    assert {row.array for row in rows} == {0, 1, None}
    return [row for row in rows if row.array is not None]


FLOWS = sorted({name for _, name in dataflows()})


@pytest.mark.parametrize("flow", FLOWS)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_each_array_is_priced_by_its_own_memories(flow: str, data: st.DataObject) -> None:
    both = data.draw(arrays_of(flow)), data.draw(arrays_of(flow))
    for row in run(*both, flow):
        array, counts = both[row.array], row.counts
        assert row.pes == array["rows"] * array["columns"]
        # Horowitz: an fp16 multiply and an fp32 add, 1.1 + 0.9 pJ; Aladdin: 0.01042 pJ for a bit of a register
        pe_array = 2.0 * counts.macs + 0.9 * counts.adds
        words = counts.stationary_register_writes + counts.operand_register_writes
        sums = counts.product_register_writes + counts.passing_sum_register_writes + counts.kept_sum_register_writes
        pe_array += 0.01042 * (16 * words + 32 * sums)
        if "scratchpads" in array:
            pad = cacti(array["scratchpads"]["filter_words"] * 2, 16)
            pe_array += pad[0] * counts.scratchpad_reads + pad[1] * counts.scratchpad_writes
            pad = accumulator(array["scratchpads"]["filter_words"] // 2)  # as many bytes, 32 bits wide
            pe_array += pad[0] * counts.scratchpad_sum_reads + pad[1] * counts.scratchpad_sum_writes
        assert row.energy.pe_array == pytest.approx(pe_array)
        assert counts.accumulator_read_bytes == counts.accumulator_write_bytes
        psums = counts.accumulator_read_bytes // 4
        priced = psums * sum(accumulator(array["accumulator_sums"])) if psums else 0.0
        assert row.energy.accumulator == pytest.approx(priced)


@pytest.mark.parametrize("flow", FLOWS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_an_array_does_not_look_at_the_other(flow: str, data: st.DataObject) -> None:
    """Another first array changes nothing of what the second one does, and the other way round."""
    first, second, other = (data.draw(arrays_of(flow)) for _ in range(3))
    usual = run(first, second, flow)
    for changed, same in ((run(other, second, flow), 1), (run(first, other, flow), 0)):
        for before, after in zip(usual, changed, strict=True):
            if before.array == same:
                assert (after.compute_cycles, after.counts.macs) == (before.compute_cycles, before.counts.macs)
                assert (after.counts, after.energy) == (before.counts, before.energy)


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("without", ["array", "second_array"])
def test_one_array_without_accumulators(flow: str, without: str) -> None:
    """Its psums go to the global buffer; the other's stay in its own, where an operand stays (else none are used)."""
    index = ("array", "second_array").index(without)
    spec = load_accelerator(design="max", dataflow=flow, overrides=[f"{without}.accumulator_sums=0"])
    rows = [row for row in Simulation(load_trace("digits-cnn"), spec).run().rows if row.array is not None]
    used = {row.array for row in rows if row.counts.accumulator_read_bytes}
    stays = next(one.way for (_, name), one in dataflows().items() if name == flow) == "operand stays"
    assert used == ({1 - index} if stays else set())
    assert not any(row.energy.accumulator for row in rows if row.array == index)


@pytest.mark.parametrize(
    "pads",
    [
        {"input_words": 1024, "filter_words": 224, "partial_sum_words": 24},  # 1024 words of 16 bits
        {"input_words": 12, "filter_words": 1024, "partial_sum_words": 24},
        {"input_words": 12, "filter_words": 224, "partial_sum_words": 512},  # 512 psums of 32 bits
        {"input_words": 1000, "filter_words": 1023, "partial_sum_words": 512},
    ],
)
@pytest.mark.parametrize("index", [0, 1])
def test_the_largest_scratchpad_sets_the_price(pads: dict[str, int], index: int) -> None:
    """2,048 bytes are a point of CACTI's grid; the other array keeps Eyeriss's 448, which cost what 512 do."""
    name = ("array", "second_array")[index]
    settings = [f"{name}.scratchpads.{pad}={size}" for pad, size in pads.items()]
    table = energy_table_of(load_accelerator(design="max", overrides=settings))
    reads, writes = ActionCounts(scratchpad_reads=1), ActionCounts(scratchpad_writes=1)
    for array, size in ((index, 2048), (1 - index, 512)):
        found = table.energy(reads, array).pe_array, table.energy(writes, array).pe_array
        assert found == pytest.approx(cacti(size, 16))


def test_no_array_has_no_accumulator_to_pay_for() -> None:
    """What no array did cannot be in an array's memory."""
    table = energy_table_of(load_accelerator(design="max"))
    assert table.energy(ActionCounts(dram_standby_rank_cycles=7), None).accumulator == 0
    with pytest.raises(ValueError, match="lacks one of the memories"):
        table.energy(ActionCounts(accumulator_read_bytes=4), None)


@pytest.mark.parametrize("name", ["array", "second_array"])
def test_a_memory_beyond_cacti_is_refused_by_its_own_key(name: str) -> None:
    spec = load_accelerator(design="max", overrides=[f"{name}.accumulator_sums=1000000000"])
    with pytest.raises(InputError, match=rf"(?<!_){name}\.accumulator_sums"):
        energy_table_of(spec)
