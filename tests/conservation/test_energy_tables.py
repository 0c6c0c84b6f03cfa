"""Energy tables: a pure function of counts, complete, of stated units and sources, at every node and precision."""

import re
from dataclasses import astuple
from itertools import combinations, pairwise
from math import exp, log
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from registries import DRAM_PARTS, ENERGY_TABLES

from dataflows.actions import ACTIONS, ActionCounts
from simulator.energy.energy import EnergyTable, energy_table_of, load_energy_table
from simulator.energy.energy_table import Leakage
from simulator.machine.spec_loading import load_accelerator
from simulator.testing.prices import check_prices
from workloads.foundation.errors import InputError
from workloads.foundation.shipped import shipped_folder
from workloads.foundation.shipped_csv import read_csv

TABLES = ENERGY_TABLES
# By a table's name: NNnm, and perhaps what differs. The others have no node.
NODES = {name: int(found[1]) for name in TABLES if (found := re.match(r"(\d+)nm(?:-|$)", name))}
SCALED = {name: node for name, node in NODES.items() if "-" not in name}


def table_of(name: str, *overrides: str, design: str = "max") -> EnergyTable:
    return energy_table_of(load_accelerator(design=design, overrides=[f"energy_table={name}", *overrides]))


def counts() -> st.SearchStrategy[ActionCounts]:
    return st.builds(ActionCounts, *(st.integers(0, 10**12) for _ in ActionCounts._fields))


def one(name: str) -> ActionCounts:
    return ActionCounts(**{name: 1})


def test_the_tables_that_are_shipped() -> None:
    for name in TABLES:
        table = load_energy_table(name)
        assert table.name == name
        assert set(table.actions) == set(ACTIONS)
        assert table.node_nm == NODES.get(name)
        assert all(action.source for action in table.actions.values())


@pytest.mark.parametrize("name", TABLES)
@given(counts(), counts())
def test_energy_adds_up(name: str, first: ActionCounts, second: ActionCounts) -> None:
    table = table_of(name)
    whole = astuple(table.energy(first + second, 0))
    parts = (a + b for a, b in zip(astuple(table.energy(first, 0)), astuple(table.energy(second, 0)), strict=True))
    assert whole == pytest.approx(tuple(parts), rel=1e-12)


@pytest.mark.parametrize("name", TABLES)
def test_every_action_costs_its_component_alone(name: str) -> None:
    check_prices(load_energy_table(name), table_of(name))


def test_45nm_by_hand() -> None:
    table = table_of("45nm")
    assert table.energy(one("macs"), 0).total == pytest.approx(1.1 + 0.9)  # fp16 multiply, fp32 add
    assert table.energy(one("adds"), 0).total == pytest.approx(0.9)
    # a flip-flop of Aladdin's 40 nm: 7.94 + 1.06 fJ a cycle; 45 nm by the power law between it and 32 nm
    bit = 0.0090 / 0.6541 ** (log(40 / 45) / log(32 / 45))
    for action, bits in (("stationary", 16), ("operand", 16), ("product", 32), ("passing_sum", 32), ("kept_sum", 32)):
        assert table.energy(one(f"{action}_register_writes"), 0).total == pytest.approx(bits * bit, rel=1e-3)
    assert table.energy(one("stationary_register_reads"), 0).total == 0
    assert table.energy(one("scratchpad_reads"), 0).total == pytest.approx(0.8604)  # 448 B of filters as 512 B, 16 bits
    # a third of the way from 16 to 64 bits
    assert table.energy(one("scratchpad_sum_reads"), 0).total == pytest.approx(0.8604 + (1.4137 - 0.8604) / 3)
    assert table.energy(one("dram_read_bytes"), 0).total == pytest.approx(
        74 * 1.35 * 8 * 5 / 64
    )  # DDR3's IDD4R - IDD3N
    assert table_of("45nm", "dram.part=null").energy(one("dram_read_bytes"), 0).total == pytest.approx(8 * 14.4)
    # a bank of 77,760 B between CACTI's 32,768 and 110,592 B
    share = log(77_760 / 32_768) / log(110_592 / 32_768)
    read = 17.0418 * (29.4494 / 17.0418) ** share
    assert table.energy(one("predictor_sram_read_bytes"), 0).total == pytest.approx(read / 8)


def test_leakage_by_bank() -> None:
    # 64 banks each; CACTI rounds to 0.0001 mW, between 0.0009 and 0.0028 mW, and between 0.0028 and 0.0067 mW
    buffer = 64 * (0.0028 + 0.0039 * (114_048 - 110_592) / (262_144 - 110_592))
    predictor = 64 * (0.0009 + 0.0019 * (77_760 - 32_768) / (110_592 - 32_768))
    assert table_of("45nm").leakage_pj(1, 200_000_000) == pytest.approx((buffer + predictor) * 1e9 / 200e6)
    assert table_of("45nm", design="low").leakage_pj(1, 200_000_000) == pytest.approx(buffer * 1e9 / 200e6)
    assert table_of("eyeriss").leakage_pj(10**9, 200_000_000) == 0


