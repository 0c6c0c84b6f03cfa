"""Table 4: the FPGA."""

from simulator.reproduce.contradictions.contradiction import Contradiction
from simulator.reproduce.contradictions.network import block_ram_bytes
from simulator.reproduce.paper import targets

DESIGNS = ("LOW", "Efficient", "MAX")
# The most that any chip of the 7 series has (Xilinx DS180 v2.5, 7 Series FPGAs overview, section Block RAM).
MOST_RAMB36 = 1880


def contradictions() -> list[Contradiction]:
    """Return them in the order of the paper."""
    return [_low(), _block_ram(), _parts(), _dsps()]


def _low() -> Contradiction:
    luts = {name: row[0] for name, row in targets()["fpga_table_4"]["resources"].items()}
    area = {name: row[-1] for name, row in targets()["asic_table_5"]["area"].items()}
    power = {name: row[-1] for name, row in targets()["asic_table_5"]["power_microwatt"].items()}
    more_luts, more_area = luts["LOW"] / luts["Baseline"] - 1, area["LOW"] / area["Baseline"] - 1
    return Contradiction(
        "low", "LOW \"eliminates all additional hardware overhead\"",
        "Section 4.2: LOW's layout \"eliminates all additional hardware overhead from the original design and reuses "
        "existing resources\"; Efficient adds a memory.",
        f"Table 4: LOW has {luts['LOW'] - luts['Baseline']:,} LUTs more than the baseline ({more_luts:.2%}); table 5: "
        f"{more_area:.2%} more area, and {power['LOW'] / 1e3:.0f} mW where Efficient, which has more, draws "
        f"{power['Efficient'] / 1e3:.0f}.",
        "Taken as printed; what LOW adds is called the predictor's control (docs/area.md).",
        (("LUTs of LOW over the baseline's, less 1", more_luts), ("area of LOW over the baseline's, less 1", more_area),
         ("power of LOW over Efficient's", power["LOW"] / power["Efficient"])),
    )  # fmt: skip


def _block_ram() -> Contradiction:
    blocks = {name: row[2] + row[3] / 2 for name, row in targets()["fpga_table_4"]["resources"].items()}
    added = block_ram_bytes("Efficient") - block_ram_bytes("LOW")
    return Contradiction(
        "block-ram", "More block RAM than any Virtex-7 has",
        "Section 5.1: a Virtex 7 board; numbers are of the synthesized, placed and routed design.",
        f"Table 4: Efficient and MAX have {blocks['Efficient']:,.0f} blocks of 36 Kbit (two of 18 Kbit count as "
        "one), the "
        f"baseline {blocks['Baseline']:,.0f}. No chip of the 7 series has more than {MOST_RAMB36:,} by "
        "its data sheet (DS180), so these two cannot have been placed on one chip. This is the paper against a data "
        "sheet.",
        f"The sizes are used as printed: {added:,} bytes more are Efficient's predictor SRAM.",
        (("blocks of the baseline", blocks["Baseline"]), ("blocks of Efficient", blocks["Efficient"]),
         ("bytes of the predictor SRAM", added)),
    )  # fmt: skip


def _parts() -> Contradiction:
    missing = {name: row[-1] - sum(row[:-1]) for name, row in targets()["fpga_table_4"]["power"].items()}
    listed = ", ".join(f"{name} {watts:.3f}" for name, watts in missing.items())
    return Contradiction(
        "power-parts", "Table 4's parts of power do not add up",
        "Table 4b lists clocks, logic, signals, block RAM, DSPs and static power, and their total.",
        f"The total less its parts, in watt: {listed}. The same in every row, so a part is left out, not misprinted.",
        "It is kept as a part of its own, the same in each design (docs/area.md).",
        tuple((f"{name}, watt unnamed", watts) for name, watts in missing.items()),
    )  # fmt: skip


def _dsps() -> Contradiction:
    table = targets()["fpga_table_4"]
    dsps = {name: row[-1] for name, row in table["resources"].items()}
    power = {name: row[4] for name, row in table["power"].items()}
    pes = targets()["claims"]["baseline_pes"]
    return Contradiction(
        "dsps", "More DSPs draw less",
        f"Table 4a: the baseline, LOW and Efficient have {dsps['Baseline']} DSPs, MAX {dsps['MAX']}.",
        f"Table 4b: the baseline's DSPs draw {power['Baseline']} W, the same number in LOW and Efficient "
        f"{power['LOW']}, "
        f"and {dsps['MAX'] - dsps['Efficient']} more in MAX {power['MAX']}: at once "
        f"{power['Baseline'] / power['MAX']:.0f} "
        f"times less for {dsps['MAX'] / dsps['Baseline']:.2f} times the DSPs. {pes} PEs have {dsps['Baseline']} "
        "DSPs, so "
        "a PE is not a DSP either.",
        "Taken as printed by `adagp-sim area`; energy does not come from this table (docs/energy.md).",
        (("DSPs of MAX over the baseline's", dsps["MAX"] / dsps["Baseline"]),
         ("power of MAX's over the baseline's", power["MAX"] / power["Baseline"]),
         ("DSPs of the second array", dsps["MAX"] - dsps["Efficient"])),
    )  # fmt: skip
