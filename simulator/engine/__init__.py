"""The engine: batches in SimPy, step by step; inside a step a numba kernel, or every tile as a process."""
