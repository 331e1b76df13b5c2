"""`engines`: which there are, what a release exposes, and what an upgrade changes for given specs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.connections import connection_options, read_scrape
from slo_compiler.cli.options import FINDINGS, Common, common_options, fail_environment, load_config, show, spec_files

if TYPE_CHECKING:
    from slo_compiler.engines import ResolvedEngine
    from slo_compiler.external.http import Connection
    from slo_compiler.live.engine_draft import EngineDraft
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


@command.command("import", epilog="Example: slo-compiler engines import http://localhost:8000/metrics --name acme")
@click.argument("scrape", metavar="SCRAPE")
@click.option("--name", help="Of the engine; default: what the names of its metrics begin with.")
@click.option("--version", help="The release that the page is of, as 1.2.3 or b10434.")
@connection_options
@common_options
def import_engine(common: Common, connection: Connection, scrape: str, name: str | None, version: str | None) -> None:
    """Draft an Engine document from the metrics page of a program: an address, a saved page, or - for stdin.

    Roles and units are guessed from names and marked as guesses. Exits 1 where no name hints at what an SLI reads, 3
    where there is no page.
    """
    from hashlib import sha256

    from slo_compiler.live.engine_draft import draft_engine
    from slo_compiler.live.engine_draft_text import draft_text
    from slo_compiler.live.pages import NoPage, read_page
    from slo_compiler.plain_text import visible

    if name is not None:
        _check_name(name)
    if version is not None and not _is_release(version):
        raise click.UsageError(f"--version: {version!r} is no release; write it as 1.2.3, or as b10434")
    text = read_scrape(scrape, connection)
    try:
        page = read_page(text)
    except NoPage as fault:
        fail_environment(f"{scrape}: {fault}")
        raise AssertionError from None
    draft = draft_engine(page)
    if not draft.metrics:
        click.echo(f"error: {scrape}: no name of a metric hints at what an SLI reads", err=True)
        for other, why in draft.undecided:
            click.echo(f"  {visible(f'{other}: {why}')}", err=True)
        sys.exit(FINDINGS)
    chosen = name or _name_of(draft)
    click.echo(draft_text(draft, chosen, version, sha256(text.encode()).hexdigest()), nl=False)
    common.note(
        f"drafted engine {chosen}: metrics with a role {len(draft.metrics)}, to decide {len(draft.undecided)}; "
        "save it beside the specs and check what is marked as a guess"
    )


def _check_name(name: str) -> None:
    from slo_compiler.documents.metadata import check_dns_label

    try:
        check_dns_label(name)
    except ValueError as fault:
        raise click.UsageError(f"--name: {fault}") from None


def _is_release(text: str) -> bool:
    from slo_compiler.documents.releases import VersionRange, version_text

    releases = VersionRange.of_release(text)
    return releases is not None and releases.low is not None and version_text(releases.low) == text


def _name_of(draft: EngineDraft) -> str:
    """What most of the metrics begin with; never the name of an engine that ships, which it would replace."""
    from collections import Counter

    from slo_compiler.documents.metadata import slug
    from slo_compiler.engines import load_builtin_engines

    first = [metric.family.name.replace(":", "_").split("_")[0] for metric in draft.metrics]
    name = slug(Counter(first).most_common(1)[0][0]) or "engine"
    return f"{name}-draft" if name in load_builtin_engines() else name


def _resolved(name: str, version: str | None) -> ResolvedEngine:
    from slo_compiler.diagnostics.nearest import did_you_mean
    from slo_compiler.engine_versions import UnknownVersion, known_versions, resolve_engine
    from slo_compiler.engines import load_builtin_engines

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
