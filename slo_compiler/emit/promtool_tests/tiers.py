"""Burn rates to alerts: each tier at, just under and just over each of its conditions, and its clocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from slo_compiler.emit import alerts
from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests.alert_states import (
    FIRING,
    AlertCourse,
    clocks,
    course,
    of_group,
    state_checks,
    text_checks,
)
from slo_compiler.emit.promtool_tests.burn import DECOY
from slo_compiler.emit.promtool_tests.groups import groups_of
from slo_compiler.emit.promtool_tests.notation import (
    GAP,
    Labels,
    Slot,
    at,
    group,
    input_series,
    raw_input,
    series_name,
    values,
)
from slo_compiler.ir import Histogram, Level, Slo, Spec, Tier
from slo_compiler.promql import names

# Added to a sum that stands exactly at its guard; a power of two, so that sums stay exact.
_HAIR = 0.0078125
_MANY = 500.0
_HIGH = 99.0
_COVERED_EDGE, _REMAINING_EDGE = 0.9, 0.0
# Steps of the snapshots before a tier fires: long exactly at the factor and under it, short exactly at it and under it,
# the guard exactly met and not met.
_LONG_AT, _LONG_UNDER, _SHORT_AT, _SHORT_UNDER, _GUARD_AT, _GUARD_UNDER, _FIRE = 0, 2, 4, 6, 8, 10, 12
# Steps at the start and at the end at which no edge is passed, and those over which an alert is seen firing.
_START, _CLEAR, _SEEN = 6, 6, 4


@dataclass(slots=True)
class _Course:
    """Everything recorded about one SLO at each step, and where its alerts are worth a look."""

    length: int
    burn: dict[str, list[float]] = field(default_factory=dict)
    bad: dict[str, dict[int, float]] = field(default_factory=lambda: {"fast": {}, "slow": {}})
    looks: set[int] = field(default_factory=set)
    texts: list[int] = field(default_factory=list)

    def set_burn(self, window: str, start: int, end: int, value: float) -> None:
        """The burn rate over a window for [start, end)."""
        slots = self.burn.setdefault(window, [])
        slots += [0.0] * (end - len(slots))
        slots[start:end] = [value] * (end - start)

    def add_bad(self, level: Level, tile: int, events: float) -> None:
        """More bad events in a tile; fewer, where a sum is to be brought back."""
        tiles = self.bad[level.value]
        tiles[tile] = tiles.get(tile, 0.0) + events

    def burn_at(self, window: str, index: int) -> float:
        """The burn rate at a step; 0 after its last."""
        slots = self.burn.get(window, [])
        return slots[index] if index < len(slots) else 0.0


def burn_rate_alerts(spec: Spec) -> Document:
    """Every tier of every SLO, the budget and the coverage, in fast steps, from recorded series alone."""
    step = spec.steps.fast
    courses = [_fast_course(slo.tiers, step) for slo in spec.slos]
    edges = [_edges(spec, slo) for slo in spec.slos]
    holds = [_steps(clocks(rule)[0], step) for rules in edges for rule, _ in rules]
    length = max(*(item.length for item in courses), *(_START + hold + _SEEN + _CLEAR for hold in holds), 0)
    series: list[Document] = []
    checks: list[Document] = []
    found: list[AlertCourse] = []
    text_looks: set[int] = set()
    for slo, item, below in zip(spec.slos, courses, edges, strict=True):
        group_labels, *others = groups_of(slo)
        own = [
            course(
                of_group(alerts.burn_rate_alert(spec, slo, tier), group_labels),
                *_tier_activity(slo.tiers, index, length, step),
                step,
            )
            for index, tier in enumerate(slo.tiers)
        ]
        own += [_below(of_group(rule, group_labels), edge, length, step) for rule, edge in below]
        series += _series(slo, group_labels, step, length)
        for other in others:
            series += _quiet_series(slo, other, length)
        looks = item.looks.union({1}, *(alert.changes() for alert in own))
        by = [spec.own_label("tier"), *slo.groups.labels]
        checks += state_checks(own, sorted(look for look in looks if look < length), step, slo.slo_id, by)
        found += own
        text_looks |= set(item.texts)
    series += _decoys(spec, length)
    texts = _texts(found, sorted(text_looks), length - _CLEAR - 2, step)
    return group("burn rates give alerts", at(step), series, checks, texts)


@lru_cache(maxsize=256)
def _fast_course(tiers: tuple[Tier, ...], step: int) -> _Course:
    """The phases of all tiers, one after the other; shared windows are high in one phase only."""
    item = _Course(length=8)
    cursor = 4
    for tier in tiers:
        if tier.long.level is Level.SLOW:
            cursor = _slow_tier_phases(item, tier, cursor, step)
    fast = sorted((tier for tier in tiers if tier.long.level is Level.FAST), key=lambda tier: tier.long.tiles)
    # The tile that has just left a window must not meet the phases of a shorter one: the longest starts right after
    # its window is full, the others early enough before it.
    start = (
        max(cursor + _GUARD_AT + 2, *(tier.long.tiles + 12 - 5 * index for index, tier in enumerate(fast)), 0)
        if fast
        else 0
    )
    for index, tier in enumerate(fast):
        begin = start if index == 0 else max(tier.long.tiles + 1, cursor + _GUARD_AT + 2)
        cursor = _fast_tier_phases(item, tier, begin, step)
    item.length = max(item.length, cursor) + _CLEAR
    return item


def _slow_tier_phases(item: _Course, tier: Tier, cursor: int, step: int) -> int:
    """All snapshots of a slow tier; here its window holds every tile."""
    end = _phases(item, tier, cursor, step)
    item.add_bad(Level.SLOW, cursor, tier.guard + _MANY)
    item.add_bad(Level.SLOW, cursor + _GUARD_AT, -_MANY)
    item.add_bad(Level.SLOW, cursor + _GUARD_UNDER, -0.5)
    item.add_bad(Level.SLOW, cursor + _FIRE, 0.5 + _HAIR)
    item.add_bad(Level.SLOW, end, -(tier.guard + _HAIR))
    item.length = max(item.length, end + _steps(tier.keep_firing_for.seconds, step) + 4)
    return end + 2


def _fast_tier_phases(item: _Course, tier: Tier, begin: int, step: int) -> int:
    """The same, with many bad events that have just left the long window and the guard's in its oldest tile."""
    window = tier.long.tiles
    end = _phases(item, tier, begin - _GUARD_AT, step)
    fire = begin - _GUARD_AT + _FIRE
    item.add_bad(Level.FAST, begin - window, _MANY)
    item.add_bad(Level.FAST, fire - window + 1, tier.guard)
    item.add_bad(Level.FAST, begin - _GUARD_AT + _GUARD_UNDER, -0.5)
    item.add_bad(Level.FAST, fire, 0.5 + _HAIR)
    item.add_bad(Level.FAST, fire + 1, _MANY)
    item.add_bad(Level.FAST, end, -(2 * _MANY + tier.guard + _HAIR))
    item.length = max(item.length, end + _steps(tier.keep_firing_for.seconds, step) + 4)
    return end


