"""A compiled folder and the target as it is to what must happen there, and to what stands against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from slo_compiler.diagnostics.codes import Code
from slo_compiler.diagnostics.diagnostic import Diagnostic, Span, error
from slo_compiler.publish import record
from slo_compiler.publish.record import Record
from slo_compiler.write.plan import Kind

FILE_MODE = "100644"
_FORCE = "see what was meant; publish --force overwrites it"
_MOVE = "remove it from the repository, or publish under another --path or --owner"


class Standing(NamedTuple):
    """What stands at a path of the target: git's mode, type and object id."""

    mode: str
    type: str
    id: str


# What a path of ours cannot go through or take the place of, by git's mode or type.
_NO_FILE = {"120000": "a symbolic link", "commit": "a submodule", "tree": "a folder"}


@dataclass(frozen=True, slots=True)
class Target:
    """The target at one commit.

    Attributes:
        path: of the folder in which owners have theirs; empty for the whole repository.
        standing: what is there, folders included, by path from the root of the repository.
        records: of all owners whose record can be read.
        broken: why a record cannot be read, by owner.
    """

    path: str = ""
    standing: Mapping[str, Standing] = field(default_factory=dict)
    records: Mapping[str, Record] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)

    def folder(self, owner: str) -> str:
        """The folder of an owner, from the root of the repository."""
        return f"{self.path}/{owner}" if self.path else owner

    def record(self, owner: str) -> str:
        """The path of an owner's record."""
        return f"{self.folder(owner)}/{record.NAME}"


class Change(NamedTuple):
    """What happens to one file of the owner's folder."""

    kind: Kind
    path: str


class Conflict(NamedTuple):
    """What stands against a publication.

    Attributes:
        is_final: `--force` does not lift it.
    """

    path: str
    message: str
    hint: str
    is_final: bool = False


@dataclass(slots=True)
class Plan:
    """What a publication does.

    Attributes:
        folder: of the owner, from the root of the repository.
        record: what is written beside the files.
        conflicts: what stands against it; with any, nothing is done.
    """

    folder: str
    record: Record
    changes: list[Change] = field(default_factory=list)
    conflicts: list[Diagnostic] = field(default_factory=list)


def plan_publication(new: Record, target: Target, *, force: bool, outdated: bool = False) -> Plan:
    """What makes the owner's folder what the record says.

    Args:
        force: files that somebody else wrote or changed are overwritten.
        outdated: what is published comes from a later commit.
    """
    old = target.records.get(new.owner)
    plan = Plan(target.folder(new.owner), new)
    found = [*_claims(new, target), *_records(new, old, target)]
    obstacles: dict[str, Conflict] = {}
    for path in sorted({*new.files, *(old.files if old is not None else ())}):
        full = f"{plan.folder}/{path}"
        obstacle = _obstacle(full, target.standing)
        if obstacle is not None:
            obstacles.setdefault(obstacle.path, obstacle)
            continue
        kind = _kind(target.standing.get(full), new.files.get(path))
        if kind is Kind.KEEP:
            continue
        plan.changes.append(Change(kind, path))
        reason = _edit(target.standing.get(full), old.files.get(path) if old is not None else None, new.owner)
        if reason:
            found.append(Conflict(full, reason, _FORCE))
    obstacle = _obstacle(target.record(new.owner), target.standing)
    if obstacle is not None:
        obstacles.setdefault(obstacle.path, obstacle)
    if old is None or plan.changes or not new.says_the_same(old):
        plan.changes.append(Change(Kind.CREATE if old is None else Kind.REPLACE, record.NAME))
        if old is not None and outdated:
            found.append(_outdated(old, target))
    plan.conflicts = [
        error(Code.SLO603, Span(conflict.path), conflict.message, conflict.hint)
        for conflict in sorted([*found, *obstacles.values()])
        if conflict.is_final or not force
    ]
    return plan


def _kind(standing: Standing | None, wanted: str | None) -> Kind:
    if standing is None:
        return Kind.CREATE if wanted is not None else Kind.KEEP
    if wanted is None:
        return Kind.REMOVE
    return Kind.KEEP if (standing.mode, standing.id) == (FILE_MODE, wanted) else Kind.REPLACE


def _edit(standing: Standing | None, published: str | None, owner: str) -> str:
    """Why a file that must change is not ours to change; empty where it is."""
    if standing is None:
        return "" if published is None else "it was removed since it was published"
    if published is None:
        return f"a file that {owner} did not publish stands in its place"
    return "" if standing.id == published else "it was changed since it was published"


def _obstacle(path: str, standing: Mapping[str, Standing]) -> Conflict | None:
    """What is no folder on the way to a file, or no file in its place: git would replace it with all that it holds."""
    parts = path.split("/")
    for length in range(1, len(parts)):
        upper = "/".join(parts[:length])
        found = standing.get(upper)
        if found is not None and found.type != "tree":
            what = _NO_FILE.get(found.mode) or _NO_FILE.get(found.type) or "a file"
            return Conflict(upper, f"{what} stands in place of a folder that {path} lies in", _MOVE, is_final=True)
    found = standing.get(path)
    what = "" if found is None else _NO_FILE.get(found.mode) or _NO_FILE.get(found.type) or ""
    return Conflict(path, f"{what} stands in its place", _MOVE, is_final=True) if what else None


def _claims(new: Record, target: Target) -> Iterator[Conflict]:
    """SLOs that another owner publishes into the same folder: their series would be recorded twice."""
    for owner, other in target.records.items():
        both = sorted(new.slo_ids & other.slo_ids) if owner != new.owner else ()
        if both:
            message = f"{owner} publishes {_some(both)} too ({other.source.describe()})"
            hint = "give one of them another name or slo-compiler/id, or publish under another --path"
            yield Conflict(target.record(owner), message, hint, is_final=True)


def _records(new: Record, old: Record | None, target: Target) -> Iterator[Conflict]:
    """Records that cannot be read, and an owner's name that another repository has."""
    for owner, reason in target.broken.items():
        what = "what it published" if owner == new.owner else "which SLOs it publishes"
        hint = "restore it from an earlier commit; publish --force goes on without it"
        yield Conflict(target.record(owner), f"{reason}; {what} cannot be told", hint)
    before, now = old.source.repository if old is not None else "", new.source.repository
    if before and now and _address(before) != _address(now):
        message = f"{new.owner} is published from {before}, and this is {now}"
        hint = "choose another --owner; publish --force takes it over where the repository has moved"
        yield Conflict(target.record(new.owner), message, hint)


def _outdated(old: Record, target: Target) -> Conflict:
    message = f"what is published comes from {old.source.commit}, a later commit than this one"
    return Conflict(
        target.record(old.owner), message, "compile and publish that one; publish --force goes back to this one"
    )


def _address(url: str) -> str:
    """A repository, however it is reached: `git@host:a/b.git` and `https://host/a/b` are one."""
    scheme, found, rest = url.partition("://")
    if not found:
        head, colon, tail = url.partition(":")
        rest = f"{head}/{tail}" if colon and "/" not in head else url
    host, _, path = rest.rpartition("@")[2].partition("/")
    name = host if scheme == "file" else host.partition(":")[0].lower()
    return f"{name}/{path.strip('/').removesuffix('.git')}"


def _some(names: Iterable[str], most: int = 3) -> str:
    """`a, b, c and 9 more`."""
    listed = list(names)
    rest = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {rest} more" if rest > 0 else "")
