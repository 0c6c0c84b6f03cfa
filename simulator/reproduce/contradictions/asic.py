"""Table 5, the ASIC, and what the two tables say of MAX's second array."""

from math import floor

from simulator.energy.sram import sram
from simulator.machine.spec_loading import load_accelerator
from simulator.reproduce.contradictions.contradiction import Contradiction
from simulator.reproduce.contradictions.fpga import DESIGNS
from simulator.reproduce.contradictions.network import block_ram_bytes
from simulator.reproduce.paper import targets


def contradictions() -> list[Contradiction]:
    """Return them in the order of the paper."""
    return [_total(), _no_memory(), _cut_off(), _second_array(), _larger_baseline()]


def _areas() -> dict[str, list[float]]:
    found: dict[str, list[float]] = targets()["asic_table_5"]["area"]
    return found


def _total() -> Contradiction:
    gaps = {name: total - cells - wires for name, (_, _, wires, cells, total) in _areas().items()}
    power = targets()["asic_table_5"]["power_microwatt"]["Baseline"]
    return Contradiction(
        "asic-sums", "Table 5's total and its unit",
        "Table 5a: the total is cells and interconnect. Its caption gives power in watt, its part (b) in microwatt.",
        f"Cells and interconnect make the total in each row but Efficient's, which is {gaps['Efficient']:+.0f}. In "
        "watt "
        f"the baseline would draw {power[-1] / 1e3:.0f} kW, in microwatt {power[-1] / 1e6:.3f} W, of which "
        f"{power[2] / power[-1]:.0%} are leakage, beside {targets()['fpga_table_4']['power']['Baseline'][-1]} W on the "
        "FPGA. The parts of power agree with their totals within their three digits. Unit of area, process and clock "
        "are not stated.",
        "Microwatt and square micrometres are assumed (docs/area.md).",
        (*((f"{name}, total less its parts", gap) for name, gap in gaps.items()),
         ("leakage over total, baseline", power[2] / power[-1])),
    )  # fmt: skip


def _no_memory() -> Contradiction:
    added = _areas()["Efficient"][-1] - _areas()["LOW"][-1]
    bits = 8 * (block_ram_bytes("Efficient") - block_ram_bytes("LOW"))
    memory = load_accelerator(design="efficient").predictor_sram
    assert memory is not None, "Efficient has a memory for the predictor"
    cell = sram(22, memory.bank_bytes, 8 * memory.bank_port_bytes).area_mm2 * 1e6 / (8 * memory.bank_bytes)
    return Contradiction(
        "asic-memory", "Table 5's areas hold no memory",
        "Section 4.2: what Efficient adds to LOW is a memory for the predictor's weights; table 4 has block RAM for "
        "it.",
        f"Table 5: Efficient is {added:,} larger than LOW. For {bits:,} bits that are {added / bits:.5f} a bit. In "
        f"square micrometres CACTI has {cell:.3f} for a bit of such a bank at 22 nm, the smallest process of its grid.",
        "`adagp-sim area` gives the SRAM by CACTI beside the table (docs/area.md).",
        (("area that Efficient adds to LOW", added), ("area a bit", added / bits), ("CACTI's at 22 nm", cell)),
    )  # fmt: skip


def increases() -> list[tuple[str, str, float, float]]:
    """Return table, design, the text's increase in per cent and the increase that the table gives."""
    power = {name: row[-1] for name, row in targets()["fpga_table_4"]["power"].items()}
    area = {name: row[-1] for name, row in _areas().items()}
    said = {"table 4, power": (targets()["fpga_table_4"]["power_increase_percent"], power),
            "table 5, area": (targets()["asic_table_5"]["area_increase_percent"], area)}  # fmt: skip
    return [(table, design, text[design], 100 * (totals[design] / totals["Baseline"] - 1))
            for table, (text, totals) in said.items() for design in DESIGNS]  # fmt: skip


