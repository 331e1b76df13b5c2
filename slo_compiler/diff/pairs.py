"""Which SLO of the old set is which of the new one: by identity, else by what both say, so that a rename is found."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass

from slo_compiler.diff.sides import Document, Side


@dataclass(frozen=True, slots=True)
class Entry:
    """An SLO with the document that holds it.

    Attributes:
        alone: no other spec is in the same file, before nor after.
    """

    document: Document
    slo: Document
    alone: bool = True

    @property
    def identity(self) -> str:
        """Its `slo_id` without the hash that `resetOnChange` adds."""
        return str(self.slo["sloId"]).partition("@")[0]

    @property
    def ending(self) -> str:
        """The part of its name that is not the spec's: that of the objective, with its variant; empty for a plain OpenSLO."""
        return str(self.slo["slo"]).removeprefix(self.document["spec"]).removeprefix("-")


@dataclass(frozen=True, slots=True)
class Pair:
    """An SLO before and after; one of them is None where it came or went."""

    old: Entry | None
    new: Entry | None

    @property
    def key(self) -> str:
        """By which changes are in order."""
        entry = self.new or self.old
        assert entry is not None
        return str(entry.slo["sloId"])


# Where identities differ, two SLOs are the same if they alone agree on one of these, the closest first. Of a file with
# several specs they must also be about the same: one that goes beside one that comes is none that was renamed.
_ALIKE: tuple[Callable[[Entry], Hashable], ...] = (
    lambda entry: (entry.document["path"], entry.document["spec"], entry.ending, entry.slo["sli"]),
    lambda entry: (entry.document["path"], entry.ending, entry.slo["sli"], _about(entry)),
    lambda entry: (entry.document["path"], _promise(entry), _about(entry)),
    lambda entry: (entry.ending, entry.slo.get("model"), entry.slo.get("endpoint"), _promise(entry), _reads(entry)),
)


def _about(entry: Entry) -> Hashable:
    """The model and its endpoint, or where there is none what is read; of a spec that is alone in its file, nothing."""
    if entry.alone:
        return ()
    model = entry.slo.get("model")
    return (model, entry.slo.get("endpoint")) if model is not None else _reads(entry)


def _promise(entry: Entry) -> Hashable:
    slo = entry.slo
    return tuple(slo[name] for name in ("sli", "title", "target", "promised", "period"))


def _reads(entry: Entry) -> Hashable:
    return tuple((part, *texts) for part, texts in sorted(entry.slo.get("reads", {}).items()))


def pairs_of(old: Side, new: Side) -> list[Pair]:
    """Every SLO of both sides once, by identity."""
    crowded = {
        path
        for side in (old, new)
        for path, number in Counter(document["path"] for document in side.documents).items()
        if number > 1
    }
    before = {entry.identity: entry for entry in _entries(old, crowded)}
    after = {entry.identity: entry for entry in _entries(new, crowded)}
    found = [Pair(before[identity], entry) for identity, entry in after.items() if identity in before]
    gone = [entry for identity, entry in before.items() if identity not in after]
    come = [entry for identity, entry in after.items() if identity not in before]
    for alike in _ALIKE:
        renamed = list(_only_ones(gone, come, alike))
        found += renamed
        gone = [entry for entry in gone if all(entry is not pair.old for pair in renamed)]
        come = [entry for entry in come if all(entry is not pair.new for pair in renamed)]
    found += [Pair(entry, None) for entry in gone]
    found += [Pair(None, entry) for entry in come]
    return sorted(found, key=lambda pair: pair.key)


def _entries(side: Side, crowded: Collection[str]) -> Iterator[Entry]:
    for document in side.documents:
        for slo in document["slos"]:
            yield Entry(document, slo, document["path"] not in crowded)


def _only_ones(gone: Sequence[Entry], come: Sequence[Entry], alike: Callable[[Entry], Hashable]) -> Iterator[Pair]:
    if not gone or not come:
        return
    before, after = _by(gone, alike), _by(come, alike)
    for key, old in before.items():
        new = after.get(key, [])
        if len(old) == 1 and len(new) == 1:
            yield Pair(old[0], new[0])


def _by(entries: Sequence[Entry], alike: Callable[[Entry], Hashable]) -> dict[Hashable, list[Entry]]:
    found: dict[Hashable, list[Entry]] = defaultdict(list)
    for entry in entries:
        found[alike(entry)].append(entry)
    return found
