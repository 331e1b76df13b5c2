"""Budget adjustments: tiles at the edges of an incident, looked at while the period holds it, leaves it and has left it.

promtool's clock begins in 1970 and an incident lies decades later, so each look is a file of its own, which is evaluated
twice: at the epoch and at the look. A group has one tile, whose time is the distance of the series' values, or one in an
incident and one after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests.burn import DECOY, labels, not_decoy, own_labels
from slo_compiler.emit.promtool_tests.groups import Track, tracks
from slo_compiler.emit.promtool_tests.notation import GAP, Slot, expect_scaled, group, raw_input, values
from slo_compiler.emit.tiles import slow_reach
from slo_compiler.ir import Slo, Spec
from slo_compiler.promql import names
from slo_compiler.units import Duration, decimal_text

_EVENTS, _BAD, _DECOY_VALUE = 41.0, 3.0, 9999.0
# More than a lookback.
_UNSEEN_SECONDS = 600
_PLAIN = (
    names.PERIOD_SEEN_EVENTS,
    names.PERIOD_SEEN_BAD_EVENTS,
    names.PERIOD_SEEN_EVALUATIONS,
    names.PERIOD_EVENTS,
    names.PERIOD_BAD_EVENTS,
    names.PERIOD_EVALUATIONS,
)
_SCALED = (names.PERIOD_COVERAGE, names.PERIOD_ATTAINMENT, names.PERIOD_BUDGET_REMAINING)


class _Tile(NamedTuple):
    """A tile of every series, at a time in exact seconds; its values are so many times those of the first."""

    time: Decimal
    number: int = 1


def looks(spec: Spec) -> list[int]:
    """The moments of the spec's adjustments at which the rules are evaluated, ascending; none without adjustments.

    While all of an incident lies within the period, on both sides of the moment at which it begins to leave, and on both
    sides of the one at which it has left.
    """
    found = set()
    for slo in spec.slos:
        period = slo.period.range.whole_seconds
        for begin, end in _left_out(slo):
            found |= {end + period // 3, begin + period, begin + period + 1, end + period - 1, end + period + 2}
        found.discard(period)  # the evaluation at the epoch would lie on the edge of the period
    return sorted(found)


def adjusted_period(spec: Spec, look: int) -> list[Document]:
    """Tiles at the edges of each incident to the sums, the coverage and the budget of the period at a look."""
    edges: set[int] = set()
    middles: set[int] = set()
    for slo in spec.slos:
        for begin, end in _left_out(slo):
            edges |= {begin, begin + 1, end, end + 1}
            middles.add((begin + end) // 2)
    # What lies on the edge of a range is in it on Prometheus 2 only.
    edges -= {look - slo.period.range.whole_seconds for slo in spec.slos}
    groups: list[tuple[tuple[_Tile, ...], Decimal]] = [
        ((_Tile(Decimal(edge)),), Decimal(edge)) for edge in sorted(edges) if edge > 0
    ]
    distance = spec.slos[0].period.range.whole_seconds // 4
    for middle in sorted(middles):
        slots = max(1, round(middle / distance))
        interval = round(Decimal(middle) / slots, 3)
        groups.append(((_Tile(slots * interval), _Tile((slots + 1) * interval, 2)), interval))
    # A tile that the rules of the look still see would make them write more of them.
    return [_group(spec, look, *item) for item in groups if item[0][-1].time < look - _UNSEEN_SECONDS]


def _left_out(slo: Slo) -> list[tuple[int, int]]:
    """The second statement of what an SLO leaves out: tiles after the first moment and not after the second."""
    return [(item.begin, item.end + slow_reach(slo)) for item in slo.adjustments]


def _group(spec: Spec, look: int, tiles: Sequence[_Tile], interval: Decimal) -> Document:
    series = []
    for track in tracks(spec):
        own = own_labels(track)
        series.append(_series(names.EVENTS["slow"] + own, tiles, interval, _EVENTS * track.factor))
        series.append(_series(names.BAD_EVENTS["slow"] + own, tiles, interval, _BAD * track.bad))
    series += [_series(names.TARGET + labels(slo.slo_id), tiles, interval, float(slo.target)) for slo in spec.slos]
    for name in (names.EVENTS["slow"], names.BAD_EVENTS["slow"], names.TARGET):
        series.append(_series(name + labels(DECOY), tiles, interval, _DECOY_VALUE))
    when = " and ".join(decimal_text(tile.time) for tile in tiles)
    return group(f"tiles at {when}", Duration(interval).promql, series, _checks(spec, look, tiles))


def _series(name: str, tiles: Sequence[_Tile], interval: Decimal, value: float) -> Document:
    """Tiles in the last slots, each as many times the value as its number."""
    slots: list[Slot] = [GAP] * int(tiles[0].time / interval)
    return raw_input(name, values([*slots, *(value * tile.number for tile in tiles)]))


def _checks(spec: Spec, look: int, tiles: Sequence[_Tile]) -> list[Document]:
    found: dict[str, list[tuple[str, float]]] = {name: [] for name in _PLAIN + _SCALED}
    for slo in spec.slos:
        own, seen, kept = labels(slo.slo_id), *_evaluations(slo, look, tiles)
        found[names.PERIOD_SEEN_EVALUATIONS].append((own, seen))
        found[names.PERIOD_EVALUATIONS].append((own, kept))
        found[names.PERIOD_COVERAGE].append((own, _coverage(slo, seen, kept) * 1000))
    for track in tracks(spec):
        _add_sums(found, track, look, tiles)
    return [
        *(expect_scaled(look, not_decoy(name), found[name]) for name in _PLAIN),
        *(expect_scaled(look, f"{not_decoy(name)} * 1000", found[name]) for name in _SCALED),
    ]


def _add_sums(found: dict[str, list[tuple[str, float]]], track: Track, look: int, tiles: Sequence[_Tile]) -> None:
    slo, own = track.slo, own_labels(track)
    seen = [tile for tile in tiles if _in_period(slo, look, tile.time)]
    if not seen:
        return
    kept = sum(tile.number for tile in seen if not _is_left_out(slo, tile.time))
    events, bad = kept * _EVENTS * track.factor, kept * _BAD * track.bad
    all_seen = sum(tile.number for tile in seen)
    found[names.PERIOD_SEEN_EVENTS].append((own, all_seen * _EVENTS * track.factor))
    found[names.PERIOD_SEEN_BAD_EVENTS].append((own, all_seen * _BAD * track.bad))
    found[names.PERIOD_EVENTS].append((own, events))
    found[names.PERIOD_BAD_EVENTS].append((own, bad))
    if events > 0:
        coverage = _coverage(slo, *_evaluations(slo, look, tiles))
        found[names.PERIOD_ATTAINMENT].append((own, (1 - bad / events) * 1000))
        found[names.PERIOD_BUDGET_REMAINING].append((own, (1 - bad / events * coverage / float(slo.budget)) * 1000))


def _evaluations(slo: Slo, look: int, tiles: Sequence[_Tile]) -> tuple[int, int]:
    """Targets in the period, all and those that count: those given, and those that the rules write."""
    given = [*(tile.time for tile in tiles), Decimal(look), Decimal(0)]
    times = [time for time in given if _in_period(slo, look, time)]
    return len(times), sum(not _is_left_out(slo, time) for time in times)


def _coverage(slo: Slo, seen: int, kept: int) -> float:
    """The share of the tiles of the period that were evaluated, as if those that are left out had never been."""
    return kept / (slo.period.tiles - (seen - kept))


def _in_period(slo: Slo, look: int, time: Decimal) -> bool:
    return look - slo.period.range.whole_seconds < time <= look


def _is_left_out(slo: Slo, time: Decimal) -> bool:
    return any(begin < time <= end for begin, end in _left_out(slo))
