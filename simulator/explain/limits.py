"""What would make a layer faster: its steps again on machines that are relieved of one limit each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dataflows.array import PEArray
from dataflows.dataflow import PORTS
from simulator.batch.batches import Batches
from simulator.batch.mapping_file import GivenMappings, mappings_for
from simulator.machine.array_spec import ARRAYS
from simulator.machine.spec import Accelerator
from workloads.foundation.errors import InputError
from workloads.foundation.headway import headway
from workloads.schedule import Phase
from workloads.trace import Trace

Limit = Literal["array", "port", "buffer", "DRAM", "vector unit"]
Changes = Mapping[str, Any]
PassKey = tuple[str, bool]  # a pass, and whether it is one of the backward visit
_MOST_BYTES_HZ = (1 << 62) - 1


@dataclass(frozen=True)
class Relief:
    """A machine without one of its limits; `changes` are its settings, none where the machine has no such limit."""

    limit: Limit
    name: str
    changes: Callable[[Accelerator], Changes]


@dataclass(frozen=True)
class Relieved:
    """What a relief saves of a layer.

    Attributes
    ----------
    saved_cycles : dict
        By pass; negative where another plan is chosen and takes longer.
    """

    limit: Limit
    name: str
    saved_cycles: Mapping[PassKey, int]

    @property
    def saved(self) -> int:
        """Cycles of all passes."""
        return sum(self.saved_cycles.values())


def _arrays(change: Callable[[PEArray], Changes]) -> Callable[[Accelerator], Changes]:
    """Return the settings that change every array of a machine."""

    def changes(spec: Accelerator) -> Changes:
        return {
            f"{name}.{key}": value
            for name, array in zip(ARRAYS, spec.arrays, strict=False)
            for key, value in change(array).items()
        }

    return changes


def _twice_the_scratchpads(array: PEArray) -> Changes:
    pads = array.model_dump().get("scratchpads", {})
    return {f"scratchpads.{name}": 2 * words for name, words in pads.items()}


def _dram(key: str, value: int) -> Callable[[Accelerator], Changes]:
    return lambda spec: {f"dram.{key}": value} if key in type(spec.dram).model_fields else {}


def _wide_bank_ports(spec: Accelerator) -> Changes:
    memories = [name for name in ("global_buffer", "predictor_sram") if getattr(spec, name) is not None]
    return {f"{name}.bank_port_bytes": getattr(spec, name).bank_bytes for name in memories}


def _large_buffer(spec: Accelerator) -> Changes:
    most = _MOST_BYTES_HZ // spec.frequency_hz // spec.global_buffer.banks
    return {"global_buffer.bank_bytes": max(spec.global_buffer.bank_bytes, min(1 << 40, most))}


def _twice_the_lanes(spec: Accelerator) -> Changes:
    return {"vector_unit.lanes": 2 * spec.vector_unit.lanes} if spec.vector_unit.costed else {}


RELIEFS = (
    Relief("array", "one more row of PEs", _arrays(lambda array: {"rows": array.rows + 1})),
    Relief("array", "one more column of PEs", _arrays(lambda array: {"columns": array.columns + 1})),
    Relief("array", "twice the rows of PEs", _arrays(lambda array: {"rows": 2 * array.rows})),
    Relief("array", "twice the columns of PEs", _arrays(lambda array: {"columns": 2 * array.columns})),
    Relief("array", "one more array", _arrays(lambda array: {"count": array.count + 1})),
    Relief("array", "scratchpads of twice the words", _arrays(_twice_the_scratchpads)),
    Relief("array", "accumulators for all psums", _arrays(lambda array: {"accumulator_sums": 1 << 30})),
    Relief("port", "a weight port for all PEs", _arrays(lambda array: {"weight_port_words_per_cycle": array.pes})),
    Relief("port", "an input port for all PEs", _arrays(lambda array: {"input_port_words_per_cycle": array.pes})),
    Relief("port", "an output port for all PEs", _arrays(lambda array: {"output_port_words_per_cycle": array.pes})),
    Relief("port", "all three ports for all PEs", _arrays(lambda array: dict.fromkeys(PORTS, array.pes))),
    Relief("port", "bank ports as wide as a bank", _wide_bank_ports),
    Relief("buffer", "a buffer that holds everything", _large_buffer),
    Relief("DRAM", "DRAM without latency", _dram("latency_ns", 0)),
    Relief("DRAM", "DRAM of endless bandwidth", _dram("peak_bytes_per_second", 10**16)),
    Relief("DRAM", "DRAM that takes no time", lambda spec: {"dram.model": "ideal"}),
    Relief("vector unit", "twice the lanes of the vector unit", _twice_the_lanes),
)


def relieved(trace: Trace, spec: Accelerator, kind: Phase, layer: int, passes: set[PassKey]) -> list[Relieved]:
    """Return what each relief saves of a layer's passes, the most first.

    The layer's steps are planned and run again, so another tiling may be chosen. A mapping that is given keeps its
    tiles and loops; on another array it may lie in another way. A machine that cannot be (a side beyond what is
    simulated, say) is left out.
    """
    mappings = mappings_for(trace, spec)
    found = []
    with headway(1 + len(RELIEFS)) as machine_done:
        now = _cycles(trace, spec, kind, layer, mappings)
        for relief in RELIEFS:
            machine_done()
            changes = relief.changes(spec)
            if not changes:
                continue
            try:
                machine = spec.replace(changes)
                same = machine.arrays == spec.arrays
                then = _cycles(trace, machine, kind, layer, mappings if same else mappings.on_any_array())
            except InputError:
                continue
            saved = {key: now[key] - then[key] for key in now if key in passes}
            found.append(Relieved(relief.limit, relief.name, saved))
    return sorted(found, key=lambda one: -one.saved)


def _cycles(
    trace: Trace, spec: Accelerator, kind: Phase, layer: int, mappings: GivenMappings
) -> dict[PassKey, int]:  # fmt: skip
    """Return the cycles of each pass of a layer, from the steps that it is in."""
    ops = Batches(trace, spec, mappings=mappings).layer_ops(kind, layer, alone=True)
    return {(op.task.pass_, op.task.backward): op.cycles for op, _ in ops}
