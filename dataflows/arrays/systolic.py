"""Systolic arrays, stationary (ws, is) and output stationary (os): closed forms.

Folds run strictly in sequence. With wide ports a fold takes 2 R + C + V - 2 cycles (ws, is) or R + C + D - 2 (os),
which is SCALE-Sim's count (docs/microarchitecture.md).
"""

from dataflows.arrays.broadcast_output import output_stationary_traffic
from dataflows.arrays.broadcast_stationary import BROADCAST_STATIONARY
from dataflows.arrays.job import Geometry, JobGranularity, JobTiles, JobTiming, JobTraffic, ceil_div, folds
from dataflows.plans.plan import Integers


class SystolicStationary:
    """Vectors enter at the left and move right, partial sums move down."""

    sums_by_vector = True
    sums_return = False

    def granularity(self, array: Geometry) -> JobGranularity:
        """Return rows of D, columns of N, and the loading and skew of each fold."""
        load, beat = self._load_and_beat(array)
        overhead = load + (array.rows + array.columns - 2) * beat
        return JobGranularity(1, array.rows, array.columns, "V", beat, overhead_cycles=overhead)

    def timing(self, array: Geometry, tiles: JobTiles) -> JobTiming:
        """Return the cycles of each tile."""
        load, beat = self._load_and_beat(array)
        fold = load + (tiles.V + array.rows + array.columns - 2) * beat
        return _in_sequence(tiles.groups * folds(tiles.D, array.rows) * folds(tiles.N, array.columns), fold)

    def traffic(self, array: Geometry, tiles: JobTiles) -> JobTraffic:
        """Return the words in and out, which are those of the broadcast array."""
        return BROADCAST_STATIONARY.traffic(array, tiles)

    def _load_and_beat(self, array: Geometry) -> tuple[int, int]:
        load = array.rows * ceil_div(array.columns, array.ports.stationary)
        return load, max(ceil_div(array.rows, array.ports.moving), ceil_div(array.columns, array.ports.output))


class SystolicOutput:
    """Vectors enter at the left, filters at the top; sums stay, and drain at once or row by row."""

    sums_by_vector = False
    sums_return = False

    def granularity(self, array: Geometry) -> JobGranularity:
        """Return rows of V, columns of N, and the skew and draining of each fold."""
        beat, drain = self._beat_and_drain(array)
        overhead = (array.rows + array.columns - 2) * beat + drain
        return JobGranularity(array.rows, 1, array.columns, "D", beat, overhead_cycles=overhead)

    def timing(self, array: Geometry, tiles: JobTiles) -> JobTiming:
        """Return the cycles of each tile."""
        beat, drain = self._beat_and_drain(array)
        fold = (tiles.D + array.rows + array.columns - 2) * beat + drain
        return _in_sequence(tiles.groups * folds(tiles.V, array.rows) * folds(tiles.N, array.columns), fold)

    def traffic(self, array: Geometry, tiles: JobTiles) -> JobTraffic:
        """Return the words in and out, which are those of the broadcast array."""
        return output_stationary_traffic(array, tiles)

    def _beat_and_drain(self, array: Geometry) -> tuple[int, int]:
        beat = max(ceil_div(array.rows, array.ports.moving), ceil_div(array.columns, array.ports.stationary))
        return beat, array.rows * ceil_div(array.columns, array.ports.output) if array.serial_drain else 0


def _in_sequence(count: Integers, fold: Integers) -> JobTiming:
    return JobTiming(stream_cycles=count * fold, gap_cycles=fold * 0, fill_cycles=0, drain_cycles=0)


SYSTOLIC_STATIONARY = SystolicStationary()
SYSTOLIC_OUTPUT = SystolicOutput()