def _phases(item: _Course, tier: Tier, cursor: int, step: int) -> int:
    """Burn rates of the snapshots; returns the step after the last."""
    factor, high = float(tier.factor), _high(tier)
    hold = _steps(tier.hold.seconds, step)
    fire = cursor + _FIRE
    end = fire + hold + 4
    for window in (tier.long.name, tier.short.name):
        item.set_burn(window, cursor, fire, high)
        item.set_burn(window, fire, fire + hold + 2, factor * 1.002)
    item.set_burn(tier.long.name, cursor + _LONG_AT, cursor + _LONG_AT + 2, factor)
    item.set_burn(tier.long.name, cursor + _LONG_UNDER, cursor + _LONG_UNDER + 2, factor / 2)
    item.set_burn(tier.short.name, cursor + _SHORT_AT, cursor + _SHORT_AT + 2, factor)
    item.set_burn(tier.short.name, cursor + _SHORT_UNDER, cursor + _SHORT_UNDER + 2, factor / 2)
    item.set_burn(tier.short.name, fire + hold + 2, end, high)
    item.set_burn(tier.long.name, fire + hold + 2, end, factor * 1.5)
    item.looks |= {cursor + phase + 1 for phase in range(0, _FIRE, 2)} | {fire, fire + hold + 1}
    item.texts.append(fire + hold + 3)
    return end


def _high(tier: Tier) -> float:
    """A burn rate over any factor that is usual, and over this one."""
    return max(_HIGH, 2 * float(tier.factor))


@lru_cache(maxsize=1024)
def _tier_activity(
    tiers: tuple[Tier, ...], which: int, length: int, step: int
) -> tuple[tuple[bool, ...], tuple[float, ...]]:
    """Whether a tier's condition holds at each step, and the long burn rate."""
    item, tier = _fast_course(tiers, step), tiers[which]
    factor = float(tier.factor)
    bad = item.bad[tier.long.level.value]
    # In this group slow tiles stand at every fast step, so a slow window never forgets one.
    window = tier.long.tiles if tier.long.level is Level.FAST else length
    active, value = [], []
    for index in range(length):
        long, short = item.burn_at(tier.long.name, index), item.burn_at(tier.short.name, index)
        over = long > factor and short > factor
        events = sum(count for tile, count in bad.items() if index - window < tile <= index) if over else 0.0
        active.append(over and events > tier.guard)
        value.append(long)
    return tuple(active), tuple(value)


