"""`simulate`, `compare` and `pipeline` from Python."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from simulator.api.inputs import Machine, Settings, as_designs, as_spec, as_stretch, as_trace, with_mapping
from simulator.api.messages import pythonic
from simulator.api.results import Results
from simulator.machine.spec import Accelerator
from simulator.pipelines.link import Link
from simulator.pipelines.results import PipelineResults
from simulator.pipelines.schedule import PipelineSchedule, find_schedule
from simulator.pipelines.simulation import PipelineSetup, simulate_pipelines
from simulator.run import simulation
from workloads.schedule import Policy
from workloads.trace import Trace


def _silent(_: str) -> None:
    return


@pythonic
def simulate(
    trace: Trace | str | Path,
    machine: Machine | None = None,
    *,
    design: str | None = None,
    dataflow: str | None = None,
    overrides: Settings | None = None,
    mapping: str | Path | None = None,
    batch_size: int | None = None,
    schedule: Policy | str | Path | None = None,
    exact: int | tuple[int, int] | None = None,
    progress: Callable[[str], Any] = _silent,
) -> Results:
    """Simulate a training run on one design.

    Parameters
    ----------
    trace : Trace, str or Path
        The workload: a trace, the name of a shipped one, or a file.
    machine : Accelerator, str or Path, optional
        The machine: a spec, a shipped name, or a YAML file; else the shipped one.
    design : str, optional
        `baseline`, `low`, `efficient` or `max`; else the machine's own, else `max`.
    dataflow : str, optional
        `ws`, `is`, `os` or `rs`; else the machine's own.
    overrides : mapping, optional
        Settings by dotted key, such as ``{"array.rows": 32}``; they win over all else.
    mapping : str or Path, optional
        A file that says how layers are cut into tiles and lie on the array (docs/how-to/own-mapping.md).
    batch_size : int, optional
        Samples a batch; the sequence of batches stays, unless `schedule` makes a new one.
    schedule : Policy, str or Path, optional
        Another sequence of batches: a shipped name or a file.
    exact : int or (int, int), optional
        Also simulate so many batches one by one, without the short cut; or (first batch, batches).
    progress : callable, optional
        Called with a line for each step, such as ``print``.

    Returns
    -------
    Results
        With one run.

    Raises
    ------
    InputError
        If something is wrong, before anything is simulated: place, key, problem and remedy in one line.
    """
    chosen = as_trace(trace, batch_size, schedule)
    spec = as_spec(machine, design, dataflow, with_mapping(overrides, mapping))
    return Results.of(simulation.simulate(chosen, spec, as_stretch(exact, chosen), progress))


@pythonic
def compare(
    trace: Trace | str | Path,
    machine: Machine | Sequence[Accelerator] | None = None,
    *,
    designs: Sequence[str] | None = None,
    dataflow: str | None = None,
    overrides: Settings | None = None,
    mapping: str | Path | None = None,
    batch_size: int | None = None,
    schedule: Policy | str | Path | None = None,
    exact: int | tuple[int, int] | None = None,
    progress: Callable[[str], Any] = _silent,
) -> Results:
    """Simulate a training run on several designs of one machine; otherwise as `simulate`.

    Parameters
    ----------
    trace, dataflow, overrides, mapping, batch_size, schedule, exact, progress
        As in `simulate`.
    machine : Accelerator, str, Path or sequence of Accelerator, optional
        The machine, whose designs are compared; or specs of any machines, which are compared as they are.
    designs : sequence of str, optional
        Names of designs; all by default.

    Returns
    -------
    Results
        With one run for each design.

    Raises
    ------
    InputError
        As `simulate`.
    """
    chosen, overrides = as_trace(trace, batch_size, schedule), with_mapping(overrides, mapping)
    if isinstance(machine, Sequence) and not isinstance(machine, str):
        specs = [as_spec(one, None, dataflow, overrides) for one in machine]
    else:
        specs = as_designs(machine, designs, dataflow, overrides)
    return Results.of(simulation.compare(chosen, specs, as_stretch(exact, chosen), progress))


@pythonic
def pipeline(
    trace: Trace | str | Path,
    machine: Machine | None = None,
    *,
    pipeline_schedules: Sequence[str | PipelineSchedule] = ("gpipe",),
    devices: int = 4,
    micro_batches: int = 4,
    designs: Sequence[str] | None = None,
    link_bytes_per_second: int | None = None,
    link_latency_ns: int = 0,
    predictor_runs: Literal["batch", "micro-batch"] = "batch",
    dataflow: str | None = None,
    overrides: Settings | None = None,
    batch_size: int | None = None,
    schedule: Policy | str | Path | None = None,
    progress: Callable[[str], Any] = _silent,
) -> PipelineResults:
    """Simulate a training run on several devices, each a machine of its own (docs/pipelines.md).

    Parameters
    ----------
    trace, machine, dataflow, overrides, batch_size, schedule, progress
        As in `simulate`.
    pipeline_schedules : sequence of str
        `gpipe`, `dapple`, `chimera`, `zb_h1`, `interleaved`, `sequential`, or schedules of your own.
    devices, micro_batches : int
        Number of devices, and of equal parts of a batch.
    designs : sequence of str, optional
        Names of designs; all by default.
    link_bytes_per_second : int, optional
        Bandwidth of a link between devices; endless by default.
    link_latency_ns : int
        Latency of a link.
    predictor_runs : str
        `batch`: the predictor runs once a batch. `micro-batch`: with each micro-batch.

    Raises
    ------
    InputError
        If something is wrong, before anything is simulated.
    """
    chosen = as_trace(trace, batch_size, schedule)
    named = [find_schedule(one) if isinstance(one, str) else one for one in pipeline_schedules]
    setup = PipelineSetup(devices, micro_batches, Link(link_bytes_per_second, link_latency_ns), predictor_runs)
    return simulate_pipelines(chosen, as_designs(machine, designs, dataflow, overrides), named, setup, progress)
