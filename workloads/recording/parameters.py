"""Which layer counts a parameter that several layers use."""

from collections.abc import Container, Iterable, Mapping, Sequence

from workloads.layers import Layer, VectorLayer


def parameter_counts(
    layers: Sequence[Layer], uses: Sequence[Iterable[str]], sizes: Mapping[str, int], lost: Container[str]
) -> list[int]:
    """Return how many numbers of parameters each layer counts.

    A parameter counts once in a network: where it trains, and there as the weight of a convolution or linear layer
    before any other use, as that of a tied embedding.

    Parameters
    ----------
    layers : sequence of Layer
        In the order in which they ran.
    uses : sequence
        Names of the parameters that each of them uses.
    sizes : mapping
        Numbers of every parameter.
    lost : container of str
        Layers to which no gradient comes back.
    """

    def rank(index: int) -> tuple[bool, bool]:
        layer = layers[index]
        return not getattr(layer, "trainable", False) or layer.id in lost, isinstance(layer, VectorLayer)

    counts, counted = [0] * len(layers), set[str]()
    for index in sorted(range(len(layers)), key=rank):
        names = set(uses[index]) - counted
        counts[index] = sum(sizes[name] for name in names)
        counted |= names
    return counts
