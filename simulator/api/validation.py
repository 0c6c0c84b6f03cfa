"""`adagp-sim validate` from Python."""

from pathlib import Path

from simulator.api.messages import pythonic
from simulator.validation.comparison import Validation, find_comparison, validated


@pythonic
def validate(name: str, data: str | Path | None = None, *, ranges: bool = False) -> Validation:
    """Compare the simulator with what was measured elsewhere (docs/validation.md).

    Parameters
    ----------
    name : str
        The comparison, such as ``"gemmini"``.
    data : str or Path, optional
        Measured rows in CSV in place of the shipped ones, for a comparison that reads some.
    ranges : bool
        Whether to compare also with each value of what nobody published (`Validation.effects`).

    Returns
    -------
    Validation
        `rows`, each with `measured`, `simulated` and `error` (a fraction); `mean_absolute_error`; `data()`.

    Raises
    ------
    InputError
        If there is no such comparison, something that it needs is not installed, or the file of rows is none.
    """
    return validated(find_comparison(name), None if data is None else Path(data), ranges)