def _cut_off() -> Contradiction:
    rows = increases()
    listed = ", ".join(f"{table} of {design} {value:.2f} % ({text})" for table, design, text, value in rows)
    cut = sum(text == floor(10 * value) / 10 for _, _, text, value in rows)
    rounded = sum(text == round(value, 1) for _, _, text, value in rows)
    return Contradiction(
        "cut-off", "Increases are cut off, not rounded",
        "Section 6.6.1 names the increases of power and area over the baseline.",
        f"From the tables (the text's beside): {listed}. {cut} of {len(rows)} are the table's cut off after a digit, "
        f"{rounded} the table's rounded.",
        "Both are said (docs/area.md).",
        tuple((f"{table} of {design}, per cent", value) for table, design, _, value in rows),
    )  # fmt: skip


def _second_array() -> Contradiction:
    pes = targets()["claims"]["baseline_pes"]
    resources = {name: row[-1] for name, row in targets()["fpga_table_4"]["resources"].items()}
    equal_area = targets()["asic_table_5"]["iso_area_with_max"]["extra_baseline_pes_percent"]
    equal_power = targets()["fpga_table_4"]["iso_power_with_max"]["extra_baseline_pes_percent"]
    by_dsps = pes * (resources["MAX"] - resources["Efficient"]) / resources["Baseline"]
    by_area = pes * (_areas()["MAX"][-1] - _areas()["Efficient"][-1]) / _areas()["Baseline"][-1]
    whole_area, whole_power = pes * equal_area / 100, pes * equal_power / 100
    return Contradiction(
        "second-array", "MAX's second array: half of an array, or a tenth",
        f"Table 4: MAX has {resources['MAX'] - resources['Efficient']} DSPs more than Efficient, beside "
        f"{resources['Baseline']} for {pes} PEs: as many as {by_dsps:.0f} PEs have.",
        f"Section 6.6.1: a baseline of MAX's area has {equal_area} % more PEs, {whole_area:.1f}, and one of its power "
        f"{equal_power} %, {whole_power:.0f}. That is all of what MAX adds, control included, so its second array "
        "cannot "
        f"be larger. By area alone (table 5, MAX less Efficient) it is {by_area:.1f} PEs, were all of the baseline "
        "PEs.",
        "The second array has 6 x 15 PEs, by the DSPs; 20 is a variant in the study of assumptions. Neither is fitted.",
        (("PEs by DSPs", by_dsps), ("PEs by equal area", whole_area), ("PEs by equal power", whole_power),
         ("PEs by table 5's area", by_area)),
    )  # fmt: skip


def _larger_baseline() -> Contradiction:
    equal = targets()["fpga_table_4"]["iso_power_with_max"]
    gain = equal["baseline_speedup_percent"]["CIFAR10"]
    speedup = targets()["speedup_over_bp"]["WS"]["average"]["CIFAR10"]
    kept = speedup / (1 + gain / 100)
    needed = 100 * (speedup / (1 + gain / 100) - 1)
    more = equal["extra_baseline_pes_percent"]
    return Contradiction(
        "larger-baseline", "Who gains 4.31 %",
        f"Section 6.6.1: with equal power there is \"a {more} % increase in the number of PEs in the baseline and an "
        f"average speedup of {gain} %\".",
        f"If the larger baseline gains {gain} %, ADA-GP keeps {kept:.2f} over it, and {more} % more PEs bring less "
        "than "
        f"half of {more} %. If ADA-GP keeps {gain} % over it, {more} % more PEs have made the baseline {needed:.0f} % "
        "faster, four times their share. So the first must be meant; the sentence, after \"the baseline and "
        "ADA-GP-MAX "
        "having the same power\", reads like the second.",
        "The first is simulated: baselines of equal cost, and MAX over them (`adagp-sim area TRACE`).",
        (("MAX over the larger baseline, first reading", kept), ("baseline's gain, second reading, per cent", needed)),
    )  # fmt: skip
