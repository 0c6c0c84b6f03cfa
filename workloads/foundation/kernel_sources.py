"""Let numba's cache notice a change in any file that a kernel is made of.

Numba keeps compiled functions until the file of the function itself changes, or what the function closes over. A kernel
that calls functions of other files, or reads their constants, closes over the number below; see `run_transfers`. Only
the function that Python calls is kept (`cache=True`), so that none inside it is an old one.
"""

from hashlib import sha256
from pathlib import Path
from types import ModuleType


def sources_of(*modules: ModuleType) -> int:
    """Return a number that follows from the text of some modules, above 0."""
    digest = sha256(b"\0".join(Path(str(module.__file__)).read_bytes() for module in modules)).digest()
    return 1 + int.from_bytes(digest[:7])
