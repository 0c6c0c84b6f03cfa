"""A step as SimPy processes: every load, stream and store is one, and they contend for the machine's components.

The rules are those of `simulator.engine.step_kernel`, written independently: tiles wait for halves of buffers, the
channel decides among the transfers that wait, and a plan holds its array.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import simpy

from dataflows.plans.plan import Plan
from simulator.engine.components.dram_channel import LOAD, STORE, DramChannel
from simulator.engine.components.global_buffer import BufferShare
from simulator.engine.components.pe_array import PEArrayComponent
from simulator.engine.components.predictor_sram import PredictorSram
from simulator.engine.work import StepWork

Process = Generator[simpy.Event, Any, Any]


@dataclass
class Machine:
    """The components of one accelerator."""

    channel: DramChannel
    arrays: tuple[PEArrayComponent, PEArrayComponent]
    buffers: tuple[BufferShare, BufferShare]
    predictor_sram: PredictorSram


def run_step_processes(env: simpy.Environment, machine: Machine, work: StepWork) -> Process:
    """Run a step; yields until both arrays are done and returns (start, end) of each plan."""
    times: list[tuple[int, int]] = [(0, 0)] * len(work.plans)

    def sequence(array_index: int, plans: tuple[Plan, ...], first_index: int) -> Process:
        for offset, plan in enumerate(plans):
            start = int(env.now)
            job = _PlanProcess(env, machine, plan, array_index).run()
            held = machine.predictor_sram.held(job) if plan.counts.uses_predictor_sram else job
            yield from machine.arrays[array_index].taken(held)
            times[first_index + offset] = (start, int(env.now))

    yield env.process(sequence(0, work.first, 0)) & env.process(sequence(1, work.second, len(work.first)))
    return times


class _PlanProcess:
    """The processes of one plan: a loader, the array, and a storer."""

    def __init__(self, env: simpy.Environment, machine: Machine, plan: Plan, array_index: int) -> None:
        self.env, self.machine, self.plan, self.array_index = env, machine, plan, array_index
        self.buffer = machine.buffers[array_index]
        self.tiles = range(len(plan.loads))
        model, hz = machine.channel.model, machine.channel.frequency_hz
        self.load_cycles = self._through_port(model.transfer_cycles(plan.loads, hz).tolist(), plan.load_bytes.tolist())
        self.store_cycles = self._through_port(
            model.transfer_cycles(plan.stores, hz).tolist(), plan.store_bytes.tolist()
        )
        self.loaded = [env.event() for _ in self.tiles]
        self.drained = [env.event() for _ in self.tiles]
        self.operand_half: list[simpy.resources.resource.Request] = []
        self.result_half: dict[int, simpy.resources.resource.Request] = {}

    def _through_port(self, cycles: list[int], moved: list[int]) -> list[int]:
        """Return the cycles of transfers: what passes no port while its tile streams passes it on the channel."""
        width, windows = self.plan.ports.buffer_bytes, self.plan.window_cycles.tolist()
        if width is None:
            return cycles
        tiles = zip(cycles, moved, windows, strict=True)
        return [held if window else max(held, -(-size // width)) for held, size, window in tiles]

    def run(self) -> Process:
        parts = [self._load(), self._stream(), self._store()]
        yield self.env.all_of([self.env.process(part) for part in parts])

    def _load(self) -> Process:
        for tile in self.tiles:
            half = self.buffer.operand_halves.request()
            self.operand_half.append(half)
            yield half
            yield from self.machine.channel.transfer(self.load_cycles[tile], LOAD, self.array_index)
            self.loaded[tile].succeed(int(self.env.now))

    def _stream(self) -> Process:
        env, plan = self.env, self.plan
        streamed = env.now
        half = None
        for tile in self.tiles:
            if half is None:  # a new result begins and needs a half to accumulate in
                half = self.buffer.result_halves.request()
            loaded_at = yield self.loaded[tile]
            ready = max(loaded_at + plan.fill_cycles, streamed + int(plan.gap_cycles[tile]))
            yield env.timeout(max(0, ready - env.now))
            yield half
            yield env.timeout(int(plan.stream_cycles[tile]) + int(plan.port_wait_cycles[tile]))
            streamed = env.now
            self.buffer.operand_halves.release(self.operand_half[tile])
            if plan.store_bytes[tile] > 0:
                self.result_half[tile] = half
                half = None
            env.process(self._drain(tile))
        if half is not None:
            self.buffer.result_halves.release(half)
        if self.tiles:
            yield self.drained[-1]

    def _drain(self, tile: int) -> Process:
        yield self.env.timeout(self.plan.drain_cycles)
        self.drained[tile].succeed()

    def _store(self) -> Process:
        for tile in self.tiles:
            if self.plan.store_bytes[tile] > 0:
                yield self.drained[tile]
                yield from self.machine.channel.transfer(self.store_cycles[tile], STORE, self.array_index)
                self.buffer.result_halves.release(self.result_half[tile])
