"""`catalog`: classes, use cases, profiles and adjustments, every value with its source."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.options import Common, common_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from slo_compiler.describe_catalog import Entry

    Renderer = Callable[[Sequence[Entry], Mapping[str, str]], str]

_FORMATS = click.Choice(["text", "json", "markdown"])


@click.group("catalog", epilog="Example: slo-compiler catalog show chatbot")
def command() -> None:
    """Show experience classes, use cases, traffic profiles and adjustments with their sources."""


@command.command("list", epilog="Example: slo-compiler catalog list --format markdown")
@click.option("--format", "output", type=_FORMATS, default="text", show_default=True)
@common_options
def list_entries(common: Common, output: str) -> None:
    """List everything that a spec can name; as JSON and Markdown with every value."""
    from slo_compiler import describe_catalog
    from slo_compiler.shipped_catalog import load_builtin_catalog

    catalog = load_builtin_catalog()
    renderers: dict[str, Renderer] = {
        "text": partial(describe_catalog.to_table, colour=common.colour_results),
        "json": describe_catalog.to_json,
        "markdown": describe_catalog.to_markdown,
    }
    text = renderers[output](describe_catalog.entries_of(catalog), catalog.sources)
    click.echo(text, color=common.colour_results or None)


@command.command("show", epilog="Example: slo-compiler catalog show conversational --format json")
@click.argument("name")
@click.option("--format", "output", type=_FORMATS, default="text", show_default=True)
@common_options
def show_entry(common: Common, name: str, output: str) -> None:
    """Show every value of a class, use case, profile or adjustment: source, reason, what other sources say."""
    from slo_compiler import describe_catalog
    from slo_compiler.diagnostics.nearest import did_you_mean
    from slo_compiler.shipped_catalog import load_builtin_catalog

    catalog = load_builtin_catalog()
    entries = describe_catalog.entries_of(catalog)
    try:
        found = describe_catalog.find_entries(entries, name)
    except describe_catalog.UnknownEntry:
        hint = did_you_mean(name, [entry.name for entry in entries])
        raise click.UsageError(f"the catalog has no {name!r}; {hint}") from None
    renderers: dict[str, Renderer] = {
        "text": partial(describe_catalog.to_text, colour=common.colour_results),
        "json": describe_catalog.to_json,
        "markdown": describe_catalog.to_markdown,
    }
    click.echo(renderers[output](found, catalog.sources), color=common.colour_results or None)
