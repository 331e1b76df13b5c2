"""`manifest.json`: which files of an output folder are ours, what they hold and which spec each came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

SCHEMA = "slo-compiler/manifest/v1"
NAME = "manifest.json"


class BrokenManifest(Exception):
    """The manifest cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of ours: the hash of what was generated of it, and the specs that it came from.

    Attributes:
        folded: the kind of output that it is of, where it is made of the files of all specs, so that none is named; empty
            for a file of its own specs, whose kind is its first folder.
    """

    sha256: str
    origins: tuple[str, ...]
    folded: str = ""

    def kind(self, path: str) -> str:
        """The kind of output of the file, which lies at `path`."""
        return self.folded or path.partition("/")[0]

    def to_json(self) -> dict[str, object]:
        """The entry as the manifest has it."""
        return {
            "sha256": self.sha256,
            "from": list(self.origins),
            **({"foldedFrom": self.folded} if self.folded else {}),
        }


@dataclass(slots=True)
class Manifest:
    """The state of an output folder.

    Attributes:
        inputs: the hash of each spec file.
        catalogs: the hash of all facts and settings that the outputs depend on, by name.
        pending: files that a compilation was about to create when it wrote this; ours as well.
    """

    compiler: str = ""
    inputs: dict[str, str] = field(default_factory=dict)
    catalogs: dict[str, str] = field(default_factory=dict)
    files: dict[str, Entry] = field(default_factory=dict)
    pending: tuple[str, ...] = ()

    def to_text(self) -> str:
        """The manifest as JSON, sorted."""
        document = {
            "schema": SCHEMA,
            "compiler": self.compiler,
            "inputs": dict(sorted(self.inputs.items())),
            "catalogs": dict(sorted(self.catalogs.items())),
            "files": {path: entry.to_json() for path, entry in sorted(self.files.items())},
        }
        if self.pending:
            document["pending"] = sorted(self.pending)
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    def owns(self, path: str) -> bool:
        """Whether a file is ours."""
        return path in self.files or path in self.pending


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an output folder; an empty one where there is none.

    Raises:
        BrokenManifest: there is one, and it is not ours or is damaged.
    """
    try:
        text = (folder / NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return Manifest()
    except (OSError, UnicodeDecodeError) as fault:
        raise BrokenManifest(str(fault)) from None
    try:
        document = json.loads(text)
        if document["schema"] != SCHEMA:
            raise BrokenManifest(f"its schema is {document['schema']!r}, not {SCHEMA!r}")
        files = {
            str(path): Entry(str(entry["sha256"]), tuple(entry["from"]), str(entry.get("foldedFrom", "")))
            for path, entry in document["files"].items()
        }
        for path in (*files, *document.get("pending", ())):
            if path.startswith("/") or ".." in path.split("/"):
                raise BrokenManifest(f"it lists {path!r}, which lies outside the folder")
        return Manifest(
            document["compiler"],
            dict(document["inputs"]),
            dict(document["catalogs"]),
            files,
            tuple(document.get("pending", ())),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise BrokenManifest(f"it is damaged ({fault})") from None


def read_texts(folder: Path, manifest: Manifest, paths: Iterable[str]) -> dict[str, str]:
    """Files of an output folder by path, as the manifest lists them.

    Raises:
        BrokenManifest: one of them is gone, or is no longer what was written.
    """
    found = {}
    for path in paths:
        try:
            content = (folder / path).read_bytes()
        except OSError as fault:
            raise BrokenManifest(f"it lists {path}: {fault.strerror}") from None
        if sha256(content) != manifest.files[path].sha256:
            raise BrokenManifest(f"it lists {path}, which changed since it was written")
        found[path] = content.decode()
    return found


def sha256(content: bytes) -> str:
    """The hash of a file's bytes, in hex."""
    return hashlib.sha256(content).hexdigest()
