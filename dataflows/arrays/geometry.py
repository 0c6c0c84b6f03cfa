"""An array's PEs and ports, and how a job lies on them."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Ports:
    """Words a cycle through the ports of an array."""

    stationary: int
    moving: int
    output: int


@dataclass(frozen=True, slots=True)
class Geometry:
    """An array's PEs and its ports.

    Attributes
    ----------
    row_vectors : int, optional
        Vectors of a job that lie in one row of the ofmap, for a controller that asks; None: all of them.
    """

    rows: int
    columns: int
    ports: Ports
    row_vectors: int | None = None

    @property
    def pes(self) -> int:
        """Number of processing elements."""
        return self.rows * self.columns


class Spread(NamedTuple):
    """The axis of a job, `V`, `D` or `N`, that lies on the array's rows, on its columns, and in time."""

    rows: str
    columns: str
    time: str
