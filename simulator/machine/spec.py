"""The accelerator spec: every parameter of the machine, with its unit in its name."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, ModelWrapValidatorHandler, PrivateAttr, model_validator

from dataflows.array import PEArray
from dataflows.array_checks import check_array, narrow_ports
from dataflows.dataflow import find_dataflow
from dataflows.plans.budget import BufferBudget
from dataflows.plans.memory_ports import MemoryPorts
from simulator.dram.machine_channel import dram_channel
from simulator.dram.models import DramSpec
from simulator.energy.energy_table import Energies
from simulator.machine.array_spec import (
    ARRAYS,
    ArraySpec,
    SecondArraySpec,
    stated_ports,
    with_port_widths,
    with_stated_ports,
)
from simulator.machine.settings import Layer, Settings
from simulator.machine.spec_layers import file_layers, part_defaults, value_layer
from simulator.phases.design import Component, Design, find_design
from workloads.foundation.errors import InputError
from workloads.foundation.quantities import more_than
from workloads.foundation.shipped import resolve
from workloads.foundation.validation import NullIsValue, StrictModel, VersionTwo
from workloads.layers import VectorKind
from workloads.passes import DgradMethod
from workloads.vectors import COSTS, NOTHING

DEFAULT_DESIGN = "max"
_COMPONENTS: frozenset[Component] = frozenset(get_args(Component))
_WORDS: dict[Component, str] = {"predictor_sram": "predictor SRAM", "second_array": "second array"}


class Precision(StrictModel):
    """Widths of numbers."""

    word_bits: Literal[8, 16, 32]
    """Width of operands and results."""
    partial_sum_bits: Literal[16, 32, 64]
    """Width of psums; no narrower than words."""
    master_weight_bits: Literal[8, 16, 32]
    """Width of the weights and of the optimizer's state that an update reads and writes. Where it is wider than a word,
    an update also writes the words that the passes read. Words that are wider are their own master weights."""

    @model_validator(mode="after")
    def _no_narrower_than_words(self) -> "Precision":
        if self.partial_sum_bits < self.word_bits:
            problem = f"is {self.partial_sum_bits}, narrower than words of {self.word_bits} bits"
            raise InputError("", "partial_sum_bits", problem, f"give at least {self.word_bits}")
        return self

    @property
    def master_words(self) -> int:
        """Words that a master weight fills."""
        return max(1, self.master_weight_bits // self.word_bits)


class BankedMemory(StrictModel):
    """An on-chip memory of equal banks."""

    banks: Annotated[int, Field(ge=1, le=1 << 20)]
    """Number of banks."""
    bank_bytes: Annotated[int, Field(ge=1, le=1 << 40)]
    """Bytes of a bank."""
    bank_port_bytes: Annotated[int, Field(ge=1, le=1 << 40)]
    """Bytes that a bank reads or writes in a cycle (docs/machine.md, "Ports of the banks"); no more than it holds."""

    @model_validator(mode="after")
    def _a_port_is_within_its_bank(self) -> "BankedMemory":
        if self.bank_port_bytes > self.bank_bytes:
            asked, room = more_than(self.bank_port_bytes, self.bank_bytes)
            problem = f"is {asked}, and a bank has {room}"
            raise InputError("", "bank_port_bytes", problem, "give no more than bank_bytes")
        return self

    @property
    def capacity_bytes(self) -> int:
        """Bytes of all banks."""
        return self.banks * self.bank_bytes


class VectorUnit(StrictModel):
    """What runs layers without multiply-accumulates, and which kinds of them are costed.

    It takes and gives a word a lane and cycle, and runs while the first array waits.
    """

    lanes: Annotated[int, Field(ge=1, le=1 << 20)]
    """Words that it takes and gives in a cycle."""
    costed: tuple[VectorKind, ...]
    """Kinds of layers without MACs that take time and energy."""

    @model_validator(mode="after")
    def _costed_kinds_cost_something(self) -> "VectorUnit":
        for index, kind in enumerate(self.costed):
            if all(cost == NOTHING for cost in COSTS[kind].values()):
                known = ", ".join(name for name, costs in COSTS.items() if set(costs.values()) != {NOTHING})
                problem = f"is {kind}, which moves no words and computes nothing in this model"
                raise InputError("", f"costed[{index}]", problem, f"leave it out; {known} cost something")
        return self


class Accelerator(StrictModel):
    """One accelerator. `configs/accelerators/` says where each number comes from."""

    version: VersionTwo
    """Version of the format."""
    design: str
    """`baseline`, `low`, `efficient` or `max` (docs/machine.md, "Designs")."""
    dataflow: str
    """`ws`, `is`, `os`, or on a broadcast array `rs`."""
    frequency_hz: Annotated[int, Field(ge=1, le=10**12)]
    """Clock of the arrays."""
    precision: Precision
    """Widths of numbers."""
    array: ArraySpec
    """The PE array."""
    global_buffer: BankedMemory
    """The memory beside the arrays."""
    dram: DramSpec
    """The memory off the chip."""
    predictor_sram: BankedMemory | None = None
    """The predictor's memory; only in `efficient` and `max`."""
    second_array: SecondArraySpec | None = None
    """The predictor's array; only in `max`."""
    vector_unit: VectorUnit
    """What runs layers without MACs."""
    dgrad: DgradMethod
    """How the gradient of a strided layer's input is computed. `decomposed`: as stride^2 smaller products. `dense`:
    with zeros between the elements of dY, about stride^2 times the work."""
    batch_mean: Literal["drain", "reread"]
    """How the predictor gets the mean of a layer's outputs over the batch. `drain`: it is added up while the outputs
    drain, and costs no time. `reread`: the outputs are read again, and cost time and bytes."""
    tiling_slack_percent: Annotated[Annotated[int, Field(ge=0, le=10**6)] | Literal["weighed"] | None, NullIsValue]
    """A tiling that moves fewer DRAM bytes is preferred if it is at most this many per cent slower than the fastest
    one. `null`: always take the fewest bytes. `weighed`: of the tilings for several slacks the one that takes the
    fewest cycles together with those that its bytes take the channel."""
    gp_outputs_stay: bool
    """Whether a batch of Phase GP or of inference leaves a layer's output in the global buffer for the next layer,
    where it fits."""
    energy_table: Annotated[str, Field(min_length=1)]
    """A shipped energy table or a file."""
    launch_ns: Annotated[int, Field(ge=0, le=10**9)] | None = None
    """Time before the first transfer of a batch, which is one program; none if left out."""
    mapping: Annotated[str, Field(min_length=1)] | None = None
    """A file that says how passes of layers are cut into tiles and lie on the array; the search chooses what it leaves
    out (docs/how-to/own-mapping.md)."""
    energy: Energies | None = None
    """Energies of single actions in place of the table's, such as `energy.macs`."""

    _stated_ports: dict[str, dict[str, Any]] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _ports_follow_the_array(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        spec = handler(with_port_widths(data))
        spec._stated_ports = stated_ports(data)
        return spec

    @model_validator(mode="after")
    def _parts_fit(self) -> "Accelerator":
        design = find_design(self.design, "", "design")
        for name, array in zip(ARRAYS, self.arrays, strict=False):
            flow = find_dataflow(self.dataflow, array.kind, "", "dataflow")
            check_array(array, flow, "", name)
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
        self.dram.refresh(self.frequency_hz)  # refuses a clock that leaves no time between refreshes
        return self

    @classmethod
    def of_layers(cls, own: Sequence[Layer], options: Sequence[Layer]) -> Self:
        """Return the spec of layers over the shipped file of their design.

        Parameters
        ----------
        own : sequence of Layer
            Of the user's file.
        options : sequence of Layer
            What comes after it.

        Raises
        ------
        InputError
            With the place, key and remedy of whatever is wrong.
        """
        named = [layer for layer in (*own, *options) if layer.values.get("design") is not None]
        name, where = (named[-1].values["design"], named[-1].where) if named else (DEFAULT_DESIGN, "")
        if not isinstance(name, str):
            raise InputError(where, "design", f"is {name!r}", "give the name of a design")
        rules = find_design(name, where, "" if where == "--design" else "design")
        settings = Settings([*file_layers(name), *own, *options])
        settings.values["design"] = rules.name  # also where a config says null, or writes it in upper case
        settings.drop(_COMPONENTS - rules.components, "design")
        spec = settings.build(cls, part_defaults())
        try:
            resolve(spec.energy_table, "configs/energy", "energy table")
        except InputError as error:
            problem = f"{spec.energy_table!r} is {error.problem}"
            raise InputError(settings.source("energy_table"), "energy_table", problem, error.remedy) from None
        return spec

    def replace(self, key: str | Mapping[str, Any] | None = None, value: Any = None, /, **keys: Any) -> Self:
        """Return this machine with other settings, checked as ``--set`` checks them.

        A port that was left out, or that names a side of its array, follows the array and the dataflow. A part that
        another design needs comes from the shipped file of that design.

        Parameters
        ----------
        key : str or mapping, optional
            A dotted key, such as ``"array.rows"``, or several with their values.
        value : object, optional
            The value of one key.
        **keys
            Keys without a dot; a part takes a mapping: ``array={"rows": 32}``.

        Raises
        ------
        InputError
            With the key and the remedy, if a key is unknown or its value does not fit.
        """
        given = {} if key is None else dict(key) if isinstance(key, Mapping) else {key: value}
        return self.of_layers([self.as_layer()], [value_layer(given | keys, "replace()")])

    def as_layer(self) -> Layer:
        """Return all settings of this machine as a layer under others."""
        values = with_stated_ports(self.model_dump(), self._stated_ports)
        given = {name: one for name, one in values.items() if one is not None or name not in _WORDS}
        return Layer("the machine", given, shipped=True)

    def __eq__(self, other: object) -> bool:
        """Whether two machines have the same values, however their ports were stated."""
        if not isinstance(other, Accelerator):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in Accelerator.model_fields)

    @property
    def design_rules(self) -> Design:
        """The design that lays batches on this machine."""
        return find_design(self.design)

    @property
    def launch_cycles(self) -> int:
        """Cycles before the first transfer of a batch."""
        return -(-(self.launch_ns or 0) * self.frequency_hz // 10**9)

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
            slack_percent=None if self.tiling_slack_percent == "weighed" else self.tiling_slack_percent,
            weighed=self.tiling_slack_percent == "weighed",
            ports=MemoryPorts(
                buffer_bytes=banks * self.global_buffer.bank_port_bytes,
                predictor_sram_bytes=None if predictor is None else predictor.banks * predictor.bank_port_bytes,
            ),
        )
