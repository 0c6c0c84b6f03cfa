"""One colour for each thing in pictures and reports: Okabe and Ito's palette, which all can tell apart."""

from collections.abc import Iterable

from simulator.energy.energy import ENERGY_PARTS
from simulator.outputs.charts.chart import BoxKind
from workloads.schedule import Phase

PASSES = {
    "forward": "#0072B2", "dgrad": "#E69F00", "wgrad": "#D55E00", "update": "#999999",
    "predictor_forward": "#009E73", "predictor_backward": "#CC79A7", "predictor_update": "#F0E442",
    "predictor_load": "#56B4E9", "predictor_store": "#000000",
    "vector_forward": "#332288", "vector_backward": "#88CCEE",
}  # fmt: skip
COMPONENTS = dict(
    zip(
        ENERGY_PARTS,
        ("#0072B2", "#56B4E9", "#CC79A7", "#009E73", "#F0E442", "#D55E00", "#E69F00", "#882255", "#999999"),
        strict=True,
    )
)
PHASES: dict[Phase, str] = {
    "warm_up": "#56B4E9", "bp": "#0072B2", "gp": "#E69F00", "dni": "#CC79A7", "inference": "#009E73",
}  # fmt: skip
STALLS = {
    "compute_cycles": "#0072B2", "stall_load_cycles": "#D55E00", "stall_store_cycles": "#E69F00",
    "stall_other_array_cycles": "#CC79A7", "stall_buffer_port_cycles": "#009E73",
}  # fmt: skip
DESIGNS = {"baseline": "#999999", "low": "#56B4E9", "efficient": "#0072B2", "max": "#D55E00"}
VERDICTS = {"agrees": "#009E73", "differs": "#E69F00", "unexplained": "#CC79A7", "unknown": "#999999"}
# In the order of a timeline's legend.
BOXES: dict[BoxKind, str] = {
    "forward": "#56B4E9", "forward, Phase BP": "#56B4E9", "forward, Phase GP": "#E69F00", "backward": "#009E73",
    "predictor's forward": "#CC79A7", "predictor's backward": "#F0E442",
}  # fmt: skip
UP, DOWN = "#009E73", "#E69F00"
MARK = "#808080"  # seen on white and on black
# What is no design takes no design's colour.
_OTHERS = (
    "#009E73", "#E69F00", "#CC79A7", "#999933", "#AA4499", "#44AA99", "#DDCC77", "#B08060", "#332288", "#882255",
    "#117733", "#661100",
)  # fmt: skip


def design_colour(name: str) -> str | None:
    """Return the colour of a design by any of its names, such as max, MAX or ADA-GP-MAX; None if it has none."""
    return DESIGNS.get(name.lower().removeprefix("ada-gp-"))


def series_colours(labels: Iterable[str]) -> dict[str, str]:
    """Return a colour for each label: the design's that its last word names, or a verdict's, or one of the others."""
    others, found = iter(_OTHERS * 4), {}
    for label in labels:
        known = design_colour(label.split()[-1]) or VERDICTS.get(label)
        found[label] = known or next(others)
    return found


def lighter(colour: str, light: float = 0.45) -> str:
    """Return a colour with so much of white in it."""
    parts = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return "#" + "".join(f"{round(part + (255 - part) * light):02X}" for part in parts)


def shades(colour: str, count: int) -> list[str]:
    """Return a colour in so many steps, from itself to a light one."""
    return [lighter(colour, 0.7 * step / max(1, count - 1)) for step in range(count)]
