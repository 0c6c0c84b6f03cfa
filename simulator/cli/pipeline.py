"""`adagp-sim pipeline`: a training run on several devices."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.options import (
    GivenPath,
    Named,
    RunRequest,
    chosen_trace,
    config_option,
    exact_stretch,
    input_files,
    named_places,
)
from simulator.cli.volume import Volume, volume

if TYPE_CHECKING:
    from rich.console import Console

    from simulator.machine.spec import Accelerator
    from simulator.pipelines.results import PipelineResults, PipelineRun
    from simulator.pipelines.schedule import PipelineSchedule
    from simulator.pipelines.simulation import PipelineSetup
    from workloads.trace import Trace

_DEFAULT = 4  # devices and micro-batches, as in the paper's section 3.8


@dataclass(frozen=True, slots=True)
class _PipelineRequest:
    """The options that only `pipeline` has."""

    schedules: tuple[str, ...]
    devices: int | None
    micro_batches: int | None
    link_bandwidth: int | None
    link_latency: int
    predictor_runs: str
    designs: tuple[str, ...]


class _PipelineScheduleOption(click.Option):
    """`--pipeline-schedule`: its help names every shipped one."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Read the names where help is asked for, and not with every command."""
        from simulator.pipelines.schedule import schedules

        self.help = f"Pipeline schedule: {', '.join(schedules())}, or a file. Repeatable."
        return super().get_help_record(ctx)


@click.command()
@click.argument("trace")
@click.option(
    "--pipeline-schedule",
    "schedules",
    cls=_PipelineScheduleOption,
    metavar="NAME|FILE",
    multiple=True,
    default=("gpipe",),
    show_default=True,
)
@click.option(
    "--devices",
    type=int,
    metavar="D",
    help="Number of devices, each an accelerator of its own. Default: that of the schedule's file, else 4.",
)
@click.option(
    "--micro-batches",
    type=int,
    metavar="N",
    help="Number of parts of a batch. Default: that of the schedule's file, else 4.",
)
@click.option(
    "--link-bandwidth", type=int, metavar="BYTES", help="Bandwidth of a link in bytes a second. Default: no limit."
)
@click.option(
    "--link-latency", type=int, default=0, metavar="NS", show_default=True, help="Latency of a link in ns. Default: 0."
)
@click.option(
    "--predictor-runs",
    type=Named(["batch", "micro-batch"]),
    default="batch",
    show_default=True,
    help="How often the predictor runs: once a batch, on the mean over all its samples, or with every micro-batch.",
)
@click.option(
    "--design", "designs", metavar="NAME", multiple=True, help="Compare only the baseline and this design. Repeatable."
)
@config_option
@click.option("--dataflow", metavar="NAME", help="Dataflow, such as ws.")
@click.option(
    "--set",
    "overrides",
    metavar="KEY=VALUE",
    multiple=True,
    help="Set one key of the spec, such as array.rows=32. Can be repeated.",
)
@click.option("--batch-size", type=int, metavar="N", help="Samples of a batch, of all micro-batches together.")
@click.option(
    "--schedule",
    "training_schedule",
    metavar="NAME",
    help="Sequence of batches instead of the trace's own: a shipped name or a YAML file.",
)
@click.option(
    "--exact",
    metavar="N|FIRST:N",
    help="Batches to simulate without the short cut, and to show; their cycle counts must equal the composed ones. "
    "The first is the last Warm Up batch, or batch FIRST, counted from 0. Default: up to the next Phase BP.",
)
@click.option(
    "--out",
    type=GivenPath(path_type=Path),
    metavar="DIR",
    help="Write summary.json, stages.csv, operations.csv, config.resolved.yaml and provenance.json there.",
)
@click.option("--timeline", is_flag=True, help="With --out: also write timeline.json for Perfetto.")
@click.option("--plot", is_flag=True, help="With --out: also draw pipeline.png, like figures 10 to 12 of the paper.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON and nothing else.")
def pipeline(
    trace: str, schedules: tuple[str, ...], devices: int | None, micro_batches: int | None, link_bandwidth: int | None,
    link_latency: int, predictor_runs: str, designs: tuple[str, ...], config: str | None, dataflow: str | None,
    overrides: tuple[str, ...], batch_size: int | None, training_schedule: str | None, exact: str | None,
    out: Path | None, timeline: bool, plot: bool, as_json: bool,
) -> None:  # fmt: skip
    """Train TRACE (a file or a shipped name) on a pipeline of devices, with and without ADA-GP."""
    request = RunRequest(
        config, dataflow, overrides, batch_size, training_schedule, exact, out, timeline, plot, as_json
    )
    own = _PipelineRequest(schedules, devices, micro_batches, link_bandwidth, link_latency, predictor_runs, designs)
    _run(trace, request, own)


