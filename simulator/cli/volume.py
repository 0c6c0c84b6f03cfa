"""`--quiet` and `--verbose`, which every command takes: how much is printed beside the results."""

import logging
from enum import Enum
from time import perf_counter

import click

_KEY = "simulator.cli.volume"
_BEGUN = perf_counter()


class Volume(Enum):
    """How much is printed."""

    QUIET = "quiet"
    NORMAL = "normal"
    VERBOSE = "verbose"


def volume() -> Volume:
    """Return how much the command that runs is to tell."""
    context = click.get_current_context(silent=True)
    found: Volume = Volume.NORMAL if context is None else context.meta.get(_KEY, Volume.NORMAL)
    return found


def note(text: str) -> None:
    """Tell something beside the results on stderr, unless the user wants results only."""
    if volume() is not Volume.QUIET:
        click.echo(text, err=True)


def take_volume(command: click.Command) -> None:
    """Give a command, and all commands below it, the two options."""
    command.params += [
        click.Option(
            ["-q", "--quiet"], is_flag=True, expose_value=False, is_eager=True, callback=_choose,
            help="Only results: no progress, no notes.",
        ),
        click.Option(
            ["-v", "--verbose"], is_flag=True, expose_value=False, is_eager=True, callback=_choose,
            help="Also tell which files are read, what is planned, and how long each stage takes.",
        ),
    ]  # fmt: skip
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            take_volume(inner)


def _choose(context: click.Context, option: click.Parameter, given: bool) -> None:
    if not given:
        return
    chosen, before = Volume(option.name), context.meta.get(_KEY)
    if before not in (None, chosen):
        raise click.UsageError("--quiet and --verbose do not go together: leave one of them out")
    if before is None and chosen is Volume.VERBOSE:
        _show_log(context)
    context.meta[_KEY] = chosen


class _ToStandardError(logging.Handler):
    """Write each record as a line, with the seconds since the program began."""

    def emit(self, record: logging.LogRecord) -> None:
        from workloads.foundation.printable import printable

        click.echo(f"[{perf_counter() - _BEGUN:8.3f} s] {printable(record.getMessage())}", err=True)


def _show_log(context: click.Context) -> None:
    from workloads.foundation.logs import LOG

    handler, before = _ToStandardError(), LOG.level
    LOG.addHandler(handler)
    LOG.setLevel(logging.DEBUG)

    def hide() -> None:
        LOG.removeHandler(handler)
        LOG.setLevel(before)

    context.find_root().call_on_close(hide)
