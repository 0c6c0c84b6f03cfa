"""Exhibits as they came out, kept in the report's folder: a later call makes some anew and leaves the others."""

import json
import shutil
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from simulator.jobs.model_version import published_model_version
from simulator.outputs.provenance import program_version
from simulator.reproduce.exhibit import Comparison, Exhibit, ExhibitMaker, exhibit_makers
from workloads.foundation.reading import read_text

FOLDER = "exhibits"
BEYOND = "Beyond the paper"  # begins titles of what the paper does not have


@dataclass(frozen=True, slots=True)
class MadeExhibit:
    """An exhibit, and what made it.

    Attributes
    ----------
    key, title : str
        As its maker has them.
    sources : str
        Digest of the code and the machine's files on which its numbers depend (`simulator.reproduce.sources`).
    command, version, time, model : str
        The call that made it, the version of this program, when, and the version of the model.
    """

    key: str
    title: str
    sources: str
    command: str
    version: str
    time: str
    exhibit: Exhibit
    model: str = "not noted"  # by versions before this one

    @property
    def name(self) -> str:
        """How the report calls it where there is little room: the paper's number, or what its title says in short."""
        head, colon, rest = self.title.partition(": ")
        return rest[:1].upper() + rest[1:] if colon and head == BEYOND else head

    def caption(self, place: int) -> str:
        """Return the number of a picture: the paper's, and which of several it is here."""
        count = len(self.exhibit.pictures)
        return self.name if count == 1 else f"{self.name}, picture {place + 1} of {count}"


Report = Mapping[str, MadeExhibit]  # by key, in order


def made_now(
    pairs: Iterable[tuple[ExhibitMaker, Exhibit]], command: str = "", sources: str = ""
) -> dict[str, MadeExhibit]:
    """Return exhibits by key, made by this program now."""
    time, version, model = datetime.now(UTC).isoformat(timespec="seconds"), program_version(), published_model_version()
    return {
        maker.key: MadeExhibit(maker.key, maker.title, sources, command, version, time, exhibit, model)
        for maker, exhibit in pairs
    }


def comparisons_by_exhibit(report: Report) -> dict[str, dict[str, Comparison]]:
    """Return what is compared with the paper by exhibit and by what it is."""
    return {key: {one.what: one for one in made.exhibit.comparisons} for key, made in report.items()}


def read_kept(folder: Path) -> tuple[dict[str, MadeExhibit], list[str]]:
    """Return the exhibits that an earlier call left in a report's folder, and the names of files that cannot be used.

    One that this program makes no more is left out.
    """
    kept, broken = {}, []
    for key in exhibit_makers():
        path = folder / FOLDER / f"{key}.json"
        if path.is_file():
            try:
                kept[key] = _ADAPTER.validate_json(read_text(path))
            except ValidationError:
                broken.append(f"{FOLDER}/{path.name}")
    return kept, broken


def write_kept(report: Report, new: Collection[str], old: Path, folder: Path) -> None:
    """Write new exhibits as JSON into a folder; the others are copied from the old one, byte for byte."""
    for key, made in report.items():
        before, place = (home / f"{key}.json" for home in (old, folder))
        if key not in new and before.is_file():
            shutil.copyfile(before, place)
        else:
            place.write_text(json.dumps(asdict(made)), encoding="utf-8")


def what_made(report: Report) -> dict[str, dict[str, str]]:
    """Return by exhibit the command that made it, when, and the versions of program and model."""
    return {
        key: {"command": made.command, "time": made.time, "version": made.version, "model": made.model}
        for key, made in report.items()
    }


def in_order(report: Report) -> dict[str, MadeExhibit]:
    """Return exhibits in the order of the report."""
    return {key: report[key] for key in exhibit_makers() if key in report}


_ADAPTER = TypeAdapter(MadeExhibit)
