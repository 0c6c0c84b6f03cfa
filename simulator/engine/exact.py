"""`--exact`: a stretch of batches one after the other, every tile a process, nothing composed."""

from collections.abc import Callable, Generator, Iterable
from typing import Any

import simpy

from simulator.dram.model import DramModel
from simulator.engine.components.dram_channel import DramChannel
from simulator.engine.components.global_buffer import BufferShare
from simulator.engine.components.pe_array import PEArrayComponent
from simulator.engine.components.predictor_sram import PredictorSram
from simulator.engine.step_processes import Machine, run_step_processes
from simulator.engine.work import StepWork
from workloads.schedule import Phase


def run_batches_exactly(
    phases: Iterable[Phase],
    works_of: Callable[[Phase], list[StepWork]],
    dram: DramModel,
    frequency_hz: int,
    launch_cycles: int = 0,
    on_batch: Callable[[], None] = lambda: None,
) -> list[int]:
    """Return the cycles of each batch, simulated on one machine in one time that never restarts."""
    env = simpy.Environment()
    machine = Machine(
        channel=DramChannel(env, dram, frequency_hz),
        arrays=(PEArrayComponent(env), PEArrayComponent(env)),
        buffers=(BufferShare(env), BufferShare(env)),
        predictor_sram=PredictorSram(env),
    )
    cycles: list[int] = []

    def run() -> Generator[simpy.Event, Any, None]:
        for phase in phases:
            start = int(env.now)
            yield env.timeout(launch_cycles)
            for work in works_of(phase):
                yield env.process(run_step_processes(env, machine, work))
            yield env.process(machine.channel.barrier())
            cycles.append(int(env.now) - start)
            on_batch()

    env.process(run())
    env.run()
    return cycles
