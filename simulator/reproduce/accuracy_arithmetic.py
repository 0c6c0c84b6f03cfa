"""Arithmetic of accuracies: table 1's gains, and what a MAPE says of a predictor's signs and its cosine.

See docs/predictor.md for what a predictor can know at all. A prediction of the wrong sign, or of zero, has a relative
error of 1 at least. So the share of such predictions is no more than the MAPE: a bound that holds for any gradient. The
cosine has none like it, since all of the error may lie on the few weights that carry the gradient; it is bounded where
every weight's relative error is.
"""

from math import asin, pi, sqrt
from statistics import fmean
from typing import Any

from simulator.reproduce.paper import DATASETS, targets

# docs/predictor-study.md, Phase BP, means of three seeds: the cosine that can be known without the batch's samples, and
# the one that the predictor reaches there.
KNOWABLE, REACHED = 0.316, 0.128


def gains(dataset: str) -> dict[str, float]:
    """Return ADA-GP's accuracy less backpropagation's by network, to the two digits that the table has."""
    table = targets()["accuracy_table_1"]
    return {name: round(row[dataset][1] - row[dataset][0], 2) for name, row in table.items()}


def relative_gains(dataset: str) -> dict[str, float]:
    """Return ADA-GP's gain by network, in per cent of backpropagation's accuracy."""
    table = targets()["accuracy_table_1"]
    return {name: 100 * (row[dataset][1] / row[dataset][0] - 1) for name, row in table.items()}


def average_gain(dataset: str) -> float:
    """Return the mean of the thirteen networks' gains."""
    return fmean(gains(dataset).values())


def best_gain(dataset: str) -> tuple[str, float]:
    """Return the network that gains most, and how much."""
    return max(gains(dataset).items(), key=lambda item: item[1])


def signs(dataset: str) -> tuple[int, int, int]:
    """Return how many networks are better with ADA-GP, equal and worse."""
    values = gains(dataset).values()
    return sum(one > 0 for one in values), sum(one == 0 for one in values), sum(one < 0 for one in values)


def said_gains() -> list[tuple[str, str, float, float]]:
    """Return data set, quantity, what the text says of it, and what the table's own numbers give."""
    said = targets()["accuracy_gain_text"]
    rows = [(dataset, "average", said[dataset]["average"], average_gain(dataset)) for dataset in DATASETS]
    return rows + [
        (dataset, "max", said[dataset]["max"], best_gain(dataset)[1])
        for dataset in DATASETS if "max" in said[dataset]
    ]  # fmt: skip


def wrong_signs(mape: float) -> float:
    """Return the largest share of predictions with a wrong sign or none that a MAPE (a fraction) leaves room for."""
    return min(mape, 1.0)


def least_cosine(error: float) -> float:
    """Return the least cosine to the true gradient where no weight's relative error is above `error`, below 1.

    With P/A within 1 - e and 1 + e this is Kantorovich's inequality: the cosine is at least sqrt(1 - e^2).
    """
    return sqrt(1 - error**2)


def signs_off(cosine: float) -> float:
    """Return the share of wrong signs of a prediction with this cosine, both it and the gradient normally distributed.

    It bounds the MAPE from below.
    """
    return 0.5 - asin(cosine) / pi


def constant_cosine(pairs: float) -> float:
    """Return the cosine of a batch's gradient to the expected gradient, in the mean of batches.

    `pairs` is the mean cosine between the gradients of two batches. The mean of all directions is as long as its root,
    and the mean of a direction's product with it is its square. A predictor that says the same for every batch has no
    larger mean.
    """
    return sqrt(max(pairs, 0.0))


def paper_mape() -> tuple[float, float, float]:
    """Return the paper's MAPE in per cent: what layers 2 to 10 stay below, layer 1 at first and after 90 epochs."""
    paper: dict[str, Any] = targets()["predictor_accuracy_vgg13"]
    layer_1 = paper["mape_percent_layer_1"]
    bound = float(paper["mape_percent_layers_2_to_10"].removeprefix("<"))
    return bound, layer_1["first_epoch"], layer_1["after_90_epochs"]
