"""A point of a sweep: one design of one machine on one trace, and what it comes to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from simulator.area.asic import asic_area
from simulator.area.sizes import sizes_of
from simulator.machine.settings import Layer
from simulator.machine.spec import Accelerator
from simulator.machine.spec_layers import file_layers, value_layer
from simulator.outputs.resolved import spec_data
from simulator.run.simulation import Simulation
from workloads.foundation.errors import InputError
from workloads.foundation.reading import read_bytes
from workloads.foundation.shipped import resolve
from workloads.trace import Trace, load_policy, load_trace

Settings = Mapping[str, Any]
RUN_KEYS = ("trace", "design", "batch_size", "schedule")
"""Keys of a point that are none of its machine's."""


@dataclass(frozen=True, slots=True)
class Point:
    """What is simulated.

    Attributes
    ----------
    trace : str
        A shipped trace or a file.
    machine : str, optional
        The machine that the settings change.
    design : str
        Its design.
    batch_size : int, optional
        In place of the trace's own.
    schedule : str, optional
        In place of the trace's own.
    settings : str
        The machine's settings by dotted key, as JSON.
    """

    trace: str
    machine: str | None
    design: str
    batch_size: int | None
    schedule: str | None
    settings: str

    @classmethod
    def of(cls, values: Settings, machine: str | None) -> "Point":
        """Return the point of settings by key, those of the run among them."""
        rest = {key: value for key, value in values.items() if key not in RUN_KEYS}
        return cls(
            values["trace"], machine, values["design"], values.get("batch_size"), values.get("schedule"),
            json.dumps(rest),
        )  # fmt: skip

    @property
    def values(self) -> dict[str, Any]:
        """Its machine's settings by key."""
        return {key: tuple(one) if isinstance(one, list) else one for key, one in json.loads(self.settings).items()}

    @property
    def apart_from_design(self) -> str:
        """What points have in common that differ in their design alone."""
        return json.dumps([self.trace, self.machine, self.batch_size, self.schedule, self.settings])

    def spec(self) -> Accelerator:
        """Return its machine.

        Raises
        ------
        InputError
            If a setting is wrong.
        """
        last = Layer(f"design {self.design}", {"design": self.design}, shipped=True)
        return Accelerator.of_layers(file_layers(self.machine), [value_layer(self.values, "the sweep"), last])

    def workload(self) -> Trace:
        """Return its trace.

        Raises
        ------
        InputError
            If there is no such trace, batch size or schedule.
        """
        return _workload(self.trace, _digest(self.trace, "traces", "trace"), self.batch_size, self.schedule)

    def key(self, spec: Accelerator, model: str) -> str:
        """Return the SHA-256 of its machine, its trace and the model's version.

        Files that the machine names count by what is in them.
        """
        said = spec_data(spec)
        said["energy_table"] = _digest(spec.energy_table, "configs/energy", "energy table")
        if spec.mapping is not None:
            said["mapping"] = sha256(read_bytes(Path(spec.mapping))).hexdigest()
        parts = {name: part.model_dump(mode="json") for name, part in spec.dram.parts.items()}
        schedule = None if self.schedule is None else _digest(self.schedule, "configs/schedules", "schedule")
        trace = [_digest(self.trace, "traces", "trace"), self.batch_size, schedule]
        return sha256(json.dumps([said, parts, trace, model], sort_keys=True).encode()).hexdigest()


BESIDE_BASELINE = ("speedup", "energy_reduction")
"""Results of a point that take the baseline of the same machine."""
TOTALS = (
    "cycles", "seconds", "energy_pj", "memory_energy_pj", "utilization", "dram_bytes", "peak_dram_bytes", "pes",
    "logic_area_um2",
)  # fmt: skip
"""What a point comes to, in the order of `totals`."""


def totals(point: Point) -> tuple[int | float, ...]:
    """Simulate a point and return its totals: see `TOTALS`.

    Raises
    ------
    InputError
        If the machine or the trace is wrong, or the one does not fit the other.
    """
    spec = point.spec()
    simulation = Simulation(point.workload(), spec)
    simulation.prepare()
    run = simulation.run()
    macs = sum(phase.batches * phase.macs_per_batch for phase in run.phases)
    moved = sum(
        phase.batches * (phase.dram_read_bytes_per_batch + phase.dram_write_bytes_per_batch) for phase in run.phases
    )
    pes = sum(array.pes for array in spec.arrays)
    return (
        run.total_cycles, run.seconds, run.energy_pj, run.memory_energy_pj, macs / (pes * run.total_cycles), moved,
        run.peak_dram_bytes, pes, asic_area(sizes_of(spec)).total_um2,
    )  # fmt: skip


def _digest(name: str, folder: str, what: str) -> str:
    return sha256(read_bytes(resolve(name, folder, what))).hexdigest()


@lru_cache(maxsize=32)
def _workload(name: str, digest: str, batch_size: int | None, schedule: str | None) -> Trace:
    found = load_trace(name)
    if batch_size is not None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool):
            raise InputError("the sweep", "batch_size", f"is {batch_size!r}", "give a whole number")
        found = found.with_batch_size(batch_size)
    return found if schedule is None else found.with_schedule(load_policy(schedule))
