"""The equations of `Einsum`: what each dimension of each operand is."""

from collections.abc import Sequence

from workloads.graph import Shape


def parsed(equation: str | bytes, shapes: Sequence[Shape]) -> tuple[list[list[str]], list[str]]:
    """Return the labels of every operand and of the result, those of an ellipsis as numbers from the right."""
    text = equation.decode() if isinstance(equation, bytes) else equation
    left, arrow, right = text.replace(" ", "").partition("->")
    terms = [_labels(term, len(shape)) for term, shape in zip(left.split(","), shapes, strict=True)]
    every = [label for term in terms for label in term]
    if not arrow:
        dots = sorted({label for label in every if label.isdigit()}, key=int, reverse=True)
        return terms, dots + sorted(label for label in set(every) - set(dots) if every.count(label) == 1)
    dots = sorted({label for label in every if label.isdigit()}, key=int, reverse=True)
    before, dotted, after = right.partition("...")
    return terms, [*before, *(dots if dotted else []), *after]


def _labels(term: str, rank: int) -> list[str]:
    before, dots, after = term.partition("...")
    more = rank - len(before) - len(after) if dots else 0
    return [*before, *(str(index) for index in reversed(range(more))), *after]


def extents_of(equation: str | bytes, shapes: Sequence[Shape]) -> dict[str, int]:
    """Return the size of every label."""
    sizes: dict[str, int] = {}
    for term, shape in zip(parsed(equation, shapes)[0], shapes, strict=True):
        for label, size in zip(term, shape, strict=True):
            sizes[label] = max(size, sizes.get(label, 1))
    return sizes
