"""Make the table of docs/memory.md: ``python tests/make_memory_table.py`` (half a minute)."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from simulator.reproduce.exhibits.memory_energy import SHORT  # noqa: E402
from simulator.reproduce.jobs.memory_rules import MemoryRules  # noqa: E402
from simulator.reproduce.paper import NETWORKS, trace_name  # noqa: E402

HEAD = (
    "# What of memory's energy ADA-GP saves\n\n"
    'The paper\'s figure 21 has an average reduction of 34 % for "memory accesses" and does not say which are counted. '
    "`adagp-sim memory TRACE` adds one kind of access after the other. Here: MAX against the baseline, `ws`, the "
    "default machine, each column with all those before it. Made by `python tests/make_memory_table.py`; nothing is "
    "fitted.\n\n"
    "- **activations**: DRAM traffic of X, Y and their gradients in forward, dgrad and wgrad. A GP batch has forward "
    "alone.\n"
    "- **ReLU masks**: the backward pass reads the output of each activation once more. Where every layer has one, a "
    "BP batch moves seven tensors a layer and a GP batch two: with a GP share of 0.477, 1 - 2/7 gives 34.1 %.\n"
    "- **weights** and their gradients, **partial sums** that leave the buffer, weight **updates**, the "
    "**optimizer**'s momentum, the **predictor**'s traffic: what a GP batch does not save, or adds.\n"
    "- **outputs stay**: a GP batch leaves an output that fits in the buffer for the next layer (`gp_outputs_stay`).\n"
    "- **on chip**: accumulators, global buffer and predictor SRAM as well.\n\n"
    "The paper's 34 % is what activations with masks give. All of DRAM gives less: least where weights are many and "
    "images small (VGG on CIFAR10), since the predictor's traffic is a batch's and not an image's.\n"
)


def main() -> None:
    lines = [HEAD]
    for dataset in ("CIFAR10", "ImageNet"):
        sums = [0.0] * len(SHORT)
        lines += [f"## {dataset}, per cent saved\n",
                  "| network | " + " | ".join(SHORT) + " |", "|---|" + "---|" * len(SHORT)]  # fmt: skip
        for network in NETWORKS:
            rows = MemoryRules(trace_name(network, dataset), designs=("max",)).compute()["max"]
            saved = [1 - own / baseline for _, baseline, own in rows]
            sums = [a + b for a, b in zip(sums, saved, strict=True)]
            lines.append(f"| {network} | " + " | ".join(f"{100 * one:.1f}" for one in saved) + " |")
        lines.append("| **mean** | " + " | ".join(f"**{100 * one / len(NETWORKS):.1f}**" for one in sums) + " |\n")
    (ROOT / "docs" / "memory.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
