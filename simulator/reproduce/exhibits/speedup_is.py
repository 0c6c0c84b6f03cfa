"""Figure 19: speedup under input stationary."""

from simulator.reproduce.speedups import SpeedupFigure

EXHIBIT = SpeedupFigure(
    key="fig19", rank=190, dataflow="is", printed="IS", title="Figure 19: speedup over the baseline, input stationary"
)
