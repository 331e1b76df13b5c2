"""A compiled folder as it is published: whole and as its manifest says, or what is wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Span, error
from slo_compiler.emit.own_words import emptied, may_have_sections
from slo_compiler.write import fingerprint
from slo_compiler.write.manifest import NAME, BrokenManifest, Manifest, read_manifest, sha256
from slo_compiler.write.plan import refuse_foreign

_COMPILE = "compile it again: slo-compiler compile -o {folder}"
_CATALOGUE, _RULES = "catalogue/", "rules/"


class Changed(Exception):
    """A file is no longer what it was when the folder was checked."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A folder that was found whole.

    Attributes:
        hashes: of every file as it is on disk, own words included, by path; the manifest is one of them.
        slo_ids: of all SLOs in it.
    """

    folder: Path
    manifest: Manifest
    hashes: Mapping[str, str]
    slo_ids: frozenset[str]

    def content(self, path: str) -> bytes:
        """The bytes of a file.

        Raises:
            Changed: they are others than those that were checked.
            OSError: it cannot be read.
        """
        content = (self.folder / path).read_bytes()
        if sha256(content) != self.hashes[path]:
            raise Changed(f"{(self.folder / path).as_posix()} was changed while it was published")
        return content

    def blob_ids(self, algorithm: str) -> dict[str, str]:
        """What git calls the content of each file.

        Args:
            algorithm: of the repository, sha1 or sha256.

        Raises:
            Changed, OSError: as of `content`.
        """
        return {path: blob_id(self.content(path), algorithm) for path in self.hashes}


def blob_id(content: bytes, algorithm: str) -> str:
    """The object id of a file's content (Git Internals, Git Objects)."""
    return hashlib.new(algorithm, b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def read_compiled(folder: Path) -> tuple[Compiled | None, list[Diagnostic]]:
    """The folder, or everything that is not as `compile` left it.

    Raises:
        OSError: a file cannot be read.
    """
    hint = _COMPILE.format(folder=folder.as_posix())
    where = Span((folder / NAME).as_posix())
    try:
        manifest = read_manifest(folder)
    except BrokenManifest as fault:
        return None, [error(Code.SLO602, where, str(fault), f"move it away, and {hint}")]
    if not manifest.files:
        reason = "it lists no file" if (folder / NAME).exists() else f"there is none: {folder} is no compiled folder"
        return None, [error(Code.SLO602, where, reason, hint)]
    hashes: dict[str, str] = {}
    found = [*_damage(folder, manifest, hashes, hint), *_staleness(folder, manifest, hint)]
    if found:
        return None, found
    try:
        return Compiled(folder, manifest, hashes, frozenset(_slo_ids(folder, manifest))), []
    except (ValueError, KeyError, TypeError) as fault:
        return None, [error(Code.SLO602, where, f"it lists files that no compilation writes ({fault})", hint)]


def _damage(folder: Path, manifest: Manifest, hashes: dict[str, str], hint: str) -> Iterator[Diagnostic]:
    """What does not hold what the manifest says.

    Args:
        hashes: is given that of every file as it is.
    """
    for path in manifest.pending:
        reason = "a compilation that was interrupted was about to write it"
        yield error(Code.SLO602, Span((folder / path).as_posix()), reason, hint)
    safe = [path for path in manifest.files if is_plain(path)]
    for path in manifest.files.keys() - safe:
        yield error(Code.SLO602, Span((folder / NAME).as_posix()), f"it lists {path!r}, which no file is called", hint)
    foreign = refuse_foreign([NAME, *safe], [NAME, *safe], folder)
    for item in foreign:
        yield error(Code.SLO602, Span((folder / item.path).as_posix()), item.reason, hint)
    out_of_place = {item.path for item in foreign}
    for path in sorted({NAME, *safe} - out_of_place):
        try:
            content = (folder / path).read_bytes()
        except FileNotFoundError:
            yield error(Code.SLO602, Span((folder / path).as_posix()), "it is gone since it was compiled", hint)
            continue
        hashes[path] = sha256(content)
        generated = emptied(content) if may_have_sections(path) else content
        if path != NAME and sha256(generated) != manifest.files[path].sha256:
            yield error(Code.SLO602, Span((folder / path).as_posix()), "it was changed since it was compiled", hint)


def is_plain(path: str) -> bool:
    """Whether a path names a file below a folder, in one spelling, and not one of git's own."""
    parts = path.split("/")
    return PurePosixPath(path).as_posix() == path and all(
        part.isprintable() and part not in ("", ".", "..") and part.lower() != ".git" for part in parts
    )


def _staleness(folder: Path, manifest: Manifest, hint: str) -> Iterator[Diagnostic]:
    """Specs that are no longer what the folder was compiled from; from another folder nobody can tell."""
    here = {path for path in manifest.inputs if Path(path).is_file()}
    now = fingerprint.inputs(sorted(here))
    for path, compiled in sorted(manifest.inputs.items()) if here else ():
        state = "is gone" if path not in here else "was changed" if now[path] != compiled else ""
        if state:
            yield error(Code.SLO602, Span(path), f"it {state} since {folder.as_posix()} was compiled", hint)


def _slo_ids(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Of the catalogue's documents; of rule files where `--only` left no catalogue."""
    catalogued = False
    for path in manifest.files:
        if path.startswith(_CATALOGUE):
            catalogued = True
            yield from (slo["sloId"] for slo in json.loads((folder / path).read_bytes())["slos"])
    for path in () if catalogued else manifest.files:
        if path.startswith(_RULES):
            yield from _ids_of_rules((folder / path).read_bytes())


def _ids_of_rules(text: bytes) -> Iterator[str]:
    from slo_compiler.plain_yaml import read_trusted  # most folders have a catalogue

    document: Any = read_trusted(text)
    groups = document["spec"]["groups"] if "spec" in document else document["groups"]
    for group in groups:
        yield from (rule["labels"]["slo_id"] for rule in group["rules"] if "slo_id" in rule.get("labels", {}))
