"""Pipelines of several devices."""

from simulator.reproduce.contradictions.contradiction import Contradiction
from simulator.reproduce.contradictions.speedup import schedule_counts
from simulator.reproduce.ideal_speedups import gp_share, pipeline_speedup
from simulator.reproduce.paper import targets, trace_name
from simulator.reproduce.unit_pipelines import unit_run

PIPELINES = ("GPipe", "DAPPLE", "Chimera")


def contradictions() -> list[Contradiction]:
    """Return them in the order of the paper."""
    return [_synchronisation(), _figure_20()]


def _share() -> float:
    return gp_share(schedule_counts(trace_name("VGG13", "ImageNet")))


def _synchronisation() -> Contradiction:
    claimed = targets()["claims"]["synchronisation_steps_left"]
    plain, mixed = unit_run("gpipe", ["bp", "bp"]), unit_run("gpipe", ["gp", "bp"])
    flushes, messages = mixed.flushes / plain.flushes, mixed.messages / plain.messages
    share = _share()
    return Contradiction(
        "synchronisation", "\"Half\" of the synchronisation",
        f"Section 3.8: ADA-GP \"reduces the number of synchronization steps to half\" ({claimed:g}).",
        f"A GP batch has no flush and half of the messages between devices. With GP and BP in turn {flushes:.2f} of "
        "the "
        f"flushes and {messages:.2f} of the messages are left; over 90 epochs of section 3.5's schedule, with "
        f"{share:.4f} of the batches in Phase GP, {1 - share:.3f} and {1 - share / 2:.3f}. Half holds for flushes "
        "in 1:1 "
        "alone.",
        "Flushes and messages are counted (exhibits figures 10 to 12).",
        (("flushes left, 1:1", flushes), ("messages left, 1:1", messages), ("flushes left, 90 epochs", 1 - share),
         ("messages left, 90 epochs", 1 - share / 2)),
    )  # fmt: skip


def _figure_20() -> Contradiction:
    share = _share()
    said, figures = [], []
    for pipeline in PIPELINES:
        paper = targets()["pipelines"][pipeline]
        one, two = paper["steps_per_batch"], paper["steps_two_batches_gp_to_bp"]
        turn, whole = 2 * one / two, pipeline_speedup(share, one, two - one)
        speedup = paper["speedup"]
        said.append(
            f"{pipeline} {speedup['max']} at most and {speedup['average']} on average; {2 * one}/{two} = {turn:.4g}; "
            f"{whole:.4f} over 90 epochs"
        )
        figures += [(f"{pipeline}, GP and BP in turn", turn), (f"{pipeline}, 90 epochs", whole)]
    return Contradiction(
        "figure-20", "Figure 20 is another schedule than section 3.5's",
        "Sections 3.2 and 3.5: 10 epochs of Warm Up, then 4:1, 3:1, 2:1 and 1:1. Section 6.5 and figure 20 name no "
        "other schedule.",
        f"In the paper's steps, with a predictor that is free: {'; '.join(said)}. The greatest speedups are those "
        "of GP "
        "and BP in turn from the first batch on, and the averages are above what 90 epochs of section 3.5's "
        "schedule allow.",
        "Figure 20 is made with GP and BP in turn (`configs/schedules/one-to-one.yaml`), and the whole run stands "
        "beside it.",
        tuple(figures),
    )  # fmt: skip
