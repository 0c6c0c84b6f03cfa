"""Tables 4 and 5: FPGA, ASIC, and what both say of MAX's second array."""

from math import floor
from typing import Any

from simulator.energy.sram import sram
from simulator.machine.spec_loading import load_accelerator
from simulator.reproduce.contradictions import Arithmetic
from simulator.reproduce.paper import block_ram_bytes, targets

FPGA: dict[str, Any] = targets()["fpga_table_4"]
ASIC: dict[str, Any] = targets()["asic_table_5"]
# The most that any chip of the 7 series has (Xilinx DS180 v2.5, 7 Series FPGAs overview, section Block RAM).
MOST_RAMB36 = 1880


def _column(table: dict[str, Any], place: int) -> dict[str, float]:
    return {design: row[place] for design, row in table.items()}


def low() -> Arithmetic:
    """Return what LOW adds."""
    luts, area = _column(FPGA["resources"], 0), _column(ASIC["area"], -1)
    power = _column(ASIC["power_microwatt"], -1)
    figures = {
        "LUTs of LOW over the baseline's, less 1": luts["LOW"] / luts["Baseline"] - 1,
        "area of LOW over the baseline's, less 1": area["LOW"] / area["Baseline"] - 1,
        "power of LOW over Efficient's": power["LOW"] / power["Efficient"],
    }
    return figures, {"luts": luts["LOW"] - luts["Baseline"], "milliwatts": {one: power[one] / 1e3 for one in power}}


def block_ram() -> Arithmetic:
    """Count block RAMs of 36 Kbit."""
    blocks = {design: row[2] + row[3] / 2 for design, row in FPGA["resources"].items()}
    figures = {"blocks of the baseline": blocks["Baseline"], "blocks of Efficient": blocks["Efficient"]}
    figures["bytes of the predictor SRAM"] = block_ram_bytes("Efficient") - block_ram_bytes("LOW")
    return figures, {"most": MOST_RAMB36}


def power_parts() -> Arithmetic:
    """Return what the parts of power leave of the total."""
    missing = {design: row[-1] - sum(row[:-1]) for design, row in FPGA["power"].items()}
    listed = ", ".join(f"{design} {watts:.3f}" for design, watts in missing.items())
    return {f"{design}, watt unnamed": watts for design, watts in missing.items()}, {"listed": listed}


def dsps() -> Arithmetic:
    """Compare DSPs and what they draw."""
    count, power = _column(FPGA["resources"], -1), _column(FPGA["power"], 4)
    figures = {
        "DSPs of MAX over the baseline's": count["MAX"] / count["Baseline"],
        "power of MAX's over the baseline's": power["MAX"] / power["Baseline"],
        "DSPs of the second array": count["MAX"] - count["Efficient"],
    }
    return figures, {"dsps": count, "power": power, "less": power["Baseline"] / power["MAX"]}


def asic_sums() -> Arithmetic:
    """Return what cells and interconnect leave of the total."""
    gaps = {design: total - cells - wires for design, (_, _, wires, cells, total) in ASIC["area"].items()}
    power = ASIC["power_microwatt"]["Baseline"]
    figures = {f"{design}, total less its parts": gap for design, gap in gaps.items()}
    figures["leakage over total, baseline"] = power[2] / power[-1]
    return figures, {"gap": gaps["Efficient"], "kilowatts": power[-1] / 1e3, "watts": power[-1] / 1e6}


def asic_memory() -> Arithmetic:
    """Compare the area that Efficient adds with that of a memory."""
    added = ASIC["area"]["Efficient"][-1] - ASIC["area"]["LOW"][-1]
    bits = 8 * (block_ram_bytes("Efficient") - block_ram_bytes("LOW"))
    memory = load_accelerator(design="efficient").predictor_sram
    assert memory is not None, "Efficient has a memory for the predictor"
    cell = sram(22, memory.bank_bytes, 8 * memory.bank_port_bytes).area_mm2 * 1e6 / (8 * memory.bank_bytes)
    figures = {"area that Efficient adds to LOW": added, "area a bit": added / bits, "CACTI's at 22 nm": cell}
    return figures, {"bits": bits}


def cut_off() -> Arithmetic:
    """Compare the text's increases with those that the tables give."""
    tables = {"table 4, power": (FPGA["power_increase_percent"], _column(FPGA["power"], -1)),
              "table 5, area": (ASIC["area_increase_percent"], _column(ASIC["area"], -1))}  # fmt: skip
    rows = [
        (f"{table} of {design}", stated, 100 * (totals[design] / totals["Baseline"] - 1))
        for table, (said, totals) in tables.items() for design, stated in said.items()
    ]  # fmt: skip
    listed = ", ".join(f"{what} {value:.2f} % ({stated})" for what, stated, value in rows)
    cut = sum(stated == floor(10 * value) / 10 for _, stated, value in rows)
    rounded = sum(stated == round(value, 1) for _, stated, value in rows)
    words = {"listed": listed, "cut": cut, "rounded": rounded, "of": len(rows)}
    return {f"{what}, per cent": value for what, _, value in rows}, words


def second_array() -> Arithmetic:
    """Return the PEs of the second array by DSPs, by equal cost and by area."""
    pes, count, area = targets()["claims"]["baseline_pes"], _column(FPGA["resources"], -1), _column(ASIC["area"], -1)
    figures = {
        "PEs by DSPs": pes * (count["MAX"] - count["Efficient"]) / count["Baseline"],
        "PEs by equal area": pes * ASIC["iso_area_with_max"]["extra_baseline_pes_percent"] / 100,
        "PEs by equal power": pes * FPGA["iso_power_with_max"]["extra_baseline_pes_percent"] / 100,
        "PEs by table 5's area": pes * (area["MAX"] - area["Efficient"]) / area["Baseline"],
    }
    return figures, {"added": count["MAX"] - count["Efficient"], "dsps": count["Baseline"]}


def larger_baseline() -> Arithmetic:
    """Return what both readings of a sentence mean."""
    equal = FPGA["iso_power_with_max"]
    gain, more = equal["baseline_speedup_percent"]["CIFAR10"], equal["extra_baseline_pes_percent"]
    kept = targets()["speedup_over_bp"]["WS"]["average"]["CIFAR10"] / (1 + gain / 100)
    figures = {"MAX over the larger baseline, first reading": kept}
    return figures | {"baseline's gain, second reading, per cent": 100 * (kept - 1)}, {"gain": gain, "more": more}


def luts_per_pe() -> Arithmetic:
    """Return the LUTs of a PE of the baseline, and of one of MAX's second array."""
    luts, count = _column(FPGA["resources"], 0), _column(FPGA["resources"], -1)
    pes = targets()["claims"]["baseline_pes"]
    second = pes * (count["MAX"] - count["Efficient"]) / count["Baseline"]
    added = luts["MAX"] - luts["Efficient"]
    figures = {
        "LUTs of a PE of the baseline": luts["Baseline"] / pes,
        "LUTs of a PE of the second array": added / second,
    }
    return figures, {"base": luts["Baseline"], "added": added, "pes": second}