@pytest.mark.parametrize("largest", ["input_words=4096", "filter_words=4096", "partial_sum_words=2048"])
def test_scratchpads_cost_as_the_largest(largest: str) -> None:
    """8,192 bytes: 4,096 words of 16 bits, or 2,048 sums of 32; a point of CACTI's grid at 45 nm."""
    row = next(row for row in read_csv(shipped_folder("configs/energy") / "cacti_sram.csv")
               if (row["node_nm"], row["capacity_bytes"], row["width_bits"]) == (45, 8192, 16))  # fmt: skip
    words = dict.fromkeys(("input_words", "filter_words", "partial_sum_words"), "16")
    words |= dict([largest.split("=")])
    settings = [f"array.scratchpads.{key}={value}" for key, value in words.items()]
    table = table_of("45nm", *settings, design="baseline")
    assert table.energy(one("scratchpad_reads"), 0).total == pytest.approx(row["read_pj"])
    assert table.energy(one("scratchpad_writes"), 0).total == pytest.approx(row["write_pj"])


def test_leakage_by_capacity(tmp_path: Path) -> None:
    """A power for so many bytes is that of a memory in proportion to its bytes, whatever its banks."""
    table = yaml.safe_load((shipped_folder("configs/energy") / "eyeriss.yaml").read_text(encoding="utf-8"))
    table["leakage"] = {
        "global_buffer": {"power_mw": 3.0, "for_bytes": 1000, "source": "here"},
        "predictor_sram": {"power_mw": 5.0, "for_bytes": 64, "source": "here"},
    }
    path = tmp_path / "leaks.yaml"
    path.write_text(yaml.safe_dump(table), encoding="utf-8")
    sizes = ["global_buffer.banks=6", "global_buffer.bank_bytes=50000", "predictor_sram.banks=2",
             "predictor_sram.bank_bytes=16000", "second_array.buffer_banks=1"]  # fmt: skip
    # 300,000 B leak 900 mW and 32,000 B leak 2,500 mW; a second is 200,000,000 cycles, a milliwatt second 1e9 pJ
    assert table_of(str(path), *sizes).leakage_pj(200_000_000, 200_000_000) == pytest.approx(3400e9)
    # the baseline has no predictor SRAM
    assert table_of(str(path), *sizes[:2], design="baseline").leakage_pj(1, 10**9) == pytest.approx(900.0)


@pytest.mark.parametrize(
    ("word_bits", "partial_sum_bits", "multiply", "add"),
    [
        (8, 16, 0.2, 0.1),  # Horowitz has no int16 adder: the int32 one, a bound from above
        (8, 32, 0.2, 0.1),
        (16, 16, 1.1, 0.4),
        (16, 32, 1.1, 0.9),
        (32, 32, 3.7, 0.9),
    ],
)
def test_arithmetic_of_every_precision(word_bits: int, partial_sum_bits: int, multiply: float, add: float) -> None:
    settings = [f"precision.{name}={bits}" for name, bits in (
        ("word_bits", word_bits), ("partial_sum_bits", partial_sum_bits), ("master_weight_bits", 32))]  # fmt: skip
    for name in ("45nm", "eyeriss"):
        table = table_of(name, *settings)
        assert table.energy(one("macs"), 0).total == pytest.approx(multiply + add)
        assert table.energy(one("adds"), 0).total == pytest.approx(add)


def test_sums_of_64_bits_are_refused() -> None:
    for name in TABLES:
        with pytest.raises(InputError, match=r"precision\.partial_sum_bits.*64.*at most 32"):
            table_of(name, "precision.partial_sum_bits=64")


def test_eyeriss_is_its_ratios_at_16_bits() -> None:
    table = table_of("eyeriss")
    mac = table.energy(one("macs"), 0).total
    ratios = {"stationary_register_reads": 1, "scratchpad_writes": 1, "scratchpad_sum_reads": 2,
              "array_network_bytes": 2 / 2, "buffer_read_bytes": 6 / 2,
              "predictor_sram_write_bytes": 6 / 2, "dram_write_bytes": 200 / 2}  # fmt: skip
    for action, ratio in ratios.items():
        assert table.energy(one(action), 0).total == pytest.approx(ratio * mac)
    half = table_of("eyeriss", "precision.word_bits=8")
    assert half.energy(one("stationary_register_reads"), 0).total == pytest.approx(mac / 2)


