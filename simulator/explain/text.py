"""An explanation as text for the terminal."""

from collections.abc import Iterator, Mapping

from dataflows.formula import FilledFormula
from dataflows.plans.origin import Origin
from dataflows.plans.plan import Plan
from simulator.cli.console import joules, long_table, percent, thousands
from simulator.energy.energy import ENERGY_PARTS
from simulator.explain.layer import STALLS, Explained, PassExplanation
from simulator.phases.stages import PHASE_RULES
from workloads.foundation.printable import printable

_MOST_KINDS = 6  # of tiles that differ in their numbers; --json has all
_SHORT = dict(zip(STALLS, ("load", "store", "other array", "bank ports"), strict=True))
_PASS_COLUMNS = (
    ("pass", False), ("cycles", True), ("compute", True), *((f"{stall} stall", True) for stall in _SHORT.values()),
    ("folds", True), ("tiles", True), ("energy", True), ("what binds", False),
)  # fmt: skip
_RELIEF_COLUMNS = (("limit", False), ("machine with", False), ("cycles saved", True), ("share", True))


def explanation_text(found: Explained) -> str:
    """Return the tables of passes and of limits, then each pass with its formulas and their numbers."""
    trace, spec, array = found.trace, found.spec, found.spec.array
    budget = spec.budget(0)
    ports = ", ".join(
        f"{name} {getattr(array, f'{name}_port_words_per_cycle')}" for name in ("weight", "input", "output")
    )
    head = [
        f"{found.layer} of {trace.network} on {trace.dataset.name}, batch {trace.batch_size}: one batch of "
        f"{PHASE_RULES[found.phase].title} on {spec.design}, {spec.dataflow}",
        f"{array.kind} array of {array.rows} x {array.columns} PEs, ports in words: {ports}; "
        f"buffer {thousands(budget.capacity_bytes)} bytes; DRAM {spec.dram.model}",
    ]
    rows = [_pass_cells(found, one) for one in found.passes]
    parts = [*head, "", long_table("Passes", _PASS_COLUMNS, rows), "", _reliefs(found)]
    for one in found.passes:
        parts += ["", *_pass_lines(one)]
    return printable("\n".join(parts), keep="\n")


def _pass_cells(found: Explained, one: PassExplanation) -> list[str]:
    binds = found.binds(one.key)
    numbers = [one.op.cycles, one.op.compute_cycles, *one.stalls.values(), one.folds, one.tiles]
    reason = "-" if binds is None else f"{binds.limit}: {binds.name}"
    return [one.name, *map(thousands, numbers), joules(one.energy.total), reason]


def _reliefs(found: Explained) -> str:
    changed = [one for one in found.reliefs if one.saved]
    rows = [
        [one.limit, one.name, thousands(one.saved), percent(one.saved / found.cycles if found.cycles else None)]
        for one in changed
    ]
    nothing = ", ".join(one.name for one in found.reliefs if not one.saved)
    binds = found.binds()
    title = "What would make it faster"
    title += ": nothing of this" if binds is None else f": {binds.limit} binds"
    lines = [long_table(title, _RELIEF_COLUMNS, rows)] if rows else [title]
    return "\n".join([*lines, f" saves nothing: {nothing}"] if nothing else lines)


def _pass_lines(one: PassExplanation) -> Iterator[str]:
    stalled = (f" + {thousands(cycles)} {_SHORT[name]} stall" for name, cycles in one.stalls.items() if cycles)
    cycles = f"{thousands(one.op.cycles)} cycles = {thousands(one.op.compute_cycles)} compute"
    yield f"{one.name}: {cycles}" + "".join(stalled)
    energies = ((part, getattr(one.energy, part)) for part in ENERGY_PARTS)
    yield "  energy: " + ", ".join(f"{part} {joules(energy)}" for part, energy in energies if energy)
    for origin, plan in one.origins:
        yield from _plan_lines(origin, plan)


def _plan_lines(origin: Origin, plan: Plan) -> Iterator[str]:
    yield f"  {origin.title}"
    mapping, formula = origin.mapping, origin.formula
    if "spatial" in mapping:
        yield f"    mapping: {_words(mapping['spatial'])}"
    if "tile" in mapping:
        order = f"; loops {', '.join(mapping['loop_order'])}" if "loop_order" in mapping else ""
        yield f"    tiles: {thousands(len(plan.stream_cycles))} of {_words(mapping['tile'])}{order}"
    if formula.fixed:
        yield f"    {_numbers(formula.fixed)}"
    if plan.compute_cycles:
        yield from _formula_lines(formula)


def _formula_lines(filled: FilledFormula) -> Iterator[str]:
    formula, shared = filled.formula, filled.shared()
    for name, expression in shared.items():
        yield "    " + _equation(filled, name, expression, {})
    yield "    " + _equation(filled, "fill", formula.fill, {})
    terms = [str(filled.value(formula.fill, {}))]
    for kind in filled.kinds[:_MOST_KINDS]:
        yield f"    {kind.count} x {_numbers(kind.names)}"
        for name, expression in formula.where.items():
            if name not in shared:
                yield "      " + _equation(filled, name, expression, kind.names)
        yield "      " + _equation(filled, "stream", formula.stream, kind.names)
        terms.append(f"{kind.count} * {filled.value(formula.stream, kind.names)}")
    rest = filled.kinds[_MOST_KINDS:]
    if rest:
        cycles = sum(kind.count * filled.value(formula.stream, kind.names) for kind in rest)
        yield f"    {sum(kind.count for kind in rest)} others, of {len(rest)} kinds: {cycles} cycles"
        terms.append(str(cycles))
    gaps = [(kind, filled.value(formula.gap, kind.names)) for kind in filled.gaps]
    for kind, cycles in gaps:
        if cycles:
            yield f"    {kind.count} x " + _equation(filled, "gap", formula.gap, kind.names)
    terms.append(str(sum(kind.count * cycles for kind, cycles in gaps)))
    yield "    " + _equation(filled, "drain", formula.drain, {})
    terms.append(str(filled.value(formula.drain, {})))
    yield f"    compute = fill + streams + gaps + drain = {' + '.join(terms)} = {filled.total}"


def _equation(filled: FilledFormula, name: str, expression: str, own: Mapping[str, int]) -> str:
    """Return `name = expression = numbers = value`, without what only repeats."""
    steps = [expression, filled.filled(expression, own), str(filled.value(expression, own))]
    return " = ".join(dict.fromkeys([name, *steps]))


def _numbers(names: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in names.items())


def _words(values: Mapping[str, object]) -> str:
    """Return a mapping's part in a line: `rows reduction 12, columns columns 15, time vectors`."""
    words = []
    for name, value in values.items():
        inner = " ".join(f"{key} {one}" for key, one in value.items()) if isinstance(value, dict) else str(value)
        words.append(f"{name} {inner}")
    return ", ".join(words)
