"""Broadcast array whose stationary operand stays in the PEs (ws, is): closed forms.

F folds of V vectors take LC + 1 + (F - 1) max(V II, LC + 1) + V II + ceil(log2 R) + 2 cycles
(docs/microarchitecture.md).
"""

import numpy as np

from dataflows.arrays.job import Geometry, JobGranularity, JobTiles, JobTiming, JobTraffic, ceil_div, folds, gaps_behind


class BroadcastStationary:
    """Rows hold the reduction, columns the columns of the stationary matrix."""

    sums_by_vector = True
    sums_return = True

    def granularity(self, array: Geometry) -> JobGranularity:
        """Return rows of D, columns of N, and the cycles that hide a fold's loading."""
        return JobGranularity(1, array.rows, array.columns, "V", vector_interval(array), _fill_cycles(array))

    def timing(self, array: Geometry, tiles: JobTiles) -> JobTiming:
        """Return the cycles of each tile by the formula above, cut at tile borders."""
        fill = _fill_cycles(array)
        fold = tiles.V * vector_interval(array)
        count = tiles.groups * folds(tiles.D, array.rows) * folds(tiles.N, array.columns)
        return JobTiming(
            stream_cycles=(count - 1) * np.maximum(fold, fill) + fold,
            gap_cycles=gaps_behind(fold, fill),
            fill_cycles=fill,
            drain_cycles=(array.rows - 1).bit_length() + 2,
        )

    def traffic(self, array: Geometry, tiles: JobTiles) -> JobTraffic:
        """Return the words in and out: every fold reads its vectors anew and adds to its sums."""
        stationary = int((tiles.groups * tiles.D * tiles.N).sum())
        return JobTraffic(
            moving_words=int((tiles.groups * tiles.V * tiles.D * folds(tiles.N, array.columns)).sum()),
            stationary_words=stationary,
            sums=int((tiles.groups * tiles.V * tiles.N * folds(tiles.D, array.rows)).sum()),
            register_reads=int(tiles.macs.sum()),
            register_writes=stationary,
        )


def vector_interval(array: Geometry) -> int:
    """Return the cycles between two vectors: one, or more where a port is narrower than the array."""
    return max(ceil_div(array.rows, array.ports.moving), ceil_div(array.columns, array.ports.output))


def _fill_cycles(array: Geometry) -> int:
    return ceil_div(array.rows * array.columns, array.ports.stationary) + 1


BROADCAST_STATIONARY = BroadcastStationary()
