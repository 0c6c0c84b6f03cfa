"""Write the tables of "Does it still help?" into docs/pipelines.md: ``python tests/make_pipeline_table.py``.

Takes five minutes of one core; it runs on all.
"""

from concurrent.futures import ProcessPoolExecutor
from statistics import fmean

from page_tables import table, write_tables

from simulator.machine.spec_loading import load_designs
from simulator.pipelines.schedule import find_schedule
from simulator.pipelines.simulation import PipelineSetup, simulate_pipelines
from simulator.reproduce.paper import NETWORKS, trace_name
from workloads.trace import load_policy, load_trace

SCHEDULES = {"gpipe": "GPipe", "dapple": "DAPPLE", "chimera": "Chimera", "zb_h1": "ZB-H1", "interleaved": "interleaved"}
TRAINING = ("one-to-one", "paper")
DESIGNS = ("baseline", "efficient", "max")
Figures = dict[tuple[str, str, str], tuple[int, float, int]]  # cycles, share of bubbles, bytes of activations


def measured(network: str) -> Figures:
    """Return a network's figures by sequence of batches, pipeline schedule and design."""
    trace = load_trace(trace_name(network, "ImageNet"))
    specs = [spec for spec in load_designs(None, "ws", []) if spec.design in DESIGNS]
    found: Figures = {}
    for training in TRAINING:
        results = simulate_pipelines(
            trace.with_schedule(load_policy(training)), specs, [find_schedule(name) for name in SCHEDULES],
            PipelineSetup(4, 4),
        )  # fmt: skip
        for run in results.runs:
            found[training, run.schedule, run.design] = run.total_cycles, run.bubble_share, run.peak_activation_bytes
    return found


def tables(found: dict[str, Figures]) -> dict[str, list[str]]:
    """Return the page's tables by their names."""

    def speedup(network: str, training: str, schedule: str, design: str, over: str = "") -> float:
        one = found[network]
        return one[training, over or schedule, "baseline"][0] / one[training, schedule, design][0]

    def each(training: str, schedule: str, design: str, over: str = "") -> list[float]:
        return [speedup(network, training, schedule, design, over) for network in NETWORKS]

    columns = [(training, schedule) for training in TRAINING for schedule in SCHEDULES]
    heads = [f"{SCHEDULES[schedule]}{' 1:1' if training == 'one-to-one' else ''}" for training, schedule in columns]
    rows = [[network, *(f"{speedup(network, *column, 'efficient'):.3f}" for column in columns)] for network in NETWORKS]
    rows.append(["average", *(f"{fmean(each(*column, 'efficient')):.3f}" for column in columns)])
    shares = {
        schedule: [
            fmean(found[network]["paper", schedule, design][1] for network in NETWORKS) for design in DESIGNS[:2]
        ]
        for schedule in SCHEDULES
    }
    return {
        "networks": table(["network", *heads], rows),
        "schedules": table(
            ["schedule", "MAX 1:1, average", "largest", "alone over GPipe", "with Efficient over GPipe",
             "bubbles without", "with Efficient", "ResNet50's activations, GiB"],
            [
                [
                    SCHEDULES[name],
                    f"{fmean(each('one-to-one', name, 'max')):.3f}",
                    f"{max(each('one-to-one', name, 'max')):.3f}",
                    f"{fmean(each('paper', name, 'baseline', 'gpipe')):.2f}",
                    f"{fmean(each('paper', name, 'efficient', 'gpipe')):.2f}",
                    *(f"{100 * share:.0f} %" for share in shares[name]),
                    f"{found['ResNet50']['paper', name, 'efficient'][2] / 2**30:.2f}",
                ]
                for name in SCHEDULES
            ],
        ),
    }  # fmt: skip


def main() -> None:
    """Replace the page's tables."""
    with ProcessPoolExecutor() as pool:
        found = dict(zip(NETWORKS, pool.map(measured, NETWORKS), strict=True))
    write_tables("pipelines", tables(found))


if __name__ == "__main__":
    main()
