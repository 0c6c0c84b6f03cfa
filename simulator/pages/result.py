"""A result folder as a report reads it."""

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from simulator.outputs.csv_text import csv_rows
from simulator.outputs.result_text import result_text
from simulator.phases.stages import PHASE_RULES
from simulator.run.results import BATCH_ROW, RESULT_SCHEMA
from workloads.foundation.errors import InputError
from workloads.foundation.reading import read_text
from workloads.foundation.strict_yaml import parse_yaml

_TEXTS = {"design", "dataflow", "phase", "layer", "pass", "roofline_bound", "dram_model"}
_FRACTIONS = {"utilization", "roofline_ratio"}
_NUMBERS = ("total_cycles", "seconds", "energy_pj", "speedup", "energy_reduction")  # of a run
Row = dict[str, Any]


@dataclass(frozen=True)
class ResultFolder:
    """What `--out` wrote.

    Attributes
    ----------
    summary : dict
        summary.json.
    rows : list of dict
        layers.csv, with numbers as numbers; `array` is None in the row of what belongs to no layer.
    config : dict
        config.resolved.yaml.
    config_text : str
        The same as it stands.
    provenance : dict
        provenance.json.
    """

    summary: dict[str, Any]
    rows: list[Row]
    config: dict[str, Any]
    config_text: str
    provenance: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return a folder's result.

        Raises
        ------
        InputError
            If it holds no result of this version.
        """
        try:
            summary = json.loads(result_text(folder, "summary.json"))
            if summary["schema"] != RESULT_SCHEMA:
                found = f"is {summary['schema']}, this program writes {RESULT_SCHEMA}"
                place = str(folder / "summary.json")
                raise InputError(place, "schema", found, "make the result again with --out")
            rows = [_typed(row) for row in csv_rows(result_text(folder, "layers.csv"))[1]]
            config_text = result_text(folder, "config.resolved.yaml")
            found_config = parse_yaml(config_text, str(folder / "config.resolved.yaml"))
            made = cls(
                summary,
                rows,
                found_config,
                config_text,
                json.loads(read_text(folder / "provenance.json")),
            )
            _ = made.specs, made.network, made.typical
            _check_numbers(made.runs)
        except InputError:
            raise
        except (ValueError, KeyError, TypeError, RecursionError, csv.Error):
            problem = "was not written by this program"
            raise InputError(str(folder), "", problem, "make the result again with --out") from None
        return made

    @cached_property
    def specs(self) -> dict[str, dict[str, Any]]:
        """The machine of each run, by its name (`name_of`)."""
        return {name_of(spec): spec for spec in self.config["accelerators"]}

    @property
    def network(self) -> str:
        """What was trained on what."""
        trace = self.summary["trace"]
        return f"{trace['network']} on {trace['dataset']}"

    @property
    def runs(self) -> list[dict[str, Any]]:
        """The runs of summary.json."""
        found: list[dict[str, Any]] = self.summary["runs"]
        return found

    @cached_property
    def batches(self) -> dict[tuple[str, str], list[Row]]:
        """The rows of one batch, by run and phase, in their order."""
        found: dict[tuple[str, str], list[Row]] = {}
        for row in self.rows:
            found.setdefault((name_of(row), row["phase"]), []).append(row)
        return found

    @cached_property
    def batch_names(self) -> dict[tuple[str, str], str]:
        """How a report calls a run's batch of a phase."""
        titles = {str(phase): rules.title for phase, rules in PHASE_RULES.items()}
        return {(run, phase): f"{run}, {titles[phase]}" for run, phase in self.batches}

    @property
    def typical(self) -> str:
        """The batch that a report shows first: the last run's Phase BP, or its first batch."""
        last = name_of(self.runs[-1])
        own = {phase: name for (run, phase), name in self.batch_names.items() if run == last}
        return own.get("bp", next(iter(own.values())))

    @cached_property
    def layers(self) -> list[str]:
        """Layers with rows, in the order of the network."""
        first = next(iter(self.batches.values()))
        return list(dict.fromkeys(row["layer"] for row in sorted(first, key=_index) if row["layer"] != BATCH_ROW))


def name_of(run: dict[str, Any]) -> str:
    """Return how a report calls a run."""
    return f"{run['design']} {run['dataflow']}"


def layer_rows(rows: Iterable[Row]) -> list[Row]:
    """Return the rows that belong to a layer."""
    return [row for row in rows if row["layer"] != BATCH_ROW]


def _check_numbers(runs: list[dict[str, Any]]) -> None:
    for run in runs:
        for name in _NUMBERS:
            if run[name] is not None and not isinstance(run[name], int | float):
                raise TypeError(name)


def _index(row: Row) -> int:
    index: int = row["index"]
    return index


def _typed(row: dict[str, str]) -> Row:
    return {
        name: text if name in _TEXTS else None if text == "" else
        float(text) if name in _FRACTIONS or name.endswith("_pj") else int(text)
        for name, text in row.items()
    }  # fmt: skip
