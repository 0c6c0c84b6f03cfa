"""The one exception that means "the input is wrong", and how unknown names are answered."""

from collections.abc import Iterable
from difflib import get_close_matches

from workloads.foundation.printable import printable

_LONGEST_NAME = 200  # to compare with others: the time grows with its square
_MOST_NAMES = 24  # that an error lists where none is near
_LONGEST_PART = 500  # of a key, or of what an error says of a value


class InputError(ValueError):
    """Bad input, as one line: where, which key, what is wrong, and the remedy.

    Parameters
    ----------
    where : str
        The file, or the option or argument, that is wrong.
    key : str
        The key inside it, such as ``layers[3].K``; empty if the whole is meant.
    problem : str
        What is wrong, with the value that was found.
    remedy : str
        What to do about it.
    """

    def __init__(self, where: str, key: str, problem: str, remedy: str) -> None:
        self.where, self.key, self.problem, self.remedy = where, key, problem, remedy
        place = f"{where}: {_cut(key)}" if key else where
        super().__init__(printable(" ".join(f"{place}: {_cut(problem)}; {remedy}".split())))

    def __reduce__(self) -> tuple[type["InputError"], tuple[str, str, str, str]]:
        """Return how it is made again in another process."""
        return InputError, (self.where, self.key, self.problem, self.remedy)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_PART else f"{text[:_LONGEST_PART]}..."


def spelt(name: str, known: Iterable[str]) -> str:
    """Return the known name that is this one but for upper and lower case; the name itself where none is."""
    return next((one for one in known if one.casefold() == name.casefold()), name)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the remedy for an unknown name: the nearest known one, or the first of all where none is near."""
    names = sorted(known)
    close = get_close_matches(name[:_LONGEST_NAME], names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]}?"
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"known: {', '.join(names[:_MOST_NAMES])}{more}"
