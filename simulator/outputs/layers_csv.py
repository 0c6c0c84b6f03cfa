"""layers.csv: one row an op, in the columns of `simulator.results.LayerRow`."""

import csv
import io

from simulator.results import COLUMNS, Results


def layers_csv(results: Results) -> str:
    """Return the text of layers.csv."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(results.table())
    return buffer.getvalue()
