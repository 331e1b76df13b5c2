"""Burn rates to alerts: each tier at, just under and just over each of its conditions, and its clocks.

Which tiles its guard counts is seen in `guards`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, repeat
from typing import NamedTuple

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
    Labels,
    at,
    group,
    input_series,
    raw_input,
    series_name,
    values,
)
from slo_compiler.ir import Histogram, Slo, Spec, Tier, Window
from slo_compiler.promql import names

# Added to a sum that stands exactly at its guard; a power of two, so that sums stay exact.
_HAIR = 0.0078125
MANY = 500.0
HIGH = 99.0
_COVERED_EDGE, _REMAINING_EDGE = 0.9, 0.0
# Steps of the snapshots before a tier fires: long exactly at the factor and under it, short exactly at it and under it,
# the guard exactly met and not met.
_LONG_AT, _LONG_UNDER, _SHORT_AT, _SHORT_UNDER, _GUARD_AT, _GUARD_UNDER, _FIRE = 0, 2, 4, 6, 8, 10, 12
# Steps at the start and at the end at which no edge is passed, and those over which an alert is seen firing.
_START, _CLEAR, _SEEN = 6, 6, 4
_LEAST_LENGTH = _START + _CLEAR + 2


@dataclass(slots=True)
class _Course:
    """What is recorded for one tier at each step, and where its alert is worth a look.

    Attributes:
        burn: by window; 0 after its last step.
        bad: bad events of the long window's level, by tile.
    """

    length: int = 0
    burn: dict[str, list[float]] = field(default_factory=dict)
    bad: dict[int, float] = field(default_factory=dict)
    looks: set[int] = field(default_factory=set)
    texts: list[int] = field(default_factory=list)

    def set_burn(self, window: str, start: int, end: int, value: float) -> None:
        """The burn rate over a window for [start, end)."""
        slots = self.burn.setdefault(window, [])
        slots += [0.0] * (end - len(slots))
        slots[start:end] = [value] * (end - start)

    def burn_at(self, window: str, index: int) -> float:
        """The burn rate at a step; 0 after its last, and for another tier's window."""
        slots = self.burn.get(window, [])
        return slots[index] if index < len(slots) else 0.0

    def hold_bad(self, start: int, end: int, window: int, wanted: float) -> None:
        """Has the newest `window` tiles hold so many bad events at each step of [start, end)."""
        for index in range(start, end):
            change = wanted - self.held(index, window)
            if change:
                self.bad[index] = self.bad.get(index, 0.0) + change

    def held(self, index: int, window: int) -> float:
        """Bad events in the newest `window` tiles of a step."""
        return sum(events for tile, events in self.bad.items() if index - window < tile <= index)


def burn_rate_alerts(spec: Spec) -> Document:
    """Every tier of every SLO, the budget and the coverage, from recorded series alone.

    The tiers of an SLO are seen at the same time: a label more tells their series apart, which the rules carry through.
    """
    step = spec.steps.fast
    courses = [[_course(tier, step) for tier in slo.tiers] for slo in spec.slos]
    edges = [_edges(spec, slo) for slo in spec.slos]
    holds = [_steps(clocks(rule)[0], step) for rules in edges for rule, _ in rules]
    lengths = [item.length for items in courses for item in items]
    length = max([_LEAST_LENGTH, *lengths, *(_START + hold + _SEEN + _CLEAR for hold in holds)])
    series: list[Document] = []
    checks: list[Document] = []
    found: list[AlertCourse] = []
    text_looks: set[int] = set()
    for slo, items, below in zip(spec.slos, courses, edges, strict=True):
        group_labels, *others = groups_of(slo)
        rules = [alerts.burn_rate_alert(spec, slo, tier) for tier in slo.tiers]
        case = _case_label(slo, rules)
        own = [
            course(of_group(rule, _in_case(group_labels, case, number)), *seen, step)
            for number in range(len(items))
            for rule, seen in zip(rules, _activities(slo.tiers, number, length, step), strict=True)
            if any(seen.active)
        ]
        own += [_below(of_group(rule, group_labels), edge, length, step) for rule, edge in below]
        for number in range(len(items)):
            series += _case_series(slo, _in_case(group_labels, case, number), number, step, length)
        series += _edge_series(slo, group_labels, length)
        for other in others:
            series += _quiet_series(slo, other, length)
        looks = {1}.union(*(item.looks for item in items), *(alert.changes() for alert in own))
        by = [spec.own_label("tier"), case, *slo.groups.labels]
        checks += state_checks(own, sorted(look for look in looks if look < length), step, slo.slo_id, by)
        found += own
        text_looks |= {look for item in items for look in item.texts}
    series += _decoys(spec, length)
    texts = _texts(found, sorted(text_looks), length - _CLEAR - 2, step)
    return group("burn rates give alerts", at(step), series, checks, texts)


def _case_label(slo: Slo, rules: Sequence[Document]) -> str:
    """What tells the tiers' series apart; no label of a group, and none that an alert writes over."""
    taken = {*slo.groups.labels}.union(*(rule["labels"] for rule in rules))
    return next(label for label in accumulate(repeat("_"), initial="case") if label not in taken)


def _in_case(group_labels: Labels, case: str, number: int) -> Labels:
    return (*group_labels, (case, str(number + 1)))


