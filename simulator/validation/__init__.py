"""Comparisons of this simulator with chips, RTL and other simulators: one file each in `comparisons/`."""
