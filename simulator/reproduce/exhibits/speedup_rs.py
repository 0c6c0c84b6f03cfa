"""Figure 18: speedup under row stationary."""

from simulator.reproduce.speedups import SpeedupFigure

EXHIBIT = SpeedupFigure(
    key="fig18",
    rank=180,
    dataflow="rs",
    printed="RS",
    title="Figure 18: speedup over the baseline, row stationary",
    roomy=("ImageNet",),
)
