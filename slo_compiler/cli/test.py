"""`test`: promtool over a compiled folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.options import FINDINGS, Common, common_options, fail_environment

if TYPE_CHECKING:
    from slo_compiler.prove import FileResult


@click.command("test", epilog="Example: slo-compiler test out")
@click.argument("folder", metavar="OUT", default="out", type=click.Path(exists=True, file_okay=False))
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), help="promtool processes at a time (default: one per core).")
@click.option("--changed", is_flag=True, help="Ask promtool only about files that changed since they last held.")
@click.option("--promtool", "program", metavar="PATH", help="Default: $PROMTOOL, else promtool on the PATH.")
@common_options
def command(common: Common, folder: str, output: str, jobs: int | None, changed: bool, program: str | None) -> None:
    """Check every rule file under OUT and run its unit tests with promtool.

    Exits 0 where all hold, 1 where one fails, 3 where promtool is missing or too old.
    """
    from slo_compiler.external.promtool import PromtoolMissing, PromtoolTooOld, find_promtool
    from slo_compiler.prove import prove_folder, rule_files, to_json

    try:
        promtool = find_promtool(program)
    except PromtoolMissing as fault:
        fail_environment(str(fault))
        return
    memory = _Memory(Path(folder), promtool) if changed else None
    results: list[FileResult] = []
    files = len(rule_files(Path(folder)))
    progress = _Progress(files, shown=output == "text" and not common.quiet and sys.stderr.isatty())
    try:
        for result in prove_folder(
            Path(folder), promtool, jobs or os.cpu_count() or 1, memory.held if memory is not None else {}
        ):
            results.append(result)
            if output == "text":
                _tell(result, common, progress)
            progress.show(len(results))
    except PromtoolTooOld as fault:
        fail_environment(str(fault))
    progress.clear()
    if memory is not None:
        memory.keep(results)
    if output == "json":
        click.echo(to_json(results))
    elif not results:
        click.echo(f"no rule file under {folder}/rules", err=True)
    else:
        click.echo(_summary(results, common), color=common.colour_results or None)
    if not results or not all(result.ok for result in results):
        sys.exit(FINDINGS)


class _Memory:
    """What held in a folder when it was last proven by the same promtool and the same code; absent: everything is proven."""

    def __init__(self, folder: Path, promtool: str) -> None:
        from slo_compiler.external.promtool import build_of
        from slo_compiler.prove import Held
        from slo_compiler.write.cache import cache_path, read_cache
        from slo_compiler.write.fingerprint import catalogs

        self._path = cache_path("held", folder)
        self._state = {**catalogs(None, kinds=(), flavour=None), "promtool": build_of(promtool)}
        kept = read_cache(self._path)
        same = isinstance(kept, dict) and kept.get("state") == self._state
        self.held = {path: Held(*entry) for path, entry in kept["held"].items()} if same else {}

    def keep(self, results: list[FileResult]) -> None:
        """Remembers what holds now."""
        from slo_compiler.write.cache import write_cache

        held = {result.path: (result.key, result.rules, result.tests) for result in results if result.ok}
        write_cache(self._path, {"state": self._state, "held": held})


class _Progress:
    """How many files are proven, on one line of a terminal's stderr that goes away again."""

    def __init__(self, files: int, *, shown: bool) -> None:
        self.files = files
        self.shown = shown

    def show(self, proven: int) -> None:
        if self.shown:
            click.echo(f"\r{proven}/{self.files} rule files proven", nl=False, err=True)

    def clear(self) -> None:
        if self.shown:
            click.echo("\r\033[K", nl=False, err=True)


def _tell(result: FileResult, common: Common, progress: _Progress) -> None:
    """A file that fails, with what promtool says; with -v also what holds."""
    from slo_compiler.diagnostics.limit import count
    from slo_compiler.plain_text import BAD, GOOD, painted

    if result.ok and not common.verbose:
        return
    progress.clear()
    colours = common.colour_results
    if result.ok:
        word = painted("ok", GOOD if colours else "")
        text = f"{word} {result.path}: {count(result.rules, 'rule')}, {count(result.tests, 'test')}"
    else:
        text = f"{painted('FAILED', BAD if colours else '')} {result.path}\n{result.output}"
    click.echo(text, color=colours or None)


def _summary(results: list[FileResult], common: Common) -> str:
    """`47 rule files, 2,243 rules, 15,210 tests: all hold`"""
    from slo_compiler.diagnostics.limit import count
    from slo_compiler.plain_text import BAD, GOOD, painted

    rules, tests = sum(result.rules for result in results), sum(result.tests for result in results)
    failed = sum(not result.ok for result in results)
    state, colour = (f"{failed} failed", BAD) if failed else ("all hold", GOOD)
    told = painted(state, colour if common.colour_results else "")
    return f"{count(len(results), 'rule file')}, {count(rules, 'rule')}, {count(tests, 'test')}: {told}"
