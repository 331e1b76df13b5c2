"""Artifacts and the folder as it is to what must happen; one plan serves compile, --check and --diff."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from slo_compiler.emit.base import Artifact


class Kind(Enum):
    """What happens to a file."""

    CREATE = "create"
    REPLACE = "replace"
    REMOVE = "remove"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Action:
    """One file of the plan: its path in the folder, its text before and after; None where there is none."""

    kind: Kind
    path: str
    before: bytes | None
    after: bytes | None


class Foreign(Exception):
    """Something that is not ours stands where an output would go, or is no longer as we wrote it."""

    def __init__(self, path: str, reason: str, hint: str = "move it away, or compile into another folder") -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
        self.hint = hint


def plan_file(artifact: Artifact, folder: Path) -> Action:
    """What happens to the file of an artifact."""
    after = artifact.text.encode()
    try:
        before = (folder / artifact.path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return Action(Kind.CREATE, artifact.path, None, after)
    return Action(Kind.KEEP if before == after else Kind.REPLACE, artifact.path, before, after)


def plan_removals(paths: Iterable[str], folder: Path) -> Iterator[Action]:
    """What happens to files of ours that are no longer produced."""
    for path in sorted(paths):
        try:
            yield Action(Kind.REMOVE, path, (folder / path).read_bytes(), None)
        except (FileNotFoundError, NotADirectoryError):
            continue


def refuse_foreign(paths: Iterable[str], owned: Iterable[str], folder: Path) -> list[Foreign]:
    """What stands in the way: files that nobody owns, folders in place of files and files of folders, links out."""
    known = set(owned)
    root = folder.resolve()
    safe: set[Path] = set()
    found = []
    for path in paths:
        target = folder / path
        parent = target.parent
        if parent not in safe:
            resolved = parent.resolve()
            if resolved != root and root not in resolved.parents:
                found.append(Foreign(path, "a link leads out of the output folder"))
                continue
            nearest = next((upper for upper in target.parents if upper.exists()), root)
            if nearest.exists() and not nearest.is_dir():
                found.append(Foreign(path, f"the file {nearest.name} stands in place of its folder"))
                continue
            safe.add(parent)
        if target.is_symlink():
            found.append(Foreign(path, "a link stands in its place"))
        elif target.is_dir():
            found.append(Foreign(path, "a folder stands in its place"))
        elif path not in known and target.exists():
            found.append(Foreign(path, "a file that slo-compiler did not write stands in its place"))
    return found
