"""What becomes of an SLO's history where its name or identity changed, and the line that keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from slo_compiler.diff.change import Cause, Change, Effect, Kind
from slo_compiler.diff.pair_changes import Compared
from slo_compiler.diff.pairs import Entry
from slo_compiler.resolve.identity import PREFIX

_BEGINS = "its history, budget and silences begin anew; to keep them"


def compare_identity(pair: Compared, old: Entry, new: Entry) -> Iterator[Change]:
    """A rename, and a new identity of the same promise."""
    before, after = str(old.slo["sloId"]), str(new.slo["sloId"])
    names = (_full(old), _full(new))
    if old.identity != new.identity:
        note, paste = _pin(old, new)
        kind, field = (Kind.RENAMED, "name") if names[0] != names[1] else (Kind.CHANGED, "identity")
        both = names if names[0] != names[1] else (before, after)
        found = pair.change(field, both, both, effect=Effect.AFRESH, note=note, kind=kind, cause=(Cause.SPEC,))
        yield replace(found, paste=paste)
    elif names[0] != names[1]:
        note = "its identity stays, and with it its history"
        yield pair.change("name", names, names, note=note, kind=Kind.RENAMED, cause=(Cause.SPEC,))
    if old.identity == new.identity and before != after:
        switched = ("@" in before) != ("@" in after)
        note = "resetOnChange was switched" if switched else "resetOnChange: the promise changed"
        note = f"{note}, its history, budget and silences begin anew"
        yield pair.change("identity", (before, after), (before, after), effect=Effect.AFRESH, note=note)


def _full(entry: Entry) -> str:
    return f"{entry.document['service']}/{entry.slo['slo']}"


def _pin(old: Entry, new: Entry) -> tuple[str, str]:
    """What to write so that the new SLO has the old one's identity: where, and the line."""
    end = f"-{new.ending}" if new.ending else ""
    if not old.identity.endswith(end):
        return f"{_BEGINS}, leave the end of its name as it was:", old.ending or str(old.slo["slo"])
    pinned = old.identity.removesuffix(end)
    return f"{_BEGINS}, add to metadata.annotations in {new.document['path']}:", f"{PREFIX}id: {pinned}"
