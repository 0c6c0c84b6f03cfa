"""Broadcast array whose sums stay in the PEs (os): closed forms.

F folds of D steps take (F - 1) max(D II, DC) + D II + DC + 3 cycles (docs/microarchitecture.md).
"""

import numpy as np

from dataflows.arrays.job import Geometry, JobGranularity, JobTiles, JobTiming, JobTraffic, ceil_div, folds, gaps_behind


class BroadcastOutput:
    """Rows hold vectors, columns the columns of the filter matrix; the reduction streams."""

    sums_by_vector = False
    sums_return = False

    def granularity(self, array: Geometry) -> JobGranularity:
        """Return rows of V, columns of N, and the cycles that hide a fold's draining."""
        return JobGranularity(array.rows, 1, array.columns, "D", _step_interval(array), _drain_cycles(array))

    def timing(self, array: Geometry, tiles: JobTiles) -> JobTiming:
        """Return the cycles of each tile by the formula above, cut at tile borders."""
        drain = _drain_cycles(array)
        fold = tiles.D * _step_interval(array)
        count = tiles.groups * folds(tiles.V, array.rows) * folds(tiles.N, array.columns)
        # `out` must be empty when a fold's sums are copied to it, whether this fold or the one before is the short one
        gaps = np.maximum(gaps_behind(fold, drain), drain - fold)
        gaps[0] = 0
        return JobTiming(
            stream_cycles=(count - 1) * np.maximum(fold, drain) + fold,
            gap_cycles=gaps,
            fill_cycles=0,
            drain_cycles=drain + 3,
        )

    def traffic(self, array: Geometry, tiles: JobTiles) -> JobTraffic:
        """Return the words in and out: a sum leaves once a tile, however long its reduction."""
        return output_stationary_traffic(array, tiles)


def output_stationary_traffic(array: Geometry, tiles: JobTiles) -> JobTraffic:
    """Return the words of an array that keeps its sums, broadcast or systolic."""
    macs = int(tiles.macs.sum())
    return JobTraffic(
        moving_words=int((tiles.groups * tiles.V * tiles.D * folds(tiles.N, array.columns)).sum()),
        stationary_words=int((tiles.groups * tiles.D * tiles.N * folds(tiles.V, array.rows)).sum()),
        sums=int((tiles.groups * tiles.V * tiles.N).sum()),
        register_reads=macs,
        register_writes=macs,
    )


def _step_interval(array: Geometry) -> int:
    return max(ceil_div(array.rows, array.ports.moving), ceil_div(array.columns, array.ports.stationary))


def _drain_cycles(array: Geometry) -> int:
    return ceil_div(array.rows * array.columns, array.ports.output)


BROADCAST_OUTPUT = BroadcastOutput()
