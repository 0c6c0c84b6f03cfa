"""A job: designs on pipelines of one network, under several training schedules at once."""

from dataclasses import dataclass

from simulator.pipelines.schedule import find_schedule
from simulator.pipelines.simulation import PipelineSetup, simulate_pipelines
from simulator.reproduce.jobs.job import Plain
from simulator.reproduce.jobs.workload import Workload
from simulator.studies.pipeline_experiments import compared
from workloads.trace import load_policy


@dataclass(frozen=True, slots=True)
class PipelineComparison(Workload):
    """Designs on some pipeline schedules, the baseline among them.

    The cycles of stages take the time, and a training schedule changes nothing in them; so one job has all.

    Attributes
    ----------
    schedules : tuple of str
        Of the pipeline.
    training_schedules : tuple of str
        Shipped sequences of batches; the experiments use the first.
    devices, micro_batches : int
        How the network is spread.
    """

    schedules: tuple[str, ...] = ()
    training_schedules: tuple[str, ...] = ()
    devices: int = 4
    micro_batches: int = 4

    @property
    def family(self) -> str:
        """The network on pipelines: its micro-batches share no tiles with whole batches."""
        return f"{self.trace}, pipelines"

    def compute(self) -> Plain:
        """Return by pipeline schedule and design: speedups by training schedule, and in each experiment."""
        trace = self.workload()
        first, *_ = policies = [load_policy(name) for name in self.training_schedules]
        results = simulate_pipelines(
            trace.with_schedule(first), self.specs(), [find_schedule(name) for name in self.schedules],
            PipelineSetup(self.devices, self.micro_batches),
        )  # fmt: skip
        training = {policy.name: trace.with_schedule(policy).schedule for policy in policies}
        found: dict[str, Plain] = {}
        for name in self.schedules:
            runs = {run.design: run for run in results.runs if run.schedule == name}
            found[name] = {design: compared(run, runs["baseline"], training) for design, run in runs.items()}
        return found
