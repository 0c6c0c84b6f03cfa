"""Run a sweep: the points that the store lacks, on any workers, each result kept as it comes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from simulator.jobs.outcome import Workers
from simulator.sweep.compute import Progress, Said, run_points, sweep_version
from simulator.sweep.objectives import Objectives
from simulator.sweep.results import SweepResults
from simulator.sweep.search import run_search
from simulator.sweep.space import Space
from simulator.sweep.store import STORE_NAME, open_store
from simulator.sweep.sweep_file import SweepFile, read_sweep, sweep_of
from workloads.foundation.atomic import atomic_file, make_folder
from workloads.foundation.errors import InputError
from workloads.foundation.reading import read_text

SWEEP_NAME = "sweep.json"


@dataclass(frozen=True)
class Sweep:
    """A sweep and the folder of its results.

    Attributes
    ----------
    file : SweepFile
    where : str
        Where it was read, for errors.
    folder : Path
        Where the files lie that it names.
    out : Path
        Folder of the results.
    store : Path
        The store, which other sweeps may share.
    """

    file: SweepFile
    where: str
    folder: Path
    out: Path
    store: Path

    @classmethod
    def of(cls, given: str | Path | Mapping[str, Any], out: Path, store: Path | None = None) -> "Sweep":
        """Return a sweep of a file, a shipped name, or plain data.

        Raises
        ------
        InputError
            If something in it is wrong.
        """
        if isinstance(given, Mapping):
            file, where, folder = sweep_of(_with_tuples(dict(given)), "the sweep"), "the sweep", Path.cwd()
        else:
            file, path = read_sweep(given)
            where, folder = str(path), path.resolve().parent
        made = cls(file, where, folder, out, out / STORE_NAME if store is None else store)
        made.space.check_keys()
        made.space.check_size()
        made.space.check_traces()
        return made

    @classmethod
    def kept_in(cls, out: Path) -> "Sweep":
        """Return the sweep whose results a folder holds.

        Raises
        ------
        InputError
            If it holds none.
        """
        place = out / SWEEP_NAME
        if not place.exists():
            raise InputError(str(out), "", "holds no sweep", "give the folder that adagp-sim sweep --out wrote")
        try:
            said = json.loads(read_text(place))
            file = sweep_of(_with_tuples(said["sweep"]), str(place))
            return cls(file, str(place), Path(said["folder"]), out, Path(out / said["store"]))
        except (ValueError, KeyError, TypeError):
            raise InputError(str(place), "", "was not written by this program", "run the sweep again") from None

    @cached_property
    def space(self) -> Space:
        """Its points."""
        return Space(self.file, self.where, self.folder)

    @cached_property
    def identity(self) -> str:
        """What tells this sweep from every other one in a store."""
        return sha256(json.dumps([self.file.model_dump(mode="json"), str(self.folder)]).encode()).hexdigest()

    def write_down(self) -> None:
        """Write what the sweep is into its folder.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        own = self.store.name if self.store.parent == self.out else str(self.store.resolve())
        said = {"sweep": self.file.model_dump(mode="json"), "folder": str(self.folder), "store": own}
        make_folder(self.out, "--out")
        with atomic_file(self.out / SWEEP_NAME) as written:
            written.write(json.dumps(said, indent=2) + "\n")


def run_sweep(sweep: Sweep, workers: Workers, said: Said = lambda *_: None) -> SweepResults:
    """Compute every point of a sweep that its store lacks, and return all.

    Raises
    ------
    InputError
        If the sweep is wrong, or the store cannot be used. A point that is wrong, hangs or kills its process is a row
        with its reason.
    """
    model, search = sweep_version(), sweep.file.search
    count = 0
    if search is None:  # an expression that is wrong is an error before anything is written
        for point in sweep.space.points():
            if count == 0:
                Objectives(sweep.space).check_kinds(point)
            count += 1
    with open_store(sweep.store, model) as store:
        sweep.write_down()
        if search is None:
            run_points(sweep.space.points(), store, sweep.identity, 0, workers, Progress(count, said))
        else:
            count = run_search(sweep.space, search, store, sweep.identity, workers, said)
        store.cut(sweep.identity, count)
        return SweepResults.read(sweep.space, sweep.out.name, sweep.identity, store)


def results_of(sweep: Sweep) -> SweepResults:
    """Return the results of a sweep that its store has.

    Raises
    ------
    InputError
        If there is no such store.
    """
    with open_store(sweep.store, sweep_version(), create=False) as store:
        return SweepResults.read(sweep.space, sweep.out.name, sweep.identity, store)


def _with_tuples(value: Any) -> Any:
    """Return plain data with tuples for lists, as YAML gives them."""
    if isinstance(value, list | range):
        return tuple(_with_tuples(one) for one in value)
    return {key: _with_tuples(one) for key, one in value.items()} if isinstance(value, dict) else value
