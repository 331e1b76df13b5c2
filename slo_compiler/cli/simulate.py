"""`simulate`: which alerts an incident fires, when they clear, and what it spends; from the rules' mathematics alone."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.options import FINDINGS, Common, common_options, display_path, load_config, show, spec_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from slo_compiler.analysis.scenario import Phase, Rate
    from slo_compiler.ir import Spec

# Evaluations are stepped one by one; nobody's incident lasts longer.
_LONGEST_DAYS = 100


@click.command(
    "simulate", epilog="Example: slo-compiler simulate specs/vllm/chatbot.yaml --bad 30% --for 20m --rate 5/s"
)
@click.argument("spec", metavar="SPEC")
@click.option("--bad", "shares", metavar="SHARE", multiple=True, required=True, help="The share of events that is bad.")
@click.option(
    "--for",
    "times",
    metavar="TIME",
    multiple=True,
    required=True,
    help="For how long; both may follow each other again.",
)
@click.option(
    "--rate", "given_rate", metavar="RATE", help="Requests per s, m, h or d, 20/h. Default: traffic.requestsPerHour."
)
@click.option(
    "--already-spent",
    "spent",
    metavar="SHARE",
    default="0%",
    show_default=True,
    help="Of the budget, before it starts.",
)
@click.option("--slo", "only", metavar="NAME", multiple=True, help="Only this SLO, by name or slo_id; repeatable.")
@click.option("--format", "output", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@common_options
def command(
    common: Common,
    spec: str,
    shares: tuple[str, ...],
    times: tuple[str, ...],
    given_rate: str | None,
    spent: str,
    only: tuple[str, ...],
    output: str,
) -> None:
    """Say which alerts an incident fires and when, when they clear, and what it spends of the budget.

    For every SLO of the file SPEC: after a long time without a bad event, the share --bad of all events is bad --for
    a time, then none. Several pairs of the two follow each other. The compiled rules' own tiles, windows, guards and
    clocks are stepped; no server is asked.

    Exits 1 where the spec has errors.
    """
    from slo_compiler.analysis.scenario import Scenario
    from slo_compiler.analysis.simulate import simulate
    from slo_compiler.analysis.simulation_report import to_json, to_markdown, to_text
    from slo_compiler.pipeline import check_files
    from slo_compiler.plain_text import NARROWEST
    from slo_compiler.resolve.environment import Environment

    scenario = Scenario(_phases(shares, times), _rate(given_rate), _share("--already-spent", spent))
    if Path(spec).is_dir():
        raise click.UsageError(f"{spec} is a folder; name a file of it")
    config = load_config(common)
    checked = check_files(spec_files((spec,), config), Environment(config))
    if checked.diagnostics:
        show(checked.diagnostics, checked.lines, common, files=checked.files)
    if checked.failed:
        sys.exit(FINDINGS)
    specs = [found for found in checked.specs if found.path == display_path(spec)]  # not those of a catalog
    if not specs:
        raise click.UsageError(f"{spec} holds no SLO")
    _refuse_unknown(specs, only)
    outcomes = simulate(specs, scenario, only)
    if output == "json":
        click.echo(to_json(scenario, outcomes))
    elif output == "markdown":
        click.echo(to_markdown(scenario, outcomes))
    else:
        width = shutil.get_terminal_size((NARROWEST, 24)).columns
        text = to_text(scenario, outcomes, width=width, colour=common.colour_results)
        click.echo(text, color=common.colour_results or None)


def _phases(shares: Sequence[str], times: Sequence[str]) -> tuple[Phase, ...]:
    from slo_compiler.analysis.scenario import Phase
    from slo_compiler.diagnostics.limit import count
    from slo_compiler.units import Duration

    if len(shares) != len(times):
        given = f"--bad is given {count(len(shares), 'time')} and --for {count(len(times), 'time')}"
        raise click.UsageError(f"{given}: they come in pairs")
    found = []
    for share, time in zip(shares, times, strict=True):
        try:
            duration = Duration.parse(time)
        except ValueError as fault:
            raise click.UsageError(f"--for: {fault}; write it as 20m or 1h30m") from None
        found.append(Phase(_share("--bad", share), duration))
    total = sum(phase.duration.seconds for phase in found)
    if total > _LONGEST_DAYS * 86400:
        raise click.UsageError(f"--for: {Duration.of(total)} in all is over {_LONGEST_DAYS}d")
    return tuple(found)


def _share(option: str, text: str) -> Decimal:
    from slo_compiler.units import parse_percent

    try:
        return parse_percent(text)
    except ValueError as fault:
        raise click.UsageError(f"{option}: {fault}; write a share from 0% to 100%, such as 30%") from None


def _rate(text: str | None) -> Rate | None:
    from slo_compiler.analysis.scenario import Rate

    if text is None:
        return None
    try:
        return Rate.parse(text)
    except ValueError as fault:
        raise click.UsageError(f"--rate: {fault}; write it as 5/s, 300/m, 20/h or 500/d") from None


def _refuse_unknown(specs: Sequence[Spec], only: Sequence[str]) -> None:
    from slo_compiler.diagnostics.nearest import did_you_mean

    names = [slo.name for spec in specs for slo in spec.slos]
    known = {*names, *(slo.slo_id for spec in specs for slo in spec.slos)}
    for name in only:
        if name not in known:
            raise click.UsageError(f"--slo: there is no {name}; {did_you_mean(name, names)}")
