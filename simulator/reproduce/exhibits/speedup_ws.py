"""Figure 17: speedup under weight stationary."""

from simulator.reproduce.speedups import SpeedupFigure

EXHIBIT = SpeedupFigure(
    key="fig17", rank=170, dataflow="ws", printed="WS", title="Figure 17: speedup over the baseline, weight stationary"
)
