"""The one reader of result folders: a folder is of one run, or it is refused."""

import json
from hashlib import sha256
from pathlib import Path

from workloads.foundation.errors import InputError
from workloads.foundation.reading import read_bytes

_MOST_BYTES = 1 << 31  # of a file of a result: layers.csv grows with layers, phases and designs


def result_text(folder: Path, name: str) -> str:
    """Return the text of a file of a result folder.

    Raises
    ------
    InputError
        If the folder lacks it, or it is not the file whose hash provenance.json has
        (docs/decisions/0049-results-that-agree.md).
    """
    data = _bytes(folder, name)
    try:
        recorded = json.loads(_bytes(folder, "provenance.json"))["outputs"][name]
        text = data.decode()
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise error if isinstance(error, InputError) else not_ours(folder / name) from None
    if recorded != sha256(data).hexdigest():
        problem = f"{name} and provenance.json are not of one run: a file was changed, or a run was killed"
        raise InputError(str(folder), "", problem, "make the result again with --out")
    return text


def not_ours(path: Path) -> InputError:
    """Return the error for a file that no run has written."""
    return InputError(str(path), "", "not written by this program", "make the result again with --out")


def _bytes(folder: Path, name: str) -> bytes:
    if not folder.is_dir():
        raise InputError(str(folder), "", "no such folder", "check the path")
    if not (folder / name).is_file():
        raise InputError(str(folder), name, "missing, so this is no result folder", "give a folder that --out made")
    return read_bytes(folder / name, _MOST_BYTES)
