"""What tiles move between DRAM and buffer, as patterns of addresses."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from itertools import accumulate
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from dataflows.integers import Integers


class LoadPattern(IntEnum):
    """The patterns of a product's loads, in their order."""

    IFMAP = 0
    FILTER = 1
    PSUMS = 2


class StorePattern(IntEnum):
    """The patterns of a product's stores, in their order."""

    RESULT = 0
    PSUMS = 1


@dataclass(frozen=True)
class Transfers:
    """Transfers, each of several patterns one after the other: `segments` pieces of equal size, `stride` apart.

    Attributes
    ----------
    segments, segment_bytes, stride_bytes : int64[patterns, transfers]
        A pattern of no segments moves nothing.
    write : bool
        Whether they go to DRAM.
    """

    segments: Integers
    segment_bytes: Integers
    stride_bytes: Integers
    write: bool

    @cached_property
    def moved_bytes(self) -> Integers:
        """Bytes of each transfer."""
        total: Integers = (self.segments * self.segment_bytes).sum(axis=0)
        return total

    def __len__(self) -> int:
        return self.segments.shape[1]

    def different(self) -> "tuple[TransferChoices, Integers | slice]":
        """Return transfers among which all of these are, and where each is: all of them, where nothing else is known.

        Each transfer of the choices counts once for each choice, as in `TransferChoices.one_by_one`.
        """
        return TransferChoices(self, np.ones((len(self.segments), 1), np.bool_)), slice(None)

    def each_of(self, choices: NDArray[np.bool_]) -> "Transfers":
        """Return each transfer once for each choice of its patterns, one after the other.

        Parameters
        ----------
        choices : bool[patterns, choices]
        """
        segments = self.segments[:, :, None] * choices[:, None, :]
        size, stride = (
            np.repeat(column, choices.shape[1], axis=1) for column in (self.segment_bytes, self.stride_bytes)
        )
        return Transfers(segments.reshape(size.shape), size, stride, self.write)


class LateTransfers(Transfers):
    """Transfers of few kinds, whose bytes are known. Patterns are laid out where someone asks for them.

    Parameters
    ----------
    moved_bytes : int64[transfers]
    write : bool
    kinds : callable
        Lays out the transfers that differ.
    which : int64[transfers]
        Which of them each is, counted as in `TransferChoices.one_by_one`.
    """

    _last: ClassVar[tuple["LateTransfers | None", Transfers | None]] = (None, None)

    def __init__(
        self, moved_bytes: Integers, write: bool, kinds: "Callable[[], TransferChoices]", which: Integers
    ) -> None:
        self.__dict__.update(moved_bytes=moved_bytes, write=write, kinds=kinds, which=which)

    def different(self) -> "tuple[TransferChoices, Integers | slice]":
        """Return the transfers that differ, and which of them each is."""
        return self.__dict__["kinds"](), self.__dict__["which"]

    def __len__(self) -> int:
        return len(self.moved_bytes)

    @property
    def _patterns(self) -> Transfers:
        """The patterns, laid out again unless they were asked for last: thousands of plans would keep gigabytes."""
        last, found = LateTransfers._last
        if last is not self:
            kinds, which = self.different()
            one = kinds.one_by_one()
            found = Transfers(
                one.segments[:, which], one.segment_bytes[:, which], one.stride_bytes[:, which], one.write
            )
            LateTransfers._last = self, found
        assert found is not None
        return found

    @property
    def segments(self) -> Integers:
        """Pieces of each pattern and transfer."""
        return self._patterns.segments

    @property
    def segment_bytes(self) -> Integers:
        """Bytes of a piece."""
        return self._patterns.segment_bytes

    @property
    def stride_bytes(self) -> Integers:
        """From one piece to the next."""
        return self._patterns.stride_bytes


@dataclass(frozen=True, slots=True)
class TransferChoices:
    """Transfers, each once for each choice of its patterns, one after the other.

    Attributes
    ----------
    transfers : Transfers
    choices : bool[patterns, choices]
    """

    transfers: Transfers
    choices: NDArray[np.bool_]

    def one_by_one(self) -> Transfers:
        """Return them all."""
        return self.transfers.each_of(self.choices)


def alike(asked: Sequence[TransferChoices]) -> Iterator[tuple[list[int], TransferChoices, list[int]]]:
    """Lay transfers with the same choices end to end.

    Yields
    ------
    (list of int, TransferChoices, list of int)
        Which of the asked ones they are, all their transfers as one, and where those of the next ones begin.
    """
    places: dict[tuple[object, ...], list[int]] = {}
    for place, one in enumerate(asked):
        places.setdefault((one.choices.shape, one.choices.tobytes(), one.transfers.write), []).append(place)
    for own in places.values():
        parts = [asked[place].transfers for place in own]
        segments, size, stride = (
            np.concatenate([getattr(part, name) for part in parts], axis=1)
            for name in ("segments", "segment_bytes", "stride_bytes")
        )
        ends = list(accumulate(map(len, parts)))
        yield own, TransferChoices(Transfers(segments, size, stride, parts[0].write), asked[own[0]].choices), ends[:-1]


def contiguous(transfer_bytes: Integers, write: bool) -> Transfers:
    """Return transfers of one piece each."""
    one = transfer_bytes.reshape(1, -1)
    return Transfers((one > 0).astype(np.int64), one, one, write)


def together(parts: Sequence[Transfers], write: bool) -> Transfers:
    """Return transfers whose patterns are those of several."""
    return Transfers(
        np.concatenate([part.segments for part in parts]),
        np.concatenate([part.segment_bytes for part in parts]),
        np.concatenate([part.stride_bytes for part in parts]),
        write,
    )
