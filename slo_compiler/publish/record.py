"""`published.json`: what an owner last published, beside the files; written with them in one commit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from slo_compiler.publish.compiled import is_plain

SCHEMA = "slo-compiler/published/v1"
NAME = "published.json"
MARK = b"slo-compiler/published/"  # of a record of whichever version


class BrokenRecord(Exception):
    """The record cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where specs were compiled from.

    Attributes:
        repository: its address without credentials; empty where it has none.
        commit: empty outside of git, and before the first commit.
        is_dirty: whether specs or settings are not as in that commit.
    """

    repository: str = ""
    commit: str = ""
    is_dirty: bool = False

    def describe(self) -> str:
        """`https://git.example.com/slos 1a2b3c + uncommitted changes`."""
        parts = [part for part in (self.repository, self.commit) if part]
        return " ".join(parts or ["unknown"]) + (" + uncommitted changes" if self.is_dirty else "")


@dataclass(frozen=True, slots=True)
class Record:
    """What an owner published.

    Attributes:
        slo_ids: of all SLOs of it.
        files: git's object id of each file, by its path in the owner's folder.
    """

    owner: str
    source: Source
    slo_ids: frozenset[str]
    files: Mapping[str, str]

    def to_text(self) -> str:
        """The record as JSON, sorted."""
        source = {
            "repository": self.source.repository,
            "commit": self.source.commit,
            "uncommittedChanges": self.source.is_dirty,
        }
        document = {
            "schema": SCHEMA,
            "owner": self.owner,
            "source": {key: value for key, value in source.items() if value != ""},
            "sloIds": sorted(self.slo_ids),
            "files": dict(sorted(self.files.items())),
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    def says_the_same(self, other: Record) -> bool:
        """Whether nothing differs but the commit that it came from."""
        return (self.owner, self.slo_ids, dict(self.files)) == (other.owner, other.slo_ids, dict(other.files))


def read_record(content: bytes) -> Record:
    """The record in a file.

    Raises:
        BrokenRecord: it is none.
    """
    try:
        document = json.loads(content)
        if document["schema"] != SCHEMA:
            raise BrokenRecord(f"its schema is {document['schema']!r}, not {SCHEMA!r}")
        source, files = document["source"], document["files"]
        for path in files:
            if not is_plain(path):
                raise BrokenRecord(f"it lists {path!r}, which no file is called")
        return Record(
            str(document["owner"]),
            Source(
                str(source.get("repository", "")),
                str(source.get("commit", "")),
                bool(source["uncommittedChanges"]),
            ),
            frozenset(map(str, document["sloIds"])),
            {path: str(identity) for path, identity in files.items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise BrokenRecord(f"it is damaged ({fault})") from None
