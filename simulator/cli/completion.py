"""Completion of names by the shell, for bash, zsh and fish: `adagp-sim completion SHELL`.

What completes is known by the names of arguments and options, so a new command has it without more.
"""

from collections.abc import Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem, get_completion_class

from simulator.cli.options import Named

_SHELLS = ("bash", "zsh", "fish")
# By the name of an argument or option that takes a text: kinds of the catalogue.
_KINDS: Mapping[str, tuple[str, ...]] = {
    "trace": ("traces",),
    "name": ("traces",),  # of trace inspect
    "network": ("networks",),
    "--config": ("machines",),
    "config": ("machines", "schedules", "energy_tables", "dram_parts", "values_of_kinds"),  # of show
    "--design": ("designs",),
    "--dataflow": ("dataflows",),
    "--schedule": ("schedules",),
    "--pipeline-schedule": ("pipeline_schedules",),
    "--format": ("trace_importers",),
}
_MAY_BE_FILES = ("trace", "name", "config", "--config", "--schedule", "--pipeline-schedule")
_SETTINGS = "--set"
_LIST_KIND = "kind"  # of list


class _Names(click.types.StringParamType):
    """A text that the shell completes with known names, or with keys of a machine."""

    def __init__(self, takes: str) -> None:
        self._takes = takes

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the names that begin so; where none does, the shell completes files, if one may be given."""
        found = [name for name in self._names() if name.casefold().startswith(incomplete.casefold())]
        if not found and self._takes in _MAY_BE_FILES:
            return [CompletionItem(incomplete, type="file")]
        return list(map(CompletionItem, found))

    def _names(self) -> list[str]:
        from simulator.api.catalogue import CONFIGS, GROUPS
        from workloads.foundation.errors import InputError

        try:
            if self._takes == _LIST_KIND:
                return [kind.replace("_", "-") for kind in (*GROUPS, CONFIGS)]
            if self._takes == _SETTINGS:
                from simulator.machine.reference import spec_keys

                return [f"{one.key}=" for one in spec_keys()]
            return [name for kind in _KINDS[self._takes] for name in GROUPS[kind].names()]
        except InputError:  # of a broken extension package, which the command itself tells
            return []


def take_names(command: click.Command) -> None:
    """Let the shell complete names in a command, and in all commands below it."""
    for param in command.params:
        if param.type is click.STRING or isinstance(param.type, type(click.STRING)):
            takes = next((one for one in (*param.opts, param.name or "") if one in (*_KINDS, _SETTINGS)), None)
            if takes is None and command.name == "list" and param.name == _LIST_KIND:
                takes = _LIST_KIND
            if takes is not None and (isinstance(param, click.Argument) or takes.startswith("--")):
                param.type = _Names(takes)
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            take_names(inner)


@click.command()
@click.argument("shell", type=Named(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that lets SHELL complete commands, options and names.

    \b
    bash: eval "$(adagp-sim completion bash)"             in ~/.bashrc
    zsh:  eval "$(adagp-sim completion zsh)"              in ~/.zshrc
    fish: adagp-sim completion fish | source              in ~/.config/fish/config.fish

    The names of shipped and installed traces, machines, designs, dataflows, schedules and the keys of --set are
    completed, and files.
    """  # noqa: D301 (click reads the \b)
    made: Any = get_completion_class(shell)
    root = context.find_root()
    click.echo(made(root.command, {}, "adagp-sim", "_ADAGP_SIM_COMPLETE").source())