@lru_cache(maxsize=256)
def _course(tier: Tier, step: int) -> _Course:
    """The snapshots of a tier: each of its conditions fails alone, then all hold, then the short window is quiet again."""
    item = _Course()
    factor, high = float(tier.factor), high_over(tier)
    hold = _steps(tier.hold.seconds, step)
    begin = 4
    fire = begin + _FIRE
    end = fire + hold + 4
    for window in (tier.long.name, tier.short.name):
        item.set_burn(window, begin, fire, high)
        item.set_burn(window, fire, fire + hold + 2, factor * 1.002)
    item.set_burn(tier.long.name, begin + _LONG_AT, begin + _LONG_AT + 2, factor)
    item.set_burn(tier.long.name, begin + _LONG_UNDER, begin + _LONG_UNDER + 2, factor / 2)
    item.set_burn(tier.short.name, begin + _SHORT_AT, begin + _SHORT_AT + 2, factor)
    item.set_burn(tier.short.name, begin + _SHORT_UNDER, begin + _SHORT_UNDER + 2, factor / 2)
    item.set_burn(tier.short.name, fire + hold + 2, end, high)
    item.set_burn(tier.long.name, fire + hold + 2, end, factor * 1.5)
    tiles = _tiles_in(tier.long, step)
    item.hold_bad(begin, begin + _GUARD_AT, tiles, tier.guard + MANY)
    item.hold_bad(begin + _GUARD_AT, begin + _GUARD_UNDER, tiles, tier.guard)
    item.hold_bad(begin + _GUARD_UNDER, fire, tiles, tier.guard - 0.5)
    item.hold_bad(fire, end, tiles, tier.guard + _HAIR)
    item.looks |= {begin + phase + 1 for phase in range(0, _FIRE, 2)} | {fire, fire + hold + 1}
    item.texts.append(fire + hold + 3)
    item.length = end + _steps(tier.keep_firing_for.seconds, step) + 4 + _CLEAR
    return item


def _tiles_in(window: Window, step: int) -> int:
    """How many tiles a window holds here, where one stands at every step."""
    return int(window.range.seconds // step) + 1


def high_over(tier: Tier) -> float:
    """A burn rate over any factor that is usual, and over this one."""
    return max(HIGH, 2 * float(tier.factor))


class _Seen(NamedTuple):
    """Whether a tier's condition holds at each step, and the long burn rate."""

    active: tuple[bool, ...]
    value: tuple[float, ...]


@lru_cache(maxsize=1024)
def _activities(tiers: tuple[Tier, ...], case: int, length: int, step: int) -> tuple[_Seen, ...]:
    """What every tier makes of the course of one of them: tiers may share their windows."""
    item, level = _course(tiers[case], step), tiers[case].long.level
    found = []
    for tier in tiers:
        factor, active, value = float(tier.factor), [], []
        for index in range(length):
            long, short = item.burn_at(tier.long.name, index), item.burn_at(tier.short.name, index)
            over = long > factor and short > factor and tier.long.level is level
            active.append(over and item.held(index, _tiles_in(tier.long, step)) > tier.guard)
            value.append(long)
        found.append(_Seen(tuple(active), tuple(value)))
    return tuple(found)


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
def _case_texts(tier: Tier, step: int, length: int) -> tuple[tuple[str, str], ...]:
    """The recorded series of a tier's course, by name."""
    item = _course(tier, step)
    texts = {
        names.burn_rate(window): values([item.burn_at(window, index) for index in range(length)])
        for window in item.burn
    }
    texts[names.BAD_EVENTS[tier.long.level.value]] = values([item.bad.get(index, 0.0) for index in range(length)])
    return tuple(texts.items())


def _case_series(slo: Slo, group_labels: Labels, number: int, step: int, length: int) -> list[Document]:
    own = {"slo_id": slo.slo_id, **dict(group_labels)}
    return [raw_input(series_name(name, own), text) for name, text in _case_texts(slo.tiers[number], step, length)]


def _edge_series(slo: Slo, group_labels: Labels, length: int) -> list[Document]:
    own = {"slo_id": slo.slo_id, **dict(group_labels)}
    texts = {names.PERIOD_BUDGET_REMAINING: _edge_text(_REMAINING_EDGE, length)}
    if isinstance(slo.measurement, Histogram):
        texts[names.COVERED] = _edge_text(_COVERED_EDGE, length)
    return [raw_input(series_name(name, own), text) for name, text in texts.items()]


def _quiet_series(slo: Slo, group_labels: Labels, length: int) -> list[Document]:
    """A group that never alerts: it burns nothing and has budget left, but holds bad events over every guard."""
    own = {"slo_id": slo.slo_id, **dict(group_labels)}
    quiet = {names.burn_rate(window.name): 0.0 for window in slo.windows}
    quiet |= {names.BAD_EVENTS[tier.long.level.value]: MANY for tier in slo.tiers}
    quiet[names.PERIOD_BUDGET_REMAINING] = 0.5
    if isinstance(slo.measurement, Histogram):
        quiet[names.COVERED] = 1.0
    return [input_series(name, own, [value] * length) for name, value in quiet.items()]


def _decoys(spec: Spec, length: int) -> list[Document]:
    """Another SLO that burns, has spent its budget and is not covered, all the time."""
    own = {"slo_id": DECOY}
    windows = sorted({window.name for slo in spec.slos for window in slo.windows})
    high = {names.burn_rate(window): HIGH for window in windows}
    high |= {names.BAD_EVENTS["fast"]: HIGH, names.BAD_EVENTS["slow"]: HIGH}
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
