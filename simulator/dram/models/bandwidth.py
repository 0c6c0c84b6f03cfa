"""DRAM as a bandwidth and a latency."""

from math import gcd
from typing import Annotated, Literal

from pydantic import Field

from dataflows.plans.plan import Integers
from dataflows.plans.transfers import Transfers
from simulator.dram.model import DramModel


class BandwidthDram(DramModel):
    """One channel that moves `peak_bytes_per_second` after `latency_ns` for each transfer.

    A transfer holds the channel from its first command to its last byte, so its latency is not hidden
    behind another one; rows, banks and refresh are left out.
    """

    model: Literal["bandwidth"]
    peak_bytes_per_second: Annotated[int, Field(ge=1, le=10**16)]
    """Bytes a second of the channel."""
    latency_ns: Annotated[int, Field(ge=0, le=10**9)]
    """Time from a transfer's first command to its first byte."""

    @property
    def bytes_per_second(self) -> int:
        """The peak."""
        return self.peak_bytes_per_second

    def transfer_cycles(self, transfers: Transfers, frequency_hz: int) -> Integers:
        """Return the cycles that each transfer holds the channel; nothing takes no time."""
        transfer_bytes = transfers.moved_bytes
        moving = -(-transfer_bytes * frequency_hz // self.peak_bytes_per_second)
        cycles: Integers = moving + self.least_transfer_cycles(frequency_hz) * (transfer_bytes > 0)
        return cycles

    def rate(self, frequency_hz: int) -> tuple[int, int, int]:
        """Return the clock by the peak, and the latency."""
        common = gcd(frequency_hz, self.peak_bytes_per_second)
        latency = self.least_transfer_cycles(frequency_hz)
        return frequency_hz // common, self.peak_bytes_per_second // common, latency

    def bound_cycles(self, moved_bytes: int, transfers: int, frequency_hz: int) -> int:
        """Return a bound from above on the cycles of so many transfers that move so many bytes."""
        moving = moved_bytes * frequency_hz // self.peak_bytes_per_second
        return moving + transfers * (1 + self.least_transfer_cycles(frequency_hz))

    def least_transfer_cycles(self, frequency_hz: int) -> int:
        """Return the latency."""
        return -(-self.latency_ns * frequency_hz // 1_000_000_000)


DRAM_MODEL = BandwidthDram
