"""Find what travels with the project, traces and configs, and such files of extension packages.

In a checkout (or an editable install) `configs/` and `traces/` lie beside the packages; in a
wheel they lie inside `simulator/`.
"""

from pathlib import Path

from workloads.foundation.errors import InputError, nearest, spelt
from workloads.foundation.extensions import check_clashes, extensions
from workloads.foundation.kinds import KINDS, misplaced

_SITE = Path(__file__).resolve().parents[2]
_SUFFIXES = (".yaml", ".yaml.gz")
GROUPS = {
    "traces": "traces", "configs/accelerators": "machines", "configs/dram": "dram_parts",
    "configs/energy": "energy_tables", "configs/schedules": "schedules",
}  # fmt: skip
"""By folder: what entry points of extension packages call files of its kind."""
_given: dict[Path, str] = {}  # files of extension packages that were found: what they are called


def shipped_folder(name: str) -> Path:
    """Return the folder of shipped files, such as ``traces`` or ``configs/energy``."""
    beside = _SITE / name
    return beside if beside.is_dir() else _SITE / "simulator" / name


def shipped_as(path: Path) -> str:
    """Return what a file is called in records and errors: a shipped one by its place in the project or the package."""
    if path in _given:
        return _given[path]
    for home in (_SITE, _SITE / "simulator"):
        if path.is_relative_to(home) and path.relative_to(home).parts[0] in ("configs", "traces"):
            return path.relative_to(home).as_posix()
    return str(path)


def shipped_names(folder: str) -> dict[str, Path]:
    """Return the shipped files of a folder by name, sorted; then those of this kind in extension packages.

    Raises
    ------
    InputError
        If an extension package lacks its file, or gives it the name of another one.
    """
    found: dict[str, Path] = {}
    for path in sorted(shipped_folder(folder).iterdir()):
        for suffix in _SUFFIXES:
            if path.name.endswith(suffix):
                found[path.name.removesuffix(suffix)] = path
    group = GROUPS.get(folder, "")
    given = extensions(group)
    if given:
        check_clashes(group, {name: shipped_as(path) for name, path in found.items()})
    for one in given:
        path = found[one.name] = one.file(_SUFFIXES)
        _given[path] = f"{one.package}: {path.name}"
    return found


def is_there(path: Path) -> bool:
    """Return whether something lies at a path; False for a text that can be no path."""
    try:
        return path.exists()
    except OSError:  # a name longer than any file's
        return False


def looks_like_path(text: str) -> bool:
    """Return whether a text is a path and no name: it has an ending or a folder."""
    path = Path(text)
    return path.suffix != "" or len(path.parts) > 1


def seen_from(name_or_path: str, folder: str, home: Path) -> str:
    """Return what a file in the folder `home` says, a shipped name or a path, as seen from the current folder."""
    path = home / name_or_path
    is_file = name_or_path not in shipped_names(folder) and (looks_like_path(name_or_path) or is_there(path))
    return str(path) if is_file else name_or_path


def resolve(name_or_path: str, folder: str, what: str, home: Path | None = None) -> Path:
    """Return the file that a user means by a shipped name or a path.

    Parameters
    ----------
    name_or_path : str
        What the user gives.
    folder : str
        Where shipped files of this kind are, such as ``configs/energy``.
    what : str
        What such a file is called in errors.
    home : Path, optional
        The folder from which a path is looked up; the current one if nothing is given.

    Raises
    ------
    InputError
        If it is neither.
    """
    if not name_or_path:
        raise InputError(what, "", "is empty", "give a name or a file; is a variable of the shell unset?")
    shipped = shipped_names(folder)
    if name_or_path in shipped:
        return shipped[name_or_path]
    path = Path(name_or_path) if home is None else home / name_or_path
    if looks_like_path(name_or_path) or is_there(path):
        return path
    if spelt(name_or_path, shipped) in shipped:
        return shipped[spelt(name_or_path, shipped)]
    for kind in KINDS:
        others = shipped_names(kind.folder)
        if spelt(name_or_path, others) in others:
            raise misplaced(kind, spelt(name_or_path, others), what)
    raise InputError(
        f"{what} {name_or_path}", "", f"no such {what}", f"{nearest(name_or_path, shipped)} or give a file"
    )