def test_arithmetic_of_other_nodes_is_scaled_as_published() -> None:
    """Stillmaker and Baas 2017, table 5: a V^2 + b V + c, at 0.9 V or, from 16 nm on, at the node's own voltage.

    22 nm lies between their 32 and 20 nm.
    """
    published = {65: (3.755, -4.398, 1.975), 45: (1.018, -0.3107, 0.1539), 32: (0.8367, -0.4341, 0.1701),
                 20: (0.373, -0.1582, 0.04104), 16: (0.2958, -0.1241, 0.03024),
                 7: (0.1776, -0.09097, 0.02447)}  # fmt: skip
    volts = {16: 0.8, 7: 0.7}
    factors = {node: a * volts.get(node, 0.9) ** 2 + b * volts.get(node, 0.9) + c
               for node, (a, b, c) in published.items()}  # fmt: skip
    assert factors[32] == pytest.approx(0.4571, abs=5e-5)  # as the authors' own erratum works it out
    share = log(32 / 22) / log(32 / 20)
    factors[22] = exp((1 - share) * log(factors[32]) + share * log(factors[20]))
    for name, node in SCALED.items():
        scale = factors[node] / factors[45]
        table = table_of(name)
        assert table.energy(one("macs"), 0).total == pytest.approx(2.0 * scale, rel=4e-4)
        bit = 0.0090 / 0.6541 ** (log(40 / 45) / log(32 / 45))
        assert table.energy(one("operand_register_writes"), 0).total == pytest.approx(16 * bit * scale, rel=1e-3)
        wires = load_energy_table(name).wires
        assert wires is not None
        assert wires.pj_per_bit_mm == pytest.approx(0.121 * (volts.get(node, 0.9) / 0.9) ** 2, rel=1e-3)


def test_7nm_as_published_for_tpuv4i() -> None:
    """Jouppi et al. 2021, table 2: bf16 0.21 and 0.11, fp16 0.34 and 0.16, int8 0.07, fp32 1.31 and 0.38 pJ."""
    table = load_energy_table("7nm-tpuv4i").arithmetic
    assert table is not None
    assert table.energy_pj("multiply_add", 16, 32) == pytest.approx(0.21 + 0.38)  # sums of bf16 are fp
    assert table.energy_pj("multiply_add", 16, 16) == pytest.approx(0.21 + 0.11)  # as wide as words: bf16's own
    assert table.energy_pj("multiply_add", 8, 32) == pytest.approx(0.07 + 0.03)
    assert table.energy_pj("multiply_add", 32, 32) == pytest.approx(1.31 + 0.38)
    others = table.model_copy(update={"word_formats": {8: "fp8", 16: "fp16"}})
    assert others.energy_pj("multiply_add", 8, 32) == pytest.approx(2.8 * 0.07 + 0.38)
    assert others.energy_pj("multiply_add", 8, 16) == pytest.approx(2.8 * 0.07 + 0.16)  # of bf16 and fp16 the dearer
    assert others.energy_pj("add", 16, 16) == pytest.approx(0.16)


@pytest.mark.parametrize(("name", "node"), [("16nm", 16), ("7nm", 7)])
def test_sram_below_22_nm_is_scaled(name: str, node: int) -> None:
    """Of CACTI at 22 nm: (node / 22)^0.5 of energy, 0.79 of that of leakage, node / 22 of area."""
    row = next(row for row in read_csv(shipped_folder("configs/energy") / "cacti_sram.csv")
               if (row["node_nm"], row["capacity_bytes"], row["width_bits"]) == (22, 8192, 64))  # fmt: skip
    bank, root = load_energy_table(name).bank("global_buffer.bank_bytes", 8192, 64), (node / 22) ** 0.5
    assert bank.read_pj == pytest.approx(row["read_pj"] * root, rel=1e-3)
    assert bank.write_pj == pytest.approx(row["write_pj"] * root, rel=1e-3)
    assert bank.leakage_mw == pytest.approx(row["leakage_mw"] * 0.79 * root, rel=1e-3)
    assert bank.area_mm2 == pytest.approx(row["area_mm2"] * node / 22, rel=1e-3)
    whole = table_of(name, "global_buffer.bank_bytes=8192", "global_buffer.banks=64", design="baseline")
    assert whole.energy(one("buffer_read_bytes"), 0).total == pytest.approx(bank.read_pj / 8)
    assert whole.leakage_mw == {"global_buffer": pytest.approx(64 * bank.leakage_mw)}


def test_a_newer_node_costs_less_but_for_dram() -> None:
    tables = [table_of(name) for name in sorted(SCALED, key=SCALED.__getitem__, reverse=True)]
    for older, newer in pairwise(tables):
        for action in ACTIONS:
            before, after = (table.energy(one(action), 0).total for table in (older, newer))
            same = action.startswith("dram") or action.endswith("_register_reads")
            assert after == before if same else after < before, action


