"""`diff`: what a change of specs, or of what they are made with, changes for users."""

from __future__ import annotations

import shutil
import sys

import click

from slo_compiler.cli.options import FINDINGS, Common, common_options, load_config

FORMATS = ("text", "json", "markdown")


@click.command(
    "diff",
    epilog="Examples: slo-compiler diff --against origin/main... specs; slo-compiler diff published/out out",
)
@click.argument("paths", nargs=-1, metavar="OLD NEW | [PATHS]")
@click.option(
    "--against", "revision", metavar="REVISION", help="Compare with a revision of git; REV... is where HEAD left it."
)
@click.option("--format", "output", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--exit-code", is_flag=True, help="Exit 1 where something changes.")
@common_options
def command(common: Common, paths: tuple[str, ...], revision: str | None, output: str, exit_code: bool) -> None:
    """Say what changes for users between OLD and NEW, each a compiled folder, or specs.

    With --against, OLD is what REVISION held of PATHS (default: as configured, else specs), with the configuration and
    catalogs of that time; NEW is what lies there now. No file is checked out. Exits 0 also where there are changes, 1
    where NEW has errors.
    """
    from slo_compiler.cli import diff_sides
    from slo_compiler.diff.compare import difference
    from slo_compiler.diff.report import REPORTERS, to_text
    from slo_compiler.plain_text import NARROWEST

    if revision is None and len(paths) != 2:
        raise click.UsageError("say OLD and NEW, or --against REVISION and which PATHS")
    config = load_config(common)
    if revision is None:
        old, new = diff_sides.of_both(paths[0], paths[1], config, common)
    else:
        old, new = diff_sides.of_revision(revision, paths, config, common)
    found = difference(old, new)
    if output == "text":
        width = shutil.get_terminal_size((NARROWEST, 24)).columns
        click.echo(to_text(found, width, colour=common.colour_results), color=common.colour_results or None)
    else:
        click.echo(REPORTERS[output](found))
    if exit_code and found.changes:
        sys.exit(FINDINGS)
