"""How long a tile needs the ports of its memories' banks.

A tile's window is its gap (the first tile's: the fill) and its stream. What the array reads and writes in a memory is
spread over the windows of a plan in proportion; in its window the bytes that the DMA moves for a tile pass the buffer's
banks, too. A tile streams longer by what its bytes need beyond its window. The bytes of a tile without one, of a plain
transfer, pass while they are on the channel, and hold it for as long as they need (docs/machine.md).
"""

from dataclasses import dataclass

import numpy as np

from dataflows.actions import ActionCounts
from dataflows.integers import Integers


@dataclass(frozen=True, slots=True)
class MemoryPorts:
    """Bytes that the memories of one array's ops read or write in a cycle, all banks together; None: any number.

    Attributes
    ----------
    buffer_bytes : int, optional
        Of the array's share of the global buffer.
    predictor_sram_bytes : int, optional
        Of the predictor SRAM.
    """

    buffer_bytes: int | None = None
    predictor_sram_bytes: int | None = None

    def wait_cycles(self, counts: ActionCounts, moved_bytes: Integers, window_cycles: Integers) -> Integers:
        """Return how much longer than its window each tile needs the ports; 0 for a tile without one.

        Parameters
        ----------
        counts : ActionCounts
            Of all tiles together.
        moved_bytes, window_cycles : int64[tiles]
            What each tile moves between DRAM and buffer, and the cycles in which its bytes pass.
        """
        dram_side = counts.dram_read_bytes + counts.dram_write_bytes
        array_side = counts.buffer_read_bytes + counts.buffer_write_bytes - dram_side
        predictor = counts.predictor_sram_read_bytes + counts.predictor_sram_write_bytes
        needed = window_cycles
        if not needed.any():
            return needed * 0
        if self.buffer_bytes is not None:
            passing = in_proportion(array_side, window_cycles) + moved_bytes
            needed = np.maximum(needed, -(-passing // self.buffer_bytes))
        if self.predictor_sram_bytes is not None:
            passing = in_proportion(predictor, window_cycles)
            needed = np.maximum(needed, -(-passing // self.predictor_sram_bytes))
        return (needed - window_cycles) * (window_cycles > 0)

    def transfer_cycles(self, moved_bytes: Integers, window_cycles: Integers) -> Integers:
        """Return the cycles that the transfers of tiles without a window need to pass the buffer's ports."""
        if self.buffer_bytes is None or window_cycles.all():
            return moved_bytes * 0
        return -(-moved_bytes // self.buffer_bytes) * (window_cycles == 0)


UNLIMITED = MemoryPorts()


def in_proportion(total: int, weights: Integers) -> Integers:
    """Return ceil(total * weight / sum of weights) of each weight, exactly; some weight is above zero."""
    whole = int(weights.sum())
    each, rest = divmod(total, whole)
    # Products of the rest, which is below the sum, and a weight may be beyond 64 bits: then Python's integers.
    exact = weights if whole < 1 << 31 else weights.astype(object)
    return each * weights + (-(-(rest * exact) // whole)).astype(np.int64)
