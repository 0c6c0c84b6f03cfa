"""`adagp-sim`: the group of commands, and what every error looks like.

Nothing heavy is imported here or at the top of a command's file, so that ``--help`` is instant.
"""

import atexit
import gc
import signal
import sys
from contextlib import suppress

import click

from simulator.cli.area import area
from simulator.cli.compare import compare
from simulator.cli.completion import completion, take_names
from simulator.cli.diff import diff
from simulator.cli.energy_table import energy_table
from simulator.cli.explain import explain
from simulator.cli.list import list_shipped
from simulator.cli.memory import memory
from simulator.cli.pipeline import pipeline
from simulator.cli.reproduce import reproduce
from simulator.cli.run_report import run_report as report
from simulator.cli.schema import schema
from simulator.cli.show import show
from simulator.cli.signals import Stopped, stoppable
from simulator.cli.simulate import simulate
from simulator.cli.streams import open_streams
from simulator.cli.sweep import sweep
from simulator.cli.synthesize import synthesize
from simulator.cli.trace import trace
from simulator.cli.train import train
from simulator.cli.validate import validate
from simulator.cli.volume import take_volume
from workloads.foundation.errors import InputError
from workloads.foundation.printable import printable
from workloads.foundation.reading import one_run

_OBJECTS_BETWEEN_COLLECTIONS = 100_000  # some 10 MB


class _InOrder(click.Group):
    """A group that lists its commands in the order of use, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def _version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    """Print the versions of the program and of the model, and end."""
    if not asked:
        return
    from simulator.api.version import model_version, program_version

    click.echo(f"adagp-sim {program_version()}, model {model_version()}")
    context.exit()


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version,
    help="Print the version of the program and of the model, which changes whenever results can, and end.",
)  # fmt: skip
def cli() -> None:
    """Cycle-accurate simulator of the ADA-GP training accelerator (MICRO'23).

    \b
    adagp-sim compare vgg13-cifar10     what LOW, Efficient and MAX gain over the baseline
    adagp-sim list                      shipped traces, accelerators and energy tables
    adagp-sim COMMAND --help            the options of a command
    """  # noqa: D301 (click reads the \b)


for _command in (
    simulate, compare, explain, sweep, report, pipeline, reproduce, validate, memory, area, synthesize, show,
    list_shipped, diff, trace, train, energy_table, schema, completion,
):  # fmt: skip
    cli.add_command(_command)
take_volume(cli)
take_names(cli)


def main() -> None:
    """Run the command line.

    Exit codes: 0 done, 2 bad input (one line on stderr), 128 + n stopped by signal n, 1 anything else.
    """
    open_streams()
    _collect_seldom()
    try:
        with stoppable(), one_run():
            code = cli.main(prog_name="adagp-sim", standalone_mode=False)
        sys.stdout.flush()
    except InputError as error:
        _fail(str(error), 2)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "adagp-sim"
        _fail(f"{command}: {error.format_message()} (see {command} --help)", 2)
    except click.Abort:
        _fail("interrupted", 128 + signal.SIGINT)
    except Stopped as stopped:
        _fail(f"stopped by {signal.Signals(stopped.number).name}", 128 + stopped.number)
    except click.ClickException as error:
        _fail(error.format_message(), 1)
    except MemoryError:
        _fail("the memory is full; give a smaller network, batch or machine", 1)
    except OSError as error:
        _fail(_words_of(error), 1)
    sys.exit(code if isinstance(code, int) else 0)


def _collect_seldom() -> None:
    """Let Python look for garbage in cycles seldom, and not at its end: a tenth of a short command."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    atexit.register(gc.freeze)


def _words_of(error: OSError) -> str:
    if error.filename is None:  # a full disk, say, behind a redirected stdout
        return f"standard output cannot be written: {error.strerror}"
    return f"{error.filename}: {error.strerror}"


def _fail(message: str, code: int) -> None:
    click.echo("error: " + printable(" ".join(message.split())), err=True)
    with suppress(OSError):
        sys.stdout.flush()
    sys.exit(code)


if __name__ == "__main__":
    main()
