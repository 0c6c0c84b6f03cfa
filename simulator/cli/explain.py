"""`adagp-sim explain`: one layer on one machine."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.options import GivenPath, config_option, mapping_option, named_places, with_mapping

if TYPE_CHECKING:
    from simulator.explain.stepping import LayerSteps


class _Place(click.ParamType):  # type: ignore[type-arg]
    """A PE, by its row and column."""

    name = "place"

    def convert(
        self, value: str | tuple[int, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Return the two numbers of ``R,C``."""
        if isinstance(value, tuple):
            return value
        parts = value.split(",")
        if len(parts) != 2 or not all(part.strip().isdigit() for part in parts):
            self.fail(f"{value!r} is no ROW,COLUMN such as 3,7", param, ctx)
        return int(parts[0]), int(parts[1])


@click.command()
@click.argument("trace")
@click.option("--layer", required=True, metavar="NAME", help="The layer; adagp-sim trace inspect TRACE lists them.")
@click.option("--design", default="baseline", metavar="NAME", show_default=True, help="Design that runs the layer.")
@config_option
@mapping_option
@click.option("--dataflow", metavar="NAME", help="Dataflow, such as ws.")
@click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True,
    help="Set one key of the spec, such as array.rows=32. Can be repeated.",
)  # fmt: skip
@click.option("--batch-size", type=int, metavar="N", help="Batch size.")
@click.option("--phase", metavar="PHASE", help="Phase of the batch; else bp, or the run's first.")
@click.option("--pass", "passes", metavar="PASS", multiple=True, help="Only this pass, such as forward. Repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON and nothing else.")
@click.option(
    "--mapping-out", type=GivenPath(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write the mapping that was chosen as YAML: loop order, tile sizes, spatial dimensions.",
)  # fmt: skip
@click.option(
    "--step", "folds", is_flag=False, flag_value=2, type=click.IntRange(1), metavar="[N]",
    help="Show the first N folds (2) of a pass in the array, cycle by cycle, with small integers.",
)  # fmt: skip
@click.option("--from", "first", type=click.IntRange(0), metavar="CYCLE", help="With --step: the first cycle shown.")
@click.option(
    "--cycles", type=click.IntRange(1), metavar="N",
    help="With --step and --vcd: number of cycles; else all of these folds, at most 5,000.",
)  # fmt: skip
@click.option("--register", metavar="NAME", help="With --step: the register that is shown of each PE.")
@click.option("--pe", type=_Place(), metavar="R,C", help="With --step: the registers of one PE, a line a cycle.")
@click.option(
    "--vcd", type=GivenPath(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write the waveform of these folds for GTKWave, at most 5,000 cycles unless --cycles asks for more.",
)  # fmt: skip
def explain(
    trace: str, layer: str, design: str, config: str | None, mapping: str | None, dataflow: str | None,
    overrides: tuple[str, ...], batch_size: int | None, phase: str | None, passes: tuple[str, ...], as_json: bool,
    mapping_out: Path | None, folds: int | None, first: int | None, cycles: int | None, register: str | None,
    pe: tuple[int, int] | None, vcd: Path | None,
) -> None:  # fmt: skip
    """Explain one layer of TRACE (a file or a shipped name): where its cycles go, and what would make it faster.

    Each pass with its mapping, folds, tiles, cycles, stalls and energy, and the formula of its cycles with the numbers
    filled in. --step and --vcd show the first folds in the array instead.
    """
    stepping = folds is not None or vcd is not None
    _check_options(stepping, folds, cycles, passes, {
        "--from": first, "--register": register, "--pe": pe,
    }, {"--json": as_json, "--mapping-out": mapping_out})  # fmt: skip
    from simulator.cli.numba_start import start_numba
    from simulator.cli.progress import waiting

    start_numba()
    from simulator.explain.layer import explain_layer
    from simulator.explain.stepping import FOLDS, SHOWN, step_layer
    from simulator.machine.spec_loading import load_accelerator
    from workloads.foundation.atomic import check_writable
    from workloads.trace import load_trace

    overrides = with_mapping(overrides, mapping)
    spec = load_accelerator(config, design, dataflow, overrides)
    workload = load_trace(trace)
    for path in filter(None, (vcd, mapping_out)):
        check_writable(path)
    if batch_size is not None:
        workload = workload.with_batch_size(batch_size)
    with named_places(trace, config, dataflow, overrides):
        if stepping:
            # A picture begins where the first PE works, which is known only when it was stepped.
            kept = cycles if folds is None else None if first is None else first + (cycles or SHOWN)
            wanted = passes[0] if passes else None
            with waiting(f"step {layer}"):
                steps = step_layer(workload, spec, layer, phase, wanted, FOLDS if folds is None else folds, kept)
            _show_steps(steps, folds is not None, first, cycles, register, pe, vcd)
            return
        with waiting(f"explain {layer}"):
            found = explain_layer(workload, spec, layer, phase, passes)
    if mapping_out is not None:
        from workloads.foundation.atomic import atomic_file
        from workloads.foundation.printable import printable
        from workloads.foundation.strict_yaml import yaml_text

        with atomic_file(mapping_out) as file:
            file.write(yaml_text(found.mapping()))
        click.echo(f"mapping of {printable(found.layer)} written to {mapping_out}", err=True)
    if as_json:
        import json

        click.echo(json.dumps(found.data(), indent=2))
        return
    from simulator.explain.text import explanation_text

    click.echo(explanation_text(found))


def _check_options(
    stepping: bool,
    folds: int | None,
    cycles: int | None,
    passes: tuple[str, ...],
    of_steps: dict[str, object],
    others: dict[str, object],
) -> None:
    """Refuse an option that the others leave without a meaning."""
    if folds is None:
        for name, value in of_steps.items():
            if value is not None:
                raise click.UsageError(f"{name} says what --step shows: add --step")
    if not stepping and cycles is not None:
        raise click.UsageError("--cycles says what --step and --vcd show: add one of them")
    if stepping:
        for name, value in others.items():
            if value:
                raise click.UsageError(f"{name} goes with the explanation, which --step and --vcd leave out")
        if len(passes) > 1:
            raise click.UsageError("--step and --vcd show one pass: give one --pass")


def _show_steps(
    steps: "LayerSteps", shown: bool, first: int | None, cycles: int | None, register: str | None,
    pe: tuple[int, int] | None, vcd: Path | None,
) -> None:  # fmt: skip
    if shown:
        number = {} if cycles is None else {"cycles": cycles}
        click.echo(
            steps.history(*pe, first, **number) if pe is not None else steps.picture(first, register=register, **number)
        )
    if vcd is not None:
        steps.write_vcd(vcd)
        rest = f", of {steps.fold_cycles}," if steps.stepped.cycles < steps.fold_cycles else ""
        click.echo(f"waveform of {steps.stepped.cycles} cycles{rest} written to {vcd}", err=True)
