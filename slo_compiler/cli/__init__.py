"""The command line: a lazy table of commands, so that `--help` and `--version` import nothing but click."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import click

from slo_compiler import __version__

# Command -> module that holds a click command of the same name, and its one line of help.
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("slo_compiler.cli.init", "Begin a repository: a spec to edit, settings, hooks and CI."),
    "validate": ("slo_compiler.cli.validate", "Check specs and say how to mend them."),
    "compile": ("slo_compiler.cli.compile", "Write rules and their tests from specs."),
    "test": ("slo_compiler.cli.test", "Prove a compiled folder with promtool."),
    "publish": ("slo_compiler.cli.publish", "Push a compiled folder to the monitoring repository."),
    "expand": ("slo_compiler.cli.expand", "Print specs as plain OpenSLO v1."),
    "explain": ("slo_compiler.cli.explain", "Explain a diagnostic, or the numbers of a spec."),
    "diff": ("slo_compiler.cli.diff", "Say what a change of specs changes for users."),
    "simulate": ("slo_compiler.cli.simulate", "Say which alerts an incident fires, and when."),
    "simulate-exporter": (
        "slo_compiler.cli.simulate_exporter",
        "Serve the metrics page of an engine that is not there.",
    ),
    "check-metrics": ("slo_compiler.cli.check_metrics", "Check that what specs read is really scraped."),
    "engines": ("slo_compiler.cli.engines", "Show engines, and what an upgrade changes."),
    "catalog": ("slo_compiler.cli.catalog", "Show classes, use cases and profiles with their sources."),
    "migrate": ("slo_compiler.cli.migrate", "Rewrite OpenSLO v1alpha and Sloth files as current ones."),
    "schema": ("slo_compiler.cli.schema", "Print the JSON Schema of a kind, for editors."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        known = COMMANDS.get(cmd_name)
        if known is None:
            return None
        _skip_plugins()
        command = importlib.import_module(known[0]).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table is enough: listing commands must not import them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _skip_plugins() -> None:
    """Spares pydantic the search for plugins, which the compiler has none of.

    Turned off, the search still imports all that it would need, which takes longer than checking a spec.
    """
    search = ModuleType("pydantic.plugin._loader")
    search.__dict__["get_plugins"] = tuple
    sys.modules.setdefault(search.__name__, search)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: slo-compiler compile specs -o out && slo-compiler test out",
)
@click.version_option(__version__, prog_name="slo-compiler")
def cli() -> None:
    """SLOs for LLM inference as code: specs in git in, proven Prometheus rules out.

    Exit codes: 0 fine, 1 findings, 2 usage, 3 environment.
    """
