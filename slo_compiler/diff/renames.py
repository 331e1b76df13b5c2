"""What becomes of an SLO's history where its name or identity changed, and the line that keeps it."""

from __future__ import annotations

from collections.abc import Iterator

from slo_compiler.diff.change import Change, Effect, Kind
from slo_compiler.diff.pair_changes import Compared
from slo_compiler.diff.pairs import Entry
from slo_compiler.resolve.identity import PREFIX

_BEGINS = "its history, budget and silences begin anew; to keep them"


def compare_identity(pair: Compared, old: Entry, new: Entry) -> Iterator[Change]:
    """A rename, and a new identity of the same promise."""
    before, after = str(old.slo["sloId"]), str(new.slo["sloId"])
    names = (_full(old), _full(new))
    if names[0] != names[1]:
        note = f"its identity stays {after}, and with it its history"
        effect = None
        if old.identity != new.identity:
            note, effect = _pin(old, new), Effect.AFRESH
        yield pair.change("name", names, names, effect=effect, note=note, kind=Kind.RENAMED)
    elif old.identity != new.identity:
        yield pair.change("identity", (before, after), (before, after), effect=Effect.AFRESH, note=_pin(old, new))
    elif before != after:
        switched = ("@" in before) != ("@" in after)
        note = "resetOnChange was switched" if switched else "resetOnChange: the promise changed"
        yield pair.change("identity", (before, after), (before, after), effect=Effect.AFRESH, note=note)


def _full(entry: Entry) -> str:
    return f"{entry.document['service']}/{entry.slo['slo']}"


def _pin(old: Entry, new: Entry) -> str:
    """What to write so that the new SLO has the old one's identity."""
    same_end = f"-{new.ending}" if new.ending else ""
    if old.identity.endswith(same_end):
        pinned = old.identity.removesuffix(same_end) if same_end else old.identity
        return f"{_BEGINS}, add to metadata.annotations in {new.document['path']}: {PREFIX}id: {pinned}"
    return f"{_BEGINS}, leave the objective's name as it was: {old.ending or old.slo['slo']}"
