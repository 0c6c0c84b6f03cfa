"""What a run says as it goes, by Python's own logging: the logger ``adagp_sim``.

`adagp-sim --verbose` shows it. From Python, ``logging.basicConfig(level="INFO")`` does; level DEBUG also names the
files that are read.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

LOG = logging.getLogger("adagp_sim")
LOG.addHandler(logging.NullHandler())


@contextmanager
def stage(what: str) -> Iterator[None]:
    """Tell how long a part of a run took, once it is over."""
    begun = perf_counter()
    yield
    LOG.info("%s: %.3f s", what, perf_counter() - begun)
