"""A schedule of a pipeline: all work once, and no circle of waits, whatever the devices and micro-batches."""

from simulator.pipelines.blocking import refuse_blocked
from simulator.pipelines.programme import build_programme
from simulator.pipelines.schedule import find_schedule, forward_only, schedules
from simulator.testing.ladder import Ladder


def check(name: str) -> None:
    """Check the order of a batch with a backward pass, and of one without."""
    schedule = find_schedule(name)
    for devices in range(1, 7):
        for micro_batches in range(1, 8):
            orders = schedule.orders(devices, micro_batches)
            for each in (orders, forward_only(orders)):
                where = f"pipeline schedule {name} on {devices} devices, {micro_batches} micro-batches"
                programme = build_programme(each, schedule.stages(devices), micro_batches, schedule.one_at_a_time)
                refuse_blocked(programme, where)


LADDER = Ladder("pipeline_schedules", "all work once and no circle of waits", schedules, check)
