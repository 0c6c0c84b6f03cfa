"""The choice that weighs time against DRAM bytes (docs/machine.md, "Tiles"): by hand, and beside a publication."""

from dataclasses import replace
from fractions import Fraction
from math import ceil

import pytest
from array_specs import RUN_NAMES, RUNS, specs
from convolutions import ROLES, shapes
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.dataflow import Dataflow, find_dataflow
from dataflows.plans.budget import BufferBudget, TileTooLargeError
from dataflows.plans.given import Given
from dataflows.plans.given_plan import plan_given
from dataflows.plans.placement import ALL_IN_DRAM
from dataflows.plans.plan import Plan
from dataflows.plans.planning import plan_product
from dataflows.plans.weighing import weighed
from simulator.dram.machine_channel import dram_channel
from simulator.dram.models.bandwidth import BandwidthDram
from simulator.machine.spec_loading import load_accelerator
from simulator.validation.comparison import find_comparison, validated
from simulator.validation.comparisons.eyeriss_energy import MACHINE
from simulator.validation.eyeriss import layer_plans
from workloads.passes import Product, Role
from workloads.shapes import ConvShape


def budget_of(capacity: int, bytes_per_cycle: Fraction) -> BufferBudget:
    rate = int(bytes_per_cycle * 10**9)
    dram = BandwidthDram(model="bandwidth", capacity_bytes=1, peak_bytes_per_second=rate, latency_ns=0)
    return BufferBudget(capacity, 2, 4, dram_channel(dram, 10**9), 2)


@pytest.mark.parametrize(
    ("half_bytes_a_cycle", "winner"),
    [
        (1, 20),  # a byte takes 2 cycles: 1000 + 1800, 1040 + 1400, 1190 + 1000, 3000 + 800
        (4, 5),  # half a cycle: 1000 + 450, 1040 + 350, 1190 + 250, 3000 + 200
        (40, 2),  # a twentieth: 1000 + 45, 1040 + 35, 1190 + 25, 3000 + 20
    ],
)
def test_by_hand(half_bytes_a_cycle: int, winner: int | None) -> None:
    """Cycles and bytes of the winners at each slack; a byte takes 2, 1/2 or 1/20 cycles of the channel."""
    plans = {2: (1000, 900), 5: (1040, 700), 10: (1040, 700), 20: (1190, 500), 50: (1190, 500), None: (3000, 400)}
    budget = budget_of(100, Fraction(half_bytes_a_cycle, 2))
    assert weighed(budget, lambda one: one.slack_percent, plans.__getitem__) == winner


def moved(plan: Plan) -> int:
    return plan.counts.dram_read_bytes + plan.counts.dram_write_bytes


def cost(plan: Plan, budget: BufferBudget, quarters: int) -> int:
    """Return the cycles of a plan and of its bytes, at so many quarters of a byte a cycle."""
    return plan.cycles_alone(budget.channel) + ceil(Fraction(moved(plan) * 4, quarters))


@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
@settings(max_examples=15, deadline=None)
@given(
    data=st.data(), shape=shapes(), role=st.sampled_from(ROLES), capacity=st.integers(40, 1500),
    rate=st.integers(1, 30),
)  # fmt: skip
def test_it_pays_for_its_time_in_bytes(
    flow: Dataflow, kind: str, data: st.DataObject, shape: ConvShape, role: Role, capacity: int, rate: int
) -> None:
    """No slack of the list costs fewer cycles of plan and channel; and no more bytes move than with 2 per cent."""
    array, product, budget = data.draw(specs(kind)), Product(shape, role), budget_of(capacity, Fraction(rate, 4))
    try:
        plain = plan_product(product, ALL_IN_DRAM, flow, array, budget)
    except TileTooLargeError:
        return
    found = plan_product(product, ALL_IN_DRAM, flow, array, replace(budget, weighed=True))
    assert moved(found) <= moved(plain)
    for slack in (2, 5, 10, 20, 50, None):
        other = plan_product(product, ALL_IN_DRAM, flow, array, replace(budget, slack_percent=slack))
        assert cost(found, budget, rate) <= cost(other, budget, rate)


@pytest.mark.parametrize("given_part", [Given(), Given(sizes=(("positions", 3),))], ids=["searched", "listed"])
def test_a_given_mapping_leaves_the_rest_to_the_same_choice(given_part: Given) -> None:
    """Where positions are given, tilings are measured one by one, and not in the search; slacks differ in cost."""
    machine = load_accelerator(design="baseline", overrides={"tiling_slack_percent": "weighed"})
    product = Product(ConvShape(N=1, C=6, H=5, W=5, K=8, R=3, S=3, P=3, Q=3), "forward")
    flow, budget = find_dataflow("ws", "broadcast", "", ""), replace(budget_of(3000, Fraction(15)), weighed=True)

    def plan(one: BufferBudget) -> Plan:
        return plan_given(product, ALL_IN_DRAM, flow, machine.array, one, given_part)

    found = plan(budget)
    others = [plan(replace(budget, weighed=False, slack_percent=slack)) for slack in (2, 5, 10, 20, 50, None)]
    costs = [cost(one, budget, 60) for one in others]
    assert len(set(costs)) > 1
    assert cost(found, budget, 60) == min(costs)


def test_eyeriss_moves_the_published_words_within_a_quarter() -> None:
    """ISCA 2016, figure 10. With 2 per cent CONV2, CONV4 and CONV5 move 40 to 49 per cent more."""
    chip = load_accelerator("eyeriss")
    assert chip.tiling_slack_percent == "weighed"
    layers = list(layer_plans(chip.replace({**MACHINE, "tiling_slack_percent": "weighed"}), "eyeriss_energy.csv", 16))
    assert len(layers) == 6
    for row, plan in layers:
        energy = 200 * moved(plan) / 2 / 1e9  # a word of 2 bytes costs 200 MACs
        assert abs(energy / float(row.text("dram")) - 1) <= 0.25, row.text("layer")


def test_the_comparison_with_the_publication_takes_its_criterion() -> None:
    """The least energy, whatever the time: the fewest bytes. DRAM within 14 per cent, scratchpads within 5 but FC1."""
    for row in validated(find_comparison("eyeriss-energy")).rows:
        most = {"DRAM": 0.14, "RF": 0.05, "ALU": 0.01}[row.series]
        assert row.what == "FC1, RF" or abs(row.simulated / row.measured - 1) <= most, row.what
