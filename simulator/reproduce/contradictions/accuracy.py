"""Accuracies and errors of prediction."""

from statistics import fmean

from simulator.reproduce.accuracy_arithmetic import (
    KNOWABLE,
    average_gain,
    best_gain,
    gains,
    least_cosine,
    paper_mape,
    relative_gains,
    said_gains,
    signs,
    signs_off,
    wrong_signs,
)
from simulator.reproduce.contradictions import Arithmetic
from simulator.reproduce.paper import DATASETS, NETWORKS


def averages() -> Arithmetic:
    """Compare the text's gains with table 1's."""
    said = said_gains()
    best, gain = best_gain("CIFAR10")
    listed = ", ".join(f"{dataset} {what} {table:+.2f} for {text:+.2f}" for dataset, what, text, table in said)
    relative = relative_gains("CIFAR10")
    highest = max(relative, key=lambda name: relative[name])
    words = {
        "numbers": 2 * len(NETWORKS) * len(DATASETS), "listed": listed, "gain": gain, "best": best,
        "relative best": highest, "relative gain": relative[highest], "relative mean": fmean(relative.values()),
    }  # fmt: skip
    figures = {f"{dataset} {what}, table 1": table for dataset, what, _, table in said}
    figures |= {"CIFAR10 max, relative, per cent": relative[highest]}
    return figures | {"CIFAR10 average, relative, per cent": fmean(relative.values())}, words


def per_cent() -> Arithmetic:
    """Return what errors of as many hundredths would say, and what can be known of digits."""
    bound, first, last = paper_mape()
    figures = {
        "least cosine, layers 2 to 10": least_cosine(bound), "least cosine, layer 1 at first": least_cosine(first),
        "MAPE at least with what can be known of digits": signs_off(KNOWABLE),
    }  # fmt: skip
    return figures, {"bound": 100 * bound, "first": 100 * first, "last": 100 * last, "knowable": KNOWABLE}


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
