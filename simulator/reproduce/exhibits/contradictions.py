"""Where the paper contradicts itself: a page each, whose figures come from a function of the same name."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from simulator.reproduce.exhibit import Exhibit
from simulator.reproduce.jobs.job import Findings
from simulator.reproduce.page import FOLDER, PagedExhibit, filled, front_matter, page
from workloads.foundation.shipped import shipped_folder

SUBJECTS = ("Method", "Accuracy", "Speedups", "Hardware")  # each a module of `simulator.reproduce.contradictions`


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two things that cannot both hold: what the paper says, what contradicts it, and what the simulator does.

    `key` is the name of the page; `figures` has every number of the arithmetic, unrounded.
    """

    key: str
    title: str
    says: str
    but: str
    here: str
    figures: Mapping[str, float]


def all_contradictions() -> dict[str, list[Contradiction]]:
    """Return every contradiction by subject, in the order of the paper."""
    found: dict[str, list[tuple[int, Contradiction]]] = {subject: [] for subject in SUBJECTS}
    for path in shipped_folder(f"{FOLDER}/contradictions").glob("*.md"):
        matter, body = front_matter(path)
        module = import_module(f"simulator.reproduce.contradictions.{matter['subject'].lower()}")
        figures, words = getattr(module, path.stem.replace("-", "_"))()
        says, but, here = filled(body, {**figures, **words}).split("\n\n")
        one = Contradiction(path.stem, matter["title"], says, but, here.removeprefix("*Here*: "), figures)
        found[matter["subject"]].append((matter["place"], one))
    return {subject: [one for _, one in sorted(those, key=lambda pair: pair[0])] for subject, those in found.items()}


class Contradictions(PagedExhibit):
    """Each with what the paper says, what contradicts it, and what is done here."""

    def make(self, found: Findings) -> Exhibit:
        """Return the list, and its numbers as a table."""
        parts, rows = [], []
        for subject, those in all_contradictions().items():
            parts.append(f"### {subject}")
            parts += [f"**{one.title}.** {one.says}\n\n{one.but}\n\n*Here*: {one.here}" for one in those]
            rows += [(one.key, name, value) for one in those for name, value in one.figures.items()]
        text = self.page.text(count=len(parts) - len(SUBJECTS), listed="\n\n".join(parts))
        return Exhibit(text, tables=(self.page.table("figures", rows),))


EXHIBITS = (Contradictions(page("contradictions")),)
