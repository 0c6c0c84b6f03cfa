"""Eyeriss: energy of AlexNet by component, in energies of a MAC."""

from collections.abc import Iterator

from simulator.machine.spec_loading import load_accelerator
from simulator.validation.comparison import Case, Comparison, Range, Row
from simulator.validation.eyeriss import layer_plans

_IMAGES = 16
MACHINE = {  # that of the figure, which is larger than the chip
    "array.rows": 16, "array.columns": 16, "global_buffer.banks": 32,
    "array.weight_port_words_per_cycle": 16, "array.input_port_words_per_cycle": 16,
    "array.output_port_words_per_cycle": 16,
    "tiling_slack_percent": None,  # its mappings are those of the least energy, however long they take
}  # fmt: skip
_DRAM_WORD = 200  # ISCA 2016, table IV: energies of a MAC
_CAUSES = {
    "FC1, RF": "no window slides, so every MAC but a few writes an image word, too; without these writes -4.4 %",
}


def _rows(case: Case) -> Iterator[Row]:
    spec = load_accelerator("eyeriss", overrides={**MACHINE, **case.settings})
    for row, plan in layer_plans(spec, "eyeriss_energy.csv", _IMAGES):
        counts = plan.counts
        words = (counts.dram_read_bytes + counts.dram_write_bytes) / 2
        pads = counts.scratchpad_reads + counts.scratchpad_writes
        pads += counts.scratchpad_sum_reads + counts.scratchpad_sum_writes  # 16 bits, too
        for part, ours in (("alu", counts.macs), ("dram", _DRAM_WORD * words), ("rf", pads)):
            measured = float(row.text(part))
            what = f"{row.text('layer')}, {part.upper()}"
            yield Row(what, measured, ours / 1e9, part.upper(), _CAUSES.get(what, ""))


COMPARISON = Comparison(
    "eyeriss-energy", "Eyeriss's dataflow, energy of AlexNet", "1e9 energies of a MAC",
    "Chen et al., ISCA 2016, figure 10", "16 x 16 PEs, a buffer of 128 kB, batch 16: a machine of that paper's model, "
    "not the chip. ALU, DRAM and register files (the scratchpads of the PEs), at 200 a DRAM word and 1 a register's.",
    lambda case: tuple(_rows(case)), "eyeriss", rank=7,
    ranges=(Range("tiling_slack_percent", (0, 2), "ours: which tiles a layer is cut into"),),
)  # fmt: skip
