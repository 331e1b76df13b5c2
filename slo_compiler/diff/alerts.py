"""Changes of an SLO's alerts: tiers that come, go, fire at another share of bad events, or wake somebody else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from slo_compiler.diff.change import Cause, Change, Direction
from slo_compiler.diff.pair_changes import Compared
from slo_compiler.diff.words import duration, number, pairs, percent
from slo_compiler.promql.names import ALERT_PAGE, ALERT_TICKET

# By the words that a configuration may have others for, and by the alert's name, which tells pages from the rest always.
_RANK = {"page": 2, "ticket": 1, "info": 0, ALERT_PAGE: 2, ALERT_TICKET: 1}
_MODES = {"page": 2, "ticket": 1, "none": 0}

# What a tier's own change is told by: its words, and which way is tighter, if any is.
TIER_FIELDS: dict[str, tuple[str, str]] = {
    "severity": ("{}", "rank"),
    "errorRatio": ("over {} bad", "less"),
    "longWindow": ("over {}", ""),
    "shortWindow": ("and over {}", ""),
    "for": ("for {}", "less"),
    "keepFiringFor": ("kept for {}", ""),
    "minBadEvents": ("with more than {} bad events", "less"),
    "alert": ("{}", "rank"),
    "labels": ("labels {}", ""),
}
# What follows from these, from the target and the period, or from the steps.
TIER_DERIVED = frozenset(
    ("name", "factor", "blindAtEventsPerHour", "detection", "budgetSpent", "evaluationStep", "levels")
)
# What a change of the mode says already.
_OF_MODE = frozenset(("severity", "alert", "for", "keepFiringFor"))
EXHAUSTED_FIELDS = ("severity", "for", "keepFiringFor", "alert")
EXHAUSTED_DERIVED = frozenset(("evaluationStep",))
_SECONDS = frozenset(("longWindow", "shortWindow", "for", "keepFiringFor"))


def compare_mode(pair: Compared) -> Iterator[Change]:
    """Whether anybody is paged."""
    old, new = pair.old["mode"], pair.new["mode"]
    if old != new:
        note = {
            "page": "somebody is paged",
            "ticket": "nobody is paged, there are tickets",
            "none": "there are no alerts",
        }
        direction = Direction.of(_MODES[old], _MODES[new], tighter_is="more")
        yield pair.change("mode", (old, new), (old, new), direction, note=note[new])


def compare_tiers(pair: Compared) -> Iterator[Change]:
    """Alerts on burn rates. Those that only follow a changed target are told in one change."""
    modes = pair.old["mode"], pair.new["mode"]
    if modes[0] != modes[1] and "none" in modes:
        return
    told = _OF_MODE if modes[0] != modes[1] else frozenset[str]()
    inherited = pair.inherited("target", "period")
    by_policy = Cause.POLICY in pair.causes.of(pair.before, pair.after, Cause.POLICY)
    moved: list[tuple[Any, Any]] = []
    for old, new in _tier_pairs(pair.old["tiers"], pair.new["tiers"]):
        if old is None or new is None:
            yield _came_or_went(pair, old, new, None if by_policy else inherited)
            continue
        cause = None if by_policy and old["factor"] != new["factor"] else inherited
        differing = [name for name in TIER_FIELDS if old.get(name) != new.get(name) and name not in told]
        if differing == ["errorRatio"] and cause is not None:
            moved.append((old, new))
        elif differing or (old["factor"] != new["factor"] and cause is None):
            yield _of_tier(pair, old, new, differing, None if set(differing) - {"errorRatio"} else cause)
    if moved:
        first = moved[0]
        yield pair.change(
            "alerts",
            tuple({tier["name"]: tier["errorRatio"] for tier in side} for side in zip(*moved, strict=True)),  # type: ignore[arg-type]
            tuple(_shares(side) for side in zip(*moved, strict=True)),  # type: ignore[arg-type]
            Direction.of(first[0]["errorRatio"], first[1]["errorRatio"], tighter_is="less"),
            cause=inherited,
            note=_meaning(*first),
        )


def _shares(tiers: Sequence[Any]) -> str:
    return ", ".join(f"{tier['name']} over {percent(tier['errorRatio'])}" for tier in tiers)


def _meaning(old: Any, new: Any) -> str:
    """`pages at an error ratio over 7.2% (was 1.44%); a total failure is found after 4m19.2s (was 51.84s)`."""
    verb = "pages" if new["alert"] == ALERT_PAGE else "a ticket"
    return (
        f"{verb} at an error ratio over {percent(new['errorRatio'])} (was {percent(old['errorRatio'])}) in "
        f"{duration(new['longWindow'])}; {_detection(old, new)}"
    )


def _detection(old: Any, new: Any) -> str:
    was, now = duration(old["detection"]) or "0s", duration(new["detection"]) or "0s"
    return f"a total failure is found after {now}" + (f" (was {was})" if was != now else ", as before")


def _came_or_went(pair: Compared, old: Any, new: Any, cause: tuple[Cause, ...] | None) -> Change:
    tier = new or old
    words = (
        f"({tier['severity']} over {percent(tier['errorRatio'])} bad in {duration(tier['longWindow'])} and "
        f"{duration(tier['shortWindow'])})"
    )
    # What comes or goes with the target leaves others that cover it.
    direction = Direction.NEUTRAL if cause is not None else Direction.TIGHTER if old is None else Direction.LOOSER
    note = "follows from the target and the period, other tiers cover it" if cause is not None else ""
    both = ("" if old is None else words, "" if new is None else words)
    return pair.change(
        f"alert {tier['name']}", (old, new), both, direction, likely=Cause.POLICY, cause=cause, note=note
    )


def _of_tier(pair: Compared, old: Any, new: Any, differing: Sequence[str], cause: tuple[Cause, ...] | None) -> Change:
    fields = differing or ["errorRatio"]
    words = (_tier_words(old, fields), _tier_words(new, fields))
    directions = [_direction(name, old.get(name), new.get(name)) for name in fields]
    if {"longWindow", "shortWindow"} & {*fields}:
        directions.append(Direction.of(old["detection"], new["detection"], tighter_is="less"))
    name = f"alert {new['name']}"
    if old["name"] != new["name"]:  # both have the same windows
        name, words = "alert", (f"{old['name']} {words[0]}", f"{new['name']} {words[1]}")
    values = ({field: old.get(field) for field in fields}, {field: new.get(field) for field in fields})
    return pair.change(
        name,
        values,
        words,
        Direction.together(directions),
        likely=Cause.POLICY,
        cause=cause,
        note=_detection(old, new) if old["detection"] != new["detection"] else "",
    )


def _tier_words(tier: Any, fields: Sequence[str]) -> str:
    return ", ".join(TIER_FIELDS[name][0].format(_shown(name, tier.get(name))) for name in fields)


def _shown(name: str, value: Any) -> str:
    if name in _SECONDS:
        return duration(value) or "0s"
    if name == "errorRatio":
        return percent(value)
    if name == "labels":
        return pairs(value or {}) or "none"
    return number(value) if name == "minBadEvents" else str(value)


def _direction(name: str, old: Any, new: Any) -> Direction:
    way = TIER_FIELDS[name][1]
    if way == "rank":
        return Direction.of(_RANK.get(old), _RANK.get(new), tighter_is="more")
    return Direction.of(old, new, tighter_is=way) if way else Direction.NEUTRAL


def _tier_pairs(old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Tiers of the same name, else of the same windows."""
    rest_old, rest_new = list(old), list(new)
    found = []
    for same in (lambda tier: tier["name"], lambda tier: (tier["longWindow"], tier["shortWindow"])):
        for tier in list(rest_old):
            other = next((item for item in rest_new if same(item) == same(tier)), None)
            if other is not None:
                found.append((tier, other))
                rest_old.remove(tier)
                rest_new.remove(other)
    yield from sorted(found, key=lambda both: list(new).index(both[1]))
    yield from ((tier, None) for tier in rest_old)
    yield from ((None, tier) for tier in rest_new)


def compare_exhausted(pair: Compared) -> Iterator[Change]:
    """The alert on the whole budget; it comes and goes with the mode."""
    old, new = pair.old.get("exhausted"), pair.new.get("exhausted")
    if old is None or new is None:
        return
    fields = [name for name in EXHAUSTED_FIELDS if old[name] != new[name]]
    if fields:
        words = (_tier_words(old, fields), _tier_words(new, fields))
        direction = Direction.together([_direction(name, old[name], new[name]) for name in fields])
        values = ({name: old[name] for name in fields}, {name: new[name] for name in fields})
        yield pair.change("alert on the budget", values, words, direction, likely=Cause.POLICY)
