"""Area and power of a design, from the tables of the paper."""
