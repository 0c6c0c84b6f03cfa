"""Parts for adagp-sim, one file each."""
