"""`adagp-sim reproduce` from Python."""

import sys
from collections.abc import Sequence
from pathlib import Path

from simulator.api.inputs import as_names, check_whole
from simulator.api.messages import pythonic


@pythonic
def reproduce(out: str | Path, *, only: Sequence[str] = (), jobs: int | None = None) -> Path:
    """Make the paper's tables and figures again, each beside the paper's numbers (docs/reproduce.md).

    It runs the command, which tells its progress on standard error, and returns the folder.

    Parameters
    ----------
    out : str or Path
        Folder of the report. Results are kept there as they come, so a run that was stopped can resume.
    only : sequence of str
        Keys of some exhibits, such as ``["fig17", "table2"]``; all by default.
    jobs : int, optional
        Processes at once; else one a core.

    Raises
    ------
    InputError
        If there is no such exhibit, or the folder cannot be written.
    """
    check_whole("jobs", jobs)
    from simulator.cli.reproduce import reproduce as command

    words = [
        "--out",
        str(out),
        *(["--only", ",".join(as_names(only))] if only else []),
        *(["--jobs", str(jobs)] if jobs else []),
    ]
    argv, sys.argv = sys.argv, ["adagp-sim", "reproduce", *words]  # the report records the command that makes it
    try:
        command.main(words, prog_name="adagp-sim reproduce", standalone_mode=False)
    finally:
        sys.argv = argv
    return Path(out)
