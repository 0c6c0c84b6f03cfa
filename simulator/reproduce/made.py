"""Exhibits as they came out, kept in the report's folder: a later call makes some anew and leaves the others."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from simulator.outputs.provenance import program_version
from simulator.reproduce.exhibit import Comparison, Exhibit, ExhibitMaker, exhibit_makers
from workloads.foundation.reading import read_text

FOLDER = "exhibits"


@dataclass(frozen=True, slots=True)
class MadeExhibit:
    """An exhibit, and what made it.

    Attributes
    ----------
    key, title : str
        As its maker has them.
    sources : str
        Digest of the code and the machine's files on which its numbers depend (`simulator.reproduce.sources`).
    command, version, time : str
        The call that made it, the version of this program, and when.
    """

    key: str
    title: str
    sources: str
    command: str
    version: str
    time: str
    exhibit: Exhibit

    @property
    def name(self) -> str:
        """How the report calls it where there is little room: the paper's number, or its title."""
        number, colon, _ = self.title.partition(":")
        return number if colon and number.startswith(("Figure", "Table", "Study")) else self.title

    def caption(self, place: int) -> str:
        """Return the number of a picture: the paper's, and which of several it is here."""
        count = len(self.exhibit.pictures)
        return self.name if count == 1 else f"{self.name}, picture {place + 1} of {count}"


Report = Mapping[str, MadeExhibit]  # by key, in order


def made_now(
    pairs: Iterable[tuple[ExhibitMaker, Exhibit]], command: str = "", sources: str = ""
) -> dict[str, MadeExhibit]:
    """Return exhibits by key, made by this program now."""
    time = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        maker.key: MadeExhibit(maker.key, maker.title, sources, command, program_version(), time, exhibit)
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


def write_kept(report: Report, folder: Path) -> None:
    """Write every exhibit as JSON into a folder."""
    for key, made in report.items():
        (folder / f"{key}.json").write_text(json.dumps(asdict(made)), encoding="utf-8")


def in_order(report: Report) -> dict[str, MadeExhibit]:
    """Return exhibits in the order of the report."""
    return {key: report[key] for key in exhibit_makers() if key in report}


_ADAPTER = TypeAdapter(MadeExhibit)
