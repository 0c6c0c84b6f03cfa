"""What the paper leaves open, each with other values that it could have had; one changed at a time.

The values are in `configs/reproduce/variants.yaml`.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from simulator.reproduce.jobs.design_comparison import DesignComparison
from simulator.reproduce.paper import trace_name
from workloads.foundation.shipped import shipped_folder
from workloads.foundation.strict_yaml import read_yaml


@dataclass(frozen=True, slots=True)
class Variant:
    """Another value of one assumption.

    Attributes
    ----------
    assumption, value : str
        What is changed, and to what.
    settings : tuple of str
        As `--set` takes them.
    array : (int, int), optional
        Rows and columns of the first array; see `array`.
    batch_size, predictor, classifiers_predicted
        As `simulator.reproduce.jobs.workload.Workload` has them.
    at : float, optional
        The value as a number, where it is one on an axis of the study of scaling.
    """

    assumption: str
    value: str
    settings: tuple[str, ...] = ()
    array: tuple[int, int] | None = None
    batch_size: int | None = None
    predictor: tuple[int, int] | None = None
    classifiers_predicted: bool = True
    at: float | None = None

    def job(self, network: str, dataset: str) -> DesignComparison:
        """Return the baseline and MAX of a network under it."""
        grown = () if self.array is None else array(*self.array)
        return DesignComparison(
            trace_name(network, dataset), studies()["dataflow"], ("baseline", "max"), (*self.settings, *grown),
            self.batch_size, self.predictor, self.classifiers_predicted,
        )  # fmt: skip


SHIPPED = Variant("", "as shipped")


def array(rows: int, columns: int) -> tuple[str, ...]:
    """Return the settings of a first array of another size, its ports grown with it, and a second of half its rows."""
    half = max(1, rows // 2)
    return (
        f"array.rows={rows}", f"array.columns={columns}", f"array.weight_port_words_per_cycle={rows}",
        f"array.input_port_words_per_cycle={rows}", f"array.output_port_words_per_cycle={columns}",
        f"second_array.rows={half}", f"second_array.columns={columns}",
        f"second_array.weight_port_words_per_cycle={rows}", f"second_array.input_port_words_per_cycle={half}",
        f"second_array.output_port_words_per_cycle={columns}",
    )  # fmt: skip


def variants() -> list[Variant]:
    """Return the variants of the study of assumptions."""
    return [Variant(**entry) for entry in studies()["variants"]]


def arrays() -> list[Variant]:
    """Return arrays of other numbers of PEs, of the study of scaling."""
    return [Variant(**entry) for entry in studies()["arrays"]]


def cells() -> list[tuple[str, str]]:
    """Return the studied networks on the studied data sets, data set by data set."""
    return [(network, dataset) for dataset in studies()["datasets"] for network in studies()["networks"]]


@cache
def studies() -> dict[str, Any]:
    """Return what both studies are of: dataflow, networks, datasets, epochs, and the variants as written."""
    found: dict[str, Any] = read_yaml(shipped_folder("configs/reproduce") / "variants.yaml")
    return found
