"""What a publication changes for whoever relies on the promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from slo_compiler.diff.compare import difference
from slo_compiler.diff.report import to_text
from slo_compiler.diff.sides import Side, documents_in, side_of_folder
from slo_compiler.publish.compiled import Compiled
from slo_compiler.publish.record import Record
from slo_compiler.write.manifest import NAME, BrokenManifest, read_manifest


class Promises(NamedTuple):
    """How many changes there are, and what they are."""

    changes: int = 0
    lines: tuple[str, ...] = ()


def is_read(path: str) -> bool:
    """Whether a published file is needed to tell what changes."""
    return path == NAME or path.startswith("catalogue/")


def changed_promises(old: Record | None, published: Mapping[str, bytes], compiled: Compiled, folder: Path) -> Promises:
    """The changes from what is published to what was compiled.

    Args:
        old: what the owner published.
        published: those of its files that `is_read`, and that nobody edited since.
        folder: where files may be put.
    """
    documents = documents_in(compiled.manifest)
    before = _side(published, folder / "published")
    if not documents or (old is not None and old.slo_ids and not before.documents):
        lines = tuple(_ids(old.slo_ids if old is not None else frozenset(), compiled.slo_ids))
        return Promises(len(lines), lines)
    after = side_of_folder(compiled.manifest, {path: compiled.content(path).decode() for path in documents})
    found = difference(before, after)
    return Promises(len(found.changes), tuple(to_text(found).splitlines()) if found.changes else ())


def _side(published: Mapping[str, bytes], folder: Path) -> Side:
    """What is published, as one side of the comparison; nothing where its manifest is not as it was."""
    if NAME not in published:
        return Side()
    folder.mkdir(exist_ok=True)
    (folder / NAME).write_bytes(published[NAME])
    try:
        manifest = read_manifest(folder)
    except BrokenManifest:
        return Side()
    return side_of_folder(
        manifest, {path: published[path].decode() for path in documents_in(manifest) if path in published}
    )


def _ids(old: frozenset[str], new: frozenset[str]) -> Iterator[str]:
    """SLOs that come and go, where no catalogue says what they promise."""
    yield from (f"{identity}: added" for identity in sorted(new - old))
    yield from (f"{identity}: removed" for identity in sorted(old - new))
