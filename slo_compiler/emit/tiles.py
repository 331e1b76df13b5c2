"""The rules that write an SLO's tiles: events and bad events of each step, and what they are made of, in order."""

from __future__ import annotations

from typing import NamedTuple

from slo_compiler.ir import Counters, Histogram, Level, Queries, Slices, Slo
from slo_compiler.promql import exemptions, names, slices
from slo_compiler.promql.build import recorded
from slo_compiler.promql.groups import among_chosen
from slo_compiler.promql.measurements import (
    bad_events,
    bad_events_over,
    beyond,
    events,
    events_over,
    other_bound,
)

_NO_LABELS: dict[str, str] = {}


class Record(NamedTuple):
    """A recorded series: its name, its expression, and its labels beside the SLO's identity."""

    name: str
    expression: str
    labels: dict[str, str] = _NO_LABELS


def tiles(slo: Slo, level: Level) -> list[Record]:
    """The tiles of a level."""
    if slo.exemptions:
        return _exempted_fast(slo) if level is Level.FAST else _exempted_slow(slo)
    if isinstance(slo.measurement, Slices):
        if level is Level.FAST:
            return [Record(*item) for item in slices.fast_tiles(slo.measurement, slo.steps, slo.slo_id)]
        return [Record(*item) for item in slices.slow_tiles(slo.steps, slo.slo_id)]
    found = _plain(slo, slo.measurement, level)
    bound = names.OTHER_BOUND[slo.measurement.other_is] if isinstance(slo.measurement, Histogram) else ""
    if level is Level.SLOW and isinstance(slo.measurement, Histogram) and _has_other_bound(slo.measurement):
        found.append(Record(bound, other_bound(slo.measurement, slo.steps, slo.slo_id, slo.groups.labels)))
    return found


def tile_reach(slo: Slo) -> int:
    """How many seconds a fast tile looks back, rounded up."""
    length = slo.measurement.window.whole_seconds if isinstance(slo.measurement, Slices) else slo.steps.fast
    return -int(-(length + slo.steps.scrape) // 1)


def slow_reach(slo: Slo) -> int:
    """How many seconds a slow tile looks back, rounded up: to raw series, or to the fast tiles of its step and theirs."""
    if slo.exemptions or isinstance(slo.measurement, Slices):
        return slo.steps.slow + slo.steps.fast + tile_reach(slo)
    return -int(-(slo.steps.slow + slo.steps.scrape) // 1)


def _plain(slo: Slo, measurement: Histogram | Counters | Queries, level: Level) -> list[Record]:
    by = slo.groups.labels
    total = among_chosen(events(measurement, slo.steps, level, by), measurement, slo.groups, slo.slo_id)
    return [
        Record(names.EVENTS[level.value], total),
        Record(names.BAD_EVENTS[level.value], bad_events(measurement, slo.steps, level, slo.slo_id, by)),
    ]


def _has_other_bound(measurement: Histogram) -> bool:
    return measurement.other is not None or measurement.other_is_all


def _exempted_fast(slo: Slo) -> list[Record]:
    """Conditions and masks, all events as they were seen, those that count, and the bad ones among these."""
    reach = tile_reach(slo)
    found = []
    for exemption in slo.exemptions:
        own = {"exemption": exemption.name}
        found.append(Record(names.EXEMPT_WHEN, exemptions.holds(exemption, reach), own))
        found.append(Record(names.EXEMPT, exemptions.masks(exemption, slo.slo_id, slo.steps, reach), own))
    if isinstance(slo.measurement, Slices):
        seen = slices.fast_tiles(slo.measurement, slo.steps, slo.slo_id, names.SEEN_EVENTS, names.SEEN_BAD_EVENTS)
        found += [Record(*item) for item in seen]
        return [*found, _masked(slo, names.SEEN_EVENTS, "events"), _masked(slo, names.SEEN_BAD_EVENTS, "bad_events")]
    return found + _exempted_events(slo, slo.measurement, reach)


def _masked(slo: Slo, seen: str, counted: str) -> Record:
    name = {"events": names.EVENTS, "bad_events": names.BAD_EVENTS}[counted]["fast"]
    return Record(name, exemptions.masked(seen, slo.slo_id, slo.exemptions))


def _exempted_events(slo: Slo, measurement: Histogram | Counters | Queries, reach: int) -> list[Record]:
    """Of a masked tile all events are 0, and the bad ones among none are none."""
    step, scrape = slo.steps.fast, slo.steps.scrape
    less = " ".join(exemptions.young_replicas(item, slo.slo_id, reach) for item in slo.exemptions if not item.masks_all)
    seen = events_over(measurement, step, scrape, less=less)
    if any(exemption.masks_all for exemption in slo.exemptions):
        found = [Record(names.SEEN_EVENTS, seen), _masked(slo, names.SEEN_EVENTS, "events")]
    else:
        found = [Record(names.EVENTS["fast"], seen)]
    total = recorded(names.EVENTS["fast"], slo.slo_id)
    if not isinstance(measurement, Histogram):
        return [*found, Record(names.BAD_EVENTS["fast"], bad_events_over(measurement, step, scrape, total))]
    found.append(Record(names.BAD_EVENTS["fast"], beyond(measurement, measurement.measured, step, scrape, total, less)))
    if _has_other_bound(measurement):
        bound = beyond(measurement, measurement.other, step, scrape, total, less)
        found.append(Record(names.OTHER_BOUND_FAST[measurement.other_is], bound))
    return found


def _exempted_slow(slo: Slo) -> list[Record]:
    """Sums of the fast tiles, of which each is masked or not; and the seconds that were used."""
    found = [Record(*item) for item in slices.slow_tiles(slo.steps, slo.slo_id)]
    if isinstance(slo.measurement, Histogram) and _has_other_bound(slo.measurement):
        kind = slo.measurement.other_is
        bound = slices.handed_over(names.OTHER_BOUND_FAST[kind], slo.steps, slo.slo_id)
        found.append(Record(names.OTHER_BOUND[kind], bound))
    span = slo.period.range.promql
    used = f"sum_over_time({recorded(names.EXEMPT_SECONDS, slo.slo_id, span)})"
    return [
        *found,
        Record(names.EXEMPT_SECONDS, exemptions.used_seconds(slo.slo_id, slo.steps)),
        Record(names.PERIOD_EXEMPT_SECONDS, used),
    ]
