"""What `diff` compares: compiled folders, specs as they lie here, and specs as a revision of git held them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slo_compiler import __version__
from slo_compiler.cli.old_specs import read_revision
from slo_compiler.cli.options import (
    CONFIG_NAME,
    FINDINGS,
    Common,
    catalog_files,
    display_path,
    fail_environment,
    find_config,
    given_paths,
    show,
    spec_files,
)
from slo_compiler.diagnostics.diagnostic import Severity
from slo_compiler.diff import NothingToCompare, folder_side
from slo_compiler.diff.sides import Side, moved, side_of_specs
from slo_compiler.load.discover import discover, exists, is_folder
from slo_compiler.load.yaml import LoadedFile, load_bytes, load_file, read_content
from slo_compiler.pipeline import Checked, check_files, check_loaded
from slo_compiler.resolve.environment import Environment
from slo_compiler.resolve.policies import DEFAULT_POLICY
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
    return _side(checked, fingerprint.inputs(files), _facts(find_config(common.config)), load_file)


def of_revision(text: str, paths: tuple[str, ...], config: Config, common: Common) -> tuple[Side, Side]:
    """What a revision held of the paths, and what lies there now, errors in which end the program."""
    old = read_revision(text, paths, config, common)
    given = given_paths(paths, config)
    found, missing = discover(given)
    unknown = [path for path in missing if not old.held(path)] if paths else []
    if unknown:
        raise click.UsageError(f"no such file or folder, here and in {text}: {', '.join(unknown)}")
    files = sorted({path for path in (*found, *catalog_files(config)) if Path(path).name != CONFIG_NAME})
    if not files and not old.contents:
        raise click.UsageError(f"no spec (.yaml, .yml, .json) under {', '.join(given)}")
    contents = {path: read_content(path) for path in files}
    facts = _facts(find_config(common.config))
    same = _settled(old.contents, contents) if old.facts == facts else frozenset[str]()
    checked = check_files(files, Environment(config))
    _refuse_errors(checked, common)
    after = _side(checked, _hashes(contents), facts, _reader(contents), same)
    rest = {path: content for path, content in old.contents.items() if path not in same}
    before = check_loaded([_loaded(path, content) for path, content in rest.items()], Environment(old.config))
    _tell_broken(before, text, common)
    return _side(before, _hashes(old.contents), old.facts, _reader(old.contents)), after


# A file without these is all that its specs depend on: it defines nothing, names no object of another file's, and spells
# nothing in a way that hides that.
_REACHES_OUT = re.compile(rb"openslo|Engine\b|ExperienceCatalog|BurnRatePolicy|\\|\0")


def _settled(old: Mapping[str, bytes | LoadedFile], new: Mapping[str, bytes | LoadedFile]) -> frozenset[str]:
    """Files whose specs cannot differ, as they and all that they may depend on are the same."""
    differing = {path for path in {*old, *new} if old.get(path) != new.get(path)}
    for side in (old, new):
        for path in differing & side.keys():
            content = side[path]
            if isinstance(content, LoadedFile) or _REACHES_OUT.search(content):
                return frozenset()
    return frozenset(
        path
        for path, content in old.items()
        if path not in differing and not isinstance(content, LoadedFile) and not _REACHES_OUT.search(content)
    )


def _hashes(contents: Mapping[str, bytes | LoadedFile]) -> dict[str, str]:
    return {path: sha256(content) for path, content in contents.items() if not isinstance(content, LoadedFile)}


def _loaded(path: str, content: bytes | LoadedFile) -> LoadedFile:
    return replace(content, path=path) if isinstance(content, LoadedFile) else load_bytes(content, path)


def _reader(contents: Mapping[str, bytes | LoadedFile]) -> Callable[[str], LoadedFile]:
    return lambda path: _loaded(path, contents[path])


def _side(
    checked: Checked,
    inputs: dict[str, str],
    facts: dict[str, str],
    source: Callable[[str], LoadedFile],
    without: frozenset[str] = frozenset(),
) -> Side:
    specs = [spec for spec in checked.specs if spec.path not in without]
    policy = checked.environment.config.defaults.policy if checked.environment is not None else DEFAULT_POLICY
    return side_of_specs(specs, __version__, inputs, facts, _broken(checked), source, policy)


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