def _edges(spec: Spec, slo: Slo) -> list[tuple[Document, float]]:
    """The alerts on a number that falls below an edge, and the edge."""
    if slo.mode == "none":
        return []
    found = [(alerts.budget_exhausted(spec, slo), _REMAINING_EDGE)]
    if isinstance(slo.measurement, Histogram):
        found.append((alerts.coverage_low(spec, slo), _COVERED_EDGE))
    return found


def _below(rule: Document, edge: float, length: int, step: int) -> AlertCourse:
    slots = _edge_slots(edge, length)
    return course(rule, [value < edge for value in slots], slots, step)


@lru_cache(maxsize=64)
def _edge_slots(edge: float, length: int) -> tuple[float, ...]:
    """Over the edge, exactly at it, just below it, and at the end at the edge again."""
    over, under = round(edge + 0.05, 3), round(edge - 0.001, 3)
    return (over,) * 3 + (edge,) * 3 + (under,) * (length - _START - _CLEAR) + (edge,) * _CLEAR


@lru_cache(maxsize=64)
def _edge_text(edge: float, length: int) -> str:
    return values(_edge_slots(edge, length))


@lru_cache(maxsize=1024)
def _burn_text(tiers: tuple[Tier, ...], step: int, window: str, length: int) -> str:
    item = _fast_course(tiers, step)
    return values([item.burn_at(window, index) for index in range(length)])


@lru_cache(maxsize=1024)
def _bad_text(tiers: tuple[Tier, ...], step: int, level: str, length: int) -> str:
    tiles = _fast_course(tiers, step).bad[level]
    return values([tiles.get(index, 0.0) for index in range(length)])


def _series(slo: Slo, group_labels: Labels, step: int, length: int) -> list[Document]:
    own = {"slo_id": slo.slo_id, **dict(group_labels)}
    texts = {names.burn_rate(window.name): _burn_text(slo.tiers, step, window.name, length) for window in slo.windows}
    for level in Level:
        if any(tier.long.level is level for tier in slo.tiers):
            texts[names.BAD_EVENTS[level.value]] = _bad_text(slo.tiers, step, level.value, length)
    texts[names.PERIOD_BUDGET_REMAINING] = _edge_text(_REMAINING_EDGE, length)
    if isinstance(slo.measurement, Histogram):
        texts[names.COVERED] = _edge_text(_COVERED_EDGE, length)
    return [raw_input(series_name(name, own), text) for name, text in texts.items()]


def _quiet_series(slo: Slo, group_labels: Labels, length: int) -> list[Document]:
    """A group that never alerts: it burns nothing and has budget left, but holds bad events over every guard."""
    own = {"slo_id": slo.slo_id, **dict(group_labels)}
    quiet = {names.burn_rate(window.name): 0.0 for window in slo.windows}
    quiet |= {names.BAD_EVENTS[tier.long.level.value]: _MANY for tier in slo.tiers}
    quiet[names.PERIOD_BUDGET_REMAINING] = 0.5
    if isinstance(slo.measurement, Histogram):
        quiet[names.COVERED] = 1.0
    return [input_series(name, own, [value] * length) for name, value in quiet.items()]


def _decoys(spec: Spec, length: int) -> list[Document]:
    """Another SLO that burns, has spent its budget and is not covered, all the time."""
    own = {"slo_id": DECOY}
    windows = sorted({window.name for slo in spec.slos for window in slo.windows})
    high = {names.burn_rate(window): _HIGH for window in windows}
    high |= {names.BAD_EVENTS["fast"]: _HIGH, names.BAD_EVENTS["slow"]: _HIGH}
    high |= {names.PERIOD_BUDGET_REMAINING: -1.0, names.COVERED: 0.1}
    return [input_series(name, own, [value] * length) for name, value in high.items()]


def _texts(found: list[AlertCourse], looks: list[int], last: int, step: int) -> list[Document]:
    """Each alert's labels and texts once, at a look at which it fires."""
    checks = []
    told: set[int] = set()
    for look in [*looks, last]:
        for name in sorted({item.name for item in found}):
            alive = [item for item in found if item.name == name and item.states[look] == FIRING]
            if any(id(item) not in told for item in alive):
                checks.append(text_checks(found, name, look, step))
                told |= {id(item) for item in alive}
    return checks


def _steps(seconds: object, step: int) -> int:
    return int(seconds) // step  # type: ignore[call-overload, no-any-return]


# The slow file is evaluated every 12 hours.
_EVALUATION_SECONDS = 43200


@dataclass(frozen=True, slots=True)
class _Guards:
    """The slow tiers of an SLO at the edges of their guards.

    Attributes:
        texts: by series.
        burns: per tier, at each look: the burn rate over the long window, and whether the condition holds.
    """

    texts: tuple[tuple[str, str], ...]
    burns: tuple[tuple[tuple[float, bool], ...], ...]
    last: int


