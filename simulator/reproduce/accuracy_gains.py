"""What the paper's table 1 says of accuracy, from its own numbers, in points."""

from statistics import fmean

from simulator.reproduce.paper import DATASETS, targets


def gains(dataset: str) -> dict[str, float]:
    """Return ADA-GP's accuracy less backpropagation's by network, to the two digits that the table has."""
    table = targets()["accuracy_table_1"]
    return {name: round(row[dataset][1] - row[dataset][0], 2) for name, row in table.items()}


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
