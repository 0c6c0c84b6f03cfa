"""What the paper's alpha is on the machine as it is: the predictor's forward over its layer's."""

from collections.abc import Sequence
from statistics import fmean

from simulator.reproduce.exhibit import Cell, Table
from simulator.reproduce.job import Findings
from simulator.reproduce.jobs.predictor_share import PredictorShare
from simulator.reproduce.paper import DESIGNS

TRACES = ("vgg13-cifar10", "vgg13-imagenet")
JOBS = tuple(PredictorShare(trace, "ws") for trace in TRACES)
DRAWN = ("efficient", "max")


def alphas(found: Findings, job: PredictorShare, design: str) -> list[float]:
    """Return alpha of every layer."""
    return [layer["predictor_forward"] / layer["forward"] for layer in found[job][design]["layers"]]


def whole_alpha(found: Findings, job: PredictorShare, design: str) -> float:
    """Return the predictor's forward cycles of all layers over the layers' own: alpha weighted by their length."""
    layers = found[job][design]["layers"]
    return sum(layer["predictor_forward"] for layer in layers) / sum(layer["forward"] for layer in layers)


def steps(found: Findings, job: PredictorShare, design: str, phase: str) -> float:
    """Return a batch's cycles in twelfths of the baseline's batch, which is the paper's step."""
    batches = found[job][design]["batch_cycles"]
    return 12 * batches[phase] / found[job]["baseline"]["batch_cycles"]["bp"]


def alpha_text(found: Findings) -> str:
    """Return a paragraph on alpha."""
    said = []
    for job in JOBS:
        each, whole = alphas(found, job, "efficient"), whole_alpha(found, job, "efficient")
        above, slower = (sum(alpha >= 1 for alpha in alphas(found, job, design)) for design in DRAWN)
        said.append(
            f"{job.trace}: {fmean(each):.3f} in the mean of {len(each)} layers, {min(each):.5f} to {max(each):.3f}, "
            f"{whole:.4f} of all layers' forward together; it is 1 or more in {above} layers, and in "
            f"{slower} on MAX, whose second array has half of the PEs"
        )
    return (
        "The paper takes one alpha below 1 for all layers. On our machine (`ws`, Efficient) it differs by layer. "
        + ". ".join(said)
        + ". What counts for a batch is alpha of all layers together: where a layer's is large, the layer is short. "
        "The predictor's input is the mean over the batch, so the work of a prediction does not grow with the batch "
        "and its layer's does; linear layers have the largest alpha, as their weights are many for their work."
    )


def summary_table(name: str, found: Findings) -> Table:
    """Return alpha of each network and design, and what batches take in steps."""
    rows: list[tuple[Cell, ...]] = []
    for job in JOBS:
        for design in DRAWN:
            each = alphas(found, job, design)
            layers = found[job][design]["layers"]
            backward = fmean(layer["predictor_backward"] / layer["predictor_forward"] for layer in layers)
            rows.append((
                job.trace, DESIGNS[design], len(each), fmean(each), min(each), max(each),
                whole_alpha(found, job, design), backward, steps(found, job, design, "bp"),
                steps(found, job, design, "gp"),
            ))  # fmt: skip
    columns = (
        "trace", "design", "layers", "alpha: mean", "least", "most", "of all layers together",
        "predictor's backward over its forward", "steps of a BP batch", "steps of a GP batch",
    )  # fmt: skip
    title = "Alpha on our machine; a step is a twelfth of the baseline's batch"
    return Table(name, title, columns, tuple(rows), digits=4)


def layer_table(name: str, found: Findings) -> Table:
    """Return alpha of every layer."""
    rows: list[tuple[Cell, ...]] = [
        (job.trace, design, *layer.values(), layer["predictor_forward"] / layer["forward"])
        for job in JOBS
        for design in DRAWN
        for layer in found[job][design]["layers"]
    ]
    columns: Sequence[str] = (
        "trace", "design", "layer", "forward cycles", "backward cycles", "predictor's forward cycles",
        "predictor's backward cycles", "alpha",
    )  # fmt: skip
    return Table(name, "Every layer", tuple(columns), tuple(rows), shown=False)
