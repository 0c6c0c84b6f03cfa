"""An importer of machines."""

from simulator.machine.importers import machine_importer, machine_importers
from simulator.testing.files import check_importer
from simulator.testing.ladder import Ladder


def check(name: str) -> None:
    """Check an importer's endings, and what it does with damaged files."""
    importer = machine_importers()[name]
    check_importer(importer.suffixes, importer.read, machine_importer, importer)


LADDER = Ladder("machine_importers", "its endings are its own, and damaged files are refused", machine_importers, check)
