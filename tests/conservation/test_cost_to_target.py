"""What each way to train costs to an accuracy: counts, cycles and energy worked out by hand."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import make_trace

from simulator.energy.energy import energy_table_of
from simulator.machine.spec_loading import load_designs
from simulator.run.results import Results
from simulator.run.simulation import compare
from simulator.studies.cost_to_target import Cost, CostToTarget, cost_to_target, default_target, measured_runs
from workloads.foundation.errors import InputError
from workloads.trace import Trace

# The second layer has no prediction, so its update does not run in a GP batch.
LAYERS = [
    {"id": "conv", "kind": "conv2d", "inputs": ("input",), "C": 4, "H": 6, "W": 6, "K": 20, "R": 3, "S": 3,
     "P": 4, "Q": 4},
    {"id": "flat", "kind": "reshape", "inputs": ("conv",), "op": "flatten", "shape": (320,)},
    {"id": "head", "kind": "linear", "inputs": ("flat",), "C": 320, "K": 10, "predicted": False},
]  # fmt: skip
# Three epochs (tests/networks.py): 3 Warm Up, 3 Warm Up, then 5 GP and 2 BP batches. Two seeds each.
ACCURACIES = {
    "ada-gp": ("predicted", (0.2, 0.5, 0.9), (0.2, 0.7, 0.9)),
    "bp": ("backpropagated", (0.2, 0.5, 0.95), (0.2, 0.65, 0.95)),
    "skip": ("left_out", (0.2, 0.5, 0.8), (0.2, 0.7, 0.82)),
    "zero": ("updated_only", (0.2, 0.5, 0.85), (0.2, 0.7, 0.8)),
    "random": ("updated_only", (0.2, 0.5, 0.3), (0.2, 0.7, 0.9)),
}
PREDICTING = ("low", "efficient", "max")


def trained(controls: bool = True) -> Trace:
    document = make_trace(LAYERS, 2).model_dump()
    document["provenance"]["origin"] = "trained"
    runs = [
        {"name": name, "title": name.upper(), "gp_batches": gp, "test_accuracy": tuple(seeds)}
        for name, (gp, *seeds) in ACCURACIES.items()
    ]
    document["metrics"] = tuple(
        {"epoch": epoch, "train_loss": 1.0, "test_accuracy": value}
        for epoch, value in enumerate(ACCURACIES["ada-gp"][1], start=1)
    )
    document["controls"] = tuple(runs) if controls else ()
    return Trace.model_validate(document)


@pytest.fixture(scope="module")
def results() -> Results:
    """Without DRAM's time every pass takes its compute cycles, which can be worked out."""
    return compare(trained(), load_designs(overrides=["dram.model=ideal"]))


def costs(results: Results, target: float | None) -> dict[tuple[str, str], Cost]:
    found = cost_to_target(results, target)
    assert found is not None
    return {(one.name, one.design): one for one in found.costs}


def test_every_run_stands_where_it_can_run(results: Results) -> None:
    designs = [("ada-gp", design) for design in PREDICTING]
    assert list(costs(results, 0.8)) == [*designs, *((name, "baseline") for name in list(ACCURACIES)[1:])]


def test_epochs_by_hand(results: Results) -> None:
    found = costs(results, 0.6)
    # The means of the second epoch are 0.6, but for backpropagation's 0.575.
    assert {key: one.epochs for key, one in found.items()} == {
        **{("ada-gp", design): 2 for design in PREDICTING},
        ("bp", "baseline"): 3, ("skip", "baseline"): 2, ("zero", "baseline"): 2, ("random", "baseline"): 2,
    }  # fmt: skip
    assert found["ada-gp", "max"].epochs_by_seed == (3, 2)
    assert found["random", "baseline"].epochs_by_seed == (None, 2)


