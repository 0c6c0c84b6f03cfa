"""What `adagp_sim` offers: a function for each command, in Python's words."""
