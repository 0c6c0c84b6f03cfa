"""Where the paper contradicts itself, and what the simulator does about it."""

from dataclasses import dataclass

from simulator.reproduce.contradictions import accuracy, asic, fpga, network, pipelines, speedup, wording
from simulator.reproduce.contradictions.contradiction import Contradiction
from simulator.reproduce.exhibit import Cell, Exhibit, Table
from simulator.reproduce.job import Findings, Job

SUBJECTS = {
    "Method": (network, wording), "Accuracy": (accuracy,), "Speedups": (speedup, pipelines), "Hardware": (fpga, asic),
}  # fmt: skip


@dataclass(frozen=True)
class Contradictions:
    """Each with what the paper says, what stands against it, and what is done here."""

    key: str = "contradictions"
    rank: int = 900
    title: str = "Where the paper contradicts itself"

    def jobs(self) -> list[Job]:
        """Return nothing: all of it follows from the paper's numbers and the networks' shapes."""
        return []

    def make(self, found: Findings) -> Exhibit:
        """Return the list, and its numbers as a table."""
        by_subject = all_contradictions()
        return Exhibit(text=_text(by_subject), tables=(_figures(by_subject),))


def all_contradictions() -> dict[str, list[Contradiction]]:
    """Return every contradiction by subject."""
    return {
        subject: [one for module in modules for one in module.contradictions()] for subject, modules in SUBJECTS.items()
    }


def _text(by_subject: dict[str, list[Contradiction]]) -> str:
    count = sum(len(found) for found in by_subject.values())
    parts = [
        f"{count} places. Each has what the paper says, what it says elsewhere, and the arithmetic, which is made from "
        "its own numbers (`configs/paper/ada-gp-micro23.yaml`) and the networks' shapes. None of them is settled by "
        "fitting a constant: *Here* is what the simulator does."
    ]
    for subject, found in by_subject.items():
        parts.append(f"### {subject}")
        parts += [f"**{one.title}.** {one.says}\n\n{one.but}\n\n*Here*: {one.here}" for one in found]
    return "\n\n".join(parts)


def _figures(by_subject: dict[str, list[Contradiction]]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (one.key, name, value) for found in by_subject.values() for one in found for name, value in one.figures
    ]
    return Table("contradictions-figures", "Every number of the arithmetic", ("contradiction", "figure", "number"),
                 tuple(rows), shown=False)  # fmt: skip


EXHIBIT = Contradictions()
