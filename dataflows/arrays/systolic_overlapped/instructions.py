"""A controller that issues a fold as instructions, as Gemmini does (docs/microarchitecture.md, "Instructions")."""

from typing import Annotated

from pydantic import Field

from workloads.foundation.validation import StrictModel

Count = Annotated[int, Field(ge=1, le=1 << 16)]


class Instructions(StrictModel):
    """How a controller issues the folds of `ws` and `is`; left out: each vector enters by itself."""

    vectors: Count
    """Most vectors of an instruction; all lie in one row of the ofmap."""
    least_cycles: Count
    """Cycles that an instruction takes at least."""
    in_flight: Annotated[int, Field(ge=1, le=1 << 10)]
    """Most instructions that have begun and whose results the controller does not know to have left the array."""
    result_cycles: Count
    """Cycles from the end of an instruction until the controller knows that its results have left the array."""
