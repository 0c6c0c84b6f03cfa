"""What a trace says to its reader: what is not recorded as it is, and multiply-accumulates without a place in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workloads.layers import Conv2d, Layer, Linear, Matmul

_PLACES = 3  # so many are named in a note, the others counted


@dataclass(frozen=True, slots=True)
class Lost:
    """Multiply-accumulates of a batch that are not simulated; 0 where nobody counts them."""

    forward: int = 0
    backward: int = 0

    def __add__(self, other: "Lost") -> "Lost":
        return Lost(self.forward + other.forward, self.backward + other.backward)


def unsimulated_share(missing: Mapping[str, Lost], layers: Iterable[Layer], batch_size: int) -> str:
    """Return which share of a forward pass is not simulated, and which operators do it; nothing if none is lost."""
    macs = {what: lost.forward for what, lost in missing.items() if lost.forward}
    products = [layer for layer in layers if isinstance(layer, Conv2d | Linear | Matmul)]
    total = sum(layer.product_shape(batch_size).macs for layer in products) + sum(macs.values())
    shares = ", ".join(f"{what} {one / total:.2%}" for what, one in macs.items())
    return f"{sum(macs.values()) / total:.2%} of the arithmetic is not simulated ({shares})" if macs else ""


def note_line(what: str, wheres: list[str]) -> str:
    """Return the line for something that happened in some places."""
    places = list(dict.fromkeys(where for where in wheres if where))
    text = f"{what}: {', '.join(places[:_PLACES])}" if places else what
    if len(places) > _PLACES:
        text += f" and {len(places) - _PLACES} more"
    return text if len(wheres) == max(len(places), 1) else f"{text} ({len(wheres)} times)"
