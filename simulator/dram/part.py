"""A DRAM part: its organisation, timing and currents, from ``configs/dram``."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from workloads.foundation.errors import InputError
from workloads.foundation.overlay import chain, laid_over, missing_keys
from workloads.foundation.shipped import resolve
from workloads.foundation.validation import StrictModel, VersionOne, validate

FOLDER = "configs/dram"
_BEGIN = (
    "add it, or say extends: ddr4-2400 and give only what differs; "
    "adagp-sim show ddr4-2400 > my.yaml prints a whole part"
)
Cycles = Annotated[int, Field(ge=1, le=10**6)]
CyclesOrNone = Annotated[int, Field(ge=0, le=10**6)]
Extent = Annotated[int, Field(ge=1, le=2**20)]
AddressField = Literal["row", "rank", "bank", "column", "bank_group"]
CurrentMa = Annotated[float, Field(gt=0, le=1e4)]  # far above any device's


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
    interleave_bytes: Annotated[int, Field(ge=1, le=2**20)] | None = None

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if self.bus_width_bits % self.device_width_bits:
            problem = f"is {self.bus_width_bits} for devices of {self.device_width_bits} bits"
            raise InputError("", "bus_width_bits", problem, "give a multiple of device_width_bits")
        if self.columns % self.burst_length:
            problem = f"is {self.columns} for bursts of {self.burst_length}"
            raise InputError("", "columns", problem, "give a multiple of burst_length")
        burst = self.bus_width_bits // 8 * self.burst_length
        if self.interleave_bytes is not None and self.interleave_bytes % burst:
            problem = f"is {self.interleave_bytes} for bursts of {burst} bytes"
            raise InputError("", "interleave_bytes", problem, "give a multiple of a burst")
        return self


class TimingCycles(StrictModel):
    """Times in cycles of the memory's clock, named as JEDEC does; _S to another bank group, _L within one.

    RP_ALL is RP for a precharge of all banks. DQSS is what a write's first word comes later than CWL.
    READ_TO_WRITE_GAP and RANK_SWITCH_GAP are idle cycles of the data bus. XP and XS are from the exit of power-down and
    of self-refresh to the next command; CKE and CKESR are the least time in them.
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
    XP: Cycles
    CKE: Cycles
    XS: Cycles
    CKESR: Cycles
    DQSS: CyclesOrNone
    READ_TO_WRITE_GAP: CyclesOrNone
    RANK_SWITCH_GAP: CyclesOrNone

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for short, long in (("RRD_S", "RRD_L"), ("CCD_S", "CCD_L"), ("WTR_S", "WTR_L"), ("RP", "RP_ALL")):
            if getattr(self, long) < getattr(self, short):
                problem = f"is {getattr(self, long)}, less than {short} ({getattr(self, short)})"
                raise InputError("", long, problem, f"give at least {short}")
        if self.RAS < self.RCD:
            problem = f"is {self.RAS}, less than RCD ({self.RCD}): a row would close before it can be read"
            raise InputError("", "RAS", problem, "give at least RCD")
        if self.RFC < self.RAS + self.RP:
            problem = f"is {self.RFC}, less than RAS + RP ({self.RAS + self.RP}): a refresh opens and closes rows"
            raise InputError("", "RFC", problem, "give at least RAS + RP")
        if self.REFI <= self.RFC:
            raise InputError("", "REFI", f"is {self.REFI}, no more than RFC ({self.RFC})", "give more than RFC")
        if self.XS < self.RFC:
            problem = f"is {self.XS}, less than RFC ({self.RFC}): a refresh may be under way when self-refresh ends"
            raise InputError("", "XS", problem, "give at least RFC")
        if self.FAW > self.RAS + self.RP + 3 * self.RRD_S:
            # else the activates of one transfer could delay the next
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
    """Currents of one device in mA: IDD of JEDEC's measurement loops.

    IDD2N is drawn with all banks closed, IDD3N with a bank open; bursts and refreshes draw more than that, since their
    energy is what they draw above it. IDD2P is drawn in power-down with all banks closed, IDD6 in self-refresh.
    """

    IDD0: CurrentMa
    IDD2P: CurrentMa
    IDD2N: CurrentMa
    IDD3N: CurrentMa
    IDD4R: CurrentMa
    IDD4W: CurrentMa
    IDD5AB: CurrentMa
    IDD6: CurrentMa

    @model_validator(mode="after")
    def _more_than_standby(self) -> Self:
        if self.IDD3N < self.IDD2N:
            problem = f"is {self.IDD3N:g} mA, less than IDD2N ({self.IDD2N:g} mA)"
            raise InputError("", "IDD3N", problem, "give at least IDD2N: an open bank draws no less than a closed one")
        if self.IDD2P > self.IDD2N:
            problem = f"is {self.IDD2P:g} mA, more than IDD2N ({self.IDD2N:g} mA)"
            raise InputError("", "IDD2P", problem, "give at most IDD2N: power-down draws no more than standby")
        for name in ("IDD4R", "IDD4W", "IDD5AB"):
            current = getattr(self, name)
            if current <= self.IDD3N:
                problem = f"is {current:g} mA, no more than IDD3N ({self.IDD3N:g} mA)"
                raise InputError("", name, problem, "give more than IDD3N, which is drawn without it")
        return self


class PartPower(StrictModel):
    """Supply voltage in V and currents."""

    VDD: Annotated[float, Field(gt=0, le=12)]
    currents_ma: CurrentsMa


class DramPart(StrictModel):
    """One kind of memory."""

    version: VersionOne
    name: Annotated[str, Field(min_length=1)]
    organization: Organization
    address_order: tuple[AddressField, ...]
    clock_hz: Annotated[int, Field(ge=10**6, le=10**11)]
    timing_cycles: TimingCycles
    command_bus_cycles: CommandBusCycles
    power: PartPower

    @model_validator(mode="after")
    def _every_field_once(self) -> Self:
        if sorted(self.address_order) != ["bank", "bank_group", "column", "rank", "row"]:
            remedy = "name each of row, rank, bank, column, bank_group once"
            raise InputError("", "address_order", f"is {list(self.address_order)}", remedy)
        return self

    @model_validator(mode="after")
    def _an_activate_costs_energy(self) -> Self:
        t, i = self.timing_cycles, self.power.currents_ma
        standby = (i.IDD3N * t.RAS + i.IDD2N * t.RP) / (t.RAS + t.RP)
        if standby >= i.IDD0:
            problem = f"is {i.IDD0:g} mA, and standby alone draws {standby:g} mA over RAS + RP"
            raise InputError("", "power.currents_ma.IDD0", problem, "give more, or check IDD3N, IDD2N, RAS and RP")
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
    """Read a part, shipped in ``configs/dram`` or a file, with what it extends.

    Raises
    ------
    InputError
        If there is no such part or the file is no part.
    """
    path = resolve(name_or_path, FOLDER, "DRAM part")
    (_, data), *overlays = chain(path, FOLDER, "DRAM part")
    for over_path, over in overlays:
        data = laid_over(data, {"name": over_path.name.partition(".")[0], **over})
    missing = missing_keys(DramPart, data)
    if missing:
        raise InputError(str(path), ", ".join(missing), "missing", _BEGIN)
    return validate(DramPart, data, str(path))
