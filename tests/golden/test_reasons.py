"""Hypotheses are compared with every number that they move, and a reason of the report rests on such a comparison."""

import csv
from functools import cache
from pathlib import Path

import pytest
from test_claims import REPORT

from simulator.reproduce.claims import claims
from simulator.reproduce.exhibit import EXPLAIN_BEYOND
from simulator.reproduce.exhibits.reasons import is_average, moved
from simulator.reproduce.hypotheses import Hypothesis, cells, hypotheses, lengths, machines, shipped_costs
from workloads.trace import load_trace

GOLDEN = Path(__file__).parent / "reproduce"


@cache  # and not where the file is read, which every process of a run does, whatever it tests
def every() -> list[Hypothesis]:
    return hypotheses()


def known() -> dict[str, Hypothesis]:
    return {one.key: one for one in every()}


def shipped() -> Hypothesis:
    return every()[0]


def covered() -> set[tuple[str, str]]:
    return {(number.exhibit, number.what) for number in shipped().values}


def compared(exhibit: str) -> dict[str, tuple[float, float]]:
    """Return the paper's number and ours of an exhibit's reviewed rows."""
    with (GOLDEN / f"{exhibit}-comparisons.csv").open(newline="", encoding="utf-8") as file:
        return {row["number"]: (float(row["paper"]), float(row["here"])) for row in csv.DictReader(file) if row["here"]}


def test_the_shipped_machine_gives_the_reports_own_numbers() -> None:
    for number, value in shipped().values.items():
        paper, here = compared(number.exhibit)[number.what]
        assert number.paper == pytest.approx(paper, rel=1e-12), number
        assert value == pytest.approx(here, rel=1e-5), number  # energies have six digits


def test_every_hypothesis_has_every_number() -> None:
    assert len(every()) == len(machines()) * len(lengths()) == len(known())
    assert len(covered()) == 9 + 6 + 3 + 1 + 1 + 3  # averages, largest, orders, energy, all-GP, tables 2 and 3
    for one in every():
        assert set(one.values) == set(shipped().values), one.key
    for machine in machines():
        assert {(dataflow, trace) for dataflow, trace, _ in shipped_costs()[machine.key]} == set(cells())


def test_a_reason_was_compared_with_every_number_that_it_moves() -> None:
    judged = [one for one in claims(REPORT) if one.why and {(key, row.what) for key, row in one.rows} & covered()]
    assert judged
    for claim in judged:
        assert claim.tested, f"{claim.claim}: name the hypotheses of its reason (tested), keys of hypotheses.yaml"
        assert set(claim.tested) <= set(known()), claim.claim
        own = [number for number in shipped().values if number.what in {row.what for _, row in claim.rows}
               and number.exhibit in {key for key, _ in claim.rows}]  # fmt: skip
        off = [number for number in own if shipped().error(number) > EXPLAIN_BEYOND]
        explained = [one for one in map(known().__getitem__, claim.tested) if all(map(_near(one), off))]
        problem = f"{claim.claim}: no hypothesis brings these near: unexplained"
        assert explained or claim.experiment or "unexplained" in claim.why, problem
        assert not claim.experiment or claim.experiment in {key for key, _ in claim.rows}, claim.claim


def test_two_banks_move_the_order_from_three_networks_to_three_others() -> None:
    """What the claim on the order says of them, counted from the data."""

    def behind(machine: str) -> set[str]:
        costs = shipped_costs()[machine]
        found = set()
        for dataflow, trace in cells():
            batches = {"bp": 471800, "gp": 429100}  # VGG13's on ImageNet; the share hardly depends on the data set
            efficient, most = (costs[dataflow, trace, design].cycles(batches) for design in ("efficient", "max"))
            if most > efficient and dataflow == "rs":
                found.add(trace)
        return found

    assert behind("shipped") == {"resnet101-imagenet", "resnet152-imagenet", "inception-v4-imagenet"}
    assert behind("few-banks") == {"vgg13-imagenet", "vgg16-imagenet", "vgg19-imagenet"}


def _near(one: Hypothesis):
    return lambda number: one.error(number) <= EXPLAIN_BEYOND


def test_a_fit_is_no_reason() -> None:
    """The two fitted lengths bring the averages nearer, as they must; nobody rests a reason on them."""
    averages = [number for number in shipped().values if is_average(number)]
    for machine in machines():
        plain, fitted = (known()[f"{machine.key}, {length}"] for length in ("90", "fitted"))
        assert fitted.mean_error(averages) <= plain.mean_error(averages)
    assert not any("fitted" in key for claim in claims(REPORT) for key in claim.tested)


# Machines that the study of assumptions simulates too, each for itself: its assumption and value there.
STUDIED = {
    "dense-dgrad": ("dgrad of strided layers", "dense"),
    "6x30": ("shape of the 180 PEs", "6 x 30"),
    "half-batch": ("batch size", "64"),
    "twice-batch": ("batch size", "256"),
    "32-bits": ("word width", "32 bits"),
    "outputs-leave": ("outputs of a GP batch", "always to DRAM"),
    "reread": ("batch mean", "outputs read again"),
}


@pytest.mark.parametrize("machine", STUDIED)
def test_costs_by_the_study_of_assumptions(machine: str) -> None:
    """Speedups of MAX under `ws` for ten networks, by the report's own jobs."""
    with (GOLDEN / "study-speedups.csv").open(newline="", encoding="utf-8") as file:
        rows = {(row.pop("assumption"), row.pop("value")): row for row in csv.DictReader(file)}
    costs, speedups = shipped_costs()[machine], rows[STUDIED[machine]]
    assert len(speedups) == 10
    for network, found in speedups.items():
        trace = network.replace(", ", "-").lower()
        base, most = (costs["ws", trace, design] for design in ("baseline", "max"))
        batches = load_trace(trace).schedule.counts()
        assert base.cycles(batches) / most.cycles(batches) == pytest.approx(float(found), rel=1e-12), trace


def test_a_dense_dgrad_brings_some_numbers_nearer_and_others_further_away() -> None:
    nearer, further = moved(known()["dense-dgrad, 90"], shipped())
    assert nearer > 0 < further
