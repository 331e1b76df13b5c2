"""Which fields of the catalogue's documents are compared, and how; those that are not say why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from slo_compiler.diff.alerts import compare_exhausted, compare_mode, compare_tiers
from slo_compiler.diff.change import Cause, Change, Direction, Effect, Kind
from slo_compiler.diff.pair_changes import Compared
from slo_compiler.diff.reads import compare_reads
from slo_compiler.diff.watched import compare_degradation, compare_worst_replica
from slo_compiler.diff.words import duration, number, percent
from slo_compiler.units import Duration

Compare = Callable[[Compared], Iterator[Change]]


def _target(pair: Compared) -> Iterator[Change]:
    old, new = pair.old["target"], pair.new["target"]
    if old != new:
        period = duration(pair.new["period"])
        words = f"retroactive: attainment of the last {period} is judged by the new target at once"
        direction = Direction.of(old, new, tighter_is="more")
        yield _number(pair, "target", percent, direction, Effect.RETROACTIVE, _over_period(pair), effect_words=words)


def _over_period(pair: Compared) -> str:
    return f"{pair.budget_words} in {duration(pair.new['period'])}" if pair.budget_words else ""


def _period(pair: Compared) -> Iterator[Change]:
    old, new = pair.old["period"], pair.new["period"]
    if old != new:
        words = "retroactive: the new period is filled as far back as its events are recorded"
        direction = Direction.of(old, new, tighter_is="less")
        yield _number(pair, "period", duration, direction, Effect.RETROACTIVE, pair.budget_words, effect_words=words)


def _promised(pair: Compared) -> Iterator[Change]:
    old, new = pair.old["promised"], pair.new["promised"]
    if old == new:
        return
    was, now = pair.old["measured"], pair.new["measured"]
    if was == now:
        note = f"measured at {duration(now)} as before, no event is judged otherwise" if now is not None else ""
        effect = None
    else:
        note = f"measured at {duration(now) or 'no edge'} (was {duration(was) or 'none'})"
        effect = Effect.FROM_NOW_ON
    direction = Direction.of(old, new, tighter_is="less")
    yield _number(pair, "promised", duration, direction, effect, note, called="threshold")


def _measured(pair: Compared) -> Iterator[Change]:
    old, new = pair.old["measured"], pair.new["measured"]
    if old == new or pair.old["promised"] != pair.new["promised"]:
        return
    direction = Direction.of(old, new, tighter_is="less")
    note = f"promised are {duration(pair.new['promised'])} as before" if pair.new["promised"] is not None else ""
    yield _number(pair, "measured", duration, direction, Effect.FROM_NOW_ON, note)


def _number(
    pair: Compared,
    field: str,
    words: Callable[[Any], str],
    direction: Direction,
    effect: Effect | None,
    note: str,
    *,
    called: str = "",
    effect_words: str = "",
) -> Change:
    """A number that has an origin; a change names the new origin where that is another."""
    old, new = pair.old[field], pair.new[field]
    notes = "; ".join(part for part in (note, pair.origin_words(field)) if part)
    return pair.change(
        called or field,
        (old, new),
        (words(old), words(new)),
        direction,
        effect=effect,
        effect_words=effect_words,
        note=notes,
        kind=Kind.CHANGED,
        cause=pair.number_cause(field),
    )


_BOUND = re.compile(r"([<>]=?) (-?[0-9.]+)")
# What has an origin and a comparison of its own above, or is `budgetAdjustments`.
_TOLD = frozenset(("target", "promised", "measured", "period", "adjusted"))


def _provenance(pair: Compared) -> Iterator[Change]:
    """Rates, bounds, slices and exemptions; and numbers that are as before, and set by somebody else."""
    for field in ("target", "promised", "measured", "period"):
        words = pair.origin_words(field)
        if words and pair.old[field] == pair.new[field]:
            text = next(item["text"] for item in pair.new["provenance"] if item["field"] == field)
            both = _origins(pair, field)
            yield pair.change(f"origin of {field}", both, both, note=f"{text} as before", kind=Kind.CHANGED)
    before, after = _others(pair.old), _others(pair.new)
    for key in sorted({*before, *after}):
        old, new = before.get(key, ""), after.get(key, "")
        if old != new:
            yield _other(pair, key, old, new)


def _origins(pair: Compared, field: str) -> tuple[str, str]:
    before, after = (
        next(item["origin"] for item in slo["provenance"] if item["field"] == field) for slo in (pair.old, pair.new)
    )
    return before, after


def _others(slo: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Texts of what has no field of its own; exemptions by their words, of which there are several."""
    return {
        (item["field"], item["origin"] if item["field"] == "exempt" else ""): item["text"]
        for item in slo["provenance"]
        if item["field"] not in _TOLD
    }


def _other(pair: Compared, key: tuple[str, str], old: str, new: str) -> Change:
    field, origin = key
    values = (old or None, new or None)
    if field == "exempt":
        # Less counts: an exemption, and more of it, makes the promise easier to keep.
        kind_of_exemption = origin.removeprefix("at most, for ")
        most = [Duration.parse(text).seconds if text else Decimal(0) for text in (old, new)]
        direction = Direction.of(*most, tighter_is="less")
        both = (f"{old} at most" if old else "", f"{new} at most" if new else "")
        name = f"exemption {kind_of_exemption},"
        return pair.change(name, values, both, direction, effect=Effect.FROM_NOW_ON)
    direction = _OTHER_DIRECTIONS.get(field, _neutral)(old, new)
    return pair.change(field, values, (old, new), direction, effect=Effect.FROM_NOW_ON)


def _neutral(old: str, new: str) -> Direction:
    del old, new
    return Direction.NEUTRAL