def _run(name: str, request: RunRequest, own: _PipelineRequest) -> None:
    out = request.out
    if out is None and (request.timeline or request.plot):
        missing = "--timeline" if request.timeline else "--plot"
        raise click.UsageError(f"{missing} needs a place for its file: add --out DIR")
    from simulator.cli.console import console
    from simulator.cli.numba_start import start_numba
    from simulator.cli.progress import progress

    start_numba()
    from simulator.outputs.folder import json_text
    from simulator.outputs.pipeline_folder import write_pipeline
    from simulator.outputs.pipeline_summary import pipeline_summary
    from simulator.outputs.staging import staged_output
    from simulator.pipelines.file_schedule import load_schedule
    from simulator.pipelines.simulation import simulate_pipelines

    trace = chosen_trace(name, request)
    schedules = [load_schedule(text) for text in dict.fromkeys(own.schedules)]
    setup = _setup(own, schedules, request, trace)
    specs = _specs(request, own.designs)
    with ExitStack() as stack:
        stage = None if out is None else stack.enter_context(staged_output(out))
        with progress(1 + len(schedules) * len(specs) + (out is not None), "plan") as say:
            with named_places(name, request.config, request.dataflow, request.overrides):
                results = simulate_pipelines(trace, specs, schedules, setup, say)
            if stage is not None:
                say(f"writing {out}")
                files = input_files(name, request, specs)
                files |= {text: Path(text) for text in own.schedules if Path(text).suffix}
                write_pipeline(results, stage, files, sys.argv[1:], request.timeline, request.plot)
    if request.as_json:
        click.echo(json_text(pipeline_summary(results)), nl=False)
    else:
        screen = console()
        _print(results, screen)
        if out is not None and volume() is not Volume.QUIET:
            screen.print(f"written to {out}")
    if not all(run.stretch.equal for run in results.runs):
        raise click.ClickException("batches run in one go differ from composed ones; please report this")


def _setup(
    own: _PipelineRequest, schedules: "list[PipelineSchedule]", request: RunRequest, trace: "Trace"
) -> "PipelineSetup":
    from simulator.pipelines.file_schedule import FileSchedule
    from simulator.pipelines.link import Link
    from simulator.pipelines.simulation import PipelineSetup
    from simulator.pipelines.stage_times import PREDICTOR_RUNS

    files = [schedule for schedule in schedules if isinstance(schedule, FileSchedule)]
    devices, micro_batches = own.devices, own.micro_batches
    if devices is None:
        devices = files[0].devices if files else _DEFAULT
    if micro_batches is None:
        micro_batches = files[0].micro_batches if files else _DEFAULT
    stretch = exact_stretch(request.exact, trace) or _default_stretch(trace)
    runs = next(known for known in PREDICTOR_RUNS if known == own.predictor_runs)
    return PipelineSetup(devices, micro_batches, Link(own.link_bandwidth, own.link_latency), runs, stretch)


def _default_stretch(trace: "Trace") -> tuple[int, int]:
    """Return the last Warm Up batch and what follows up to the next Phase BP, but at most eight batches."""
    first = max(0, trace.schedule.counts().get("warm_up", 0) - 1)
    following = list(islice(trace.schedule.phases(first + 1), 7))
    return first, 2 + following.index("bp") if "bp" in following else 1 + len(following)


def _specs(request: RunRequest, only: tuple[str, ...]) -> "list[Accelerator]":
    from simulator.machine.spec_loading import load_designs
    from simulator.phases.design import find_design

    wanted = {"baseline", *(find_design(name).name for name in only)} if only else None
    return load_designs(request.config, request.dataflow, request.overrides, wanted)


def _print(results: "PipelineResults", screen: "Console") -> None:
    from simulator.cli.console import duration, percent, print_table, table, thousands
    from workloads.foundation.quantities import byte_text

    trace, first = results.trace, results.runs[0]
    screen.print(
        f"{trace.network} on {trace.dataset.name} ({trace.provenance.origin}), batch {trace.batch_size} as "
        f"{first.micro_batches} micro-batches of {first.micro_batch_size}, on {first.devices} devices of "
        f"{first.spec.array.rows} x {first.spec.array.columns} PEs, {first.spec.dataflow}; "
        f"{trace.schedule.batches:,} batches, schedule {trace.schedule.name}\n"
    )
    rows = []
    for run in results.runs:
        speedup = results.speedup(run)
        rows.append([
            run.schedule,
            run.design,
            thousands(run.total_cycles),
            duration(run.seconds),
            "-" if speedup is None else f"{speedup:.4f}",
            percent(run.bubble_share),
            byte_text(run.peak_device_bytes),
            byte_text(run.peak_activation_bytes),
            f"{run.flushes_per_batch:.3f}",
            f"{run.messages_per_batch:.1f}",
            f"{run.all_reduces_per_batch:.0f}",
        ])  # fmt: skip
    columns = [
        ("schedule", False), ("design", False), ("whole run", True), ("time", True), ("speedup", True),
        ("bubbles", True),
        ("peak memory", True), ("activations", True), ("flushes", True), ("messages", True), ("all-reduces", True),
    ]  # fmt: skip
    caption = "memory of the device that needs most; flushes, messages and all-reduces a batch"
    print_table(screen, table("Whole run, and speedup over the same pipeline without ADA-GP", columns, rows, caption))
    kinds = list(dict.fromkeys(kind.kind for run in results.runs for kind in run.kinds))
    columns = [("schedule", False), ("design", False)]
    columns += [(f"{kind} {what}", True) for kind in kinds for what in ("alone", "in a row")]
    columns += [("stretch", True), ("composed", False)]
    rows = [_kind_row(run, kinds) for run in results.runs]
    stretch = first.stretch
    begin, phases = stretch.first_batch, " ".join(stretch.phases[:12]) + (" ..." if len(stretch.phases) > 12 else "")
    caption = f"stretch: batches {begin} to {begin + len(stretch.phases) - 1} in one go ({phases})"
    print_table(screen, table("Cycles of a batch", columns, rows, caption))


def _kind_row(run: "PipelineRun", kinds: "Sequence[str]") -> list[str]:
    from simulator.cli.console import thousands

    cells = [run.schedule, run.design]
    by_kind = {str(kind.kind): kind for kind in run.kinds}
    for name in kinds:
        kind = by_kind.get(name)
        cells += ["-", "-"] if kind is None else [thousands(kind.cycles_alone), f"{kind.cycles_in_a_row:,.0f}"]
    return [*cells, thousands(run.stretch.run.cycles), "equal" if run.stretch.equal else "NOT equal"]
