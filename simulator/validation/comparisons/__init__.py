"""One comparison a file, each with an object `COMPARISON`."""
