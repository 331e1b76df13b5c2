"""`schema`: the JSON Schema of a kind of document."""

from __future__ import annotations

import click

from slo_compiler.cli.options import Common, common_options


@click.command("schema", epilog="Example: slo-compiler schema InferenceSLO > inference-slo.schema.json")
@click.argument("kind")
@common_options
def command(common: Common, kind: str) -> None:
    """Print the JSON Schema (draft 2020-12) of KIND, for editors and hooks.

    KIND is InferenceSLO, SLO (of OpenSLO v1), BurnRatePolicy, Engine, ExperienceCatalog, TrafficScenario or Config (the
    settings file).
    """
    from slo_compiler.diagnostics.nearest import did_you_mean
    from slo_compiler.schemas import KINDS, UnknownKind, schema_text

    del common
    try:
        click.echo(schema_text(kind), nl=False)
    except UnknownKind:
        hint = did_you_mean(kind, KINDS, otherwise="kinds")
        raise click.UsageError(f"no kind {kind!r}; {hint}") from None
