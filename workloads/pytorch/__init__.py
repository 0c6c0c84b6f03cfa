"""PyTorch's side of a trace: recording a module's layers, and the reference ADA-GP training.

The files of this package import torch; nothing else in `workloads` does.
"""
