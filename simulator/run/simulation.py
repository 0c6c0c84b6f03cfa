"""Simulate a trace on an accelerator: one batch of each kind, composed by the trace's own sequence."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, islice, zip_longest

from dataflows.actions import ActionCounts, total
from simulator.batch.batches import Batches
from simulator.batch.footprint import largest_batch, peak_dram_bytes
from simulator.energy.energy import Energy, EnergyTable, energy_table_of
from simulator.engine.batch import BatchRun, OpRun
from simulator.engine.exact import run_batches_exactly
from simulator.engine.work import StepWork, merge
from simulator.machine.spec import Accelerator
from simulator.run.results import BATCH_ROW, ArrayUse, ExactStretch, LayerRow, PhaseResult, Results, RunResult
from workloads.foundation.errors import InputError
from workloads.foundation.headway import headway
from workloads.foundation.logs import stage
from workloads.foundation.quantities import more_than
from workloads.passes import ROLES, layer_products
from workloads.schedule import Phase
from workloads.trace import Trace

Progress = Callable[[str], None]
MOST_MACS = 1 << 55  # of a layer's pass
MOST_CYCLES = 1 << 60  # of a batch


def _silent(_: str) -> None:
    return


@dataclass(frozen=True)
class Simulation:
    """One trace on one accelerator: a pure function of the two."""

    trace: Trace
    spec: Accelerator
    _known_costs: dict[Phase, tuple[list[ActionCounts], list[Energy]]] = field(default_factory=dict, compare=False)
    _peaks: dict[Phase, int] = field(default_factory=dict, compare=False)

    @cached_property
    def batches(self) -> Batches:
        """The run's batches: what they consist of, and one of each kind as it runs."""
        return Batches(self.trace, self.spec)

    @cached_property
    def _layer_ids(self) -> list[str]:
        return [layer.id for layer in self.trace.mac_layers]

    @cached_property
    def _energy(self) -> EnergyTable:
        return energy_table_of(self.spec)

    def prepare(self, exact: tuple[int, int] | None = None) -> None:
        """Check all that can be wrong with this trace on this accelerator, before anything is simulated.

        Raises
        ------
        InputError
            If numbers are beyond what is simulated, a batch needs more DRAM than there is, a tile does not
            fit in the buffer, the energy table cannot be read, or the run has no such batches.
        """
        prepare([self], exact)

    def check_size(self, exact: tuple[int, int] | None) -> None:
        """Check what can be checked before plans are made."""
        if exact is not None:
            self._check_stretch(*exact)
        check_macs(self.trace, self.spec)
        for kind in self.batches.kinds:
            self._peak_dram_bytes(kind)

    def check_plans(self) -> None:
        """Check what the plans ask of the machine."""
        for kind in self.batches.kinds:
            self._check_cycles(kind)
        _ = self._energy  # refuses a table that is not for this machine

    def exact(self, first_batch: int, batches: int, progress: Progress = _silent) -> ExactStretch:
        """Simulate some batches of the run one by one, tile by tile, without the short cut.

        Raises
        ------
        InputError
            If the run has no such batches.
        """
        self._check_stretch(first_batch, batches)
        phases = tuple(islice(self.trace.schedule.phases(first_batch), batches))

        def works_of(phase: Phase) -> list[StepWork]:
            return [merge(step) for step in self.batches.works(self.batches.kind(phase))]

        done = iter(range(1, batches + 1))
        with stage(f"simulate {self.spec.design}, {batches} exact batches"):
            cycles = run_batches_exactly(
                phases, works_of, self.spec.dram, self.spec.frequency_hz, self.spec.launch_cycles,
                lambda: progress(f"{self.spec.design}: exact batch {next(done)} of {batches}"),
            )  # fmt: skip
        return ExactStretch(first_batch, phases, tuple(cycles), tuple(self._run(phase).cycles for phase in phases))

    def run(self, exact: tuple[int, int] | None = None, progress: Progress = _silent) -> RunResult:
        """Return the whole run; `exact` is (first batch, batches) of a stretch to simulate one by one as well."""
        phases = []
        for phase, batches in self.trace.schedule.counts().items():
            progress(f"{self.spec.design} {self.spec.dataflow}: {phase} batch")
            with stage(f"simulate {self.spec.design} {self.spec.dataflow}, {phase} batch"):
                phases.append(self._phase(phase, batches))
        return RunResult(
            spec=self.spec,
            phases=tuple(phases),
            make_rows=self._rows,
            batch_runs={phase.phase: self._run(phase.phase) for phase in phases},
            exact=None if exact is None else self.exact(*exact, progress),
        )

    def _run(self, phase: Phase) -> BatchRun:
        return self.batches.run(self.batches.kind(phase))

    def _check_stretch(self, first_batch: int, batches: int) -> None:
        total = self.trace.schedule.batches
        if batches < 1 or first_batch < 0 or first_batch + batches > total:
            asked = f"asks for {batches} from batch {first_batch} on"
            raise InputError(
                "--exact", "", asked, f"the run has {total}, batches 0 to {total - 1}; ask for some of them"
            )

    def _compute_cycles(self, phase: Phase) -> int:
        """Return the cycles of a batch in which nothing stalls: in each step, the longer array's."""

        def longest(works: list[StepWork]) -> int:
            first = sum(work.compute_cycles for work in works if not work.second)
            return max(first, sum(work.compute_cycles for work in works if work.second))

        return sum(longest(works) for works in self.batches.works(self.batches.kind(phase)))

    def _check_cycles(self, kind: Phase) -> None:
        """Refuse a batch whose cycles would not fit in the kernel's 64-bit integers."""
        check_cycles(self.spec, chain.from_iterable(self.batches.works(kind)), f"a {kind} batch")

    def _peak_dram_bytes(self, phase: Phase) -> int:
        kind = self.batches.kind(phase)
        if kind not in self._peaks:
            self._peaks[kind] = peak_dram_bytes(self.trace, self.spec, kind)
        needed, capacity = self._peaks[kind], self.spec.dram.capacity_bytes
        if needed > capacity:
            asked, room = more_than(needed, capacity)
            samples = f"{self.trace.batch_size} sample{'' if self.trace.batch_size == 1 else 's'}"
            problem = f"is {room}, but a {phase} batch of {self.trace.network}, {samples}, keeps {asked}"
            most = largest_batch(self.trace, self.spec, self.batches.kinds)
            smaller = f"--batch-size {most}, the largest that fits" if most else "a smaller network; no batch fits"
            remedy = f"give more DRAM, or {smaller}"
            raise InputError("the accelerator", "dram.capacity_bytes", problem, remedy)
        return needed

    def _phase(self, phase: Phase, batches: int) -> PhaseResult:
        """Return what a batch of a phase comes to: the sums of its rows."""
        batch, (counts, energies) = self._run(phase), self._costs(phase)
        uses = []
        for array in range(len(self.spec.arrays)):
            busy = batch.busy_cycles(array)
            uses.append(ArrayUse(array, busy, batch.cycles - busy))
        all_counts = total(counts)
        return PhaseResult(
            phase=phase,
            batches=batches,
            cycles_per_batch=batch.cycles,
            compute_cycles_per_batch=self._compute_cycles(phase),
            energy_pj_per_batch=sum(energy.total for energy in energies),
            memory_energy_pj_per_batch=sum(energy.memory for energy in energies),
            macs_per_batch=all_counts.macs,
            dram_read_bytes_per_batch=all_counts.dram_read_bytes,
            dram_write_bytes_per_batch=all_counts.dram_write_bytes,
            peak_dram_bytes=self._peak_dram_bytes(phase),
            arrays=tuple(uses),
        )

    def _costs(self, phase: Phase) -> tuple[list[ActionCounts], list[Energy]]:
        """Return what each op of a batch does and its energy; and, last, what costs by time and not by layer.

        The last is leakage, and DRAM's refreshes and idle ranks. Phases that share a batch share these.
        """
        kind, batch = self.batches.kind(phase), self._run(phase)
        if kind not in self._known_costs:
            leakage = self._energy.leakage_pj(batch.cycles, self.spec.frequency_hz)
            energies = [self._energy.energy(op.counts, op.array) for op in batch.ops]
            energies.append(replace(self._energy.energy(batch.idle_counts, None), leakage=leakage))
            self._known_costs[kind] = [op.counts for op in batch.ops] + [batch.idle_counts], energies
        return self._known_costs[kind]

    def _rows(self) -> Iterator[LayerRow]:
        for phase, batches in self.trace.schedule.counts().items():
            batch, (counts, energies) = self._run(phase), self._costs(phase)
            for index, op in enumerate(batch.ops):
                yield self._op_row(phase, index, op, energies[index], batches)
            yield self._batch_row(phase, batch, counts[-1], energies[-1], batches)

    def _op_row(self, phase: Phase, index: int, op: OpRun, energy: Energy, batches: int) -> LayerRow:
        return LayerRow(
            design=self.spec.design,
            dataflow=self.spec.dataflow,
            phase=phase,
            index=index,
            layer=self._layer_ids[op.task.layer],
            pass_=op.task.pass_,
            array=op.array,
            start_cycle=op.start_cycle,
            end_cycle=op.end_cycle,
            compute_cycles=op.compute_cycles,
            count=batches,
            stall_load_cycles=op.stall_load_cycles,
            stall_store_cycles=op.stall_store_cycles,
            stall_other_array_cycles=op.stall_other_array_cycles,
            stall_buffer_port_cycles=op.stall_buffer_port_cycles,
            pipeline_cycles=op.pipeline_cycles,
            barrier_refresh_cycles=0,
            dram_cycles=op.dram_cycles,
            dram_model=self.spec.dram.model,
            pes=self.spec.arrays[op.array].pes,
            counts=op.counts,
            energy=energy,
        )

    def _batch_row(
        self, phase: Phase, batch: BatchRun, counts: ActionCounts, energy: Energy, batches: int
    ) -> LayerRow:  # fmt: skip
        """Return the row of what costs by time and not by layer."""
        spec = self.spec
        return LayerRow(
            design=spec.design,
            dataflow=spec.dataflow,
            phase=phase,
            index=len(batch.ops),
            layer=BATCH_ROW,
            pass_="",
            array=None,
            start_cycle=0,
            end_cycle=0,
            compute_cycles=0,
            count=batches,
            stall_load_cycles=0,
            stall_store_cycles=0,
            stall_other_array_cycles=0,
            stall_buffer_port_cycles=0,
            pipeline_cycles=0,
            barrier_refresh_cycles=batch.cycles - max(op.end_cycle for op in batch.ops),
            dram_cycles=0,
            dram_model=spec.dram.model,
            pes=0,
            counts=counts,
            energy=energy,
        )


