"""A job: the four designs on pipelines of one network, under several training schedules at once."""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.machine.spec_loading import load_designs
from simulator.pipelines.composition import Composer
from simulator.pipelines.results import PipelineRun
from simulator.pipelines.schedule import find_schedule
from simulator.pipelines.simulation import PipelineSetup, simulate_pipelines
from simulator.reproduce.job import Plain
from simulator.reproduce.stage_experiments import Works, equal_stages, in_steps, nothing_once_a_batch
from workloads.schedule import Schedule
from workloads.trace import load_policy, load_trace

# Each with what those before it changed: the last is the paper's unit steps.
EXPERIMENTS: dict[str, Callable[[Works], Works]] = {
    "nothing_once_a_batch": nothing_once_a_batch,
    "equal_stages": equal_stages,
    "in_steps": in_steps,
}


@dataclass(frozen=True, slots=True)
class PipelineComparison:
    """The four designs on some pipeline schedules.

    The cycles of stages are the dear part, and a training schedule changes nothing in them; so one job has all.

    Attributes
    ----------
    trace, dataflow : str
        Names of shipped ones.
    schedules : tuple of str
        Of the pipeline.
    training_schedules : tuple of str
        Shipped sequences of batches; the experiments are made with the first.
    devices, micro_batches : int
        How the network is spread.
    settings : tuple of str
        ``key=value`` of the spec, as `--set` takes them.
    """

    trace: str
    dataflow: str
    schedules: tuple[str, ...]
    training_schedules: tuple[str, ...]
    devices: int = 4
    micro_batches: int = 4
    settings: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The network on pipelines: its micro-batches share no tiles with whole batches."""
        return f"{self.trace}, pipelines"

    @property
    def weight(self) -> int:
        """Layers of the four designs, a little more than once each."""
        return 5 * len(load_trace(self.trace).mac_layers)

    def compute(self) -> Plain:
        """Return by pipeline schedule and design: speedups by training schedule, and in each experiment."""
        trace = load_trace(self.trace)
        first, *_ = policies = [load_policy(name) for name in self.training_schedules]
        results = simulate_pipelines(
            trace.with_schedule(first), load_designs(None, self.dataflow, self.settings),
            [find_schedule(name) for name in self.schedules], PipelineSetup(self.devices, self.micro_batches),
        )  # fmt: skip
        training = {policy.name: trace.with_schedule(policy).schedule for policy in policies}
        found: dict[str, Plain] = {}
        for name in self.schedules:
            runs = {run.design: run for run in results.runs if run.schedule == name}
            found[name] = {design: _compared(run, runs["baseline"], training) for design, run in runs.items()}
        return found


def _compared(run: PipelineRun, baseline: PipelineRun, training: dict[str, Schedule]) -> dict[str, Plain]:
    def cycles(one: PipelineRun, schedule: Schedule, change: Callable[[Works], Works] = lambda works: works) -> int:
        return Composer(change({kind.kind: kind.work for kind in one.kinds})).cycles(schedule, one.kind_of)

    def speedup(schedule: Schedule, change: Callable[[Works], Works]) -> float:
        return cycles(baseline, schedule, change) / cycles(run, schedule, change)

    totals = {name: cycles(run, schedule) for name, schedule in training.items()}
    first = next(iter(training.values()))
    return {
        "cycles": totals,
        "speedup": {name: cycles(baseline, training[name]) / total for name, total in totals.items()},
        "experiments": {name: speedup(first, change) for name, change in EXPERIMENTS.items()},
        "kinds": {
            kind.kind: {"cycles_alone": kind.cycles_alone, "cycles_in_a_row": kind.cycles_in_a_row}
            for kind in run.kinds
        },
    }
