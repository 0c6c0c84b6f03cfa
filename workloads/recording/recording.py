"""What comes out of a recording."""

from dataclasses import dataclass, field

from workloads.foundation.errors import InputError
from workloads.graph import Shape, check_graph
from workloads.layers import Layer
from workloads.recording.notes import Lost
from workloads.recording.tape import Tape
from workloads.trace import NOT_RECORDED


@dataclass(frozen=True, slots=True)
class Recording:
    """What the recorder saw.

    Attributes
    ----------
    layers : tuple of Layer
        The layers in the order in which they ran.
    inputs : dict
        The network's inputs and their shapes for one sample.
    notes : tuple of str
        What could not be recorded as it is.
    unsimulated : str
        Which share of the model's multiply-accumulates that leaves out, and what does them; empty if none.
    missing : dict
        The work that is left out, by operator.
    unreached : str
        Which parameters no operator read; empty if none.
    network : str
        Name of the model's class.
    """

    layers: tuple[Layer, ...]
    inputs: dict[str, Shape]
    notes: tuple[str, ...]
    unsimulated: str = ""
    missing: dict[str, Lost] = field(default_factory=dict)
    unreached: str = ""
    network: str = ""

    @property
    def missing_notes(self) -> tuple[str, ...]:
        """All that is not recorded as it is, each a note of a trace."""
        missing = (note for note in (self.unsimulated, self.unreached) if note)
        return tuple(f"{NOT_RECORDED}{note}" for note in (*missing, *self.notes))


def finished(tape: Tape, network: str) -> Recording:
    """Return what stands on a tape when the forward pass is over."""
    layers = tape.finish()
    shapes = {name: tape.shapes[name] for name in tape.inputs}
    try:
        check_graph(layers, shapes)
    except InputError as error:
        raise own_fault("the layers do not chain", error) from None
    return Recording(layers, shapes, tape.notes(), tape.unsimulated(), tape.missing, tape.unreached(), network)


def own_fault(what: str, error: Exception) -> InputError:
    """Return the error of a recorder that fails on a model which runs."""
    return InputError(
        "recorder", "", f"{what}: {type(error).__name__}: {error}".splitlines()[0],
        "this is a fault of the recorder and not of the model: report it with the model",
    )  # fmt: skip