def check_macs(trace: Trace, spec: Accelerator) -> None:
    """Refuse a trace with a layer of more MACs than are simulated.

    Raises
    ------
    InputError
        With the layer.
    """
    for layer in trace.mac_layers:
        for role in ROLES:
            products = layer_products(layer, role, trace.batch_size, spec.dgrad)
            if sum(product.macs for product in products) > MOST_MACS:
                raise InputError("the trace", layer.id, f"its {role} has more than {MOST_MACS} MACs",
                                 "give a smaller --batch-size or layer")  # fmt: skip


def check_cycles(spec: Accelerator, works: Iterable[StepWork], what: str) -> None:
    """Refuse work whose cycles would not fit in the kernel's 64-bit integers.

    Raises
    ------
    InputError
        With the cycles that it may take.
    """
    dram, hz = spec.dram, spec.frequency_hz
    most = moved = transfers = 0
    for work in works:
        most += work.compute_cycles + work.port_wait_cycles
        moved += work.counts.dram_read_bytes + work.counts.dram_write_bytes
        transfers += sum(2 * len(plan.loads) for plan in work.plans)
    most += dram.bound_cycles(moved, transfers, hz)
    refresh = dram.refresh(hz)
    if refresh is not None:
        most = refresh.bound_cycles(most)
    if most > MOST_CYCLES:
        raise InputError("the accelerator", "dram", f"{what} may take {most} cycles",
                         "give a faster DRAM or a lower frequency_hz")  # fmt: skip


