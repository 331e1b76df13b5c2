"""`explain`: the page of a diagnostic, or a spec's numbers with their provenance."""

from __future__ import annotations

import re
import shutil
import sys

import click

from slo_compiler.cli.options import FINDINGS, Common, common_options, load_config, show, spec_files

_LIKE_A_CODE = re.compile(r"[a-z]{0,4}[-_ ]?[0-9]+", re.IGNORECASE)


@click.command("explain", epilog="Examples: slo-compiler explain SLO403; slo-compiler explain specs/chat.yaml")
@click.argument("subject", metavar="CODE|FILE")
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@common_options
def command(common: Common, subject: str, output: str) -> None:
    """Explain a diagnostic CODE, or the numbers of the specs in FILE (a file or a folder).

    Exits 0, or 1 where a spec has errors; what could be resolved is shown all the same.
    """
    from slo_compiler.diagnostics.pages import page_of
    from slo_compiler.explain import find_code, page_json, suggest_codes
    from slo_compiler.load.discover import exists

    code = find_code(subject)
    if code is not None:
        click.echo(page_json(code) if output == "json" else page_of(code).rstrip("\n"))
    elif exists(subject):
        _explain_files(common, subject, output)
    elif _LIKE_A_CODE.fullmatch(subject):
        raise click.UsageError(f"unknown code {subject}; {suggest_codes(subject)}")
    else:
        raise click.UsageError(f"{subject} is no code such as SLO403, and no file or folder")


def _explain_files(common: Common, path: str, output: str) -> None:
    from slo_compiler.explain import numbers_json, render_numbers
    from slo_compiler.pipeline import check_files
    from slo_compiler.plain_text import NARROWEST
    from slo_compiler.resolve.environment import Environment

    config = load_config(common)
    checked = check_files(spec_files((path,), config), Environment(config))
    if checked.diagnostics:
        show(checked.diagnostics, checked.lines, common, files=checked.files)
    if output == "json":
        click.echo(numbers_json(checked.specs))
    elif checked.specs:
        width = shutil.get_terminal_size((NARROWEST, 24)).columns
        text = render_numbers(checked.specs, width, colour=common.colour_results)
        click.echo(text, color=common.colour_results or None)
    if checked.failed:
        sys.exit(FINDINGS)
