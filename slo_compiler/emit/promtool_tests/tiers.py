"""Burn rates to alerts: each tier at, just under and just over each of its conditions, and its clocks."""

from __future__ import annotations

from dataclasses import dataclass, field

from slo_compiler.emit import alerts
from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests.alert_states import FIRING, AlertCourse, course, state_checks, text_checks
from slo_compiler.emit.promtool_tests.burn import DECOY
from slo_compiler.emit.promtool_tests.notation import GAP, Slot, at, group, input_series
from slo_compiler.ir import Histogram, Level, Slo, Spec, Tier
from slo_compiler.promql import names

# Added to a sum that stands exactly at its guard; a power of two, so that sums stay exact.
_HAIR = 0.0078125
_MANY = 500.0
_HIGH = 99.0
_COVERED_EDGE, _REMAINING_EDGE = 0.9, 0.0


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
    courses = [_fast_course(slo, step) for slo in spec.slos]
    length = max(item.length for item in courses)
    series: list[Document] = []
    checks: list[Document] = []
    found: list[AlertCourse] = []
    text_looks: set[int] = set()
    for slo, item in zip(spec.slos, courses, strict=True):
        own = [_tier_course(spec, slo, tier, item, length, step) for tier in slo.tiers]
        own += _budget_and_coverage(spec, slo, length, step)
        series += _series(slo, item, length)
        looks = item.looks.union(*(alert.changes() for alert in own))
        checks += state_checks(own, sorted(look for look in looks if look < length), step, slo.slo_id, ["tier"])
        found += own
        text_looks |= set(item.texts)
    series += _decoys(spec, length)
    return group("burn rates give alerts", at(step), series, checks, _texts(found, sorted(text_looks), length, step))


def _fast_course(slo: Slo, step: int) -> _Course:
    """The phases of all tiers, one after the other; shared windows are high in one phase only."""
    item = _Course(length=8)
    cursor = 4
    for tier in slo.tiers:
        if tier.long.level is Level.SLOW:
            cursor = _slow_tier_phases(item, tier, cursor, step)
    fast = sorted((tier for tier in slo.tiers if tier.long.level is Level.FAST), key=lambda tier: tier.long.tiles)
    # The tile that has just left a window must not meet the phases of a shorter one: the longest starts right after
    # its window is full, the others early enough before it.
    start = max(cursor + 6, *(tier.long.tiles + 6 - 5 * index for index, tier in enumerate(fast)), 0) if fast else 0
    for index, tier in enumerate(fast):
        begin = start if index == 0 else max(tier.long.tiles + 1, cursor + 6)
        cursor = _fast_tier_phases(item, tier, begin, step)
    item.length = max(item.length, cursor + 70)
    return item


def _slow_tier_phases(item: _Course, tier: Tier, cursor: int, step: int) -> int:
    """Long exactly at the factor, short exactly, guard exactly met, then over all three, and back."""
    end = _phases(item, tier, cursor, step)
    item.add_bad(Level.SLOW, cursor, tier.guard + _MANY)
    item.add_bad(Level.SLOW, cursor + 4, -_MANY)
    item.add_bad(Level.SLOW, cursor + 6, _HAIR)
    item.add_bad(Level.SLOW, end, -(tier.guard + _HAIR))
    item.length = max(item.length, end + _steps(tier.keep_firing_for.seconds, step) + 4)
    return end + 2


def _fast_tier_phases(item: _Course, tier: Tier, begin: int, step: int) -> int:
    """The same, with many bad events that have just left the long window and the guard's in its oldest tile."""
    window = tier.long.tiles
    end = _phases(item, tier, begin - 4, step)
    item.add_bad(Level.FAST, begin - window, _MANY)
    item.add_bad(Level.FAST, begin + 2 - window + 1, tier.guard)
    item.add_bad(Level.FAST, begin + 2, _HAIR)
    item.add_bad(Level.FAST, begin + 3, _MANY)
    item.add_bad(Level.FAST, end, -(2 * _MANY + tier.guard + _HAIR))
    item.length = max(item.length, end + _steps(tier.keep_firing_for.seconds, step) + 4)
    return end


