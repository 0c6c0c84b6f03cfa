"""An explanation as text for the terminal."""

from collections.abc import Iterator, Mapping
from textwrap import wrap

from dataflows.formula import FilledFormula
from dataflows.plans.origin import Origin
from dataflows.plans.plan import Plan
from simulator.cli.console import joules, long_table, percent, thousands
from simulator.energy.energy import ENERGY_PARTS
from simulator.explain.layer import STALLS, Explained, PassExplanation
from simulator.phases.stages import PHASE_RULES
from workloads.foundation.printable import printable

_NOTHING: Mapping[str, int] = {}
_WIDTH = 90
_MOST_KINDS = 6  # of tiles that differ in their numbers; --json has all
_SHORT = dict(zip(STALLS, ("load", "store", "other array", "bank ports"), strict=True))
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
        f"{array.title} of {array.rows} x {array.columns} PEs, ports in words: {ports}; "
        f"buffer {thousands(budget.capacity_bytes)} bytes; DRAM {spec.dram.model}",
    ]
    parts = [*head, "", _passes(found), "", _reliefs(found)]
    for one in found.passes:
        parts += ["", *_pass_lines(one)]
    return printable("\n".join(parts), keep="\n")


def _passes(found: Explained) -> str:
    """Return the table of passes; a kind of stall that none has takes no column."""
    stalls = [name for name in STALLS if any(one.stalls[name] for one in found.passes)]
    columns = [
        ("pass", False), ("cycles", True), ("compute", True), *((f"{_SHORT[name]} stall", True) for name in stalls),
        ("folds", True), ("tiles", True), ("energy", True), ("what binds", False),
    ]  # fmt: skip
    rows = []
    for one in found.passes:
        binds = found.binds(one.key)
        numbers = [one.op.cycles, one.op.compute_cycles, *(one.stalls[name] for name in stalls), one.folds, one.tiles]
        reason = "-" if binds is None else f"{binds.limit}: {binds.name}"
        rows.append([one.name, *map(thousands, numbers), joules(one.energy.total), reason])
    return long_table("Passes", columns, rows)


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
    if nothing:
        lines += wrap(f"saves nothing: {nothing}", _WIDTH, initial_indent=" ", subsequent_indent="   ")
    return "\n".join(lines)


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
        yield f"    tiles: {thousands(len(plan.stream_cycles))} of {_words(mapping['tile'])}"
    if "reload_operands" in mapping:
        yield "    both operands are loaded for every tile"
    if "loop_order" in mapping:
        yield f"    loops over tiles, the outermost first: {', '.join(mapping['loop_order'])}"
    if formula.fixed:
        yield f"    {_numbers(formula.fixed)}"
    if plan.compute_cycles:
        yield from _formula_lines(formula)


def _formula_lines(filled: FilledFormula) -> Iterator[str]:
    formula, shared = filled.formula, filled.shared()
    for name, expression in shared.items():
        yield from _equation(filled, name, expression)
    yield from _equation(filled, "fill", formula.fill)
    terms = [str(filled.value(formula.fill, {}))]
    for kind in filled.kinds[:_MOST_KINDS]:
        yield f"    {kind.count} x {_numbers(kind.names)}"
        for name, expression in formula.where.items():
            if name not in shared:
                yield from _equation(filled, name, expression, kind.names, 6)
        yield from _equation(filled, "stream", formula.stream, kind.names, 6)
        terms.append(f"{kind.count} * {filled.value(formula.stream, kind.names)}")
    rest = filled.kinds[_MOST_KINDS:]
    if rest:
        cycles = sum(kind.count * filled.value(formula.stream, kind.names) for kind in rest)
        yield f"    {sum(kind.count for kind in rest)} others, of {len(rest)} kinds: {cycles} cycles"
        terms.append(str(cycles))
    gaps = [(kind, filled.value(formula.gap, kind.names)) for kind in filled.gaps]
    for kind, cycles in gaps:
        if cycles:
            yield f"    {kind.count} x"
            yield from _equation(filled, "gap", formula.gap, kind.names, 6)
    terms.append(str(sum(kind.count * cycles for kind, cycles in gaps)))
    yield from _equation(filled, "drain", formula.drain)
    terms.append(str(filled.value(formula.drain, {})))
    yield from _steps("compute", ["fill + streams + gaps + drain", " + ".join(terms), str(filled.total)], 4)


def _equation(
    filled: FilledFormula, name: str, expression: str, own: Mapping[str, int] = _NOTHING, indent: int = 4
) -> Iterator[str]:
    """Yield `name = expression = numbers = value`."""
    yield from _steps(name, [expression, filled.filled(expression, own), str(filled.value(expression, own))], indent)


def _steps(name: str, steps: list[str], indent: int) -> Iterator[str]:
    """Yield the steps of an equation in a line, or each in a line where they are long; what repeats is left out."""
    steps = list(dict.fromkeys(steps))
    line = " " * indent + " = ".join([name, *steps])
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{' ' * indent}{name} = {steps[0]}"
    for step in steps[1:]:
        yield f"{' ' * (indent + len(name))} = {step}"


def _numbers(names: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in names.items())


def _words(values: Mapping[str, object]) -> str:
    """Return a mapping's part in a line: `pe_rows reduction 12, pe_columns columns 15, time vectors`."""
    words = []
    for name, value in values.items():
        inner = " ".join(f"{key} {one}" for key, one in value.items()) if isinstance(value, dict) else str(value)
        words.append(f"{name} {inner}")
    return ", ".join(words)
