"""Two sets of SLOs to everything that differs between them."""

from __future__ import annotations

from collections.abc import Iterator

from slo_compiler.diff.causes import Causes
from slo_compiler.diff.change import Budget, Cause, Change, Difference, Direction, Effect, Kind
from slo_compiler.diff.fields import SLO_FIELDS
from slo_compiler.diff.pair_changes import Compared
from slo_compiler.diff.pairs import Entry, Pair, pairs_of
from slo_compiler.diff.renames import compare_identity
from slo_compiler.diff.sides import Side
from slo_compiler.diff.spec_fields import SPEC_FIELDS
from slo_compiler.diff.words import duration, minutes, minutes_of


def difference(old: Side, new: Side) -> Difference:
    """All changes, spec by spec: first what is about all of it, then SLO by SLO."""
    causes = Causes(old, new)
    changes: list[Change] = []
    seen: set[tuple[int, int]] = set()
    for pair in pairs_of(old, new):
        if pair.old is not None and pair.new is not None:
            documents = (id(pair.old.document), id(pair.new.document))
            if documents not in seen:
                seen.add(documents)
                changes += _of_spec(causes, pair.old, pair.new)
            changes += _of_slo(causes, pair.old, pair.new)
        elif pair.new is None or pair.new.document["path"] not in old.broken:
            changes.append(_came_or_went(causes, pair))
    files = None
    if old.files is not None and new.files is not None:
        files = sum(old.files.get(path) != new.files.get(path) for path in {*old.files, *new.files})
    return Difference(tuple(changes), tuple(sorted(old.broken)), files, (old.compiler, new.compiler))


def _of_spec(causes: Causes, old: Entry, new: Entry) -> Iterator[Change]:
    pair = Compared(causes, old.document, new.document, {}, {})
    for compare in SPEC_FIELDS.values():
        yield from compare(pair)


def _of_slo(causes: Causes, old: Entry, new: Entry) -> Iterator[Change]:
    if old.slo == new.slo and old.document["service"] == new.document["service"]:
        return
    afresh = old.slo["sloId"] != new.slo["sloId"]
    pair = Compared(causes, old.document, new.document, old.slo, new.slo, afresh)
    yield from compare_identity(pair, old, new)
    for compare in SLO_FIELDS.values():
        yield from compare(pair)


def _came_or_went(causes: Causes, pair: Pair) -> Change:
    entry = pair.new or pair.old
    assert entry is not None
    slo, added = entry.slo, pair.new is not None
    budget = minutes_of(slo["budget"]["seconds"])
    alerts = "" if slo["mode"] != "none" else ", without alerts"
    waived = ", ".join(f"{item['code']} until {item['until']}" for item in entry.document["waivers"])
    note = f"{slo['promise']}; budget {minutes(budget)} minutes in {duration(slo['period'])}{alerts}"
    return Change(
        Kind.ADDED if added else Kind.REMOVED,
        entry.document["service"],
        entry.document["spec"],
        slo["slo"],
        slo["sloId"],
        entry.document["path"],
        "SLO",
        None if added else slo["promise"],
        slo["promise"] if added else None,
        "" if added else slo["slo"],
        slo["slo"] if added else "",
        Direction.TIGHTER if added else Direction.LOOSER,
        causes.of(None if added else entry.document, entry.document if added else None, Cause.SPEC),
        Budget(None, budget) if added else Budget(budget, None),
        Effect.AFRESH if added else None,
        f"{note}; waives {waived}" if waived else note,
    )
