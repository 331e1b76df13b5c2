"""What a revision of git held of the specs, with the configuration and catalogs of that time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import click

from slo_compiler.cli.options import (
    CONFIG_NAME,
    Common,
    display_path,
    fail_environment,
    find_config,
    given_paths,
    read_config,
)
from slo_compiler.external.git import GitFailed, GitMissing, find_repository
from slo_compiler.external.revision import OutsideRepository, Revision, find_revision
from slo_compiler.load.discover import discover
from slo_compiler.load.yaml import LoadedFile, load_bytes, read_content
from slo_compiler.write import fingerprint

if TYPE_CHECKING:
    from slo_compiler.documents.config import Config


class OldSpecs(NamedTuple):
    """The files of a revision, by the names that they would have here.

    Attributes:
        contents: their bytes; a file with its fault where it cannot be read.
        facts: the hashes of all that its specs depended on besides, as this compiler has them.
    """

    config: Config
    contents: dict[str, bytes | LoadedFile]
    facts: dict[str, str]

    def held(self, path: str) -> bool:
        """Whether there was a file at a path, or below it."""
        return any(name == path or name.startswith(f"{path.rstrip('/')}/") for name in self.contents)


def read_revision(text: str, paths: tuple[str, ...], config: Config, common: Common) -> OldSpecs:
    """The specs of a revision under the given paths, by default where the configuration of that time has them.

    Args:
        config: the present one, for what the revision does not say.

    Raises:
        click.UsageError: there is no such revision, or a path lies elsewhere.
    """
    revision = _revision(text)
    with TemporaryDirectory(prefix="slo-compiler-") as scratch:
        folder = Path(scratch)
        try:
            settings, config_file = _config_at(revision, text, folder, config, common)
            files = [
                *_files_of(revision, given_paths(paths, settings), folder),
                *_catalogs_of(revision, settings, folder),
            ]
        except OutsideRepository as outside:
            raise click.UsageError(f"--against: {outside}") from None
        except GitFailed as fault:
            fail_environment(f"git: {fault}")
        contents = {name: read_content(place) for name, place in sorted(files)}
        facts = fingerprint.catalogs(config_file, kinds=(), flavour=None)
    return OldSpecs(settings, contents, facts)


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


def _files_of(revision: Revision, given: Sequence[str], folder: Path) -> list[tuple[str, str]]:
    """The files of a revision that the given paths lead to: the names that they would have here, and where they lie."""
    inside = {path: revision.inside(path) for path in given}
    revision.export(list(inside.values()), folder)
    found = []
    for path, place in inside.items():
        root = folder / place
        for file in discover([str(root)])[0]:
            below = Path(file).relative_to(root).as_posix()
            name = path if below == "." else Path(path, below).as_posix()
            if Path(name).name != CONFIG_NAME:
                found.append((name, file))
    return found


def _catalogs_of(revision: Revision, settings: Config, folder: Path) -> list[tuple[str, str]]:
    """The configured catalogs; those that lie outside of the repository as they are now."""
    inside, outside = [], []
    for path in settings.catalogs:
        try:
            revision.inside(path)
            inside.append(path)
        except OutsideRepository:
            outside.append(path)
    return [*_files_of(revision, inside, folder), *((file, file) for file in discover(outside)[0])]