def _phases(item: _Course, tier: Tier, cursor: int, step: int) -> int:
    """Burn rates of the six snapshots; returns the step after the last."""
    factor = float(tier.factor)
    hold = _steps(tier.hold.seconds, step)
    fire = cursor + 6
    end = fire + hold + 4
    for window, exactly_at in ((tier.long.name, cursor), (tier.short.name, cursor + 2)):
        item.set_burn(window, cursor, cursor + 6, _HIGH)
        item.set_burn(window, exactly_at, exactly_at + 2, factor)
        item.set_burn(window, fire, fire + hold + 2, factor * 1.002)
    item.set_burn(tier.short.name, fire + hold + 2, end, _HIGH)
    item.set_burn(tier.long.name, fire + hold + 2, end, factor * 1.5)
    item.looks |= {cursor + 1, cursor + 3, cursor + 5, fire, fire + hold + 1}
    item.texts.append(fire + hold + 3)
    return end


def _tier_course(spec: Spec, slo: Slo, tier: Tier, item: _Course, length: int, step: int) -> AlertCourse:
    factor = float(tier.factor)
    bad = item.bad[tier.long.level.value]
    # In this group slow tiles stand at every fast step, so a slow window never forgets one.
    window = tier.long.tiles if tier.long.level is Level.FAST else length
    active, value = [], []
    for index in range(length):
        long, short = item.burn_at(tier.long.name, index), item.burn_at(tier.short.name, index)
        events = sum(count for tile, count in bad.items() if index - window < tile <= index)
        active.append(long > factor and short > factor and events > tier.guard)
        value.append(long)
    return course(alerts.burn_rate_alert(spec, slo, tier), active, value, step)


def _budget_and_coverage(spec: Spec, slo: Slo, length: int, step: int) -> list[AlertCourse]:
    if slo.mode == "none":
        return []
    found = [_below(alerts.budget_exhausted(spec, slo), _REMAINING_EDGE, length, step)]
    if isinstance(slo.measurement, Histogram):
        found.append(_below(alerts.coverage_low(spec, slo), _COVERED_EDGE, length, step))
    return found


def _below(rule: Document, edge: float, length: int, step: int) -> AlertCourse:
    slots = _edge_slots(edge, length)
    return course(rule, [value < edge for value in slots], slots, step)


def _edge_slots(edge: float, length: int) -> list[float]:
    """Exactly at the edge, then just below it."""
    return [edge if index < 6 else round(edge - 0.001, 3) for index in range(length)]


def _series(slo: Slo, item: _Course, length: int) -> list[Document]:
    own = {"slo_id": slo.slo_id}
    found = []
    for window in slo.windows:
        slots: list[Slot] = [item.burn_at(window.name, index) for index in range(length)]
        found.append(input_series(names.burn_rate(window.name), own, slots))
    for level, tiles in item.bad.items():
        if any(tier.long.level.value == level for tier in slo.tiers):
            bad: list[Slot] = [tiles.get(index, 0.0) for index in range(length)]
            found.append(input_series(names.BAD_EVENTS[level], own, bad))
    remaining: list[Slot] = [*_edge_slots(_REMAINING_EDGE, length)]
    found.append(input_series(names.PERIOD_BUDGET_REMAINING, own, remaining))
    if isinstance(slo.measurement, Histogram):
        covered: list[Slot] = [*_edge_slots(_COVERED_EDGE, length)]
        found.append(input_series(names.COVERED, own, covered))
    return found


