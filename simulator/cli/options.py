"""Options that several commands share, read into one request, and how they become a trace."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import update_wrapper
from math import isfinite
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.volume import note

if TYPE_CHECKING:
    from simulator.machine.spec import Accelerator
    from workloads.trace import Trace


class GivenPath(click.Path):
    """A path as the user gives it; an empty text, such as that of an unset variable of the shell, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if not str(value) or "\0" in str(value):
            self.fail(f"{str(value)!r} is no path; is a variable of the shell unset?", param, ctx)
        return super().convert(value, param, ctx)


class Named(click.Choice):  # type: ignore[type-arg]
    """One of some words, in capitals or not; an error says which word is nearest."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(words, case_sensitive=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word."""
        from workloads.foundation.errors import nearest

        if str(value).lower() not in (word.lower() for word in self.choices):
            self.fail(f"unknown {value!r}; {nearest(str(value), self.choices)}", param, ctx)
        return super().convert(value, param, ctx)


class AboveZero(click.FloatRange):
    """A number above zero; ``nan``, which click's own range lets through, is none."""

    def __init__(self) -> None:
        super().__init__(min=0.0, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        number = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{number} is no finite number", param, ctx)
        return number


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What the shared options of `simulate` and `compare` ask for; each field is the option of its name."""

    config: str | None
    dataflow: str | None
    overrides: tuple[str, ...]
    batch_size: int | None
    schedule: str | None
    exact: str | None
    out: Path | None
    timeline: bool
    plot: bool
    as_json: bool
    target_accuracy: float | None = None
    all_tiles: bool = False
    report: bool = False


def _noted(_: click.Context, __: click.Parameter, config: str | None) -> str | None:
    """Say where a user reads what became of another tool's machine."""
    from simulator.machine.importers import machine_importer

    importer = None if config is None else machine_importer(Path(config))
    if config is not None and importer is not None:
        what = f"{config} is {importer.description}"
        note(f"note: {what}; adagp-sim show {quote(config)} says what each of its keys became")
    return config


config_option = click.option(
    "--config", metavar="FILE", callback=_noted,
    help="Machine: a shipped name, your own YAML file with only the keys that you change, or SCALE-Sim's FILE.cfg.",
)  # fmt: skip
mapping_option = click.option(
    "--mapping", type=GivenPath(), metavar="FILE",
    help="Mapping of layers to tiles and array, in place of the search; explain --mapping-out writes one.",
)  # fmt: skip
_RUN_OPTIONS = (
    config_option,
    mapping_option,
    click.option("--dataflow", metavar="NAME", help="Dataflow: ws, is, os or rs."),
    click.option(
        "--set", "overrides", metavar="KEY=VALUE", multiple=True,
        help="Change one key of the machine, such as array.rows=32. Repeatable.",
    ),
    click.option(
        "--batch-size", type=int, metavar="N",
        help="Samples of a batch. The sequence of batches stays the same, unless --schedule makes a new one.",
    ),
    click.option(
        "--schedule", metavar="NAME", help="Schedule instead of the trace's own: a shipped name or a YAML file."
    ),
    click.option(
        "--exact", metavar="N|FIRST:N",
        help="Also simulate N batches without the short cut, and check that the cycle counts are identical. "
        "The first is the last Warm Up batch, or batch FIRST, counted from 0.",
    ),
    click.option(
        "--out", type=GivenPath(path_type=Path), metavar="DIR",
        help="Write summary.json, layers.csv, config.resolved.yaml and provenance.json there, whole or not at all.",
    ),
    click.option("--timeline", is_flag=True, help="With --out: also write timeline.json for Perfetto."),
    click.option("--all-tiles", is_flag=True, help="With --timeline: write every tile, however large the file gets."),
    click.option("--plot", is_flag=True, help="With --out: also draw comparison.png and layers.png."),
    click.option("--report", is_flag=True, help="With --out: also write report.html, a page of tables and charts."),
    click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON and nothing else."),
    click.option(
        "--target-accuracy", type=float, metavar="SHARE",
        help="For a trained trace: cost of ADA-GP and its controls until they reach this test accuracy, such as 0.95.",
    ),
)  # fmt: skip


def with_mapping(overrides: tuple[str, ...], mapping: str | None) -> tuple[str, ...]:
    """Return the settings of ``--set`` with that of ``--mapping``, which is the machine's key `mapping`."""
    return overrides if mapping is None else (*overrides, f"mapping={json.dumps(mapping)}")


def run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the shared options to a command and hand them to it as one `RunRequest`."""

    def collected(
        config: str | None, mapping: str | None, dataflow: str | None, overrides: tuple[str, ...],
        batch_size: int | None, schedule: str | None, exact: str | None, out: Path | None, timeline: bool, plot: bool,
        as_json: bool, target_accuracy: float | None, all_tiles: bool, report: bool, **own: Any,
    ) -> None:  # fmt: skip
        request = RunRequest(
            config, dataflow, with_mapping(overrides, mapping), batch_size, schedule, exact, out, timeline, plot,
            as_json, target_accuracy, all_tiles, report,
        )  # fmt: skip
        command(request=request, **own)

    wrapped: Callable[..., None] = update_wrapper(collected, command)
    for option in reversed(_RUN_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def given_trace(name: str) -> "Trace":
    """Read a trace by name or path; another tool's machine is refused with its remedy."""
    from simulator.machine.importers import check_no_machine
    from workloads.trace import load_trace

    check_no_machine(Path(name))
    return load_trace(name)


def chosen_trace(name: str, request: RunRequest) -> "Trace":
    """Read a trace and apply --batch-size and --schedule."""
    from simulator.pipelines.schedule import check_batch_schedule
    from workloads.trace import load_policy

    check_batch_schedule(request.schedule)
    trace = given_trace(name)
    if request.batch_size is not None:
        trace = trace.with_batch_size(request.batch_size)
    return trace if request.schedule is None else trace.with_schedule(load_policy(request.schedule))


@contextmanager
def named_places(trace: str, config: str | None, dataflow: str | None, overrides: Sequence[str]) -> Iterator[None]:
    """Name the file or the option in errors of a simulation, which can only say "the trace" or "the accelerator"."""
    from workloads.foundation.errors import InputError

    try:
        yield
    except InputError as error:
        from simulator.machine.spec_loading import setting_source

        where = trace if error.where == "the trace" else error.where
        if where == "the accelerator":
            where = setting_source(error.key, config, dataflow, overrides)
        raise InputError(where, error.key, error.problem, error.remedy) from None


def exact_stretch(text: str | None, trace: "Trace") -> tuple[int, int] | None:
    """Return (first batch, batches) of ``N`` or ``FIRST:N``."""
    if text is None:
        return None
    first, colon, count = text.rpartition(":")
    try:
        batches = int(count)
        if colon:
            return int(first), batches
    except ValueError:
        raise click.UsageError(f"--exact: {text!r} is not N or FIRST:N, two whole numbers") from None
    warm_up = trace.schedule.counts().get("warm_up", 0)
    return max(0, warm_up - 1), batches


def input_files(trace: str, request: RunRequest, specs: "Sequence[Accelerator]") -> dict[str, Path]:
    """Return the files that a run read, by the name to record: shipped ones relative to the project."""
    from simulator.machine.spec_loading import spec_files
    from workloads.foundation.shipped import resolve, shipped_as

    paths = [resolve(trace, "traces", "trace"), *spec_files(request.config, specs)]
    if request.schedule is not None:
        paths.append(resolve(request.schedule, "configs/schedules", "schedule"))
    return {shipped_as(path): path for path in paths}
