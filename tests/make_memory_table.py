"""Make the table of docs/memory.md: ``python tests/make_memory_table.py`` (half a minute)."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from simulator.reproduce.exhibits.memory_energy import SHORT  # noqa: E402
from simulator.reproduce.jobs.memory_rules import MemoryRules  # noqa: E402
from simulator.reproduce.paper import NETWORKS, trace_name  # noqa: E402

HEAD = """\
# How much memory energy ADA-GP saves

The paper's figure 21 has an average reduction of 34 % for "memory accesses". It does not say which
accesses are counted. `adagp-sim memory TRACE` adds one kind of access after the other. This page
shows MAX against the baseline under `ws`, on the default machine. Each column counts its own
accesses and those of all columns before it. `python tests/make_memory_table.py` makes the page, and
nothing is fitted.

| column | accesses that it adds |
|---|---|
| **activations** | DRAM traffic of X, Y and their gradients in forward, dgrad and wgrad. A GP batch has only forward |
| **ReLU masks** | the backward pass reads the output of each activation once more |
| **weights** | weights and their gradients |
| **partial sums** | psums that leave the buffer |
| **updates** | weight updates |
| **optimizer** | the optimizer's momentum |
| **predictor** | the predictor's traffic |
| **outputs stay** | fewer: a GP batch leaves an output that fits in the buffer for the next layer (`gp_outputs_stay`) |
| **on chip** | accumulators, global buffer and predictor SRAM as well |
| **DRAM's time** | rows that DRAM opens, its background and its refreshes ([Energy](energy.md)) |
| **without masks** | fewer: the masks, which no simulated layer reads. This is the memory energy of `compare` |

- With ReLU masks, where every layer has one, a BP batch moves seven tensors a layer and a GP batch
  two. With a GP share of 0.477, 1 - 2/7 gives 34.1 %.
- A GP batch saves nothing of weights, psums, updates, optimizer and predictor, or adds to them.

So the paper's 34 % is the saving on activations and masks. All of DRAM's traffic gives less. It
gives least where weights are many and images small (VGG on CIFAR10): the predictor's traffic comes
once a batch, not once an image. Background and refreshes cost by time, and a design saves of them
what it saves of time.
"""


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
