"""A source distribution carries the whole project; the wheel that is built of it runs away from the checkout."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from command_line import ROOT
from markdown_it import MarkdownIt

pytestmark = pytest.mark.long  # two builds and an installation
BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"
# Without `site`, whose .pth files bring the checkout; the packages that ours needs follow the installed one.
RUN = "import sys; sys.path[:0] = sys.argv.pop(1).split(','); from simulator.cli.main import main; main()"


def python(*arguments: str, cwd: Path) -> str:
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, env=plain, capture_output=True, text=True,
                          timeout=240, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def tracked() -> list[str]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("a source distribution is compared with a checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the source distribution of what git tracks, which no leftover of the checkout can enter."""
    work = tmp_path_factory.mktemp("sdist")
    for name in tracked():
        (work / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, work / "checkout" / name)
    python("-c", BUILD, "build_sdist", str(work), cwd=work / "checkout")
    return next(work.glob("*.tar.gz"))


def test_the_source_distribution_is_the_checkout(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        carried = {name.partition("/")[2] for name in archive.getnames()}
    assert set(tracked()) - carried <= {".gitignore"}


def test_the_description_on_an_index_page_leads_nowhere_that_is_not_there(sdist: Path) -> None:
    """An index page knows no file of the checkout: a link has a whole address, or the file's name is plain text."""
    with tarfile.open(sdist) as archive:
        (place,) = (name for name in archive.getnames() if name.count("/") == 1 and name.endswith("/PKG-INFO"))
        file = archive.extractfile(place)
        assert file is not None
        head, _, said = file.read().decode("utf-8").partition("\n\n")
    assert "Description-Content-Type: text/markdown" in head.splitlines()
    inline = [one for token in MarkdownIt().parse(said) for one in token.children or ()]
    leads = [str(one.attrs.get("href") or one.attrs["src"]) for one in inline if one.type in ("link_open", "image")]
    assert not [one for one in leads if not one.startswith("https://")]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for file_of_link in re.findall(r"\]\(([^)]+)\)", readme):
        assert file_of_link.removesuffix("index.md") in said


def test_a_wheel_of_it_runs_elsewhere(sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    python("-c", BUILD, "build_wheel", str(tmp_path), cwd=next(tmp_path.glob("adagp_sim-*")))
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path / "site")
        names = wheel.namelist()
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]
    data = [name for name in tracked() if name.startswith(("configs/", "traces/")) and not name.endswith(".py")]
    assert {f"simulator/{name}" for name in data} <= set(names)
    (tmp_path / "elsewhere").mkdir()
    places = ",".join([str(tmp_path / "site"), *(path for path in sys.path if path.endswith("-packages"))])
    arguments = ("-S", "-P", "-c", RUN, places)
    # commands that compile nothing; CI simulates with the wheel
    listed = json.loads(python(*arguments, "list", "--json", cwd=tmp_path / "elsewhere"))
    assert {"digits-cnn", "vgg13-cifar10"} <= set(listed["traces"])
    assert "design: max" in python(*arguments, "show", "max", cwd=tmp_path / "elsewhere")
    assert "digits" in python(*arguments, "trace", "inspect", "digits-cnn", cwd=tmp_path / "elsewhere")
    where = "import sys; sys.path[:0] = sys.argv[1].split(','); import simulator; print(simulator.__file__)"
    origin = python("-S", "-P", "-c", where, places, cwd=tmp_path / "elsewhere")
    assert Path(origin.strip()).is_relative_to(tmp_path / "site")
