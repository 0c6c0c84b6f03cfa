"""Make the row of one model."""

from typing import NamedTuple

import torch

from model_table.catalog import SOURCES, Source
from model_table.count import count
from model_table.rows import Row
from workloads.foundation.errors import InputError

MOST_PARAMETERS = 200_000_000  # of a model that runs with values: its weights and their gradients take memory


class Way(NamedTuple):
    """On which devices a model is built and runs, and in which type."""

    built_on: str
    runs_on: str
    dtype: torch.dtype

    def fits(self, source: Source, name: str) -> bool:
        """Tell whether there is memory for it."""
        if self.runs_on == "meta":
            return self.built_on == "meta" or source.builds_with_values
        with torch.device("meta"):
            model, _ = source.load(name)
        return sum(one.numel() for one in model.parameters()) <= MOST_PARAMETERS


# Some models compute their sizes with tensors, some operators take bfloat16 alone on the meta device, and some models
# ask for values while they run.
WAYS = (
    Way("meta", "meta", torch.float32),
    Way("cpu", "meta", torch.float32),
    Way("meta", "meta", torch.bfloat16),
    Way("cpu", "cpu", torch.float32),
)


def names(source: str) -> list[str]:
    """Return the names of all models of a package, in the order in which they are counted."""
    return list(SOURCES[source].names())


def measure(source: str, name: str) -> Row:
    """Return the row of a model; one that is not counted tells why."""
    reasons = []
    before = torch.get_default_dtype()
    for way in WAYS:
        try:
            torch.set_default_dtype(way.dtype)
            if not way.fits(SOURCES[source], name):
                continue
            row = _row(source, name, way)
        except Exception as error:
            row = Row(source, name, reason=_told(error))
        finally:
            torch.set_default_dtype(before)
        if not row.reason:
            return row
        reasons.append(row.reason)
    return Row(source, name, reason=reasons[0])


def _row(source: str, name: str, way: Way) -> Row:
    with torch.device(way.built_on):
        model, calls = SOURCES[source].load(name)
    model.to(way.runs_on)
    reason = ""  # of the likeliest inputs; a fault of the recorder goes first
    with torch.device(way.runs_on):
        for inputs in calls:
            try:
                forward, backward, _ = count(model, inputs)
            except Exception as error:
                reason = _told(error) if isinstance(error, InputError) or not reason else reason
                continue
            return Row(source, name, way.runs_on, forward.recorded, forward.torch, dict(forward.why),
                       backward.recorded, backward.torch, dict(backward.why))  # fmt: skip
    return Row(source, name, reason=reason or "no inputs are known for it")


def _told(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:160]}" if lines else type(error).__name__
