"""Fast tiles to the short burn rates: every window's oldest tile, and the one that has just left it; idle times; a start.

Windows are read at single evaluations, once a day as in the rest of the slow file: to walk through them in fast steps
would evaluate every rule of the file hundreds of times for a handful of looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests.burn import (
    DECOY,
    LOOK_SECONDS,
    burn_query,
    labels,
    own_labels,
    tracks_over,
    within,
)
from slo_compiler.emit.promtool_tests.groups import tracks
from slo_compiler.emit.promtool_tests.notation import (
    GAP,
    STALE,
    Slot,
    expect,
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

_Tiles = Mapping[int, float]
_DECOY_FACTOR = 999.0
# The looks: without traffic, with hardly an event, after a start, at the edges of the windows, and when traffic has ended.
_IDLE, _HARDLY, _START, _EDGES, _ENDED = range(1, 6)
_OUTSIDE, _INSIDE = 171.0, 59.0


def fast_windows(spec: Spec) -> Document:
    """Fast tiles to the fast windows, and what never changes: the targets, and what `slo:info` carries."""
    windows = sorted({w for slo in spec.slos for w in slo.windows if w.level is Level.FAST}, key=lambda w: w.tiles)
    tiles = _tiles(spec.steps, tuple(sorted({window.tiles for window in windows})))
    checks = []
    for look in range(_IDLE, _ENDED + 1):
        for window in windows:
            samples = []
            for track in tracks_over(spec, window):
                budget, later = float(track.slo.budget), track.slo.part_later
                burn = tiles.burn(look, window, budget, later=later)
                if burn is not None:
                    samples.append((own_labels(track), burn * track.share))
            checks.append(expect_scaled(look * LOOK_SECONDS, burn_query(window), samples))
    return group(
        "fast tiles give burn rates",
        slot_of(spec.steps.fast).promql,
        tiles.series(spec),
        checks + _constants(spec, LOOK_SECONDS),
    )


def _constants(spec: Spec, seconds: int) -> list[Document]:
    targets = [(labels(slo.slo_id), float(slo.target) * 1000) for slo in spec.slos]
    facts = [(series_name(names.INFO, {"slo_id": slo.slo_id, **dict(slo.info)}), 1.0) for slo in spec.slos]
    return [expect_scaled(seconds, f"{names.TARGET} * 1000", targets), expect(seconds, names.INFO, facts)]


class _FastTiles:
    """What the fast tiles hold, as sparse maps from tile to value. Tile k stands one slot before evaluation k.

    Attributes:
        per_look: tiles from look to look.
    """

    def __init__(self, steps: Steps, lengths: tuple[int, ...]) -> None:
        self.per_look = LOOK_SECONDS // steps.fast
        self._per_slot = slots_of(steps.fast)
        self._texts: dict[tuple[str, float, bool], str] = {}
        self.events: dict[int, float] = {}
        self.bad: dict[int, float] = {}
        newest = {look: look * self.per_look for look in range(_IDLE, _ENDED + 1)}
        shortest = min(lengths, default=1)
        for age in range(3):
            self._add(newest[_IDLE] - age, 0.0, 0.0)
        # Of no more than a window, so that a mean over the tiles is not one over the window.
        for age in range(min(7, shortest)):
            self._add(newest[_START] - age, 40.0 + age * age, 1.0 + age % 3)
        self._hardly = newest[_HARDLY] - 1 if shortest > 1 else newest[_HARDLY]
        self._add(self._hardly, 2e-06, 1e-06)
        for age in range(min(3, shortest)):
            self._add(newest[_EDGES] - age, 21.0 + age, 2.0)
        for length in lengths:
            # The tile that has just left the window, and the oldest within.
            for age, bad in ((length, _OUTSIDE), (length - 1, _INSIDE)):
                self._add(newest[_EDGES] - age, 3 * bad, bad)
        for age in range(min(3, shortest)):
            self._add(newest[_ENDED] - age, 0.0, 0.0)
        self._add(newest[_ENDED] - shortest, 90.0, 4.0)
        self.last = newest[_ENDED]

    def _add(self, tile: int, events: float, bad: float) -> None:
        self.events[tile], self.bad[tile] = events, bad

    def _bads(self, *, later: bool) -> _Tiles:
        """Bad events by tile; where good events are counted later, more end than begin while there is hardly an event."""
        return {**self.bad, self._hardly: -self.bad[self._hardly]} if later else self.bad

    def burn(self, look: int, window: Window, budget: float, *, later: bool) -> float | None:
        """Bad events over a full window at the mean traffic, over the budget; None where there is no event."""
        tile = look * self.per_look
        events = within(self.events, tile, window.tiles)
        if sum(events) == 0:
            return None
        bad = max(sum(within(self._bads(later=later), tile, window.tiles)), 0)
        return bad / (sum(events) / len(events) * window.tiles * budget)

    def series(self, spec: Spec) -> list[Document]:
        """The tiles of every track, and those of another SLO."""
        found = []
        for track in tracks(spec):
            for name, factor in ((names.EVENTS["fast"], track.factor), (names.BAD_EVENTS["fast"], track.bad)):
                text = self._text(name, factor, later=track.slo.part_later)
                found.append(raw_input(f"{name}{own_labels(track)}", text))
        recorded = (names.EVENTS["fast"], names.BAD_EVENTS["fast"])
        decoy = labels(DECOY)
        return found + [raw_input(f"{name}{decoy}", self._text(name, _DECOY_FACTOR, later=False)) for name in recorded]

    def _text(self, name: str, factor: float, *, later: bool) -> str:
        key = (name, factor, later)
        if key not in self._texts:
            slots: list[Slot] = [GAP] * (self.last * self._per_slot + 1)
            tiles: _Tiles = self._bads(later=later)
            if name == names.EVENTS["fast"]:
                # Stale at every look: the rules that make bad events of events then write nothing of their own.
                slots[:: self.per_look * self._per_slot] = [STALE] * (_ENDED + 1)
                tiles = self.events
            for tile, value in tiles.items():
                slots[tile * self._per_slot - 1] = value * factor
            self._texts[key] = values(slots)
        return self._texts[key]


@lru_cache(maxsize=64)
def _tiles(steps: Steps, lengths: tuple[int, ...]) -> _FastTiles:
    """The tiles for windows of these lengths in tiles; the same for every spec of one policy."""
    return _FastTiles(steps, lengths)
