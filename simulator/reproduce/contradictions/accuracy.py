"""Accuracies and errors of prediction."""

from simulator.reproduce.accuracy_arithmetic import (
    average_gain,
    best_gain,
    gains,
    least_cosine,
    paper_mape,
    said_gains,
    signs,
    wrong_signs,
)
from simulator.reproduce.contradictions import Arithmetic
from simulator.reproduce.paper import DATASETS, NETWORKS


def averages() -> Arithmetic:
    """Compare the text's gains with table 1's."""
    said = said_gains()
    best, gain = best_gain("CIFAR10")
    listed = ", ".join(f"{dataset} {what} {table:+.2f} for {text:+.2f}" for dataset, what, text, table in said)
    words = {"numbers": 2 * len(NETWORKS) * len(DATASETS), "listed": listed, "gain": gain, "best": best}
    return {f"{dataset} {what}, table 1": table for dataset, what, _, table in said}, words


def similar_or_higher() -> Arithmetic:
    """Count the networks that lose accuracy."""
    better, equal, worse = signs("ImageNet")
    below = [name for name, gain in gains("CIFAR100").items() if gain < 0]
    least = min(gains("ImageNet").values())
    figures = {"ImageNet networks worse": worse, "CIFAR100 networks worse": len(below), "ImageNet least gain": least}
    return figures, {"all": better + equal + worse, "equal": equal, "better": better, "below": ", ".join(below),
                     "mean": average_gain("ImageNet")}  # fmt: skip


def first_epoch() -> Arithmetic:
    """Bound wrong signs and the cosine by the MAPE of the first epoch."""
    bound, first, _ = paper_mape()
    figures = {"wrong signs at most, per cent": 100 * wrong_signs(first / 100), "cosine": least_cosine(first / 100)}
    return figures, {"bound": bound, "first": first}