def prepare(simulations: Sequence[Simulation], exact: tuple[int, int] | None = None) -> None:
    """Prepare simulations of one trace side by side, and tell how far that is.

    They are planned layer by layer, not one after the other: what the first one plans, others often find planned, so
    that a share of the layers is about the same share of the time.

    Raises
    ------
    InputError
        As `Simulation.prepare`.
    """
    for simulation in simulations:
        simulation.check_size(exact)
    batches = [(simulation.batches, kind) for simulation in simulations for kind in simulation.batches.kinds]
    designs = ", ".join(dict.fromkeys(f"{one.spec.design} {one.spec.dataflow}" for one in simulations))
    with (
        stage(f"plan {designs}, {len(simulations[0].trace.mac_layers)} layers"),
        headway(max(len(one.steps(kind)) for one, kind in batches)) as step_planned,
    ):
        for _ in zip_longest(*(one.planning(kind) for one, kind in batches)):
            step_planned()
        for simulation in simulations:
            simulation.check_plans()


def simulate(
    trace: Trace, spec: Accelerator, exact: tuple[int, int] | None = None, progress: Progress = _silent
) -> Results:
    """Simulate a trace on one accelerator."""
    return compare(trace, [spec], exact, progress)


def compare(
    trace: Trace,
    specs: Sequence[Accelerator] | None = None,
    exact: tuple[int, int] | None = None,
    progress: Progress = _silent,
) -> Results:
    """Simulate a trace on several accelerators; on the four shipped designs by default.

    Raises
    ------
    InputError
        If something does not fit, before anything is simulated.
    """
    if specs is None:
        from simulator.machine.spec_loading import load_designs

        specs = load_designs()
    simulations = [Simulation(trace, spec) for spec in specs]
    prepare(simulations, exact)
    return Results(trace, tuple(simulation.run(exact, progress) for simulation in simulations))
