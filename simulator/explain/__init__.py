"""One layer on one machine: how it is laid out, how long it takes and why, and its first folds cycle by cycle."""
