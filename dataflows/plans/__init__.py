"""Plans: one op cut into tiles, with the cycles and the actions of each."""
