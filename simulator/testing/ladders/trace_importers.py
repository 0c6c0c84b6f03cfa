"""An importer of traces."""

from simulator.testing.files import check_importer
from simulator.testing.ladder import Ladder
from workloads.importers import find_importer, importer_of, importers


def check(name: str) -> None:
    """Check an importer's endings, and what it does with damaged files."""
    importer = find_importer(name)
    check_importer(importer.suffixes, importer.read, importer_of, importer)


LADDER = Ladder("trace_importers", "its endings are its own, and damaged files are refused", importers, check)
