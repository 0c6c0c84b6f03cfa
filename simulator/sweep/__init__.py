"""Design-space sweeps: many machines on one or several traces, kept in a store, with their Pareto front."""
