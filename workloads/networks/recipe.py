"""How to export the trace of one network on one data set."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workloads.pytorch.predictor_training import PredictorTraining

if TYPE_CHECKING:
    from torch import nn

    from workloads.pytorch.split import Split


@dataclass(frozen=True, slots=True)
class Training:
    """What it takes to train a network and not only record its shapes.

    Attributes
    ----------
    load_data : callable
        Returns the data; it imports what it needs when called.
    learning_rate, momentum : float
        Of the network's SGD.
    predictor_learning_rate : float
        Of the predictor's Adam.
    predictor_training : PredictorTraining
        How the predictor is trained besides its rate.
    """

    load_data: Callable[[], "Split"]
    learning_rate: float
    momentum: float
    predictor_learning_rate: float
    predictor_training: PredictorTraining = field(default_factory=PredictorTraining)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A network on a data set.

    Attributes
    ----------
    name : str
        Name of the recipe and of its trace.
    network, dataset : str
        What the trace calls them.
    training_samples : int
        Size of the data set's training part.
    input_shapes : tuple of shapes
        Shapes of one sample of every input.
    batch_size : int
        Samples of a batch.
    build : callable
        Makes the network; it imports torch when called.
    input_dtypes : tuple of str
        Types of the inputs as torch calls them; float32 where none is given.
    training : Training or None
        None where only shapes are recorded.
    notes : tuple of str
        What a reader of the trace has to know, such as the form of the classifier.
    """

    name: str
    network: str
    dataset: str
    training_samples: int
    input_shapes: tuple[tuple[int, ...], ...]
    batch_size: int
    build: Callable[[], "nn.Module"]
    input_dtypes: tuple[str, ...] = ()
    training: Training | None = None
    notes: tuple[str, ...] = ()
