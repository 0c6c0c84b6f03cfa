"""The predictor's errors by layer and epoch, as a trained trace holds them."""

from collections.abc import Collection, Mapping
from typing import Annotated

from pydantic import Field

from workloads.foundation.errors import InputError, nearest
from workloads.foundation.validation import StrictModel

_Cosine = Annotated[float, Field(ge=-1.0, le=1.0)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Size = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class LayerErrors(StrictModel):
    """How far the predictions of one layer's gradient were from the true one; a number an epoch.

    Each is a mean over the epoch's Warm Up and Phase BP batches, and None in all four where no batch has one,
    or the run has diverged.

    Attributes
    ----------
    cosine, relative_l2 : tuple
        Over all weights of the layer; a prediction of zero has 0 and 1.
    mape : tuple
        As a fraction; true gradients count as a thousandth of their RMS at least, since it diverges near zero.
    mse : tuple
        In the gradient's own units, squared.
    norm_ratio, mae : tuple
        The prediction's length over the true gradient's; MAPE without its division, in the gradient's own units.
    inputs, predictions, gradients, expected : tuple
        Mean cosines over pairs of the epoch's batches: between what the predictor reads, between its predictions,
        between true gradients, and between a prediction and the expected gradient. None where an epoch has no pair.

    The last six may be left out.
    """

    cosine: tuple[_Cosine | None, ...]
    relative_l2: tuple[_Size | None, ...]
    mape: tuple[_Size | None, ...]
    mse: tuple[_Size | None, ...]
    norm_ratio: tuple[_Size | None, ...] = ()
    mae: tuple[_Size | None, ...] = ()
    inputs: tuple[_Cosine | None, ...] = ()
    predictions: tuple[_Cosine | None, ...] = ()
    gradients: tuple[_Cosine | None, ...] = ()
    expected: tuple[_Finite | None, ...] = ()


# Of batches, those that say something of pairs: an epoch of one batch has errors and no pair.
PAIRS = ("inputs", "predictions", "gradients", "expected")
_OPTIONAL = ("norm_ratio", "mae", *PAIRS)


def check_predictor_errors(
    errors: Mapping[str, LayerErrors], origin: str, predicted: Collection[str], epochs: int
) -> None:
    """Hold the predictor's errors against the layers and the schedule of their trace.

    Raises
    ------
    InputError
        If nothing was trained, a layer is none that is predicted, or numbers and epochs do not match.
    """
    if errors and origin != "trained":
        raise InputError("", "predictor_errors", f"in a trace that was {origin}, not trained", "leave them out")
    for layer, found in errors.items():
        where = f"predictor_errors.{layer}"
        if layer not in predicted:
            raise InputError("", where, "is no layer that is predicted", nearest(layer, predicted))
        rows = found.model_dump()
        for name, row in rows.items():
            if name in _OPTIONAL and not row:
                continue
            if len(row) != epochs:
                problem = f"{len(row)} numbers for {epochs} epochs"
                raise InputError("", f"{where}.{name}", problem, "give one an epoch, null where there is none")
            missing = [value is None for value in row]
            expected = [value is None for value in found.cosine]
            if any(mine < theirs for mine, theirs in zip(missing, expected, strict=True)) or (
                missing != expected and name not in PAIRS
            ):
                problem = "null in other epochs than cosine"
                raise InputError("", f"{where}.{name}", problem, "an epoch has all four errors or none")
