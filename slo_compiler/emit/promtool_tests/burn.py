"""Recorded tiles to burn rates and to the period: every window's first and last tile, idle times, births."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests.notation import (
    GAP,
    Slot,
    at,
    expect,
    expect_scaled,
    group,
    input_series,
    series_name,
    values,
)
from slo_compiler.ir import Level, Slo, Spec, Window
from slo_compiler.promql import names
from slo_compiler.promql.build import string

# A series of somebody else: whatever forgets to ask for its own slo_id reads this too.
DECOY = "decoy/decoy"
_DECOY_VALUE = 9999.0

# One run of equal tiles: from this tile on, so many events and so many bad ones.
_Course = tuple[tuple[int, float, float], ...]
# Idle, half an event, traffic; a spike of bad events and one of events mark the edges of windows; idle, traffic again.
_FAST_SPIKE = 24
# Tiles stand a third of a step before their evaluation: a rule that writes a tile itself must not meet them.
_FAST_SLOTS = 3
_FAST_COURSE: _Course = (
    (0, 0, 0),
    (10, 0.001, 0.0005),
    (16, 90, 3),
    (_FAST_SPIKE, 470, 211),
    (_FAST_SPIKE + 1, 90, 1),
    (40, 120, 5),
    (60, 0, 0),
    (75, 60, 2),
)


def fast_windows(spec: Spec) -> Document:
    """Fast tiles to the fast windows: values just before and just after a spike leaves each window."""
    step = spec.steps.fast
    windows = sorted({w for slo in spec.slos for w in slo.windows if w.level is Level.FAST}, key=lambda w: w.tiles)
    looks = {8, 14, 20, _FAST_SPIKE, 72}
    for window in windows:
        looks |= {_FAST_SPIKE + window.tiles - 1, _FAST_SPIKE + window.tiles}
    last = max(looks)
    series = _fast_tiles(spec, last + 1)
    checks = []
    for look in sorted(looks):
        for window in windows:
            samples = []
            for factor, slo in _own(spec, window):
                burn = _burn(_FAST_COURSE, look, window, float(slo.budget), factor)
                if burn is not None:
                    samples.append((labels(slo.slo_id), burn))
            checks.append(expect_scaled(look * step, burn_query(window), samples))
    checks += _constants(spec, min(looks) * step)
    return group("fast tiles give burn rates", at(step // _FAST_SLOTS), series, checks)


def _constants(spec: Spec, seconds: int) -> list[Document]:
    """The target, and the facts that `slo:info` carries; once, since they never change."""
    targets = [(labels(slo.slo_id), float(slo.target) * 1000) for slo in spec.slos]
    facts = [(series_name(names.INFO, {"slo_id": slo.slo_id, **dict(slo.info)}), 1.0) for slo in spec.slos]
    return [expect_scaled(seconds, f"{names.TARGET} * 1000", targets), expect(seconds, names.INFO, facts)]


# Slow tiles in steps of 4m; evaluated every 12h, which is 180 tiles.
_SLOW_EVALUATION_SECONDS = 43200
_SLOW_COURSE_HOURS = 84
_TARGET_FROM_TILE = 100


def slow_windows(spec: Spec) -> Document:
    """Slow tiles to the slow windows, and to the period; evaluated every 12 hours.

    The first days are dense, the rest holds single tiles at the edges of the period: promtool loads 10,000 samples a
    query, and the meaning of a sum does not need them all.
    """
    steps = spec.steps
    per_look = _SLOW_EVALUATION_SECONDS // steps.slow
    windows = sorted({w for slo in spec.slos for w in slo.windows if w.level is Level.SLOW}, key=lambda w: w.tiles)
    marks = _Marks(spec, windows, per_look)
    checks = []
    for look in marks.looks:
        tile = look * per_look
        for window in windows:
            samples = []
            for factor, slo in _own(spec, window):
                burn = marks.burn(tile, window, float(slo.budget), factor)
                if burn is not None:
                    samples.append((labels(slo.slo_id), burn))
            checks.append(expect_scaled(tile * steps.slow, burn_query(window), samples))
        checks += _period_checks(spec, marks, tile)
    return group("slow tiles give long burn rates and the period", at(steps.slow), marks.series(spec), checks)


class _Marks:
    """The slow tiles: what they hold, as sparse maps from tile to value, and when to look."""

    def __init__(self, spec: Spec, windows: Sequence[Window], per_look: int) -> None:
        self.steps = spec.steps
        periods = sorted({slo.period.tiles for slo in spec.slos})
        dense = _SLOW_COURSE_HOURS * 3600 // self.steps.slow
        self.events: dict[int, float] = {tile: 40.0 + tile % 7 for tile in range(3 * per_look // 2, dense)}
        self.bad: dict[int, float] = {tile: 1.0 + tile % 3 for tile in range(3 * per_look // 2, dense)}
        for tile in range(per_look // 2):  # before the first look: no traffic; before the second: half an event
            self.events[tile] = self.bad[tile] = 0.0
        self.events[per_look + 3], self.bad[per_look + 3] = 0.5, 0.25
        for tile in range(2 * per_look, 2 * per_look + 40):  # a gap in the source
            self.events.pop(tile), self.bad.pop(tile)
        self.targets = set(range(_TARGET_FROM_TILE, dense))
        looks = {1, 2, 3, 5, 7}
        for window in [w.tiles for w in windows] + periods:
            # The last look at which a tile is inside, and a look at which one is just outside.
            look = -(-window // per_look) + 3
            looks.add(look)
            outside, inside = look * per_look - window, look * per_look - window + 1
            self.bad[outside], self.bad[inside], self.events[inside] = 171.0, 59.0, 177.0
            self.targets |= {outside, inside}
            # Where a look's own evaluation falls on that tile, the rules write bad events unless there are no events.
            self.events.pop(outside, None), self.events.pop(outside - 1, None)
        self.looks = sorted(looks)
        self.last = max(self.looks) * per_look
        for tile in range(self.last - 20, self.last + 1):
            self.events[tile], self.bad[tile] = 21.0, 2.0
            self.targets.add(tile)
        for tile in range(0, self.last + 1, per_look):  # there the rules write tiles of their own
            self.events.pop(tile, None)
            if tile - 1 in self.events:
                self.bad.pop(tile, None)
        # The rules write the target themselves at every look.
        self.evaluated = self.targets | {look * per_look for look in range(max(self.looks) + 1)}

    def burn(self, tile: int, window: Window, budget: float, factor: int) -> float | None:
        """Bad events over a full window at the mean traffic, over the budget."""
        events = _within(self.events, tile, window.tiles)
        if not events or sum(events) == 0:
            return None
        bad = sum(_within(self.bad, tile, window.tiles))
        if window.by_evaluations:
            evaluations = sum(tile - window.tiles < moment <= tile for moment in self.evaluated)
            return bad / (sum(events) * window.tiles / evaluations * budget)
        return bad / (sum(events) / len(events) * window.tiles * budget)

    def period(self, tile: int, slo: Slo, factor: int) -> tuple[float, float, float]:
        """Events, bad events and coverage of the period."""
        length = slo.period.tiles
        events = sum(_within(self.events, tile, length)) * factor
        bad = sum(_within(self.bad, tile, length)) * factor
        covered = sum(tile - length < moment <= tile for moment in self.evaluated)
        return events, bad, covered / length

    def series(self, spec: Spec) -> list[Document]:
        """The tiles of every SLO; each next SLO has that many times the events."""
        found = []
        for factor, slo in enumerate(spec.slos, start=1):
            for name, tiles in ((names.EVENTS["slow"], self.events), (names.BAD_EVENTS["slow"], self.bad)):
                slots = _slots({tile: value * factor for tile, value in tiles.items()}, self.last)
                found.append(input_series(name, {"slo_id": slo.slo_id}, slots))
            target = _slots(dict.fromkeys(self.targets, float(slo.target)), self.last)
            found.append(input_series(names.TARGET, {"slo_id": slo.slo_id}, target))
        for name in (names.EVENTS["slow"], names.BAD_EVENTS["slow"], names.TARGET):
            decoy = _slots(dict.fromkeys(self.events, _DECOY_VALUE), self.last)
            found.append(input_series(name, {"slo_id": DECOY}, decoy))
        return found


def _period_checks(spec: Spec, marks: _Marks, tile: int) -> list[Document]:
    found: dict[str, list[tuple[str, float]]] = {
        name: []
        for name in (
            names.PERIOD_EVENTS,
            names.PERIOD_BAD_EVENTS,
            names.PERIOD_COVERAGE,
            names.PERIOD_ATTAINMENT,
            names.PERIOD_BUDGET_REMAINING,
        )
    }
    for factor, slo in enumerate(spec.slos, start=1):
        events, bad, coverage = marks.period(tile, slo, factor)
        own = labels(slo.slo_id)
        found[names.PERIOD_EVENTS].append((own, events))
        found[names.PERIOD_BAD_EVENTS].append((own, bad))
        found[names.PERIOD_COVERAGE].append((own, coverage * 1000))
        if events > 0:
            attainment = 1 - bad / events
            found[names.PERIOD_ATTAINMENT].append((own, attainment * 1000))
            remaining = 1 - (1 - attainment) * coverage / float(slo.budget)
            found[names.PERIOD_BUDGET_REMAINING].append((own, remaining * 1000))
    scaled = (names.PERIOD_COVERAGE, names.PERIOD_ATTAINMENT, names.PERIOD_BUDGET_REMAINING)
    seconds = tile * spec.steps.slow
    return [
        expect_scaled(seconds, f"{not_decoy(name)} * 1000" if name in scaled else not_decoy(name), samples)
        for name, samples in found.items()
    ]


def labels(slo_id: str) -> str:
    """The labels of a recorded series, as an assertion writes them."""
    return f"{{slo_id={string(slo_id)}}}"


def not_decoy(name: str) -> str:
    """A recorded series of all SLOs but the decoy."""
    return f"{name}{{slo_id!={string(DECOY)}}}"


def burn_query(window: Window) -> str:
    """The burn rates of all SLOs over a window; the decoy has none unless a rule forgot its own slo_id."""
    return names.burn_rate(window.name)


def _own(spec: Spec, window: Window) -> list[tuple[int, Slo]]:
    return [(factor, slo) for factor, slo in enumerate(spec.slos, start=1) if window in slo.windows]


def _within(tiles: dict[int, float], tile: int, length: int) -> list[float]:
    return [value for moment, value in tiles.items() if tile - length < moment <= tile]


def _slots(tiles: dict[int, float], last: int) -> list[Slot]:
    slots: list[Slot] = [GAP] * (last + 1)
    for tile, value in tiles.items():
        slots[tile] = value
    return slots


def _course_slots(course: _Course, length: int, column: int, factor: int) -> list[Slot]:
    slots: list[Slot] = []
    for index, run in enumerate(course):
        end = course[index + 1][0] if index + 1 < len(course) else length
        slots += [run[column] * factor] * (min(end, length) - run[0])
    return slots


@lru_cache(maxsize=256)
def _fast_text(length: int, column: int, factor: int) -> str:
    """The fast course as promtool reads it; tile k stands in the last slot before evaluation k."""
    tiles = _course_slots(_FAST_COURSE, length, column, factor)
    slots: list[Slot] = [tiles[0]]
    for tile in tiles[1:]:
        slots += [GAP] * (_FAST_SLOTS - 2) + [tile, GAP]
    return values(slots)


def _fast_tiles(spec: Spec, length: int) -> list[Document]:
    """The course as tiles of every SLO; each next SLO has that many times the events."""
    found: list[Document] = []
    for factor, slo in enumerate(spec.slos, start=1):
        for column, name in ((1, names.EVENTS["fast"]), (2, names.BAD_EVENTS["fast"])):
            text = _fast_text(length, column, factor)
            found.append({"series": f"{name}{labels(slo.slo_id)}", "values": text})
    for name in (names.EVENTS["fast"], names.BAD_EVENTS["fast"]):
        decoy = f"{int(_DECOY_VALUE)}x{(length - 1) * _FAST_SLOTS}"
        found.append({"series": f"{name}{labels(DECOY)}", "values": decoy})
    return found


@lru_cache(maxsize=4096)
def _burn(course: _Course, look: int, window: Window, budget: float, factor: int) -> float | None:
    events = [
        value for value in _course_slots(course, look + 1, 1, factor)[-window.tiles :] if not isinstance(value, str)
    ]
    bad = [value for value in _course_slots(course, look + 1, 2, factor)[-window.tiles :] if not isinstance(value, str)]
    if sum(events) == 0:
        return None
    return sum(bad) / (sum(events) / len(events) * window.tiles * budget)


__all__ = ["DECOY", "fast_windows", "labels", "not_decoy", "slow_windows"]
