"""A source of energies: a file of it that is damaged, and a component that it lacks, are refused in one line."""

from simulator.energy.sources import SourceRequest, Term, energy_sources
from simulator.machine.spec_loading import load_accelerator
from simulator.testing.files import check_damaged
from simulator.testing.ladder import Ladder, hold
from workloads.foundation.errors import InputError

_NODE_NM = 45


def check(name: str) -> None:
    """Check what a source does with damaged files, or with a component that nobody has."""
    source, spec = energy_sources()[name], load_accelerator(design="max")
    hold(bool(source.description), "it has no description")
    if source.takes_file:
        check_damaged(".yaml", lambda path: source.open(SourceRequest(path, spec, _NODE_NM)))
        return
    try:
        source.open(SourceRequest(None, spec, _NODE_NM)).energy_pj(Term("no_such_component", "read"))
    except InputError:
        return
    hold(False, "a component that nobody has is priced")


LADDER = Ladder("energy_sources", "what it lacks, and damaged files, are refused", energy_sources, check)
