"""A DRAM part: its organisation, timing and currents, from ``configs/dram``."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from workloads.foundation.errors import InputError
from workloads.foundation.shipped import resolve
from workloads.foundation.strict_yaml import read_yaml
from workloads.foundation.validation import StrictModel, VersionOne, validate

Cycles = Annotated[int, Field(ge=1, le=10**6)]
CyclesOrNone = Annotated[int, Field(ge=0, le=10**6)]
Extent = Annotated[int, Field(ge=1, le=2**20)]
AddressField = Literal["row", "rank", "bank", "column", "bank_group"]
CurrentMa = Annotated[float, Field(gt=0, le=1e5)]


class Organization(StrictModel):
    """How many of what; banks are counted in a bank group, columns in a row of one device."""

    channels: Annotated[int, Field(ge=1, le=64)]
    ranks: Annotated[int, Field(ge=1, le=8)]
    bank_groups: Annotated[int, Field(ge=1, le=16)]
    banks: Annotated[int, Field(ge=1, le=64)]
    rows: Extent
    columns: Extent
    device_width_bits: Literal[4, 8, 16, 32, 64, 128]
    bus_width_bits: Literal[8, 16, 32, 64, 128, 256]
    burst_length: Literal[2, 4, 8, 16, 32]

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if self.bus_width_bits % self.device_width_bits:
            problem = f"is {self.bus_width_bits} for devices of {self.device_width_bits} bits"
            raise InputError("", "bus_width_bits", problem, "give a multiple of device_width_bits")
        if self.columns % self.burst_length:
            problem = f"is {self.columns} for bursts of {self.burst_length}"
            raise InputError("", "columns", problem, "give a multiple of burst_length")
        return self


class TimingCycles(StrictModel):
    """Times in cycles of the memory's clock, named as JEDEC does; _S to another bank group, _L within one.

    RP_ALL is RP for a precharge of all banks. DQSS is what a write's first word comes later than CWL.
    READ_TO_WRITE_GAP and RANK_SWITCH_GAP are idle cycles of the data bus.
    """

    CL: Cycles
    CWL: Cycles
    RCD: Cycles
    RP: Cycles
    RP_ALL: Cycles
    RAS: Cycles
    RRD_S: Cycles
    RRD_L: Cycles
    FAW: Cycles
    WR: Cycles
    WTR_S: Cycles
    WTR_L: Cycles
    RTP: Cycles
    CCD_S: Cycles
    CCD_L: Cycles
    PPD: Cycles
    RFC: Cycles
    REFI: Cycles
    DQSS: CyclesOrNone
    READ_TO_WRITE_GAP: CyclesOrNone
    RANK_SWITCH_GAP: CyclesOrNone

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for short, long in (("RRD_S", "RRD_L"), ("CCD_S", "CCD_L"), ("WTR_S", "WTR_L"), ("RP", "RP_ALL")):
            if getattr(self, long) < getattr(self, short):
                problem = f"is {getattr(self, long)}, less than {short} ({getattr(self, short)})"
                raise InputError("", long, problem, f"give at least {short}")
        if self.REFI <= self.RFC:
            raise InputError("", "REFI", f"is {self.REFI}, no more than RFC ({self.RFC})", "give more than RFC")
        if self.FAW > self.RAS + self.RP + 3 * self.RRD_S:
            # else the activates of one transfer could hold up the next
            problem = f"is {self.FAW}, more than RAS + RP + 3 RRD_S"
            raise InputError("", "FAW", problem, "give less, or check RAS, RP and RRD_S")
        return self


class CommandBusCycles(StrictModel):
    """For how many cycles a command is on the command bus; times count from its last cycle."""

    activate: Annotated[int, Field(ge=1, le=16)]
    precharge: Annotated[int, Field(ge=1, le=16)]
    column: Annotated[int, Field(ge=1, le=16)]
    refresh: Annotated[int, Field(ge=1, le=16)]


class CurrentsMa(StrictModel):
    """Currents of one device in mA: IDD of JEDEC's measurement loops."""

    IDD0: CurrentMa
    IDD2N: CurrentMa
    IDD3N: CurrentMa
    IDD4R: CurrentMa
    IDD4W: CurrentMa
    IDD5AB: CurrentMa


class PartPower(StrictModel):
    """Supply voltage in V and currents."""

    VDD: PositiveFloat
    currents_ma: CurrentsMa


class DramPart(StrictModel):
    """One kind of memory."""

    version: VersionOne
    name: Annotated[str, Field(min_length=1)]
    organization: Organization
    address_order: tuple[AddressField, ...]
    clock_hz: Annotated[PositiveInt, Field(le=10**11)]
    timing_cycles: TimingCycles
    command_bus_cycles: CommandBusCycles
    power: PartPower

    @model_validator(mode="after")
    def _every_field_once(self) -> Self:
        if sorted(self.address_order) != ["bank", "bank_group", "column", "rank", "row"]:
            remedy = "name each of row, rank, bank, column, bank_group once"
            raise InputError("", "address_order", f"is {list(self.address_order)}", remedy)
        return self

    @property
    def burst_bytes(self) -> int:
        """What one read or write moves."""
        return self.organization.bus_width_bits // 8 * self.organization.burst_length

    @property
    def burst_cycles(self) -> int:
        """How long one read or write holds the data bus; two words a cycle."""
        return self.organization.burst_length // 2

    @property
    def row_bytes(self) -> int:
        """One row of one bank, over all devices of a rank."""
        return self.organization.columns * self.organization.bus_width_bits // 8

    @property
    def channel_bytes(self) -> int:
        """Capacity of one channel."""
        parts = self.organization
        return parts.ranks * parts.bank_groups * parts.banks * parts.rows * self.row_bytes

    @property
    def capacity_bytes(self) -> int:
        """Capacity of all channels."""
        return self.organization.channels * self.channel_bytes

    @property
    def devices_per_rank(self) -> int:
        """Devices that work side by side."""
        return self.organization.bus_width_bits // self.organization.device_width_bits

    @property
    def peak_bytes_per_second(self) -> int:
        """What the data buses of all channels could move."""
        return self.organization.channels * self.organization.bus_width_bits // 8 * 2 * self.clock_hz

    @property
    def extent(self) -> dict[str, int]:
        """How many values each field of an address has."""
        parts = self.organization
        columns = parts.columns // parts.burst_length
        return {
            "row": parts.rows, "rank": parts.ranks, "bank": parts.banks, "column": columns,
            "bank_group": parts.bank_groups,
        }  # fmt: skip

    @property
    def times(self) -> dict[str, int]:
        """Every time in memory cycles by its name in docs/dram.md; BL/2 is how long a burst holds the data bus."""
        return self.timing_cycles.model_dump() | self.command_bus_cycles.model_dump() | {"BL/2": self.burst_cycles}

    def located(self, burst: int) -> dict[str, int]:
        """Return row, rank, bank, column and bank_group of a burst's number in its channel."""
        extent = self.extent
        found: dict[str, int] = {}
        for name in reversed(self.address_order):
            burst, found[name] = divmod(burst, extent[name])
        return found


def load_part(name_or_path: str) -> DramPart:
    """Read a part, shipped in ``configs/dram`` or a file.

    Raises
    ------
    InputError
        If there is no such part or the file is no part.
    """
    path = resolve(name_or_path, "configs/dram", "DRAM part")
    data: Any = read_yaml(path)
    return validate(DramPart, data, str(path))