def _by_first_number(old: str, new: str) -> Direction:
    """`500 tokens/s` and `95%`: more is tighter."""
    amounts = [float(text.partition(" ")[0].rstrip("%")) if text else None for text in (old, new)]
    return Direction.of(*amounts, tighter_is="more")


def _by_bound(old: str, new: str) -> Direction:
    """`<= 30`: less is tighter, and more of `>= 30`; another comparison is another promise."""
    before, after = _BOUND.fullmatch(old), _BOUND.fullmatch(new)
    if before is None or after is None or before[1] != after[1]:
        return Direction.NEUTRAL
    return Direction.of(
        Decimal(before[2]), Decimal(after[2]), tighter_is="less" if before[1] in ("<", "<=") else "more"
    )


_OTHER_DIRECTIONS: dict[str, Callable[[str, str], Direction]] = {
    "rate": _by_first_number,
    "sliceTarget": _by_first_number,
    "bound": _by_bound,
}


def _groups(pair: Compared) -> Iterator[Change]:
    old, new = pair.old.get("groupBy"), pair.new.get("groupBy")
    if old == new:
        return
    labels = [(side or {}).get("labels", []) for side in (old, new)]
    note = "every group begins a history of its own" if labels[0] != labels[1] else "which groups are recorded"
    both = (_groups_words(old), _groups_words(new))
    yield pair.change("groupBy", (old, new), both, note=note, kind=Kind.CHANGED)


def _groups_words(groups: dict[str, Any] | None) -> str:
    if groups is None:
        return ""
    which = f"the {groups['maxGroups']} largest" if "maxGroups" in groups else ", ".join(groups.get("allow", ()))
    return f"each {' and '.join(groups['labels'])} ({which})"


def _adjustments(pair: Compared) -> Iterator[Change]:
    """Incidents that the period leaves out: the budget that they took is given back."""
    before, after = (
        {(item["from"], item["to"]): item["reason"] for item in slo.get("budgetAdjustments", ())}
        for slo in (pair.old, pair.new)
    )
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        direction = Direction.NEUTRAL
        words, effect = "", None
        if old is None or new is None:
            direction = Direction.LOOSER if old is None else Direction.TIGHTER
            note = "its events leave the period's sums" if old is None else "its events count again"
            effect = Effect.RETROACTIVE
            words = f"retroactive: {note}"
        name = f"adjustment {key[0]} to {key[1]}"
        both = (f"({old})" if old else "", f"({new})" if new else "")
        yield pair.change(name, (old, new), both, direction, effect=effect, effect_words=words)


def _budget(pair: Compared) -> Iterator[Change]:
    """The expected traffic; the rest of the budget follows from target and period."""
    for field, called in (("eventsPerHour", "expected traffic"), ("eventsPerRequest", "events per request")):
        old, new = pair.old["budget"][field], pair.new["budget"][field]
        if old != new:
            units = [f" {side['counts']}/h" if field == "eventsPerHour" else "" for side in (pair.old, pair.new)]
            both = tuple(
                "" if value is None else f"{number(round(value, 2))}{unit}"
                for value, unit in zip((old, new), units, strict=True)
            )
            yield pair.change(called, (old, new), (both[0], both[1]), likely=Cause.CATALOG, kind=Kind.CHANGED)


def _steps(pair: Compared) -> Iterator[Change]:
    old, new = pair.old["steps"], pair.new["steps"]
    if old != new:
        both = tuple(f"{duration(step['fast'])} and {duration(step['slow'])}" for step in (old, new))
        yield pair.change("evaluated every", (old, new), (both[0], both[1]), likely=Cause.CONFIGURATION)


def _links(pair: Compared) -> Iterator[Change]:
    old, new = pair.old["links"], pair.new["links"]
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            values = (old.get(name), new.get(name))
            both = (values[0] or "", values[1] or "")
            yield pair.change(f"link to the {name}", values, both, likely=Cause.CONFIGURATION, kind=Kind.CHANGED)


def _fact(field: str, called: str, likely: Cause = Cause.SPEC) -> Compare:
    """A word that promises nothing."""

    def compare(pair: Compared) -> Iterator[Change]:
        old, new = pair.old.get(field), pair.new.get(field)
        if old != new:
            yield pair.change(called, (old, new), (old or "", new or ""), likely=likely, kind=Kind.CHANGED)

    return compare


# By field of an SLO in a document.
SLO_FIELDS: dict[str, Compare] = {
    "sli": _fact("sli", "SLI"),
    "title": _fact("title", "title"),
    "target": _target,
    "promised": _promised,
    "measured": _measured,
    "period": _period,
    "provenance": _provenance,
    "reads": compare_reads,
    "groupBy": _groups,
    "budgetAdjustments": _adjustments,
    "mode": compare_mode,
    "tiers": compare_tiers,
    "exhausted": compare_exhausted,
    "worstReplica": compare_worst_replica,
    "degradation": compare_degradation,
    "model": _fact("model", "model"),
    "endpoint": _fact("endpoint", "endpoint"),
    "engine": _fact("engine", "engine"),
    "experienceClass": _fact("experienceClass", "experience class", Cause.CATALOG),
    "useCase": _fact("useCase", "use case"),
    "team": _fact("team", "team"),
    "stage": _fact("stage", "stage"),
    "budget": _budget,
    "steps": _steps,
    "links": _links,
}
SLO_NOT_COMPARED = {
    "slo": "a rename is told of the pair",
    "sloId": "likewise",
    "counts": "follows from the SLI",
    "breach": "follows from the SLI",
    "promise": "words of the numbers",
    "slice": "its text is in the provenance",
}