def test_counting_a_memory_that_is_not_there_is_a_mistake() -> None:
    table = table_of("45nm", design="baseline")
    assert table.energy(one("macs"), 0).total > 0
    with pytest.raises(ValueError, match="predictor_sram_read_bytes"):
        table.energy(one("predictor_sram_read_bytes"), 0)


def test_dram_energy_from_currents_by_hand() -> None:
    """The 14.4 pJ a bit of the tables: DDR3-1600 at 1.35 V, eight devices, 200,000 sequential reads of 64 bytes.

    IDD0 67, IDD2N 36, IDD3N 51, IDD4R 125, IDD5AB 245 mA; RAS 28, RP 11, RFC 280 cycles of 1.25 ns, refresh each 6240;
    DRAMsim3 takes 841,311 cycles. A row holds 16 KiB, so 256 reads. 1 mA x 1 V x 1 ns = 1 pJ.
    """
    volts_devices, clock = 1.35 * 8, 1.25
    read = (125 - 51) * volts_devices * 4 * clock
    activate = (67 * 39 - 51 * 28 - 36 * 11) * volts_devices * clock
    refresh = (245 - 51) * volts_devices * 280 * clock
    background = 51 * volts_devices * clock
    reads, cycles = 200_000, 841_311
    total = reads * read + reads / 256 * activate + cycles / 6240 * refresh + cycles * background
    assert total / (reads * 512) == pytest.approx(14.4, rel=0.01)
    # 50,000 random reads, each with its activate, in 420,517 cycles: 41.8
    reads, cycles = 50_000, 420_517
    total = reads * (read + activate) + cycles / 6240 * refresh + cycles * background
    assert total / (reads * 512) == pytest.approx(41.8, rel=0.01)


@pytest.mark.parametrize("part", DRAM_PARTS)
def test_pj_a_bit_of_a_part_as_the_page_says(part: str) -> None:
    """From the currents by hand, and the price of a byte: reads, writes, rows, and all of a busy channel."""
    told = yaml.safe_load((shipped_folder("configs/dram") / f"{part}.yaml").read_text(encoding="utf-8"))
    shape, times, amps = told["organization"], told["timing_cycles"], told["power"]["currents_ma"]
    devices = shape["bus_width_bits"] // shape["device_width_bits"]
    scale = told["power"]["VDD"] * devices * 1e9 / told["clock_hz"]  # 1 mA x 1 V x 1 ns = 1 pJ
    read, write = ((amps[f"IDD4{way}"] - amps["IDD3N"]) * scale / (2 * shape["bus_width_bits"]) for way in "RW")
    row = amps["IDD0"] * (times["RAS"] + times["RP"]) - amps["IDD3N"] * times["RAS"] - amps["IDD2N"] * times["RP"]
    row *= scale / (shape["columns"] * shape["bus_width_bits"])
    refresh = (amps["IDD5AB"] - amps["IDD3N"]) * times["RFC"] / times["REFI"]
    by_time = shape["ranks"] * (refresh + amps["IDD3N"]) * scale / (2 * shape["bus_width_bits"])
    page = (Path(__file__).parents[2] / "docs" / "dram.md").read_text(encoding="utf-8")
    (line,) = (line for line in page.splitlines() if line.lower().startswith(f"| {part} | ") and "." in line)
    cells = [float(cell) for cell in line.split("|")[2:6]]
    for cell, found, digits in zip(cells, (read, write, row, read + row + by_time), (2, 2, 2, 1), strict=True):
        assert cell == pytest.approx(found, abs=0.5001 * 10**-digits)
    dram = load_accelerator(design="max", overrides={"dram.part": part}).dram
    assert dram.energy_pj("read", 200_000_000) == pytest.approx(8 * read)
    assert dram.energy_pj("write", 200_000_000) == pytest.approx(8 * write)


@pytest.mark.parametrize("keys", [keys for n in range(4) for keys in combinations(("power", "bytes", "width"), n)])
def test_leakage_is_a_power_for_some_bytes_or_a_width(keys: tuple[str, ...]) -> None:
    """Of the eight combinations only these two say one thing."""
    named = {"power": {"power_mw": 1.0}, "bytes": {"for_bytes": 64}, "width": {"sram_width_bits": 64}}
    values = {name: value for key in keys for name, value in named[key].items()}
    if keys in (("power", "bytes"), ("width",)):
        assert Leakage(**values, source="here").model_dump(exclude_none=True) == values | {"source": "here"}
    else:
        with pytest.raises(ValidationError, match="twice, or not at all"):
            Leakage(**values, source="here")
