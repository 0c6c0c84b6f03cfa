"""How the predictor is trained, where the paper leaves it open (docs/predictor.md)."""

from dataclasses import dataclass
from typing import Literal, get_args

from workloads.foundation.errors import InputError

# What the predictor's outputs are compared with: the true gradient as it is, divided by the running root mean
# square of its layer, or by its own.
Targets = Literal["plain", "running", "batch"]
# The pooled images as they are, or with the mean 0 and the variance 1 over all channels of the layer.
Inputs = Literal["raw", "standardised"]
# The fully connected layer's first weights: zero, torch's own, or a hundredth of them.
Start = Literal["zero", "small", "default"]


@dataclass(frozen=True, slots=True)
class PredictorTraining:
    """Choices of the predictor's training. None of them is in the paper.

    Attributes
    ----------
    targets : str
        ``plain``, ``running`` or ``batch``. Both of the latter multiply predictions by the running
        root mean square: that of the coming batch is not known.
    inputs : str
        ``raw`` or ``standardised``.
    start : str
        ``zero``, ``small`` or ``default``.
    steps : int
        Steps of its optimizer on each layer's true gradient. The paper trains it once; the simulator charges once.
    biases : bool
        Whether its convolution and its linear layer have biases, as torch's have. The simulator charges for none.

    Raises
    ------
    InputError
        If one of them is none of the choices.
    """

    targets: Targets = "running"
    inputs: Inputs = "raw"
    start: Start = "zero"
    steps: int = 1
    biases: bool = False

    def __post_init__(self) -> None:
        for name, known in (("targets", Targets), ("inputs", Inputs), ("start", Start)):
            if getattr(self, name) not in get_args(known):
                raise InputError(
                    f"predictor_{name}", "", f"is {getattr(self, name)!r}", f"give {', '.join(get_args(known))}"
                )
        if self.steps < 1:
            raise InputError("predictor_steps", "", f"is {self.steps}", "give at least 1")

    def described(self) -> dict[str, str | int | float | bool]:
        """Return them under the names that a trace's provenance has; biases where there are some."""
        found: dict[str, str | int | float | bool] = {
            "predictor_targets": self.targets, "predictor_inputs": self.inputs, "predictor_start": self.start,
            "predictor_steps": self.steps,
        }  # fmt: skip
        return found | ({"predictor_biases": True} if self.biases else {})
