"""`test`: promtool over a compiled folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from slo_compiler.cli.options import FINDINGS, Common, common_options, fail_environment


@click.command("test", epilog="Example: slo-compiler test out")
@click.argument("folder", metavar="OUT", default="out", type=click.Path(exists=True, file_okay=False))
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), help="promtool processes at a time (default: one per core).")
@click.option("--promtool", "program", metavar="PATH", help="Default: $PROMTOOL, else promtool on the PATH.")
@common_options
def command(common: Common, folder: str, output: str, jobs: int | None, program: str | None) -> None:
    """Check every rule file under OUT and run its unit tests with promtool.

    Exits 0 where all hold, 1 where one fails, 3 where promtool is missing or too old.
    """
    from slo_compiler.diagnostics.limit import count
    from slo_compiler.external.promtool import PromtoolMissing, PromtoolTooOld, find_promtool
    from slo_compiler.prove import FileResult, prove_folder, to_json

    try:
        promtool = find_promtool(program)
    except PromtoolMissing as fault:
        fail_environment(str(fault))
        return
    results: list[FileResult] = []
    progress = output == "text" and not common.quiet and sys.stderr.isatty()
    try:
        for result in prove_folder(Path(folder), promtool, jobs or os.cpu_count() or 1):
            results.append(result)
            if progress:
                click.echo(f"\r{len(results)} files proven", nl=False, err=True)
            if not result.ok and output == "text":
                click.echo(f"FAILED {result.path}\n{result.output}")
    except PromtoolTooOld as fault:
        fail_environment(str(fault))
    if progress:
        click.echo("\r", nl=False, err=True)
    failed = sum(not result.ok for result in results)
    if output == "json":
        click.echo(to_json(results))
    elif not results:
        click.echo(f"no rule file under {folder}/rules", err=True)
    else:
        rules, tests = sum(result.rules for result in results), sum(result.tests for result in results)
        state = f"{failed} failed" if failed else "all hold"
        click.echo(f"{count(len(results), 'rule file')}, {count(rules, 'rule')}, {count(tests, 'test')}: {state}")
    if failed or not results:
        sys.exit(FINDINGS)