def test_cycles_by_hand(results: Results) -> None:
    # Forward of conv 16 + 5 * 32 + 32 + 4 + 2 = 214 (test_by_hand.py); of head, 27 folds that take longer to load
    # than their two vectors to pass, 16 + 26 * 16 + 2 + 4 + 2 = 440. Update of conv: two of 720 words leave for each
    # weight through 15 lanes, 96, and 3 more; of head two of 3,200, 427 and 3 more. A BP batch has 360 + 342 + 238 of
    # the other passes. Means and features of the predictor, 1,600 words, leave through 512 bytes a cycle, in 7.
    gp, bp = 214 + 440 + 99, 214 + 440 + 360 + 342 + 430 + 238 + 99
    found = costs(results, 0.8)
    assert found["bp", "baseline"].cycles == (6 + 7) * bp
    assert found["skip", "baseline"].cycles == (6 + 2) * bp
    assert found["zero", "baseline"].cycles == (6 + 2) * bp + 5 * gp
    assert found["random", "baseline"].cycles is None
    for design, (of_bp, of_gp) in {"low": (4569, 1490), "efficient": (4500, 1477), "max": (5455, 1665)}.items():
        one = found["ada-gp", design]
        assert one.cycles == 8 * of_bp + 5 * of_gp
        assert one.seconds == pytest.approx(one.cycles / 200e6)
        assert one.cycles_ratio == one.cycles / (13 * bp)
    assert found["bp", "baseline"].cycles_ratio == found["bp", "baseline"].energy_ratio == 1
    # Two epochs of Warm Up: the GP batches of the third do not count.
    assert costs(results, 0.6)["zero", "baseline"].cycles == 6 * bp


@pytest.mark.parametrize("overrides", [[], ["dram.model=commands"]])
def test_energy_by_hand(overrides: list[str]) -> None:
    results = compare(trained(), load_designs(overrides=overrides))
    assert results.baseline is not None
    found, baseline = costs(results, 0.8), results.baseline
    phase = baseline.phase("bp")
    assert found["bp", "baseline"].energy_pj == pytest.approx(13 * phase.energy_pj_per_batch)
    assert found["skip", "baseline"].energy_pj == pytest.approx(8 * phase.energy_pj_per_batch)
    rows = {(row.layer, row.pass_): row for row in baseline.rows if row.phase == "bp"}
    ran = [rows["conv", "forward"], rows["head", "forward"], rows["conv", "update"]]
    cycles = sum(row.cycles for row in ran)
    zero = found["zero", "baseline"]
    assert zero.cycles == 8 * phase.cycles_per_batch + 5 * cycles
    by_time = energy_table_of(baseline.spec).leakage_pj(cycles, baseline.spec.frequency_hz)
    by_time += rows["(batch)", ""].energy.dram * cycles / phase.cycles_per_batch  # refresh and standby
    each = sum(row.energy.total for row in ran) + by_time
    assert zero.energy_pj == pytest.approx(8 * phase.energy_pj_per_batch + 5 * each)
    most = results.runs[3]
    expected = 8 * most.phase("bp").energy_pj_per_batch + 5 * most.phase("gp").energy_pj_per_batch
    assert found["ada-gp", "max"].energy_pj == pytest.approx(expected)


def test_what_is_never_reached_costs_nothing_that_can_be_told(results: Results) -> None:
    found = costs(results, 0.95)
    assert found["bp", "baseline"].epochs == 3
    assert found["bp", "baseline"].epochs_by_seed == (3, 3)
    for key, one in found.items():
        if key[0] != "bp":
            told = (one.epochs, one.cycles, one.seconds, one.energy_pj, one.cycles_ratio, one.energy_ratio)
            assert told == (None,) * 6
    # Where backpropagation does not get there, nothing can be compared with it.
    assert all(one.cycles_ratio is None for one in costs(results, 0.96).values())


