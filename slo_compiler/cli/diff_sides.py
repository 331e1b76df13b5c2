"""What `diff` compares: compiled folders, specs as they lie here, and specs as a revision of git held them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import click

from slo_compiler import __version__
from slo_compiler.cli.options import (
    CONFIG_NAME,
    FINDINGS,
    Common,
    display_path,
    fail_environment,
    find_config,
    given_paths,
    read_config,
    show,
    spec_files,
)
from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.diff import NothingToCompare, folder_side
from slo_compiler.diff.sides import Side, moved, side_of_specs
from slo_compiler.external.git import GitFailed, GitMissing, find_repository
from slo_compiler.external.revision import OutsideRepository, Revision, find_revision
from slo_compiler.load.discover import discover, exists, is_folder
from slo_compiler.load.yaml import LoadedFile, load_bytes, read_content
from slo_compiler.pipeline import Checked, check_files, check_loaded
from slo_compiler.resolve.environment import Environment
from slo_compiler.write import fingerprint
from slo_compiler.write.manifest import NAME as MANIFEST
from slo_compiler.write.manifest import BrokenManifest, sha256

if TYPE_CHECKING:
    from slo_compiler.documents.config import Config

_CONFIGURATION = "configuration"


def of_both(old: str, new: str, config: Config, common: Common) -> tuple[Side, Side]:
    """Two paths, each a compiled folder or specs. Errors in NEW are shown, and end the program."""
    after = _of_path(new, config, common, is_new=True)
    before = _of_path(old, config, common, is_new=False)
    if before.files is None and after.files is None:
        before = moved(before, display_path(old), display_path(new))
    if (before.files is None) != (after.files is None):
        # What a folder was compiled with is one hash of settings and flags, which are not known of specs.
        before, after = (
            replace(side, facts={name: text for name, text in side.facts.items() if name != _CONFIGURATION})
            for side in (before, after)
        )
    return before, after


def _of_path(path: str, config: Config, common: Common, *, is_new: bool) -> Side:
    if is_folder(path) and exists(str(Path(path, MANIFEST))):
        try:
            return folder_side(Path(path))
        except BrokenManifest as fault:
            fail_environment(f"{Path(path, MANIFEST)}: {fault}; compile it again")
        except NothingToCompare as fault:
            raise click.UsageError(str(fault)) from None
    files = spec_files((path,), config)
    checked = check_files(files, Environment(config))
    if is_new:
        _refuse_errors(checked, common)
    else:
        _tell_broken(checked, path, common)
    return _side(checked, fingerprint.inputs(files), _facts(find_config(common.config)))


def of_revision(text: str, paths: tuple[str, ...], config: Config, common: Common) -> tuple[Side, Side]:
    """What a revision held of the paths, and what lies there now, errors in which end the program."""
    revision = _revision(text)
    before = _at(revision, text, paths, config, common)
    found, missing = discover(given_paths(paths, config))
    unknown = [path for path in missing if not _held(before, path)] if paths else []
    if unknown:
        raise click.UsageError(f"no such file or folder, here and in {text}: {', '.join(unknown)}")
    catalogs = discover(config.catalogs)[0]
    files = sorted({path for path in (*found, *catalogs) if Path(path).name != CONFIG_NAME})
    if not files and not before.inputs:
        raise click.UsageError(f"no spec (.yaml, .yml, .json) under {', '.join(given_paths(paths, config))}")
    checked = check_files(files, Environment(config))
    _refuse_errors(checked, common)
    return before, _side(checked, fingerprint.inputs(files), _facts(find_config(common.config)))


def _held(side: Side, path: str) -> bool:
    """Whether files of a path were read."""
    return any(known == path or known.startswith(f"{path.rstrip('/')}/") for known in side.inputs)


def _revision(text: str) -> Revision:
    try:
        repository = find_repository(Path.cwd())
    except GitMissing as missing:
        fail_environment(str(missing))
        raise
    except GitFailed as fault:
        raise click.UsageError(f"--against: {fault}") from None
    try:
        return find_revision(repository, text)
    except GitFailed as fault:
        said = str(fault) if "common commit" in str(fault) else f"{text!r} names no commit here"
        raise click.UsageError(
            f"--against: {said}; git fetch brings branches of others, and all of a shallow clone: git fetch --unshallow"
        ) from None


class _Old(NamedTuple):
    """A file of a revision: where it lies for now, and what it is called."""

    place: str
    name: str


def _at(revision: Revision, text: str, paths: tuple[str, ...], config: Config, common: Common) -> Side:
    """The specs of a revision, by the configuration and with the catalogs of that time."""
    with TemporaryDirectory(prefix="slo-compiler-") as scratch:
        folder = Path(scratch)
        settings, config_file = _config_at(revision, text, folder, config, common)
        files: dict[str, str] = {}
        try:
            given = given_paths(paths, settings)
            for old in _files_of(revision, given, folder):
                files[old.name] = old.place
            for old in _catalogs_of(revision, settings, folder):
                files[old.name] = old.place
        except OutsideRepository as outside:
            raise click.UsageError(f"--against: {outside}") from None
        except GitFailed as fault:
            fail_environment(f"git: {fault}")
        inputs: dict[str, str] = {}
        loaded = []
        for name in sorted(files):
            content = read_content(files[name])
            if isinstance(content, LoadedFile):
                loaded.append(replace(content, path=name))
            else:
                inputs[name] = sha256(content)
                loaded.append(load_bytes(content, name))
        checked = check_loaded(loaded, Environment(settings))
        _tell_broken(checked, text, common)
        return _side(checked, inputs, _facts(config_file))


def _config_at(
    revision: Revision, text: str, folder: Path, config: Config, common: Common
) -> tuple[Config, Path | None]:
    """The configuration of a revision and its file; the present one where that lies elsewhere, or the old one is broken."""
    from slo_compiler.documents.config import default_config

    for path in _config_places(common):
        try:
            content = revision.content(revision.inside(str(path)))
        except OutsideRepository:
            found = find_config(common.config)
            return (config, found) if found == path else (default_config(), None)
        if content is None:
            continue
        shown = display_path(str(path))
        settings, faults = read_config(load_bytes(content, shown), path.parent)
        if faults:
            click.echo(f"warning: {shown} has errors in {text}; the present one is taken for both", err=True)
            return config, find_config(common.config)
        copy = folder / f".{CONFIG_NAME}"
        copy.write_bytes(content)
        return settings, copy
    return default_config(), None


def _config_places(common: Common) -> list[Path]:
    """Where the configuration may have been: where it is said to be, else here or in a folder above."""
    if common.config is not None:
        return [Path(common.config)]
    here = Path.cwd()
    return [folder / CONFIG_NAME for folder in (here, *here.parents)]


def _files_of(revision: Revision, given: Sequence[str], folder: Path) -> list[_Old]:
    """The files of a revision that the given paths lead to, under the names that they would have here."""
    inside = {path: revision.inside(path) for path in given}
    revision.export(list(inside.values()), folder)
    found = []
    for path, place in inside.items():
        root = folder / place
        for file in discover([str(root)])[0]:
            below = Path(file).relative_to(root).as_posix()
            name = path if below == "." else Path(path, below).as_posix()
            if Path(name).name != CONFIG_NAME:
                found.append(_Old(file, name))
    return found


def _catalogs_of(revision: Revision, settings: Config, folder: Path) -> list[_Old]:
    """The configured catalogs; those that lie outside of the repository as they are now."""
    inside, outside = [], []
    for path in settings.catalogs:
        try:
            revision.inside(path)
            inside.append(path)
        except OutsideRepository:
            outside.append(path)
    return [*_files_of(revision, inside, folder), *(_Old(file, file) for file in discover(outside)[0])]


def _side(checked: Checked, inputs: dict[str, str], facts: dict[str, str]) -> Side:
    return side_of_specs(checked.specs, __version__, inputs, facts, _broken(checked))


def _facts(config: Path | None) -> dict[str, str]:
    try:
        return fingerprint.catalogs(config, kinds=(), flavour=None)
    except OSError as fault:
        fail_environment(f"{fault.filename}: {fault.strerror}")
        raise


def _broken(checked: Checked) -> frozenset[str]:
    return frozenset(item.span.path for item in checked.diagnostics if item.severity is Severity.ERROR)


def _refuse_errors(checked: Checked, common: Common) -> None:
    """Ends the program where the new specs do not compile, with what compile would say."""
    if checked.failed:
        show(checked.diagnostics, checked.lines, common, files=checked.files, limit=100)
        click.echo("nothing was compared", err=True)
        sys.exit(FINDINGS)


def _tell_broken(checked: Checked, where: str, common: Common) -> None:
    """Says which of the old specs do not compile; the others are compared."""
    from slo_compiler.diagnostics.limit import count

    for path in sorted(_broken(checked)):
        errors = [item for item in checked.diagnostics if item.span.path == path and item.severity is Severity.ERROR]
        common.note(
            f"warning: {path} has {count(len(errors), 'error')} in {where}, such as line {errors[0].span.line}: "
            f"{errors[0].message}; its SLOs are not compared"
        )
