"""The one exception that means "the input is wrong", and how unknown names are answered."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """Bad input, told in one line: where, which key, what is wrong, and the remedy.

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
        place = f"{where}: {key}" if key else where
        super().__init__(" ".join(f"{place}: {problem}; {remedy}".split()))

    def __reduce__(self) -> tuple[type["InputError"], tuple[str, str, str, str]]:
        """Return how it is made again in another process."""
        return InputError, (self.where, self.key, self.problem, self.remedy)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the remedy for an unknown name: the nearest known one, or all of them where none is near."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(names)}"
