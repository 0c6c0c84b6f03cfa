"""A contradiction of the paper: what it says, what it says elsewhere, the arithmetic, and what the simulator does."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two things that cannot both hold, each with the section where it stands.

    Attributes
    ----------
    key : str
        A word for tables.
    title : str
        Of its paragraph.
    says, but, here : str
        What the paper says, what stands against it with the arithmetic, and what we do.
    figures : tuple of (str, float)
        Every number of the arithmetic, unrounded; computed from the paper's numbers.
    """

    key: str
    title: str
    says: str
    but: str
    here: str
    figures: tuple[tuple[str, float], ...] = ()
