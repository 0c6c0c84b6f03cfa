"""A training run on several devices: stages cut and timed, batches laid on the devices, the whole run composed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from simulator.batch.footprint import peak_dram_bytes
from simulator.machine.spec import Accelerator
from simulator.phases.stages import PHASE_RULES
from simulator.pipelines.blocking import refuse_blocked
from simulator.pipelines.composition import Composer
from simulator.pipelines.engine import run_alone, run_batches
from simulator.pipelines.link import Link
from simulator.pipelines.memory import DeviceMemory, device_memory, stash_peaks, stash_sizes
from simulator.pipelines.merging import lay_out, merged_queues
from simulator.pipelines.network_stages import NetworkStage, network_stages
from simulator.pipelines.partition import balanced_cuts
from simulator.pipelines.programme import Programme, build_programme
from simulator.pipelines.results import BatchKind, PipelineResults, PipelineRun, Stretch
from simulator.pipelines.schedule import PipelineSchedule, forward_only
from simulator.pipelines.stage_times import PredictorRuns, StageTimes, without_capacity
from simulator.pipelines.work import BatchWork
from simulator.run.simulation import Simulation, prepare
from workloads.foundation.errors import InputError
from workloads.foundation.logs import stage
from workloads.foundation.quantities import more_than
from workloads.schedule import Phase
from workloads.trace import Trace

MOST_DEVICES = 64
MOST_MICRO_BATCHES = 256


@dataclass(frozen=True)
class PipelineSetup:
    """How a network is spread: on how many devices, in how many micro-batches, over which links.

    `stretch` is (first batch, batches) to run in one go, event by event, and to hold against their composition.
    """

    devices: int = 4
    micro_batches: int = 4
    link: Link = field(default_factory=Link)
    predictor_runs: PredictorRuns = "batch"
    stretch: tuple[int, int] = (0, 4)

    def __post_init__(self) -> None:
        for option, number, most in (
            ("--devices", self.devices, MOST_DEVICES),
            ("--micro-batches", self.micro_batches, MOST_MICRO_BATCHES),
        ):
            if not 1 <= number <= most:
                raise InputError(option, "", f"is {number}", f"give 1 to {most}")


def simulate_pipelines(
    trace: Trace,
    specs: Sequence[Accelerator],
    schedules: Sequence[PipelineSchedule],
    setup: PipelineSetup,
    progress: Callable[[str], None] = lambda _: None,
) -> PipelineResults:
    """Simulate a trace on pipelines of several designs and schedules.

    The network is cut by the cost of its layers on the first spec, so all designs have the same stages.

    Raises
    ------
    InputError
        If something does not fit.
    """
    if trace.batch_size % setup.micro_batches:
        problem = f"is {setup.micro_batches}, which does not divide the batch of {trace.batch_size}"
        raise InputError("--micro-batches", "", problem, "give a divisor, or another --batch-size")
    _check_stretch(trace, setup.stretch)
    micro = trace.with_batch_size(trace.batch_size // setup.micro_batches)
    for spec in specs:
        _check_memory(micro, spec, setup.devices)
    prepare([Simulation(micro, without_capacity(spec)) for spec in specs])
    progress("stages")
    times = [StageTimes(micro, spec, setup.predictor_runs) for spec in specs]
    with stage("plan and simulate the layers of a micro-batch"):
        costs = times[0].layer_costs()
    runs = []
    for schedule in schedules:
        parts = network_stages(trace, balanced_cuts(costs, schedule.stages(setup.devices)))
        orders, where = schedule.orders(setup.devices, setup.micro_batches), f"pipeline schedule {schedule.name}"
        programmes = {
            backward: build_programme(
                orders if backward else forward_only(orders), len(parts), setup.micro_batches, schedule.one_at_a_time,
                where,
            )
            for backward in (True, False)
        }  # fmt: skip
        for programme in programmes.values():
            refuse_blocked(programme, where)
        for one in times:
            progress(f"{schedule.name}: {one.spec.design}")
            with stage(f"simulate {schedule.name}, {one.spec.design}"):
                runs.append(_run(one, trace, schedule.name, programmes, parts, setup))
    return PipelineResults(trace, tuple(runs), setup.link, setup.predictor_runs)


def _check_memory(micro: Trace, spec: Accelerator, devices: int) -> None:
    """Refuse, before anything is planned, a micro-batch that all devices together cannot hold."""
    needed = max(peak_dram_bytes(micro, spec, phase) for phase in micro.schedule.counts())
    if needed > devices * spec.dram.capacity_bytes:
        asked, room = more_than(needed, devices * spec.dram.capacity_bytes)
        problem = f"gives {devices} devices {room}, and a micro-batch keeps {asked}"
        remedy = "give more DRAM, more devices or micro-batches, or a smaller --batch-size"
        raise InputError("the accelerator", "dram.capacity_bytes", problem, remedy)


def _check_stretch(trace: Trace, stretch: tuple[int, int]) -> None:
    first, batches = stretch
    total = trace.schedule.batches
    if first < 0 or batches < 1 or first + batches > total:
        problem = f"asks for {batches} batches from batch {first} on, and the run has {total}, counted from 0"
        raise InputError("--exact", "", problem, "give batches of the run")
    if batches > 1000:
        raise InputError("--exact", "", f"asks for {batches} batches one by one", "give at most 1000")


def _run(
    times: StageTimes, trace: Trace, name: str, programmes: dict[bool, Programme], parts: tuple[NetworkStage, ...],
    setup: PipelineSetup,
) -> PipelineRun:  # fmt: skip
    works = {
        kind: times.work(kind, programmes[times.goes_backward(kind)], parts, setup.link) for kind in times.batches.kinds
    }
    composer = Composer(works)
    counts = dict.fromkeys(times.batches.kinds, 0)
    for phase, batches in trace.schedule.counts().items():
        counts[times.batches.kind(phase)] += batches
    kinds = tuple(_kind(kind, counts[kind], work, composer) for kind, work in works.items())
    return PipelineRun(
        schedule=name,
        spec=times.spec,
        total_cycles=composer.cycles(trace.schedule, times.batches.kind),
        kinds=kinds,
        memory=_memory(works, parts, times),
        stretch=_stretch(trace, times, works, composer, setup.stretch),
        micro_batch_size=times.micro_trace.batch_size,
        micro_batches=setup.micro_batches,
        parts=parts,
        kind_of=times.batches.kind,
    )


def _kind(kind: Phase, batches: int, work: BatchWork, composer: Composer) -> BatchKind:
    programme = work.programme
    return BatchKind(
        kind=kind,
        batches=batches,
        work=work,
        cycles_alone=run_alone(work).cycles,
        cycles_in_a_row=composer.cycles_in_a_row([kind]),
        flushes=int(programme.goes_backward),
        messages=len(programme.messages),
        all_reduces=sum(len(homes) > 1 for homes in programme.replicas),
    )


def _stretch(
    trace: Trace, times: StageTimes, works: dict[Phase, BatchWork], composer: Composer, stretch: tuple[int, int]
) -> Stretch:
    first, batches = stretch
    phases = tuple(islice(trace.schedule.phases(first), batches))
    kinds = [times.batches.kind(phase) for phase in phases]
    row = [works[kind] for kind in kinds]
    layouts = {kind: lay_out(work.programme) for kind, work in works.items()}
    run = run_batches(row, merged_queues([layouts[kind] for kind in kinds]))
    return Stretch(first, phases, tuple(row), run, composer.cycles_of(kinds))


def _memory(
    works: dict[Phase, BatchWork], parts: tuple[NetworkStage, ...], times: StageTimes
) -> tuple[DeviceMemory, ...]:
    """Return peaks over every ordered pair of kinds, since batches overlap."""
    spec = times.spec
    optimizer = times.micro_trace.optimizer if any(PHASE_RULES[kind].trains for kind in works) else None
    word_bytes = spec.precision.word_bits // 8
    sizes = stash_sizes(parts, times.micro_trace.batch_size, word_bytes)
    row = [work for before in works.values() for after in works.values() for work in (before, after)]
    layouts = [lay_out(work.programme) for work in row]
    programmes = [work.programme for work in row]
    peaks = stash_peaks(programmes, run_batches(row, merged_queues(layouts)), sizes)
    memory = device_memory(programmes[0], parts, peaks, word_bytes, optimizer)
    for one in memory:
        if one.peak_bytes > spec.dram.capacity_bytes:
            asked, room = more_than(one.peak_bytes, spec.dram.capacity_bytes)
            problem = f"is {room}, but device {one.device} keeps {asked}"
            remedy = "give more DRAM, more devices or a smaller --batch-size"
            raise InputError("the accelerator", "dram.capacity_bytes", problem, remedy)
    return memory
