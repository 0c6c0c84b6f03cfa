"""The paper's numbers, as `configs/paper/` holds them."""

from functools import cache
from typing import Any

from workloads.foundation.shipped import shipped_folder
from workloads.foundation.strict_yaml import read_yaml


@cache
def targets() -> dict[str, Any]:
    """Return every number that the paper states; `configs/paper/ada-gp-micro23.yaml` says where each stands."""
    found: dict[str, Any] = read_yaml(shipped_folder("configs/paper") / "ada-gp-micro23.yaml")
    return found


# Names as the paper has them.
NETWORKS: tuple[str, ...] = targets()["vision_models"]
DATASETS: tuple[str, ...] = targets()["datasets"]
DESIGNS = {"low": "ADA-GP-LOW", "efficient": "ADA-GP-Efficient", "max": "ADA-GP-MAX"}


def trace_name(network: str, dataset: str) -> str:
    """Return the shipped trace of a network and a data set by the paper's names."""
    return f"{network}-{dataset}".lower()


def block_ram_bytes(design: str) -> int:
    """Return the bytes of a design's block RAM in table 4; blocks of 36 and of 18 Kbit, parity included (UG473)."""
    _, _, large, small, _ = targets()["fpga_table_4"]["resources"][design]
    return int(large * 4608 + small * 2304)
