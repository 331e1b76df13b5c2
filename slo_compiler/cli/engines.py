"""`engines`: which there are, what a release exposes, and what an upgrade changes for given specs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.options import FINDINGS, Common, common_options, load_config, show, spec_files

if TYPE_CHECKING:
    from slo_compiler.engines import ResolvedEngine
    from slo_compiler.pipeline import Checked

_FORMATS = click.Choice(["text", "json"])


@click.group("engines", epilog="Example: slo-compiler engines diff vllm 0.9 0.12 specs")
def command() -> None:
    """Show engines, their releases, and what an upgrade changes."""


@command.command("list", epilog="Example: slo-compiler engines list --format json")
@click.option("--format", "output", type=_FORMATS, default="text", show_default=True)
@common_options
def list_engines(common: Common, output: str) -> None:
    """List the engines that ship, with the releases that are known."""
    from slo_compiler.describe_engines import list_json, list_text
    from slo_compiler.engines import load_builtin_engines

    del common
    engines = load_builtin_engines().values()
    click.echo(list_json(engines) if output == "json" else list_text(engines))


@command.command("show", epilog="Example: slo-compiler engines show vllm@0.11")
@click.argument("engine", metavar="NAME[@VERSION]")
@click.option("--format", "output", type=_FORMATS, default="text", show_default=True)
@common_options
def show_engine(common: Common, engine: str, output: str) -> None:
    """Show what a release exposes: metrics by role, with the bucket edges at which a threshold is exact."""
    from slo_compiler.describe_engines import show_json, show_text

    del common
    name, _, version = engine.partition("@")
    found = _resolved(name, version or None)
    click.echo(show_json(found) if output == "json" else show_text(found))


@command.command("diff", epilog="Example: slo-compiler engines diff vllm 0.9 0.12 specs")
@click.argument("name")
@click.argument("old")
@click.argument("new")
@click.argument("paths", nargs=-1)
@click.option("--format", "output", type=_FORMATS, default="text", show_default=True)
@common_options
def diff_engines(common: Common, name: str, old: str, new: str, paths: tuple[str, ...], output: str) -> None:
    """Say what changes from release OLD to NEW of an engine, and what the specs under PATHS would be told then.

    Specs of the engine are judged as if they named OLD, and as if they named NEW; what only NEW brings is shown. Exits 1
    where that is an error.
    """
    from slo_compiler.analysis.engine_changes import changes_between
    from slo_compiler.describe_engines import diff_json, diff_text
    from slo_compiler.diagnostics.diagnostic import has_errors

    before, after = _resolved(name, old), _resolved(name, new)
    changes = list(changes_between(before, after))
    pinned = [_judged(common, paths, name, engine.version) for engine in (before, after)] if paths else []
    if pinned and pinned[0].failed:
        show(pinned[0].diagnostics, pinned[0].lines, common, files=pinned[0].files)
        click.echo(f"error: the specs have errors under {before.title} already; mend them first", err=True)
        sys.exit(FINDINGS)
    told = {(item.code, item.span, item.message) for item in pinned[0].diagnostics} if pinned else set()
    # A message names the version: what is the same but for that is nothing new.
    known = {(code, span, message.replace(before.title, after.title)) for code, span, message in told}
    found = (
        [item for item in pinned[1].diagnostics if (item.code, item.span, item.message) not in known] if pinned else []
    )
    if output == "json":
        click.echo(diff_json(before, after, changes, found))
    else:
        click.echo(diff_text(before, after, changes))
        if pinned:
            show(found, pinned[1].lines, common, files=pinned[1].files)
    if has_errors(found):
        sys.exit(FINDINGS)


def _resolved(name: str, version: str | None) -> ResolvedEngine:
    from slo_compiler.diagnostics.nearest import did_you_mean
    from slo_compiler.engines import UnknownVersion, known_versions, load_builtin_engines, resolve_engine

    engines = load_builtin_engines()
    if name not in engines:
        raise click.UsageError(f"unknown engine {name}; {did_you_mean(name, engines)}")
    known = known_versions(engines[name])
    try:
        found = resolve_engine(engines[name], version or (known[-1] if known else None))
    except UnknownVersion as fault:
        raise click.UsageError(f"{fault}; known versions: {', '.join(known)}") from None
    if found.notice:
        click.echo(f"note: {found.notice}", err=True)
    return found


def _judged(common: Common, paths: tuple[str, ...], name: str, version: str) -> Checked:
    from slo_compiler.pipeline import check_files
    from slo_compiler.resolve.environment import Environment

    config = load_config(common)
    return check_files(spec_files(paths, config), Environment(config, pinned={name: version}))