def test_default_is_what_all_runs_reach(results: Results) -> None:
    # The best means are 0.9, 0.95, 0.81, 0.825 and 0.6.
    assert default_target(results.trace) == 0.6
    assert costs(results, None) == costs(results, 0.6)
    best = {"controls": tuple(one for one in results.trace.controls if one.name in ("ada-gp", "zero"))}
    assert default_target(results.trace.model_copy(update=best)) == 0.82
    document = results.trace.model_dump()
    for runs in document["controls"]:
        runs["test_accuracy"] = ((0.005,) * 3,)
    assert default_target(Trace.model_validate(document)) is None


@pytest.mark.parametrize("share", [0.29, 0.57, 0.58, 0.95, 1.0])
def test_whole_per_cents_are_not_lost_to_rounding(share: float) -> None:
    """100 * 0.29 is 28.999999999999996."""
    document = trained().model_dump()
    for runs in document["controls"]:
        runs["test_accuracy"] = ((share,) * 3,) * 3
    trace = Trace.model_validate(document)
    assert default_target(trace) == share


def test_a_trace_without_controls_has_its_own_run_alone() -> None:
    found = cost_to_target(compare(trained(controls=False)), 0.5)
    assert found is not None
    assert [(one.name, one.design, one.epochs) for one in found.costs] == [("ada-gp", one, 2) for one in PREDICTING]
    assert found.costs[0].epochs_by_seed == (2,)


def test_designs_that_are_not_there(results: Results) -> None:
    of_max = Results(results.trace, results.runs[3:])
    assert list(costs(of_max, 0.8)) == [("ada-gp", "max")]
    assert costs(of_max, 0.8)["ada-gp", "max"].cycles_ratio is None
    of_baseline = Results(results.trace, results.runs[:1])
    assert {design for _, design in costs(of_baseline, 0.8)} == {"baseline"}


def test_nothing_is_told_of_a_run_that_nobody_measured() -> None:
    trace = trained()
    other = trace.with_batch_size(4)
    assert trace.with_batch_size(2) == trace
    for one in (other, make_trace(LAYERS)):
        assert measured_runs(one) == ()
        assert cost_to_target(compare(one)) is None
        with pytest.raises(InputError, match="--target-accuracy"):
            cost_to_target(compare(one), 0.5)


@pytest.mark.parametrize("target", [0.0, -0.5, 1.5, 95.0, float("nan"), float("inf")])
def test_a_target_that_is_no_share(target: float, results: Results) -> None:
    with pytest.raises(InputError, match=r"--target-accuracy: is .*0\.95"):
        cost_to_target(results, target)


def test_cheapest(results: Results) -> None:
    found = cost_to_target(results, 0.8)
    assert isinstance(found, CostToTarget)
    theirs, ours = found.cheapest("cycles", ada_gp=False), found.cheapest("cycles", ada_gp=True)
    assert theirs is not None
    assert ours is not None
    assert (theirs.name, ours.design) == ("skip", "efficient")  # 8 * 2123, 8 * 4500 + 5 * 1477
    nobody = cost_to_target(results, 1.0)
    assert nobody is not None
    assert nobody.cheapest("cycles", ada_gp=True) is None


accuracies = st.lists(st.integers(0, 100).map(lambda per_cent: per_cent / 100), min_size=3, max_size=3).map(tuple)


@settings(max_examples=100, deadline=None)
@given(runs=st.lists(accuracies, min_size=2, max_size=2), targets=st.tuples(*[st.floats(0.01, 1.0)] * 2))
def test_a_lower_target_never_costs_more(results: Results, runs: Any, targets: tuple[float, float]) -> None:
    document = results.trace.model_dump()
    for control in document["controls"]:
        control["test_accuracy"] = tuple(runs)
    measured = Results(Trace.model_validate(document), results.runs)
    low, high = (costs(measured, target) for target in sorted(targets))
    for key, dearer in high.items():
        if dearer.cycles is not None:
            cheaper = low[key]
            assert cheaper.cycles is not None
            assert cheaper.energy_pj is not None
            assert dearer.energy_pj is not None
            assert cheaper.cycles <= dearer.cycles
            assert cheaper.energy_pj <= dearer.energy_pj
