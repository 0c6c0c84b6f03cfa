"""One figure, table or study a file, each with a tuple `EXHIBITS` (see `simulator.reproduce.exhibit`)."""
