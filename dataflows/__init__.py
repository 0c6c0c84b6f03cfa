"""How one op runs: its mapping to tiles and folds, its cycles and its action counts."""