def slow_guards(spec: Spec) -> Document | None:
    """The guards of the slow tiers, at the first and the last tile of their long windows; None without such a tier."""
    per_look = _EVALUATION_SECONDS // spec.steps.slow
    series: list[Document] = []
    checks: list[Document] = []
    windows: set[str] = set()
    length = 0
    for slo in spec.slos:
        tiers = tuple(sorted((t for t in slo.tiers if t.long.level is Level.SLOW), key=lambda tier: -tier.long.tiles))
        if not tiers:
            continue
        group_labels, *others = groups_of(slo)
        guards = _guards(tiers, per_look)
        length = max(length, guards.last * per_look + 1)
        own = []
        for tier, burns in zip(tiers, guards.burns, strict=True):
            rule = of_group(alerts.burn_rate_alert(spec, slo, tier), group_labels)
            rates, active = [burn for burn, _ in burns], [holds for _, holds in burns]
            own.append(course(rule, active, rates, _EVALUATION_SECONDS))
        labels = {"slo_id": slo.slo_id, **dict(group_labels)}
        series += [raw_input(series_name(name, labels), text) for name, text in guards.texts]
        every_look = _sparse_text(tuple((look * per_look, _MANY) for look in range(guards.last)), length)
        for other in others:
            # Bad events over every guard, without a burn rate.
            bad = series_name(names.BAD_EVENTS["slow"], {"slo_id": slo.slo_id, **dict(other)})
            series.append(raw_input(bad, every_look))
        windows |= {tier.long.name for tier in tiers} | {tier.short.name for tier in tiers}
        by = [spec.own_label("tier"), *slo.groups.labels]
        checks += state_checks(own, range(guards.last), _EVALUATION_SECONDS, slo.slo_id, by)
    if not checks:
        return None
    for name in [names.BAD_EVENTS["slow"], *(names.burn_rate(window) for window in sorted(windows))]:
        decoy = _sparse_text(tuple((tile, _HIGH) for tile in range(0, length, per_look)), length)
        series.append(raw_input(series_name(name, {"slo_id": DECOY}), decoy))
    return group("guards of the slow tiers", at(spec.steps.slow), series, checks)


@lru_cache(maxsize=256)
def _guards(tiers: tuple[Tier, ...], per_look: int) -> _Guards:
    bad: dict[int, float] = {}
    burn: dict[str, dict[int, float]] = {}
    met = 0
    for tier in tiers:
        met = max(met + 3, -(-tier.long.tiles // per_look))
        _mark_guard(bad, tier, met * per_look, (met + 1) * per_look)
        for window in (tier.long.name, tier.short.name):
            burn.setdefault(window, {}).update(dict.fromkeys((met * per_look, (met + 1) * per_look), _high(tier)))
        met += 1
    last = met + 2
    named = {names.BAD_EVENTS["slow"]: bad, **{names.burn_rate(window): tiles for window, tiles in burn.items()}}
    texts = tuple(
        (name, _sparse_text(tuple(sorted(tiles.items())), last * per_look + 1)) for name, tiles in named.items()
    )
    looks = range(0, (last + 1) * per_look, per_look)
    burns = tuple(tuple(_burns_at(tier, look, bad, burn) for look in looks) for tier in tiers)
    return _Guards(texts, burns, last)


def _burns_at(tier: Tier, look: int, bad: dict[int, float], burn: dict[str, dict[int, float]]) -> tuple[float, bool]:
    """The long burn rate at a look, and whether a tier's condition holds there: tiers may share their windows."""
    long, short = burn[tier.long.name].get(look, 0.0), burn[tier.short.name].get(look, 0.0)
    held = sum(count for tile, count in bad.items() if look - tier.long.tiles < tile <= look)
    return long, min(long, short) > float(tier.factor) and held > tier.guard


def _mark_guard(bad: dict[int, float], tier: Tier, met: int, passed: int) -> None:
    """At `met` the guard is exactly met, with many events one tile too old; at `passed` it is passed by the oldest."""
    window = tier.long.tiles
    bad[met - window] = bad.get(met - window, 0.0) + _MANY
    oldest = passed - window + 1
    bad[oldest] = bad.get(oldest, 0.0) + 1
    for look, wanted in ((met, float(tier.guard)), (passed, tier.guard + 0.5)):
        held = sum(count for tile, count in bad.items() if look - window < tile <= look)
        bad[look - 1] = bad.get(look - 1, 0.0) + wanted - held


@lru_cache(maxsize=256)
def _sparse_text(tiles: tuple[tuple[int, float], ...], length: int) -> str:
    slots: list[Slot] = [GAP] * length
    for tile, value in tiles:
        slots[tile] = value
    return values(slots)