def _decoys(spec: Spec, length: int) -> list[Document]:
    """Another SLO that burns, has spent its budget and is not covered, all the time."""
    own = {"slo_id": DECOY}
    windows = sorted({window.name for slo in spec.slos for window in slo.windows})
    high = {names.burn_rate(window): _HIGH for window in windows}
    high |= {names.BAD_EVENTS["fast"]: _HIGH, names.BAD_EVENTS["slow"]: _HIGH}
    high |= {names.PERIOD_BUDGET_REMAINING: -1.0, names.COVERED: 0.1}
    return [input_series(name, own, [value] * length) for name, value in high.items()]


def _texts(found: list[AlertCourse], looks: list[int], length: int, step: int) -> list[Document]:
    """Each alert's labels and texts once, at a look at which it fires."""
    checks = []
    told: set[int] = set()
    for look in [*looks, length - 1]:
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


def slow_guards(spec: Spec) -> Document | None:
    """The guards of the slow tiers, at the first and the last tile of their long windows; None without such a tier."""
    per_look = _EVALUATION_SECONDS // spec.steps.slow
    series: list[Document] = []
    checks: list[Document] = []
    windows: set[str] = set()
    length = 0
    for slo in spec.slos:
        tiers = sorted((t for t in slo.tiers if t.long.level is Level.SLOW), key=lambda tier: -tier.long.tiles)
        bad: dict[int, float] = {}
        burn: dict[str, dict[int, float]] = {}
        looks: dict[str, tuple[int, int]] = {}
        met = 0
        for tier in tiers:
            met = max(met + 3, -(-tier.long.tiles // per_look))
            looks[tier.name] = (met, met + 1)
            _mark_guard(bad, tier, met * per_look, (met + 1) * per_look)
            for window in (tier.long.name, tier.short.name):
                burn.setdefault(window, {}).update(dict.fromkeys((met * per_look, (met + 1) * per_look), _HIGH))
            met += 1
        if not tiers:
            continue
        last = met + 2
        length = max(length, last * per_look + 1)
        own = [_slow_course(spec, slo, tier, looks[tier.name], last) for tier in tiers]
        series += _sparse(slo.slo_id, bad, burn, last * per_look + 1)
        windows |= set(burn)
        checks += state_checks(own, range(last), _EVALUATION_SECONDS, slo.slo_id, ["tier"])
    if not checks:
        return None
    decoys: dict[str, dict[int, float]] = {
        window: dict.fromkeys(range(0, length, per_look), _HIGH) for window in sorted(windows)
    }
    series += _sparse(DECOY, dict.fromkeys(range(0, length, per_look), _HIGH), decoys, length)
    return group("guards of the slow tiers", at(spec.steps.slow), series, checks)


def _mark_guard(bad: dict[int, float], tier: Tier, met: int, passed: int) -> None:
    """At `met` the guard is exactly met, with many events one tile too old; at `passed` it is passed by the oldest."""
    window = tier.long.tiles
    bad[met - window] = bad.get(met - window, 0.0) + _MANY
    oldest = passed - window + 1
    bad[oldest] = bad.get(oldest, 0.0) + 1
    for look, wanted in ((met, float(tier.guard)), (passed, tier.guard + 0.5)):
        held = sum(count for tile, count in bad.items() if look - window < tile <= look)
        bad[look - 1] = bad.get(look - 1, 0.0) + wanted - held


def _slow_course(spec: Spec, slo: Slo, tier: Tier, looks: tuple[int, int], last: int) -> AlertCourse:
    active = [index == looks[1] for index in range(last + 1)]
    return course(alerts.burn_rate_alert(spec, slo, tier), active, [_HIGH] * (last + 1), _EVALUATION_SECONDS)


def _sparse(slo_id: str, bad: dict[int, float], burn: dict[str, dict[int, float]], length: int) -> list[Document]:
    own = {"slo_id": slo_id}
    named = {names.BAD_EVENTS["slow"]: bad, **{names.burn_rate(window): tiles for window, tiles in burn.items()}}
    found = []
    for name, tiles in named.items():
        slots: list[Slot] = [GAP] * length
        for tile, value in tiles.items():
            slots[tile] = value
        found.append(input_series(name, own, slots))
    return found
