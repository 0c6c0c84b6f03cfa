"""layers.csv: one row an op, in the columns of `simulator.run.results.LayerRow.values`."""

from simulator.outputs.csv_text import csv_text
from simulator.run.results import Results


def layers_csv(results: Results) -> str:
    """Return the text of layers.csv."""
    table = results.table()
    return csv_text(list(table[0]), [list(row.values()) for row in table])
