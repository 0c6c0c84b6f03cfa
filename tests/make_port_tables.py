"""Write the tables of "Ports of the banks" into docs/machine.md: ``python tests/make_port_tables.py``.

Takes ten minutes of one core; it runs on all.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import product

from page_tables import table, write_tables
from registries import DATAFLOWS, TRACES

from simulator.machine.spec_loading import load_accelerator
from simulator.run.simulation import Simulation
from workloads.trace import load_trace

VGG13 = "vgg13-cifar10"
DESIGNS = ("max", "baseline")
FIRST = ("ws", "is", "os", "rs")  # the order of the page; others follow
ORDER = [*FIRST, *(flow for flow in DATAFLOWS if flow not in FIRST)]
NARROW = (4, 2, 1)  # bytes a bank
WIDE = 8192  # a whole bank
Ask = tuple[str, str, str, int | None]  # trace, dataflow, design, bytes a bank or as shipped


def measured(ask: Ask) -> tuple[int, int, int]:
    """Return a BP batch's waits for ports and its cycles, and the cycles of the whole run."""
    trace, dataflow, design, port_bytes = ask
    keys = ["global_buffer", *(["predictor_sram"] if design == "max" else [])] if port_bytes else []
    spec = load_accelerator(
        design=design, dataflow=dataflow, overrides=[f"{key}.bank_port_bytes={port_bytes}" for key in keys]
    )
    run = Simulation(load_trace(trace), spec).run()
    batch = run.batch_runs["bp"]
    waits = sum(row.stall_buffer_port_cycles for row in run.rows if row.phase == "bp")
    return waits, batch.cycles, run.total_cycles


def waits(found: dict[Ask, tuple[int, int, int]]) -> Iterator[list[str]]:
    """Yield the rows of traces that wait, and how much longer their batch is than with ports of a whole bank."""
    for trace in TRACES:
        shipped = [found[trace, flow, "max", None] for flow in ORDER]
        wide = [found[trace, flow, "max", WIDE] for flow in ORDER]
        if any(waiting for waiting, _, _ in shipped):
            longer = max(own[1] / free[1] - 1 for own, free in zip(shipped, wide, strict=True))
            yield [trace, *(f"{waiting:,}" for waiting, _, _ in shipped), f"{1e6 * longer:.2f}"]


def narrow(found: dict[Ask, tuple[int, int, int]]) -> Iterator[list[str]]:
    """Yield how much longer VGG13's run is with ports of fewer bytes."""
    for design, port in product(DESIGNS, NARROW):
        runs = [(found[VGG13, flow, design, port], found[VGG13, flow, design, None]) for flow in ORDER]
        yield [design, str(port), *(f"{100 * (own[2] / shipped[2] - 1):.3f} %" for own, shipped in runs)]


def main() -> None:
    """Replace the page's tables."""
    asks: list[Ask] = list(product(TRACES, ORDER, ["max"], [None, WIDE]))
    asks += product([VGG13], ORDER, DESIGNS, [None, *NARROW])
    with ProcessPoolExecutor() as pool:
        found = dict(zip(asks, pool.map(measured, asks), strict=True))
    flows = [f"`{flow}`" for flow in ORDER]
    write_tables(
        "machine",
        {
            "waits": table(["trace", *flows, "longer at most, 10^-6"], waits(found)),
            "narrow ports": table(["design", "bytes a bank", *flows], narrow(found)),
        },
    )


if __name__ == "__main__":
    main()
