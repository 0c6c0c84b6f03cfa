"""One figure, table or study a file, each with an object `EXHIBIT` (see `simulator.reproduce.exhibit`)."""
