"""layers.csv: one row an op, in the columns of `simulator.run.results.LayerRow.values`."""

import csv
import io

from simulator.run.results import Results


def layers_csv(results: Results) -> str:
    """Return the text of layers.csv."""
    table = results.table()
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return buffer.getvalue()
