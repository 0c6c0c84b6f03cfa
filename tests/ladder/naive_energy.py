"""The energy of counts by a shipped table, from docs/energy.md and nothing else."""

import csv
from bisect import bisect_left
from math import exp, log, sqrt
from pathlib import Path

import yaml

FOLDER = Path(__file__).parents[2] / "configs" / "energy"
PARTS = (
    "pe_array", "array_network", "accumulator", "global_buffer", "predictor_sram", "dram_access", "dram_background",
    "dram_refresh",
)  # fmt: skip
SMALLEST = 512


def grid():
    """Return the rows of CACTI's table."""
    lines = (FOLDER / "cacti_sram.csv").read_text().splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return [{key: float(value) for key, value in row.items()} for row in rows]


GRID = grid()


def between(points, at, straight):
    """Return the value at a point of a curve, by a straight line or a power law between its two neighbours."""
    points = sorted(points)
    places = [x for x, _ in points]
    if at <= places[0]:
        return points[0][1]
    if at in places:
        return dict(points)[at]
    index = bisect_left(places, at)
    (a, low), (b, high) = points[index - 1 : index + 1]
    if straight:
        return low + (high - low) * (at - a) / (b - a)
    return exp(log(low) + (log(high) - log(low)) * (log(at) - log(a)) / (log(b) - log(a)))


def sram(node, size, width, column):
    """Return what a bank costs: first between capacities at each width, then between widths."""
    by_width = {}
    for row in GRID:
        if row["node_nm"] == node:
            by_width.setdefault(row["width_bits"], []).append((row["capacity_bytes"], row[column]))
    curve = [(bits, between(points, size, column == "leakage_mw")) for bits, points in by_width.items()]
    return between(curve, width, True)


class Prices:
    """What each action costs on an array: `machine` has sizes in bytes, `word` and `psum` (bytes)."""

    def __init__(self, name, machine):
        self.table = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
        self.machine = machine
        self.node = self.table.get("node_nm")
        pads = machine.get("pads", {"FW": 0, "IW": 0, "PW": 0})
        self.bytes = {
            "global_buffer": machine["bank_bytes"],
            "predictor_sram": machine.get("sram_bank_bytes", SMALLEST),
            "accumulator": machine["sums"] * machine["psum"],
            "scratchpad": max(machine["word"] * max(pads["FW"], pads["IW"]), machine["psum"] * pads["PW"]),
        }

    def arithmetic(self, what):
        formats = self.table["arithmetic"]
        word = formats["word_formats"][8 * self.machine["word"]]
        cost = formats["add_pj"][self.adder(word)] + (formats["multiply_pj"][word] if what == "multiply_add" else 0)
        return cost * formats.get("scale", 1)

    def adder(self, word):
        """Return the format of sums: the words' own if as wide, else the next one of the kind; of two the dearer."""
        prices, wanted = self.table["arithmetic"]["add_pj"], 8 * self.machine["psum"]
        if wanted == 8 * self.machine["word"] and word in prices:
            return word
        kinds = ("int",) if word.startswith("int") else ("fp", "bf")
        wide = [(int(name.lstrip("intfpb")), -price, name) for name, price in prices.items() if name.startswith(kinds)]
        return min(one for one in wide if one[0] >= wanted)[2]

    def sram(self, size, width, column):
        """Return what a bank costs at the table's node."""
        scaling = self.table.get("sram_scaling")
        if scaling is None:
            return sram(self.node, size, width, column)
        factor = {"leakage_mw": "leakage", "area_mm2": "area"}.get(column, "energy")
        return scaling[factor] * sram(scaling["from_node_nm"], size, width, column)

    def pitch(self):
        """Return the side of a PE in mm: its multiplier and adder, its registers, its scratchpads."""
        R, C, word, psum = (self.machine[key] for key in ("rows", "columns", "word", "psum"))
        tree, nodes = 0, R
        while nodes > 1:
            nodes = -(-nodes // 2)
            tree += nodes
        stays, flow = ("os" if self.machine["flow"] == "os" else "operand"), self.machine["flow"]
        words, sums = (
            {  # registers of the whole array
                ("broadcast", "operand"): (2 * R * C + R, R * C + (tree + 1) * C),
                ("broadcast", "os"): (R + C, 3 * R * C),
                ("systolic", "operand"): (2 * R * C, R * C),
                ("systolic", "os"): (2 * R * C, R * C),
                ("systolic_overlapped", "operand"): (4 * R * C, R * C),
                ("systolic_overlapped", "os"): (2 * R * C, 4 * R * C),
            }[self.machine["kind"], stays]
            if flow != "rs"
            else (0, 3 * R * C)
        )
        units, wires = self.table["arithmetic"], self.table["wires"]
        multiplier = units["word_formats"][8 * word]
        um2 = units["multiply_um2"][multiplier] + units["add_um2"][self.adder(multiplier)]
        um2 += wires["register_um2_per_bit"] * 8 * (words * word + sums * psum) / (R * C)
        mm2 = um2 * units.get("area_scale", 1) * 1e-6
        if flow == "rs":
            for pad, size in (("FW", word), ("IW", word), ("PW", psum)):
                mm2 += self.sram(self.machine["pads"][pad] * size, 8 * size, "area_mm2")
        return sqrt(mm2)

    def one(self, name, entry):
        """Return the energy of one count of an action."""
        bits = 8 * self.machine["psum" if "_sum_" in name or "product" in name else "word"]
        if "arithmetic" in entry:
            cost = self.arithmetic(entry["arithmetic"])
        elif "sram" in entry:
            access = entry["sram"]
            width = bits if access["width_bits"] in ("word", "sum") else access["width_bits"]
            cost = self.sram(self.bytes[access["memory"]], width, f"{access['access']}_pj")
        elif entry.get("wire") == "buffer":
            area = self.machine["all_banks"] * self.sram(self.bytes["global_buffer"], 64, "area_mm2")
            cost = 8 * self.table["wires"]["pj_per_bit_mm"] * sqrt(area) / 2
        elif "wire" in entry:
            cost = bits * self.table["wires"]["pj_per_bit_mm"] * self.pitch()
        else:
            cost = entry["energy_pj"]
            cost *= bits / entry["per_word_bits"] if "per_word_bits" in entry else 1
        return cost / entry.get("counts_per_access", 1)

    def energy(self, counts):
        """Return the energy of counts by part."""
        found = dict.fromkeys(PARTS, 0.0)
        for action, entry in self.table["actions"].items():
            if counts.get(action):
                found[entry["component"]] += counts[action] * self.one(action, entry)
        return found

    def leakage(self, seconds):
        """Return the energy of leakage of all banks, in pJ."""
        power = 0.0
        for memory, entry in self.table["leakage"].items():
            prefix = "sram_" if memory == "predictor_sram" else "all_"
            if f"{prefix}banks" in self.machine:
                banks = self.machine[f"{prefix}banks"]
                if "power_mw" in entry:
                    power += entry["power_mw"] * banks * self.bytes[memory] / entry["for_bytes"]
                else:
                    power += banks * self.sram(self.bytes[memory], entry["sram_width_bits"], "leakage_mw")
        return power * seconds * 1e9
