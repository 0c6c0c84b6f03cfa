"""Output stationary, which the paper leaves out, in the form of figures 17 to 19."""

from simulator.reproduce.speedups import SpeedupFigure

EXHIBIT = SpeedupFigure(
    key="os", rank=195, dataflow="os", printed=None, title="Output stationary, which the paper leaves out"
)
