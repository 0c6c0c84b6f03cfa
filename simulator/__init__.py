"""The machine: specs, engine, designs, energy, results and the command line. `adagp_sim` is its public name."""
