"""The table of what each way to train costs to an accuracy, and what to read from it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from simulator.run.results import Results
    from simulator.studies.cost_to_target import Cost, CostToTarget, Quantity

_NEVER = "never"


def print_costs(results: "Results", found: "CostToTarget", screen: "Console") -> None:
    """Print the costs to a target, and a note where a control is cheaper than ADA-GP."""
    from simulator.cli.console import print_table, table

    columns = [("run", False), ("on", False), ("epochs", True), ("by seed", True), ("cycles", True), ("time", True),
               ("energy", True), ("cycles/BP", True), ("energy/BP", True)]  # fmt: skip
    if found.costs:
        print_table(screen, table(_title(found), columns, [_row(cost) for cost in found.costs]))
    for note in _notes(results, found):
        screen.print(f"note: {note}")


def _title(found: "CostToTarget") -> str:
    seeds = len(found.costs[0].epochs_by_seed)
    title = f"Cost to a test accuracy of {100 * found.target_accuracy:.6g} %"
    title += f" in the mean of {seeds} seeds" if seeds > 1 else " with one seed"
    if found.chosen:
        return title
    return f"{title}, the highest whole per cent that every run reaches"


def _row(cost: "Cost") -> list[str]:
    from simulator.cli.console import duration, joules, thousands

    head = [cost.title, cost.design, _NEVER if cost.epochs is None else str(cost.epochs), _range(cost.epochs_by_seed)]
    if cost.cycles is None or cost.seconds is None or cost.energy_pj is None:
        return [*head, "-", "-", "-", "-", "-"]
    ratios = [f"{ratio:.4f}" if ratio is not None else "-" for ratio in (cost.cycles_ratio, cost.energy_ratio)]
    return [*head, thousands(cost.cycles), duration(cost.seconds), joules(cost.energy_pj), *ratios]


def _range(epochs: tuple[int | None, ...]) -> str:
    """Return the earliest and the latest epoch of the seeds; some of them may never get there."""
    reached = [epoch for epoch in epochs if epoch is not None]
    first = str(min(reached)) if reached else _NEVER
    last = _NEVER if len(reached) < len(epochs) else str(max(reached))
    return first if first == last else f"{first} to {last}"


def _notes(results: "Results", found: "CostToTarget") -> list[str]:
    if all(cost.gp_batches == "predicted" for cost in found.costs):
        if results.trace.controls:
            return ["the controls run on the baseline, which is not among these designs; compare has them"]
        return ["this trace has no controls to hold ADA-GP against; trace export --controls N trains them"]
    if all(cost.gp_batches != "predicted" for cost in found.costs):
        return ["ADA-GP runs on low, efficient and max, which are not among these designs; compare has them"]
    cheaper = [*_cheaper(found, "cycles", "fewest cycles"), *_cheaper(found, "energy_pj", "least energy")]
    return [f"ADA-GP is not the cheapest way there: {'; '.join(cheaper)}"] if cheaper else []


def _cheaper(found: "CostToTarget", quantity: "Quantity", what: str) -> list[str]:
    """Say which control takes less than ADA-GP at its best, if one does."""
    ours, theirs = found.cheapest(quantity, ada_gp=True), found.cheapest(quantity, ada_gp=False)
    if theirs is None:
        return []
    if ours is None:
        return [f"{what}, {theirs.title}, and ADA-GP never gets there"]
    ratio = getattr(theirs, quantity) / getattr(ours, quantity)
    return [f"{what}, {theirs.title}, {ratio:.4f} of ADA-GP on {ours.design}"] if ratio < 1 else []
