"""Slow tiles to the long burn rates and to the period: every window's oldest tile, and the one that has just left it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests.groups import Track, tracks
from slo_compiler.emit.promtool_tests.notation import (
    GAP,
    STALE,
    Labels,
    Slot,
    expect_scaled,
    group,
    raw_input,
    series_name,
    slot_of,
    slots_of,
    values,
)
from slo_compiler.ir import Level, Spec, Steps, Window
from slo_compiler.promql import names
from slo_compiler.promql.build import string

# A series of somebody else: whatever forgets to ask for its own slo_id reads this too.
DECOY = "decoy/decoy"
# Windows and periods are looked at once a day.
LOOK_SECONDS = 86400
_SLOW_COURSE_HOURS = 84
# Sums do not need every tile, and the files stay small.
_SLOW_EVERY = 12
_TARGET_FROM_TILE = 100


def slow_windows(spec: Spec) -> Document:
    """Slow tiles to the slow windows, and to the period; evaluated once a day.

    The first days hold a tile in twelve, the rest single tiles at the edges of the period.
    """
    steps = spec.steps
    per_look = LOOK_SECONDS // steps.slow
    windows = sorted({w for slo in spec.slos for w in slo.windows if w.level is Level.SLOW}, key=lambda w: w.tiles)
    lengths = {window.tiles for window in windows} | {slo.period.tiles for slo in spec.slos}
    marks = _marks(steps, tuple(sorted(lengths)), per_look)
    checks = []
    for look in marks.looks:
        tile = look * per_look
        for window in windows:
            samples = []
            for track in tracks_over(spec, window):
                burn = marks.burn(tile, window, float(track.slo.budget), later=track.slo.part_later)
                if burn is not None:
                    samples.append((own_labels(track), burn * track.share))
            checks.append(expect_scaled(tile * steps.slow, burn_query(window), samples))
        checks += _period_checks(spec, marks, tile)
    return group(
        "slow tiles give long burn rates and the period", slot_of(steps.slow).promql, marks.series(spec), checks
    )


class _Marks:
    """The slow tiles: what they hold, as sparse maps from tile to value, and when to look.

    Tile k stands one slot before evaluation k, as in the fast file.
    """

    def __init__(self, steps: Steps, lengths: Sequence[int], per_look: int) -> None:
        self.per_look = per_look
        self.per_tile = slots_of(steps.slow)
        self._texts: dict[tuple[str, float, bool], str] = {}
        self._burns: dict[tuple[int, Window, float, bool], float | None] = {}
        self._periods: dict[tuple[int, int, bool], tuple[float, float, float]] = {}
        # Before the first look no traffic, before the second hardly an event, then every few tiles.
        some = range(2 * per_look + 5, _SLOW_COURSE_HOURS * 3600 // steps.slow, _SLOW_EVERY)
        self.events: dict[int, float] = {tile: 40.0 + tile % 7 for tile in some}
        self.bad: dict[int, float] = {tile: 1.0 + tile % 3 for tile in some}
        for tile in range(1, per_look, _SLOW_EVERY):
            self.events[tile] = self.bad[tile] = 0.0
        self._hardly = 2 * per_look - 9
        self.events[self._hardly], self.bad[self._hardly] = 0.0002, 0.0001
        self.targets = set(range(_TARGET_FROM_TILE, some.stop, _SLOW_EVERY))
        looks = {1, 2, 3, 5, 7}
        for window in lengths:
            # A look whose window has one mark in its oldest tile, and another that is one tile too old.
            look = -(-window // per_look) + 3
            looks.add(look)
            outside, inside = look * per_look - window, look * per_look - window + 1
            for tile, bad in ((outside, 171.0), (inside, 59.0)):
                self.bad[tile], self.events[tile] = bad, 3 * bad
                self.targets.add(tile)
        self.looks = sorted(looks)
        self.last = max(self.looks) * per_look
        for tile in range(self.last - 20, self.last + 1):
            self.events[tile], self.bad[tile] = 21.0, 2.0
            self.targets.add(tile)

    def _bads(self, *, later: bool) -> dict[int, float]:
        """Bad events by tile; where good events are counted later, more end than begin while there is hardly an event."""
        return {**self.bad, self._hardly: -self.bad[self._hardly]} if later else self.bad

    def burn(self, tile: int, window: Window, budget: float, *, later: bool) -> float | None:
        """Bad events over a full window at the mean traffic, over the budget; the same however many events there are."""
        key = (tile, window, budget, later)
        if key not in self._burns:
            self._burns[key] = self._burn(tile, window, budget, later=later)
        return self._burns[key]

    def _burn(self, tile: int, window: Window, budget: float, *, later: bool) -> float | None:
        events = within(self.events, tile, window.tiles)
        if not events or sum(events) == 0:
            return None
        bad = max(sum(within(self._bads(later=later), tile, window.tiles)), 0)
        if window.by_evaluations:
            evaluations = self._evaluations(tile, window.tiles)
            return bad / (sum(events) * window.tiles / evaluations * budget)
        return bad / (sum(events) / len(events) * window.tiles * budget)

    def is_recorded(self, tile: int, length: int) -> bool:
        """Whether a period of so many tiles holds any of them."""
        return bool(within(self.events, tile, length))

    def period(self, tile: int, length: int, *, later: bool = False) -> tuple[float, float, float]:
        """Events, bad events and coverage of a period of so many tiles."""
        key = (tile, length, later)
        if key not in self._periods:
            events = sum(within(self.events, tile, length))
            bad = max(sum(within(self._bads(later=later), tile, length)), 0)
            self._periods[key] = (events, bad, self._evaluations(tile, length) / length)
        return self._periods[key]

    def _evaluations(self, tile: int, length: int) -> int:
        """Targets that were recorded in a window: those given, and those that the rules write at every look."""
        given = sum(tile - length < moment <= tile for moment in self.targets)
        return given + sum(tile - length < moment <= tile for moment in range(0, tile + 1, self.per_look))

    def series(self, spec: Spec) -> list[Document]:
        """The tiles of every track, and the targets of every SLO."""
        found = []
        told: set[str] = set()
        for track in tracks(spec):
            slo, own = track.slo, {"slo_id": track.slo.slo_id, **dict(track.group)}
            for name, value in ((names.EVENTS["slow"], track.factor), (names.BAD_EVENTS["slow"], track.bad)):
                found.append(raw_input(series_name(name, own), self._text(name, value, later=slo.part_later)))
            if slo.slo_id not in told:
                told.add(slo.slo_id)
                target = series_name(names.TARGET, {"slo_id": slo.slo_id})
                found.append(raw_input(target, self._text(names.TARGET, float(slo.target))))
        recorded = (names.EVENTS["slow"], names.BAD_EVENTS["slow"], names.TARGET)
        return found + [raw_input(series_name(name, {"slo_id": DECOY}), self._text(name, 999.0)) for name in recorded]

    def _text(self, name: str, factor: float, *, later: bool = False) -> str:
        """The tiles of a series, times a factor; the target is the factor itself."""
        key = (name, factor, later)
        if key not in self._texts:
            self._texts[key] = self._made_text(name, factor, later=later)
        return self._texts[key]

    def _made_text(self, name: str, factor: float, *, later: bool) -> str:
        slots: list[Slot] = [GAP] * (self.last * self.per_tile + 1)
        tiles = dict.fromkeys(self.targets, 1.0)
        if name == names.EVENTS["slow"]:
            # Stale at every look: the rules that make bad events of events then write nothing of their own.
            slots[:: self.per_look * self.per_tile] = [STALE] * (self.last // self.per_look + 1)
            tiles = self.events
        elif name == names.BAD_EVENTS["slow"]:
            tiles = self._bads(later=later)
        for tile, value in tiles.items():
            slots[tile * self.per_tile - 1] = value * factor
        return values(slots)


@lru_cache(maxsize=64)
def _marks(steps: Steps, lengths: tuple[int, ...], per_look: int) -> _Marks:
    """The marks for windows and periods of these lengths in tiles; the same for every spec of one shape."""
    return _Marks(steps, lengths, per_look)


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
    for slo in spec.slos:
        coverage = marks.period(tile, slo.period.tiles)[2]
        found[names.PERIOD_COVERAGE].append((labels(slo.slo_id), coverage * 1000))
    for track in tracks(spec):
        slo, own = track.slo, own_labels(track)
        if not marks.is_recorded(tile, slo.period.tiles):
            continue
        events, bad, coverage = marks.period(tile, slo.period.tiles, later=slo.part_later)
        found[names.PERIOD_EVENTS].append((own, events * track.factor))
        found[names.PERIOD_BAD_EVENTS].append((own, bad * track.bad))
        if events > 0:
            attainment = 1 - bad * track.share / events
            found[names.PERIOD_ATTAINMENT].append((own, attainment * 1000))
            remaining = 1 - (1 - attainment) * coverage / float(slo.budget)
            found[names.PERIOD_BUDGET_REMAINING].append((own, remaining * 1000))
    if any(slo.adjustments for slo in spec.slos):
        # At this time they leave out nothing.
        found[names.PERIOD_SEEN_EVENTS] = found[names.PERIOD_EVENTS]
        found[names.PERIOD_SEEN_BAD_EVENTS] = found[names.PERIOD_BAD_EVENTS]
    scaled = (names.PERIOD_COVERAGE, names.PERIOD_ATTAINMENT, names.PERIOD_BUDGET_REMAINING)
    seconds = tile * spec.steps.slow
    return [
        expect_scaled(seconds, f"{not_decoy(name)} * 1000" if name in scaled else not_decoy(name), samples)
        for name, samples in found.items()
    ]


def labels(slo_id: str, group: Labels = ()) -> str:
    """The labels of a recorded series, as an assertion writes them."""
    return series_name("", {"slo_id": slo_id, **dict(group)})


def own_labels(track: Track) -> str:
    """The labels of a track's series."""
    return labels(track.slo.slo_id, track.group)


def not_decoy(name: str) -> str:
    """A recorded series of all SLOs but the decoy."""
    return f"{name}{{slo_id!={string(DECOY)}}}"


def burn_query(window: Window) -> str:
    """The burn rates of all SLOs over a window; the decoy has none unless a rule forgot its own slo_id."""
    return names.burn_rate(window.name)


def tracks_over(spec: Spec, window: Window) -> list[Track]:
    """The tracks of the SLOs that have a window."""
    return [track for track in tracks(spec) if window in track.slo.windows]


def within(tiles: Mapping[int, float], tile: int, length: int) -> list[float]:
    """What the tiles of a window hold whose newest is this one."""
    return [value for moment, value in tiles.items() if tile - length < moment <= tile]
