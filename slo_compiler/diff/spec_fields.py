"""What is compared of a spec as a whole: its words, labels, waivers and what its engine is watched for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from slo_compiler.diff.change import Cause, Change, Direction, Kind
from slo_compiler.diff.pair_changes import Compared
from slo_compiler.diff.words import number

Compare = Callable[[Compared], Iterator[Change]]


def _word(field: str, called: str) -> Compare:
    def compare(pair: Compared) -> Iterator[Change]:
        old, new = pair.before.get(field), pair.after.get(field)
        if old != new:
            yield pair.change(called, (old, new), (old or "", new or ""), kind=Kind.CHANGED)

    return compare


def _path(pair: Compared) -> Iterator[Change]:
    old, new = pair.before["path"], pair.after["path"]
    if old != new:
        yield pair.change("file", (old, new), (old, new), cause=(Cause.SPEC,))


def _labels(pair: Compared) -> Iterator[Change]:
    old, new = pair.before["labels"], pair.after["labels"]
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            values = (old.get(name), new.get(name))
            note = "routes and silences of its alerts may go by it"
            yield pair.change(f"label {name}", values, (values[0] or "", values[1] or ""), note=note)


def _prefix(pair: Compared) -> Iterator[Change]:
    old, new = pair.before.get("labelPrefix"), pair.after.get("labelPrefix")
    if old != new:
        both, note = (old or "", new or ""), "routes and silences of its alerts go by labels that begin with it"
        likely = Cause.CONFIGURATION
        yield pair.change("prefix of labels", (old, new), both, likely=likely, note=note, kind=Kind.CHANGED)


def _waivers(pair: Compared) -> Iterator[Change]:
    """Findings that the owner accepts: one more, or for longer, is looser."""
    before, after = ({item["code"]: item for item in side["waivers"]} for side in (pair.before, pair.after))
    for code in sorted({*before, *after}):
        old, new = before.get(code), after.get(code)
        if old == new:
            continue
        if old is None or new is None:
            direction = Direction.LOOSER if old is None else Direction.TIGHTER
        else:
            direction = Direction.of(old["until"], new["until"], tighter_is="less")
        yield pair.change(f"waiver {code}", (old, new), (_waiver(old), _waiver(new)), direction)


def _waiver(waiver: dict[str, Any] | None) -> str:
    return f"until {waiver['until']} ({waiver['reason']})" if waiver is not None else ""


def _idle(pair: Compared) -> Iterator[Change]:
    old, new = bool(pair.before.get("expectIdle")), bool(pair.after.get("expectIdle"))
    if old != new:
        note = "no traffic and no targets raise no alert" if new else "no traffic and no targets raise an alert"
        both = ("true" if old else "false", "true" if new else "false")
        yield pair.change("expectIdle", (old, new), both, Direction.of(old, new, tighter_is="less"), note=note)


def _queue(pair: Compared) -> Iterator[Change]:
    old, new = pair.before.get("queueWaitingPerReplica"), pair.after.get("queueWaitingPerReplica")
    if old == new:
        return
    if old is None or new is None:
        direction = Direction.TIGHTER if old is None else Direction.LOOSER
    else:
        direction = Direction.of(old, new, tighter_is="less")
    both = tuple(f"over {number(value)} waiting per replica" if value is not None else "" for value in (old, new))
    yield pair.change("early warning on the queue", (old, new), (both[0], both[1]), direction)


def _autoscaling(pair: Compared) -> Iterator[Change]:
    old, new = pair.before.get("autoscaling"), pair.after.get("autoscaling")
    if old != new:
        yield pair.change("autoscaling", (old, new), (_follows(old), _follows(new)))


def _follows(scaled: dict[str, Any] | None) -> str:
    if scaled is None:
        return ""
    triggers = " and ".join(f"{item['kind']} {number(item['threshold'])}" for item in scaled["triggers"])
    namespace = f" in {scaled['namespace']}" if scaled.get("namespace") else ""
    return f"{scaled['workload']}{namespace}, {scaled['minReplicas']} to {scaled['maxReplicas']} replicas by {triggers}"


# By field of a document.
SPEC_FIELDS: dict[str, Compare] = {
    "path": _path,
    "displayName": _word("displayName", "display name"),
    "description": _word("description", "description"),
    "labels": _labels,
    "waivers": _waivers,
    "labelPrefix": _prefix,
    "expectIdle": _idle,
    "queueWaitingPerReplica": _queue,
    "autoscaling": _autoscaling,
}
SPEC_NOT_COMPARED = {
    "schema": "of the document",
    "service": "a rename is told of each SLO",
    "spec": "likewise",
    "url": "follows from the path and the configuration",
    "slos": "compared one by one",
}
