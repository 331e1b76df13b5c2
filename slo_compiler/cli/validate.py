"""`validate`: findings about specs, and nothing written."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import click

from slo_compiler.cli.options import (
    CONFIG_NAME,
    FINDINGS,
    Common,
    catalog_files,
    common_options,
    display_path,
    find_config,
    load_config,
    show,
    spec_files,
)

if TYPE_CHECKING:
    from slo_compiler.documents.config import Config
    from slo_compiler.pipeline import Checked


FORMATS = ("text", "json", "sarif", "github", "gitlab")


@click.command("validate", epilog="Example: slo-compiler validate specs --format sarif > slo.sarif")
@click.argument("paths", nargs=-1)
@click.option("--format", "output", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option(
    "--max-diagnostics",
    "limit",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    help="Show so many, errors first; 0 shows all.",
)
@click.option("--warnings-as-errors", is_flag=True, help="Exit 1 on warnings too.")
@click.option(
    "--changed",
    is_flag=True,
    help="PATHS are files that changed: judge these and what names them, among all files of the configuration.",
)
@click.option("--today", metavar="DATE", help="The day by which waivers are judged (default: today).")
@common_options
def command(
    common: Common,
    paths: tuple[str, ...],
    output: str,
    limit: int,
    warnings_as_errors: bool,
    changed: bool,
    today: str | None,
) -> None:
    """Check the specs under PATHS (default: as configured, else specs; - reads stdin).

    A valid document that cannot be compiled to Prometheus rules is a warning here and an error of compile. Exits 0
    where there is no error, 1 where there is one.

    With --changed, references are found in the other files of the configured paths without judging these; a changed
    configuration, engine, catalog or burn-rate policy, and a file of these paths that is gone, has all of them judged.
    A path that is none of them is passed over.
    """
    from slo_compiler.diagnostics.diagnostic import Severity

    try:
        day = datetime.date.fromisoformat(today) if today else datetime.date.today()
    except ValueError:
        raise click.UsageError(f"--today: {today!r} is no date; write it as 2027-03-01") from None
    checked = _check_changed(common, paths, day) if changed else _check(common, paths, day)
    show(checked.diagnostics, checked.lines, common, files=checked.files, output=output, limit=limit)
    warned = any(diagnostic.severity is Severity.WARNING for diagnostic in checked.diagnostics)
    if checked.failed or (warnings_as_errors and warned):
        sys.exit(FINDINGS)


def _check(common: Common, paths: tuple[str, ...], day: datetime.date) -> Checked:
    from slo_compiler.load.limits import MAX_BYTES
    from slo_compiler.load.yaml import load_bytes, load_file
    from slo_compiler.pipeline import check_files, check_loaded
    from slo_compiler.resolve.environment import Environment

    config = load_config(common)
    environment = Environment(config)
    if paths == ("-",):
        content = sys.stdin.buffer.read(MAX_BYTES + 1)
        files = [*map(load_file, catalog_files(config)), load_bytes(content, "<stdin>")]
        return check_loaded(files, environment, day, compiling=False)
    return check_files(spec_files(paths, config), environment, day, compiling=False)


def _check_changed(common: Common, paths: tuple[str, ...], day: datetime.date) -> Checked:
    from slo_compiler.changed import check_changed
    from slo_compiler.resolve.environment import Environment
    from slo_compiler.write import fingerprint
    from slo_compiler.write.cache import cache_path
    from slo_compiler.write.index import read_index, write_index
    from slo_compiler.write.manifest import sha256

    config = load_config(common)
    settings = find_config(common.config)
    files = spec_files((), config)
    index_file = cache_path("index", Path.cwd())
    facts = fingerprint.catalogs(settings, kinds=(), flavour=None)
    known = read_index(index_file, sha256(repr(facts).encode()))
    judgement = check_changed(files, _named(paths, files, config, settings), Environment(config), known, day)
    if not judgement.index.is_of(known):
        write_index(index_file, judgement.index)
    return judgement.checked


def _named(paths: tuple[str, ...], files: list[str], config: Config, settings: Path | None) -> set[str] | None:
    """The spec files that are named, also as a folder or by another path; None where all may be another's.

    They may where the settings changed or are gone, and where a file of the configured paths is gone, of which nobody
    knows what it defined.
    """
    from slo_compiler.load.discover import SUFFIXES, exists, is_folder, same_files

    given = {display_path(path) for path in paths}
    folders = [PurePath(path) for path in given if is_folder(path)]
    found = {path for path in files if path in given or any(PurePath(path).is_relative_to(part) for part in folders)}
    others = [path for path in sorted(given - found) if path.endswith(SUFFIXES)]
    roots = [PurePath(path) for path in (*config.paths, *config.catalogs)]
    for path in others:
        ours = Path(path).name == CONFIG_NAME or any(PurePath(path).is_relative_to(root) for root in roots)
        if ours and not exists(path):
            return None
    if settings is not None and same_files([str(settings)], given):
        return None
    return found | same_files(files, others)
