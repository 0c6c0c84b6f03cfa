"""DRAM as a bandwidth and a latency."""

from collections.abc import Sequence
from math import gcd
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from dataflows.integers import Integers
from dataflows.plans.transfers import TransferChoices, Transfers, alike
from simulator.dram.interleaving import busiest_share
from simulator.dram.part_model import PartDram

NO_TRANSFERS = np.zeros(0, np.int64)


class BandwidthDram(PartDram):
    """Channels that move `peak_bytes_per_second` together, after `latency_ns` for each transfer.

    With several channels a transfer takes as long as the busiest one does (`simulator.dram.interleaving`).

    A transfer holds the channel from its first command to its last byte, so its latency is not hidden
    behind another one; rows, banks and refreshes take no time of their own. They take energy, where a `part` says how
    much: as many of it lie side by side as the peak and the capacity need.
    """

    model: Literal["bandwidth"]
    peak_bytes_per_second: Annotated[int, Field(ge=1, le=10**16)]
    """Bytes a second of the channel."""
    latency_ns: Annotated[int, Field(ge=0, le=10**9)]
    """Time from a transfer's first command to its first byte."""
    channels: Annotated[int, Field(ge=1, le=64)] | None = None
    """Channels that share the peak; one if left out."""
    interleave_bytes: Annotated[int, Field(ge=1, le=2**20)] | None = None
    """Bytes that follow each other in a channel before the next one has its turn. If left out, every segment is spread
    over all channels."""

    @property
    def bytes_per_second(self) -> int:
        """The peak."""
        return self.peak_bytes_per_second

    def transfer_cycles(self, transfers: Transfers, frequency_hz: int) -> Integers:
        """Return the cycles that each transfer holds the channel; nothing takes no time."""
        if self._channels == 1:
            return self._cycles(transfers.moved_bytes, frequency_hz)  # which need no patterns
        return self._cycles(self._busiest_bytes(transfers).sum(axis=0), frequency_hz)

    def costs(self, asked: Sequence[Transfers], frequency_hz: int) -> list[tuple[Integers, Integers]]:
        """Return the cycles that each transfer holds the channel, and the rows that it opens."""
        if self.known_part is None and self._channels == 1:  # bytes alone count
            return [(self.transfer_cycles(one, frequency_hz), one.moved_bytes * 0) for one in asked]
        return super().costs(asked, frequency_hz)

    def costs_of_choices(self, asked: Sequence[TransferChoices], frequency_hz: int) -> list[tuple[Integers, Integers]]:
        """Return the cycles and the rows of all choices; each pattern is looked at once."""
        found: list[tuple[Integers, Integers]] = [(NO_TRANSFERS, NO_TRANSFERS)] * len(asked)
        for places, one, borders in alike(asked):
            choices = one.choices.astype(np.int64)
            moved, opened = (
                of_patterns.T @ choices
                for of_patterns in (self._busiest_bytes(one.transfers), self._rows(one.transfers))
            )
            costs = (np.split(table, borders) for table in (self._cycles(moved, frequency_hz), opened))
            for place, cycles, activates in zip(places, *costs, strict=True):
                found[place] = cycles.ravel(), activates.ravel()
        return found

    def _cycles(self, moved_bytes: Integers, frequency_hz: int) -> Integers:
        """Return the cycles of transfers; the busiest channel moves so many bytes of each."""
        transfer_bytes = self._channels * moved_bytes
        moving = -(-transfer_bytes * frequency_hz // self.peak_bytes_per_second)
        cycles: Integers = moving + self.least_transfer_cycles(frequency_hz) * (transfer_bytes > 0)
        return cycles

    def _rows(self, transfers: Transfers) -> Integers:
        """Return the rows that each pattern opens: int64[patterns, transfers].

        It opens each row that it touches once. Contiguous bytes fill a row of each bank group, burst by burst, before
        they go on to others.
        """
        part, count = self.known_part, transfers.segments
        if part is None:
            return count * 0
        size, stride = transfers.segment_bytes, transfers.stride_bytes
        groups = part.organization.bank_groups
        filled = groups * part.row_bytes
        near = stride < filled  # one such set of rows holds several segments
        span = np.where(near, np.where(size > 0, (count - 1) * stride + size, 0), size)
        each = -(-span // filled) * np.minimum(groups, -(-span // part.burst_bytes))
        rows: Integers = np.where(near, 1, count) * each * (count * size > 0)
        return rows

    @property
    def copies(self) -> int:
        """As many parts as the peak and the capacity need."""
        part = self.known_part
        if part is None:
            return 0
        of_peak = -(-self.peak_bytes_per_second // part.peak_bytes_per_second)
        return max(of_peak, -(-self.capacity_bytes // part.capacity_bytes))

    def _busiest_bytes(self, transfers: Transfers) -> Integers:
        """Return the bytes of each pattern on the busiest channel: int64[patterns, transfers]."""
        columns = transfers.segments, transfers.segment_bytes, transfers.stride_bytes
        segments, size, _ = busiest_share(self._channels, self.interleave_bytes, *columns)
        busiest: Integers = segments * size
        return busiest

    @property
    def _channels(self) -> int:
        return self.channels or 1

    def rate(self, frequency_hz: int) -> tuple[int, int, int] | None:
        """Return the clock by the peak, and the latency; None with several channels, on which segments may lie."""
        if self._channels > 1:
            return None
        common = gcd(frequency_hz, self.peak_bytes_per_second)
        latency = self.least_transfer_cycles(frequency_hz)
        return frequency_hz // common, self.peak_bytes_per_second // common, latency

    def bound_cycles(self, moved_bytes: int, transfers: int, frequency_hz: int) -> int:
        """Return a bound from above on the cycles of so many transfers that move so many bytes."""
        moving = self._channels * moved_bytes * frequency_hz // self.peak_bytes_per_second
        return moving + transfers * (1 + self.least_transfer_cycles(frequency_hz))

    def least_transfer_cycles(self, frequency_hz: int) -> int:
        """Return the latency."""
        return -(-self.latency_ns * frequency_hz // 1_000_000_000)


DRAM_MODEL = BandwidthDram
