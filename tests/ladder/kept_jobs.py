"""Jobs for tests, in a module of their own so that other processes find them; run as a script, slowly, to be killed."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from simulator.reproduce.execute import missing_jobs, run_jobs
from simulator.reproduce.store import open_store


@dataclass(frozen=True)
class Square:
    """A job that notes each time it is run."""

    number: int
    group: int
    notes: str
    trace: str = "digits-cnn"
    seconds: float = 0.0
    fails: bool = False

    @property
    def family(self) -> str:
        return f"group {self.group}"

    @property
    def weight(self) -> int:
        return 1

    def compute(self) -> dict[str, int]:
        time.sleep(self.seconds)
        if self.fails:
            raise ValueError(f"job {self.number} fails")
        with (Path(self.notes) / f"{self.number}").open("a") as file:
            file.write("x")
        return {"square": self.number**2}


def squares(notes: Path, seconds: float = 0.0) -> list[Square]:
    return [Square(number, number // 2, str(notes), seconds=seconds) for number in range(12)]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with open_store(folder) as store:
        _, missing = missing_jobs(squares(folder / "notes", 0.2), store)
        run_jobs(missing, store, 1, lambda line: print(line, flush=True))
