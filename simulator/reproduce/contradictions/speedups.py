"""Speedups of single devices and of pipelines."""

from itertools import count
from statistics import fmean

from simulator.reproduce.contradictions import Arithmetic
from simulator.reproduce.paper import DATASETS, NETWORKS, targets, trace_name
from simulator.reproduce.run_arithmetic import (
    backward_needed,
    gp_share,
    ideal_speedup,
    paper_batches,
    pipeline_speedup,
    share_needed,
)
from simulator.studies.unit_pipelines import unit_run
from workloads.trace import load_trace

# The paper's names of the two other networks, their shipped traces, and where their cycles stand.
_OTHERS = {
    "Transformer": ("transformer-multi30k", "transformer_multi30k", "adagp"),
    "YOLO-v3": ("yolo-v3-voc", "yolov3_pascalvoc", "max"),
}
PIPELINES = ("GPipe", "DAPPLE", "Chimera")


def fifteen() -> Arithmetic:
    """Average thirteen networks, and fifteen."""
    by_dataflow = targets()["speedup_over_bp"]
    nine = fmean(by_dataflow[dataflow]["average"][one] for dataflow in ("WS", "RS", "IS") for one in DATASETS)
    others = {network: _speedup_of(network) for network in _OTHERS}
    claimed = targets()["claims"]["networks_of_the_overall_average"]
    figures = {
        "mean of the nine averages": nine,
        "mean of fifteen networks": (len(NETWORKS) * nine + sum(others.values())) / claimed,
        **{f"{network}, from its cycles": speedup for network, speedup in others.items()},
    }
    listed = " and ".join(f"{network} {speedup:.2f}" for network, speedup in others.items())
    return figures, {"thirteen": len(NETWORKS), "listed": listed}


def above_ideal() -> Arithmetic:
    """Turn speedups into the ratios of backward to forward that they need."""
    shares = {dataset: _share_after_90_epochs(trace_name("VGG13", dataset)) for dataset in DATASETS}
    published = targets()["speedup_over_bp"]["WS"]
    cases = [("average", "average", "ImageNet"), ("greatest", "max", "CIFAR10"), ("greatest", "max", "ImageNet")]
    needed = [
        (f"{what} on {dataset}", published[key][dataset], backward_needed(published[key][dataset], shares[dataset]))
        for what, key, dataset in cases
    ]
    average = published["average"]["ImageNet"]
    epochs = _epochs_needed(average, trace_name("VGG13", "ImageNet"))
    figures = {
        "ideal, CIFAR10": ideal_speedup(shares["CIFAR10"]), "ideal, ImageNet": ideal_speedup(shares["ImageNet"]),
        "bound, ImageNet": 1 / (1 - shares["ImageNet"]), f"epochs for {average}": epochs,
        **{f"BW over FW for {value}, {what}": ratio for what, value, ratio in needed},
    }  # fmt: skip
    listed = ", ".join(f"{value} ({what}) BW = {ratio:.2f} FW" for what, value, ratio in needed)
    return figures, {"average": average, "epochs": epochs, "half": ideal_speedup(0.5), "listed": listed}


def below_ideal() -> Arithmetic:
    """Find the shares of Phase GP, and the epochs, of tables 2 and 3."""
    figures: dict[str, float] = {}
    listed = []
    for network, (name, *_) in _OTHERS.items():
        speedup = _speedup_of(network)
        share, planned, epochs = share_needed(speedup), _share_after_90_epochs(name), _epochs_needed(speedup, name)
        listed.append(
            f"{network} {speedup:.3f}, for which a share of {share:.3f} in Phase GP is enough ({planned:.3f} after 90 "
            f"epochs; the schedule is there in epoch {epochs})"
        )
        figures |= {f"{network}, share of Phase GP": share, f"{network}, epochs": epochs}
    days = targets()["yolov3_pascalvoc"]["baseline"]["cycles_e9"] / 86400
    return figures | {"table 3, days at 1 GHz": days}, {"listed": "; ".join(listed)}


def synchronisation() -> Arithmetic:
    """Count flushes and messages."""
    plain, mixed = unit_run("gpipe", ["bp", "bp"]), unit_run("gpipe", ["gp", "bp"])
    flushes, messages = mixed.flushes / plain.flushes, mixed.messages / plain.messages
    share = _share_after_90_epochs(trace_name("VGG13", "ImageNet"))
    figures = {"flushes left, 1:1": flushes, "messages left, 1:1": messages, "flushes left, 90 epochs": 1 - share,
               "messages left, 90 epochs": 1 - share / 2}  # fmt: skip
    return figures, {"flushes": flushes, "messages": messages, "share": share}


def figure_20() -> Arithmetic:
    """Compare the pipelines' speedups with those of both schedules in steps."""
    share = _share_after_90_epochs(trace_name("VGG13", "ImageNet"))
    figures: dict[str, float] = {}
    said = []
    for pipeline in PIPELINES:
        paper = targets()["pipelines"][pipeline]
        one, two, speedup = paper["steps_per_batch"], paper["steps_two_batches_gp_to_bp"], paper["speedup"]
        turn, whole = 2 * one / two, pipeline_speedup(share, one, two - one)
        said.append(
            f"{pipeline} {speedup['max']} at most and {speedup['average']} on average; {2 * one}/{two} = {turn:.4g}; "
            f"{whole:.4f} over 90 epochs"
        )
        figures |= {f"{pipeline}, GP and BP in turn": turn, f"{pipeline}, 90 epochs": whole}
    return figures, {"said": "; ".join(said)}


def _speedup_of(network: str) -> float:
    """Return the speedup from the cycles of table 2 or 3, with ADA-GP-MAX where the table names designs."""
    _, table, run = _OTHERS[network]
    rows = targets()[table]
    speedup: float = rows["baseline"]["cycles_e9"] / rows[run]["cycles_e9"]
    return speedup


def _share_after_90_epochs(trace: str) -> float:
    """Return the share of Phase GP in a shipped run under the paper's schedule."""
    return gp_share(load_trace(trace).schedule.counts())


def _epochs_needed(speedup: float, trace: str) -> int:
    """Return the first epoch by which the paper's schedule allows a speedup, with BW = 2 FW and a free predictor."""
    loaded = load_trace(trace)
    batches = loaded.dataset.batches_per_epoch(loaded.batch_size)
    return next(n for n in count(1) if ideal_speedup(gp_share(paper_batches(n, batches))) >= speedup)


def figure_10c() -> Arithmetic:
    """Count the steps of both transitions."""
    figures = {
        "steps, GP then BP": unit_run("gpipe", ["gp", "bp"]).steps,
        "steps, BP then GP": unit_run("gpipe", ["bp", "gp"]).steps,
    }
    return figures, {"stated": targets()["pipelines"]["GPipe"]["steps_two_batches_gp_to_bp"]}
