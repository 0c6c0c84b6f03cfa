"""The cycles of one product on a machine, its operands in DRAM before and its result there afterwards."""

from collections.abc import Sequence

from dataflows.dataflow import find_dataflow
from dataflows.plans.given import Given
from dataflows.plans.given_plan import plan_given
from dataflows.plans.placement import ALL_IN_DRAM
from dataflows.plans.plan import Plan
from dataflows.plans.planning import plan_product
from simulator.engine.batch import run_batch
from simulator.engine.work import StepWork
from simulator.machine.spec import Accelerator
from simulator.phases.design import Step, Task
from workloads.passes import Product
from workloads.shapes import ConvShape


def product_plan(spec: Accelerator, shape: ConvShape, given: Given | None = None) -> Plan:
    """Return the plan of a forward product on a machine's first array; by a given mapping, or the best one."""
    flow = find_dataflow(spec.dataflow, spec.array.kind, "", "dataflow")
    product, budget = Product(shape, "forward"), spec.budget(0)
    if given is None:
        return plan_product(product, ALL_IN_DRAM, flow, spec.array, budget)
    return plan_given(product, ALL_IN_DRAM, flow, spec.array, budget, given)


def product_cycles(spec: Accelerator, shape: ConvShape, given: Given | None = None) -> int:
    """Return the cycles of `product_plan`, alone on the machine; refreshes of its DRAM included."""
    return plan_cycles(spec, product_plan(spec, shape, given))


def plan_cycles(spec: Accelerator, plan: Plan) -> int:
    """Return the cycles of a plan, alone on the machine."""
    return cycles_in_turn(spec, [plan])


def cycles_in_turn(spec: Accelerator, plans: Sequence[Plan]) -> int:
    """Return the cycles of a program whose plans run one after the other; each begins where all of the last is done."""
    steps, works = [Step((Task(0, "forward"),)) for _ in plans], [[StepWork((plan,))] for plan in plans]
    return run_batch(steps, works, spec.dram, spec.frequency_hz, spec.launch_cycles).cycles


def convolution(
    images: int, channels: int, size: int, filters: int, kernel: int, out: int, stride: int, padding: int,
    groups: int = 1,
) -> ConvShape:  # fmt: skip
    """Return a convolution of square maps."""
    return ConvShape(
        images, channels, size, size, filters, kernel, kernel, out, out, (stride,) * 2, (padding,) * 2, (1, 1), groups
    )
