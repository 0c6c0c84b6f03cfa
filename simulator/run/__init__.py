"""A whole training run, and its results."""
