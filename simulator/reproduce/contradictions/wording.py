"""What the text says in two ways: the schedule's order and adaptivity, the scope of its energy, names."""

from simulator.reproduce.contradictions.contradiction import Contradiction
from simulator.reproduce.ideal_speedups import ideal_speedup
from simulator.reproduce.paper import targets
from workloads.trace import load_trace

TRACE = "vgg13-cifar10"
EPOCHS = 90


def contradictions() -> list[Contradiction]:
    """Return them in the order of the paper."""
    return [_adaptive(), _order(), _energy(), _names()]


def batches_in_gp(batches: int, first: bool) -> int:
    """Return the GP batches of 90 epochs of so many batches, each beginning with Phase GP or with Phase BP."""
    schedule = targets()["schedule"]
    rest = EPOCHS - schedule["warm_up_epochs"]
    total = 0
    for stage in schedule["gp_to_bp_ratio"]:
        gp, bp = stage["ratio"]
        epochs = rest if stage["epochs"] == "rest" else stage["epochs"]
        rest -= epochs
        whole, left = divmod(batches, gp + bp)
        total += epochs * (whole * gp + (min(left, gp) if first else max(left - bp, 0)))
    return total


def _adaptive() -> Contradiction:
    ratios = ", ".join(f"{gp}:{bp}" for gp, bp in (one["ratio"] for one in targets()["schedule"]["gp_to_bp_ratio"]))
    return Contradiction(
        "adaptive", "An adaptive schedule that is fixed",
        "Abstract: ADA-GP \"adaptively adjusts when and for how long gradient prediction is used\". Section 3.5: it "
        "\"gradually increases the value of m\", the batches in Phase BP.",
        f"Section 3.5 goes on: k:m is {ratios}, after set numbers of epochs, \"for simplicity\". Nothing that the run "
        "measures enters, and what changes is k; m stays 1.",
        "The schedule is a fixed sequence of batches (`configs/schedules/paper.yaml`).",
    )  # fmt: skip


def _order() -> Contradiction:
    trace = load_trace(TRACE)
    batches = trace.dataset.batches_per_epoch(trace.batch_size)
    gp_first, bp_first = (batches_in_gp(batches, first) for first in (True, False))
    speedups = [ideal_speedup(one / (EPOCHS * batches)) for one in (gp_first, bp_first)]
    return Contradiction(
        "order", "Which phase comes first",
        "Sections 1, 3.1 and 3.4: first Phase BP, then Phase GP, \"following the completion of Phase BP\".",
        "Section 3.5: \"Initially, it proceeds with Phase GP\". It matters where an epoch is no whole number of "
        f"patterns: of {EPOCHS} x {batches} batches on CIFAR10 {gp_first:,} are in Phase GP if each epoch begins with "
        f"it, {bp_first:,} if with Phase BP; the ideal speedup is {speedups[0]:.4f} or {speedups[1]:.4f}.",
        "Each epoch begins with Phase GP (docs/decisions/0006).",
        (("GP batches, GP first", gp_first), ("GP batches, BP first", bp_first),
         ("ideal speedup, GP first", speedups[0]), ("ideal speedup, BP first", speedups[1])),
    )  # fmt: skip


def _energy() -> Contradiction:
    percent = 100 * targets()["energy"]["average_reduction"]
    return Contradiction(
        "energy", "Whose energy falls by 34 %",
        f"Abstract and section 7: ADA-GP \"consumes, on average, {percent:.0f} % less energy\" than the baseline "
        "accelerator.",
        f"Section 6.6.2: the {percent:.0f} % are \"the energy consumption associated with memory access\". Arithmetic, "
        "static power and, on MAX, the second array are not in it, and tables 4 and 5 have all three designs drawing "
        "more power than the baseline.",
        "Memory energy is what figure 21 compares; the energy of the whole accelerator is given beside it.",
        (("reduction, per cent", percent),),
    )  # fmt: skip


def _names() -> Contradiction:
    steps = targets()["timeline_4_layers"]
    return Contradiction(
        "names", "Names",
        "Section 3.7: two \"epochs\" take 24 steps, with ADA-GP 16 + 16 alpha. Section 6.4 finds YOLO-v3's speedup in "
        "\"Table 2\". Section 6.6.1 compares ADA-GP-\"Effective\".",
        f"{steps['baseline_two_batches']} steps are two batches of {steps['baseline_steps_per_batch']}; YOLO-v3 is in "
        "table 3; the design is ADA-GP-Efficient.",
        "Batches, table 3, Efficient.",
        (("batches in 24 steps", steps["baseline_two_batches"] / steps["baseline_steps_per_batch"]),),
    )  # fmt: skip
