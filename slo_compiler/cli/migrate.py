"""`migrate`: old documents in, OpenSLO v1 and our own kinds out; in place or into a folder."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.options import FINDINGS, Common, common_options, display_path, show, show_diff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slo_compiler.diagnostics.diagnostic import Diagnostic
    from slo_compiler.migrate.files import Migrated


@click.command("migrate", epilog="Example: slo-compiler migrate sloth/ -o specs")
@click.argument("files", nargs=-1, required=True)
@click.option("-o", "--output", "folder", metavar="DIR", help="Write into this folder (default: in place).")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 and name the files that would change.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change.")
@common_options
def command(common: Common, files: tuple[str, ...], folder: str | None, check: bool, diff: bool) -> None:
    """Rewrite old documents in FILES, or in the files of a folder, as new ones.

    openslo/v1alpha becomes openslo/v1, Sloth's prometheus/v1 and PrometheusServiceLevel an openslo/v1 SLO each, its
    AlertWindows a BurnRatePolicy. Comments and everything that is not old are kept; a warning names each field that is
    not carried over. Of a file with an error nothing is written, the others are done.
    """
    from slo_compiler.diagnostics.diagnostic import has_errors

    names = _files(files)
    if folder is not None:
        _refuse_clashes(names, folder)
    results = [_migrate(path) for path in names]
    diagnostics = [diagnostic for result in results for diagnostic in result.diagnostics]
    if diff:
        for result in results:
            if result.changed:
                show_diff(result.path, result.before, result.after)
    changed = [result for result in results if result.changed]
    written = 0
    if not check and not diff:
        written, faults = _write(results, names, folder)
        diagnostics += faults
    if diagnostics:
        lines = {result.path: result.lines for result in results}
        show(diagnostics, lines, common, files=len(results))
    if check:
        for result in changed:
            click.echo(result.path)
        if changed:
            into = ["-o", folder] if folder is not None else []
            again = shlex.join(["slo-compiler", "migrate", *files, *into])
            click.echo(f"{_count(len(changed))} would change; run {again}", err=True)
    elif not diff:
        common.note(f"{_count(written)} written, {len(results) - written} left alone")
    if has_errors(diagnostics) or (check and changed):
        sys.exit(FINDINGS)


def _count(number: int) -> str:
    return f"{number} file" if number == 1 else f"{number} files"


def _files(given: Sequence[str]) -> dict[str, str]:
    """The files to read, each with its name in an output folder: below the folder that was given, or its own."""
    from slo_compiler.load.discover import discover

    names: dict[str, str] = {}
    for path in map(display_path, given):
        found, missing = discover([path])
        if missing:
            raise click.UsageError(f"no such file or folder: {path}")
        base = Path(path) if Path(path).is_dir() else Path(path).parent
        for file in found:
            names.setdefault(file, Path(file).relative_to(base).as_posix())
    if not names:
        raise click.UsageError(f"no file (.yaml, .yml, .json) under {', '.join(given)}")
    return dict(sorted(names.items()))


def _refuse_clashes(names: dict[str, str], folder: str) -> None:
    from slo_compiler.write.in_place import clashes

    if Path(folder).exists() and not Path(folder).is_dir():
        raise click.UsageError(f"{folder} is no folder")
    twice = clashes(list(names.values()))
    if twice:
        raise click.UsageError(
            f"-o {folder}: more than one file would be {', '.join(twice)}; give the folder above them"
        )


def _migrate(path: str) -> Migrated:
    from slo_compiler.load.yaml import LoadedFile, read_content
    from slo_compiler.migrate.files import Migrated, migrate_bytes

    content = read_content(path)
    if isinstance(content, LoadedFile):
        return Migrated(path, b"", b"", content.diagnostics)
    return migrate_bytes(content, path)


def _write(results: Sequence[Migrated], names: dict[str, str], folder: str | None) -> tuple[int, list[Diagnostic]]:
    """How many files were written, and why others were not. A folder gets the files that need nothing, too."""
    from slo_compiler.write.in_place import write_in_place, write_into

    written, faults = 0, []
    for result in results:
        if result.failed:
            continue
        if folder is not None:
            is_new, refused = write_into(Path(folder), names[result.path], result.after)
        elif result.changed:
            refused = write_in_place(result.path, result.before, result.after)
            is_new = not refused
        else:
            continue
        written += is_new
        faults += refused
    return written, faults
