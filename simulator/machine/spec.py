"""The accelerator spec: every parameter of the machine, with its unit in its name."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from dataflows.array import PEArray
from dataflows.dataflow import find_dataflow, narrow_ports
from dataflows.plans.memory_ports import MemoryPorts
from dataflows.plans.plan import BufferBudget
from simulator.dram.machine_channel import dram_channel
from simulator.dram.model import DramSpec
from simulator.machine.array_spec import ARRAYS, ArraySpec, SecondArraySpec, with_port_widths
from simulator.phases.design import Component, Design, find_design
from workloads.foundation.errors import InputError
from workloads.foundation.validation import StrictModel, VersionTwo
from workloads.layers import VectorKind
from workloads.passes import DgradMethod

_WORDS: dict[Component, str] = {"predictor_sram": "predictor SRAM", "second_array": "second array"}


class Precision(StrictModel):
    """Widths of numbers.

    Attributes
    ----------
    word_bits : int
        Of operands and results: what is multiplied.
    partial_sum_bits : int
        Of what is accumulated.
    master_weight_bits : int
        Of the weights and of the optimizer's state that an update reads and writes. Where they are wider than words, an
        update also writes the words that the passes read.

    Partial sums and master weights are no narrower than words.
    """

    word_bits: Literal[8, 16, 32]
    partial_sum_bits: Literal[16, 32, 64]
    master_weight_bits: Literal[8, 16, 32]

    @model_validator(mode="after")
    def _no_narrower_than_words(self) -> "Precision":
        for name in ("partial_sum_bits", "master_weight_bits"):
            bits = getattr(self, name)
            if bits < self.word_bits:
                problem = f"is {bits}, narrower than words of {self.word_bits} bits"
                raise InputError("", name, problem, f"give at least {self.word_bits}")
        return self

    @property
    def master_words(self) -> int:
        """Words that a master weight fills."""
        return self.master_weight_bits // self.word_bits


class BankedMemory(StrictModel):
    """An on-chip memory of equal banks; `bank_port_bytes` is what a bank reads or writes in a cycle."""

    banks: Annotated[int, Field(ge=1, le=1 << 20)]
    bank_bytes: Annotated[int, Field(ge=1, le=1 << 40)]
    bank_port_bytes: Annotated[int, Field(ge=1, le=1 << 40)]

    @property
    def capacity_bytes(self) -> int:
        """Bytes of all banks."""
        return self.banks * self.bank_bytes


class VectorUnit(StrictModel):
    """What runs layers without multiply-accumulates, and which kinds of them are costed.

    It takes and gives a word a lane and cycle, and runs while the first array waits.
    """

    lanes: Annotated[int, Field(ge=1, le=1 << 20)]
    costed: tuple[VectorKind, ...]


class Accelerator(StrictModel):
    """One accelerator. `configs/accelerators/` says where each number comes from.

    Attributes
    ----------
    dgrad : str
        How the gradient of a strided layer's input is computed. `decomposed`: as stride^2 smaller products.
        `dense`: with zeros between the elements of dY, about stride^2 the work.
    batch_mean : str
        `drain`: the sums of the predictor's batch mean are added up while a layer's outputs drain.
        `reread`: the outputs are read from DRAM again.
    tiling_slack_percent : int or None
        How much longer than the fastest cut into tiles one of fewer DRAM bytes may take; None: however long.
    gp_outputs_stay : bool
        Whether a GP batch leaves a layer's output in the buffer for the next layer where it fits.
    energy_table : str
        Name of a shipped energy table, or a path.
    """

    version: VersionTwo
    design: str
    dataflow: str
    frequency_hz: Annotated[int, Field(ge=1, le=10**12)]
    precision: Precision
    array: ArraySpec
    global_buffer: BankedMemory
    dram: DramSpec
    predictor_sram: BankedMemory | None = None
    second_array: SecondArraySpec | None = None
    vector_unit: VectorUnit
    dgrad: DgradMethod
    batch_mean: Literal["drain", "reread"]
    tiling_slack_percent: Annotated[int, Field(ge=0, le=10**6)] | None
    gp_outputs_stay: bool
    energy_table: Annotated[str, Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _ports_follow_the_array(cls, data: Any) -> Any:
        return with_port_widths(data)

    @model_validator(mode="after")
    def _parts_fit(self) -> "Accelerator":
        design = find_design(self.design, "", "design")
        for array in self.arrays:
            find_dataflow(self.dataflow, array.kind, "", "dataflow")
        for name, words in _WORDS.items():
            has, wants = getattr(self, name) is not None, name in design.components
            if has and not wants:
                raise InputError(
                    "", name, f"design {self.design} has no {words}", "drop the key, or choose another --design"
                )
            if wants and not has:
                raise InputError(
                    "", name, f"missing, and design {self.design} needs a {words}", "add it, or choose another --design"
                )
        if self.second_array is not None and self.second_array.buffer_banks >= self.global_buffer.banks:
            raise InputError(
                "",
                "second_array.buffer_banks",
                f"is {self.second_array.buffer_banks} of {self.global_buffer.banks} banks",
                "leave the first array at least one",
            )
        if self.global_buffer.capacity_bytes * self.frequency_hz >= 1 << 62:
            raise InputError(
                "",
                "global_buffer.bank_bytes",
                f"{self.global_buffer.capacity_bytes} bytes at {self.frequency_hz} Hz are beyond what 64 bits count",
                "give a smaller buffer",
            )
        return self

    @property
    def design_rules(self) -> Design:
        """The design that lays batches on this machine."""
        return find_design(self.design)

    @property
    def arrays(self) -> tuple[PEArray, ...]:
        """The first array, and the second where there is one."""
        return (self.array,) if self.second_array is None else (self.array, self.second_array)

    @property
    def narrow_ports(self) -> list[str]:
        """A line for each array's port that is narrower than its side, and what that costs."""
        names = (name.replace("_", " ") for name in ARRAYS)
        flows = [find_dataflow(self.dataflow, array.kind, "", "dataflow") for array in self.arrays]
        return [
            f"{name}: {line}"
            for name, array, flow in zip(names, self.arrays, flows, strict=False)
            for line in narrow_ports(array, flow)
        ]

    def budget(self, array_index: int) -> BufferBudget:
        """Return the room in the global buffer that an array's ops may use."""
        second_banks = 0 if self.second_array is None else self.second_array.buffer_banks
        banks = second_banks if array_index else self.global_buffer.banks - second_banks
        predictor = self.predictor_sram
        return BufferBudget(
            capacity_bytes=banks * self.global_buffer.bank_bytes,
            word_bytes=self.precision.word_bits // 8,
            partial_sum_bytes=self.precision.partial_sum_bits // 8,
            channel=dram_channel(self.dram, self.frequency_hz),
            slack_percent=self.tiling_slack_percent,
            ports=MemoryPorts(
                buffer_bytes=banks * self.global_buffer.bank_port_bytes,
                predictor_sram_bytes=None if predictor is None else predictor.banks * predictor.bank_port_bytes,
            ),
        )
