"""The one writer: whole or not at all, through links and pipes, with the user's umask."""

import os
import stat
import threading
from pathlib import Path

import pytest

from workloads.foundation.atomic import atomic_file, atomic_folder, check_writable
from workloads.foundation.errors import InputError


def write(path: Path, text: str = "new") -> None:
    with atomic_file(path) as file:
        file.write(text)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_error_leaves_the_old_file_and_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_file(path) as file:
        file.write("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_folders_that_an_error_made_go_again(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), atomic_file(tmp_path / "x/y/a.txt"):
        raise ZeroDivisionError
    assert names(tmp_path) == []
    write(tmp_path / "x/y/a.txt")
    assert (tmp_path / "x/y/a.txt").read_text() == "new"


def test_modes(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "fresh")
        (tmp_path / "old").write_text("old")
        (tmp_path / "old").chmod(0o606)
        write(tmp_path / "old")
        with atomic_folder(tmp_path / "folder", ["a"]) as stage:
            (stage / "a").write_text("a")
    finally:
        os.umask(before)
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("fresh", "old", "folder")}
    assert modes == {"fresh": 0o640, "old": 0o606, "folder": 0o750}


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.txt").write_text("old")
    (tmp_path / "link").symlink_to("real/a.txt")
    (tmp_path / "dangling").symlink_to("real/b.txt")
    write(tmp_path / "link")
    write(tmp_path / "dangling", "b")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "dangling").is_symlink()
    assert ((tmp_path / "real/a.txt").read_text(), (tmp_path / "real/b.txt").read_text()) == ("new", "b")
    assert names(tmp_path) == ["dangling", "link", "real"]


def test_a_pipe_is_written_through(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(path.read_text()))
    reader.start()
    write(path)
    reader.join(10)
    assert read == ["new"]
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_device_stays_one() -> None:
    write(Path("/dev/null"))
    check_writable(Path("/dev/null"))
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_standard_output_is_written_through_where_it_is_a_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(Path("/dev/stdout"), "through\n")  # pytest's standard output is a file
    assert capfd.readouterr().out == "through\n"


@pytest.mark.parametrize("name", ["folder", "file/below"])
@pytest.mark.parametrize("what", [write, check_writable])
def test_places_that_cannot_be_written(tmp_path: Path, name: str, what: "object") -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old")
    with pytest.raises(InputError, match="give another place") as told:
        what(tmp_path / name)  # type: ignore[operator]
    assert told.value.where == str(tmp_path / name)
    assert names(tmp_path) == ["file", "folder"]


def test_a_check_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "x/y/a.txt")
    (tmp_path / "a").write_text("old")
    check_writable(tmp_path / "a")
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_folder_replaces_its_own_entries_only(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    (folder / "tables").mkdir(parents=True)
    for name in ("report", "stale", "kept", "tables/old"):
        (folder / name).write_text("old")
    with atomic_folder(folder, ["report", "stale", "tables/"]) as stage:
        (stage / "report").write_text("new")
        (stage / "tables").mkdir()
        (stage / "tables/new").write_text("new")
        assert (folder / "report").read_text() == "old"
    found = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert found == {"report": "new", "kept": "old", "tables/new": "new"}


def test_a_folder_where_a_file_goes_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "out/report").mkdir(parents=True)
    with pytest.raises(InputError, match="a file goes there"), atomic_folder(tmp_path / "out", ["report"]):
        raise AssertionError("the work began")
