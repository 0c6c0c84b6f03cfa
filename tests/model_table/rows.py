"""A row of the table: one model, counted twice."""

import csv
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path


@dataclass
class Row:
    """One model.

    MACs are of a batch of two. `*_why` holds what makes the difference between torch's count and the recorder's, by
    operator; `reason` says why a model is not counted.
    """

    source: str
    model: str
    device: str = ""
    forward: int = 0
    forward_torch: int = 0
    forward_why: dict[str, int] = field(default_factory=dict)
    backward: int = 0
    backward_torch: int = 0
    backward_why: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    reason: str = ""

    @property
    def unexplained(self) -> tuple[int, int]:
        """What no operator explains, forward and backward."""
        return (
            self.forward_torch - self.forward - sum(self.forward_why.values()),
            self.backward_torch - self.backward - sum(self.backward_why.values()),
        )

    @property
    def verdict(self) -> str:
        """Whether the recorder is exact, leaves out named operators, or differs; or the model is not counted.

        What torch counts otherwise, which has a name there too, is no difference of the recorder.
        """
        if self.reason:
            return "not counted"
        if any(self.unexplained):
            return "unexplained"
        return "explained" if _own(self.forward_why) or _own(self.backward_why) else "exact"

    @property
    def off(self) -> tuple[float, float]:
        """The share of each direction's MACs that the trace has too few or too many, by the operators with a name."""
        return _share(self.forward, self.forward_why), _share(self.backward, self.backward_why)

    @property
    def operators(self) -> list[str]:
        """The operators by which the trace is off."""
        return list(_own(self.forward_why) | _own(self.backward_why))

    def cells(self) -> list[object]:
        """Return the row as written."""
        return [_text(value) if isinstance(value, dict) else value for value in astuple(self)]


COLUMNS = tuple(one.name for one in fields(Row))


def _own(why: Mapping[str, int]) -> dict[str, int]:
    """Return what the recorder does, and not torch's counter."""
    return {name: macs for name, macs in why.items() if not name.startswith("torch: ")}


def _share(recorded: int, why: Mapping[str, int]) -> float:
    own = _own(why).values()
    return sum(map(abs, own)) / (recorded + sum(macs for macs in own if macs > 0)) if own else 0.0


def _text(why: Mapping[str, int]) -> str:
    return "; ".join(f"{operator}: {macs}" for operator, macs in why.items())


def _why(text: str) -> dict[str, int]:
    pairs = (part.rpartition(": ") for part in text.split("; ") if part)
    return {operator: int(macs) for operator, _, macs in pairs}


def read_rows(path: Path) -> dict[tuple[str, str], Row]:
    """Read a table."""
    read = {"forward_why": _why, "backward_why": _why, "seconds": float} | dict.fromkeys(
        ("forward", "forward_torch", "backward", "backward_torch"), int
    )
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [Row(**{key: read.get(key, str)(value) for key, value in cells.items()})
                for cells in csv.DictReader(stream)]  # fmt: skip
    return {(row.source, row.model): row for row in rows}
