"""Which program this is, and which model: results of two programs with one model are the same."""

from importlib.metadata import PackageNotFoundError, version

from simulator.jobs.model_version import published_model_version


def program_version() -> str:
    """Return the version of the installed program."""
    try:
        return version("adagp-sim")
    except PackageNotFoundError:
        return "unknown (not installed)"


def model_version() -> str:
    """Return the version of the model: a digest of the code that computes results, and of the shipped machines.

    It changes when a result can change, and not with a comment, a sentence or a picture. Results that are kept with it
    are as good as new ones while it stays the same. Parts of extension packages have versions of their own.
    """
    return published_model_version()
