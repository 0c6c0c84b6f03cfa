"""One colour for each thing in pictures and reports: Okabe and Ito's palette, which all can tell apart."""

from simulator.energy.energy import ENERGY_PARTS
from workloads.schedule import Phase

PASSES = {
    "forward": "#0072B2", "dgrad": "#E69F00", "wgrad": "#D55E00", "update": "#999999",
    "predictor_forward": "#009E73", "predictor_backward": "#CC79A7", "predictor_update": "#F0E442",
    "predictor_load": "#56B4E9", "predictor_store": "#000000",
    "vector_forward": "#332288", "vector_backward": "#88CCEE",
}  # fmt: skip
COMPONENTS = dict(
    zip(ENERGY_PARTS, ("#0072B2", "#56B4E9", "#CC79A7", "#009E73", "#F0E442", "#D55E00", "#999999"), strict=True)
)
PHASES: dict[Phase, str] = {
    "warm_up": "#56B4E9", "bp": "#0072B2", "gp": "#E69F00", "dni": "#CC79A7", "inference": "#009E73",
}  # fmt: skip
STALLS = {
    "compute_cycles": "#0072B2", "stall_load_cycles": "#D55E00", "stall_store_cycles": "#E69F00",
    "stall_other_array_cycles": "#CC79A7", "stall_buffer_port_cycles": "#009E73",
}  # fmt: skip
