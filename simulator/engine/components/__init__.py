"""The machine's parts as SimPy components that contend, used where every tile is simulated as a process."""
