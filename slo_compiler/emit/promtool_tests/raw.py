"""Raw series to tiles: what a fleet exposes, and what every rule that reads it must record."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests import raw_counters, raw_histogram
from slo_compiler.emit.promtool_tests.batches import slo_batches
from slo_compiler.emit.promtool_tests.burn import DECOY, labels
from slo_compiler.emit.promtool_tests.delays import delay_of
from slo_compiler.emit.promtool_tests.exemptions import Masks, condition_series, quiet_from
from slo_compiler.emit.promtool_tests.groups import groups_of
from slo_compiler.emit.promtool_tests.labels import NoExample, drawable
from slo_compiler.emit.promtool_tests.notation import Labels, expect_scaled, group, raw_input, series_name
from slo_compiler.emit.promtool_tests.raw_histogram import DRAWN_SCRAPE, slot_of
from slo_compiler.emit.promtool_tests.slices import bad_share, handed_over, share
from slo_compiler.emit.tiles import tile_reach
from slo_compiler.ir import Counters, Histogram, Level, Slices, Slo, Spec
from slo_compiler.promql import names
from slo_compiler.promql.build import string
from slo_compiler.units import Duration, decimal_text

# Another SLO has hardly an event, and none at the first look: what reads it by mistake shows.
_DECOY_EVENTS, _DECOY_FROM_SLOT = 0.5, 7
# Record name -> its value at a time; None where there must be none.
_Expected = dict[str, Callable[[float], float | None]]


class _Of(NamedTuple):
    """What must be recorded of one group of an SLO."""

    slo: Slo
    group: Labels
    values: _Expected


def raw_series(spec: Spec) -> list[Document]:
    """The fleet of each measurement, and the tiles at every look.

    Objectives that read the same counters in different ways get a group each: a series has one course in a group.
    """
    found = [_batch(spec, members) for members in slo_batches(spec.slos)]
    return [batch for batch in found if batch is not None]


def _batch(spec: Spec, members: list[Slo]) -> Document | None:
    slot = slot_of(spec.steps)
    seconds = float(slot.seconds)
    series: dict[str, Document] = {}
    expected: list[_Of] = []
    families: dict[tuple[object, ...], list[Slo]] = {}
    for slo in members:
        if isinstance(slo.measurement, Histogram):
            families.setdefault((slo.measurement.names, slo.measurement.matchers), []).append(slo)
        elif isinstance(slo.counted, Counters):
            for index, own in enumerate(groups_of(slo)):
                try:
                    drawn = raw_counters.series(slo, own, seconds, rest_only=index > 0)
                except NoExample:
                    break  # its tiles are proven from recorded series alone
                series |= {item["series"]: item for item in drawn}
                seen = _counters(slo.counted, slo, spec, seconds, rest_only=index > 0)
                expected.append(_Of(slo, own, _exempted(slo, seen, spec)))
    for family in families.values():
        histograms = [slo.measurement for slo in family if isinstance(slo.measurement, Histogram)]
        edges = raw_histogram.edge_texts(histograms)
        if not drawable(histograms[0].matchers):
            continue
        for index, own in enumerate(groups_of(family[0])):
            drawn = raw_histogram.series(family[0], own, edges, seconds, good=index > 0)
            series |= {item["series"]: item for item in drawn}
            for slo, histogram in zip(family, histograms, strict=True):
                seen = _histogram(histogram, edges, slo, spec, seconds, good=index > 0)
                expected.append(_Of(slo, own, _exempted(slo, seen, spec, _young(slo, seconds))))
                series |= {item["series"]: item for item in _starts(slo, histogram, slot, spec)}
    if not expected:
        return None
    expected.sort(key=lambda item: spec.slos.index(item.slo))
    for level in Level:
        decoy = series_name(names.EVENTS[level.value], {"slo_id": DECOY})
        last = int(_look(spec, raw_histogram.LENGTH) / seconds)
        series[decoy] = raw_input(decoy, f"_x{_DECOY_FROM_SLOT} {_DECOY_EVENTS}x{last}")
    for slo in {item.slo.slo_id: item.slo for item in expected}.values():
        if slo.exemptions:
            first = slo.exemptions[0]
            item = condition_series(
                slo, first, _held(slo, spec)[first.name], seconds, _look(spec, raw_histogram.LENGTH)
            )
            series[item["series"]] = item
    checks = _checks(spec, expected)
    return group(f"raw series give tiles of {_title(expected)}", slot.promql, list(series.values()), checks)


def _title(expected: list[_Of]) -> str:
    return ", ".join(dict.fromkeys(item.slo.name for item in expected))


def _checks(spec: Spec, expected: list[_Of]) -> list[Document]:
    records = sorted({record for item in expected for record in item.values})
    looks: set[int] = set()
    for item in expected:
        looks.update(raw_histogram.LOOKS if isinstance(item.slo.measurement, Histogram) else raw_counters.LOOKS)
    asked = "|".join(dict.fromkeys(item.slo.slo_id for item in expected))
    checks = []
    for look in sorted({_look(spec, look) for look in looks}):
        for record in records:
            own = [(labels(item.slo.slo_id, item.group), item.values.get(record)) for item in expected]
            samples = [(key, value) for key, at in own if at is not None and (value := at(look)) is not None]
            checks.append(expect_scaled(look, f"{record}{{slo_id=~{string(asked)}}}", samples))
    return checks


def _look(spec: Spec, drawn: int) -> int:
    """A time of the drawing, stretched with the scrape interval, at the next evaluation."""
    step = spec.steps.fast
    return math.ceil(drawn * float(spec.steps.scrape) / DRAWN_SCRAPE / step) * step


# From this second of the drawing on, for so many steps, the first exemption of an SLO holds.
_EXEMPT_FROM, _EXEMPT_STEPS = 100, 3


def _held(slo: Slo, spec: Spec) -> dict[str, list[float]]:
    """When the first exemption holds, between the evaluations."""
    begin, step = _look(spec, _EXEMPT_FROM), spec.steps.fast
    slot = float(slot_of(spec.steps).seconds)
    return {slo.exemptions[0].name: [begin + number * step + slot for number in range(_EXEMPT_STEPS)]}


def _young(slo: Slo, slot: float) -> Callable[[float], bool]:
    limits = [float(item.young.age.seconds) + tile_reach(slo) for item in slo.exemptions if item.young is not None]
    return lambda time: any(raw_histogram.young_pods(slot, limit, time) for limit in limits)


def _left_out(slo: Slo, slot: float, time: float) -> frozenset[str]:
    """The replicas whose events do not count at a time, unless the period's share is used."""
    limits = [float(item.young.age.seconds) + tile_reach(slo) for item in slo.exemptions if item.young is not None]
    return frozenset[str]().union(*(raw_histogram.young_pods(slot, limit, time) for limit in limits))


def _exempted(slo: Slo, seen: _Expected, spec: Spec, young: Callable[[float], bool] = lambda time: False) -> _Expected:
    """What counts of what was seen: nothing where a mask holds; slow tiles are sums of fast ones."""
    if not slo.exemptions:
        return seen
    length = int(_look(spec, raw_histogram.LENGTH) / spec.steps.fast) + 1
    slot = slot_of(spec.steps)
    begin = delay_of(slot, quiet_from(spec), spec.steps.fast)
    masks = Masks(slo, length, _held(slo, spec), young, begin=begin)

    def counted(tile: Callable[[float], float | None]) -> Callable[[float], float | None]:
        return lambda time: 0.0 if masks.all_masked(time) else tile(time)

    found = {record: tile for record, tile in seen.items() if not record.endswith(":slow")}
    for name, slow in (
        (names.EVENTS["fast"], names.EVENTS["slow"]),
        (names.BAD_EVENTS["fast"], names.BAD_EVENTS["slow"]),
    ):
        found[name] = counted(seen[name])
        found[slow] = handed_over(found[name], spec.steps)
    if any(item.masks_all for item in slo.exemptions):
        found[names.SEEN_EVENTS] = seen[names.EVENTS["fast"]]
    for kind, fast in names.OTHER_BOUND_FAST.items():
        if fast in seen:
            found[fast] = counted(seen[fast])
            found[names.OTHER_BOUND[kind]] = handed_over(found[fast], spec.steps)
    return found


def _starts(slo: Slo, histogram: Histogram, slot: Duration, spec: Spec) -> list[Document]:
    """When the replicas started, where an exemption asks for it."""
    begin = delay_of(slot, quiet_from(spec), spec.steps.fast)
    asked = [item.young.targets for item in slo.exemptions if item.young is not None]
    return [
        item for targets in asked for item in raw_histogram.start_series(histogram, targets, float(slot.seconds), begin)
    ]


def _histogram(histogram: Histogram, edges: list[str], slo: Slo, spec: Spec, slot: float, *, good: bool) -> _Expected:
    measured = edges.index(decimal_text(histogram.measured.edge))
    other = edges.index(decimal_text(histogram.other.edge)) if histogram.other is not None else None
    shape = (len(histogram.names), len(edges), slot, measured, other)

    def tiles(level: Level, time: float) -> raw_histogram.Tiles:
        young, native = _left_out(slo, slot, time), histogram.native is not None
        return raw_histogram.expected(*shape, level, spec.steps, time, young, good=good, native=native)

    found: _Expected = {names.COVERED: lambda time: tiles(Level.FAST, time).covered}
    for level in Level:
        found[names.EVENTS[level.value]] = lambda time, level=level: tiles(level, time).events  # type: ignore[misc]
        found[names.BAD_EVENTS[level.value]] = lambda time, level=level: tiles(level, time).bad  # type: ignore[misc]
    if slo.exemptions and histogram.other is not None:
        found[names.OTHER_BOUND_FAST[histogram.other_is]] = lambda time: tiles(Level.FAST, time).other
    elif slo.exemptions and histogram.other_is_all:
        found[names.OTHER_BOUND_FAST[histogram.other_is]] = lambda time: tiles(Level.FAST, time).events
    elif histogram.other is not None:
        found[names.OTHER_BOUND[histogram.other_is]] = lambda time: tiles(Level.SLOW, time).other
    elif histogram.other_is_all:
        found[names.OTHER_BOUND[histogram.other_is]] = lambda time: tiles(Level.SLOW, time).events
    return found


def _counters(counters: Counters, slo: Slo, spec: Spec, slot: float, *, rest_only: bool) -> _Expected:
    kind = raw_counters.kind_of(counters)
    if isinstance(slo.measurement, Slices):
        return _sliced(counters, slo.measurement, spec, slot)
    found: _Expected = {}
    for level in Level:

        def tiles(time: float, level: Level = level) -> raw_counters.CounterTiles:
            step, scrape = spec.steps.of(level), float(spec.steps.scrape)
            return raw_counters.expected(kind, slot, step, scrape, time, rest_only=rest_only)

        found[names.EVENTS[level.value]] = lambda time, tiles=tiles: tiles(time).events  # type: ignore[misc]
        found[names.BAD_EVENTS[level.value]] = lambda time, tiles=tiles: tiles(time).bad  # type: ignore[misc]
    return found


def _sliced(counters: Counters, slices: Slices, spec: Spec, slot: float) -> _Expected:
    """The events of the slice that ends at a time, and the tiles that judge it."""
    steps = spec.steps
    length, scrape = slices.window.whole_seconds, float(steps.scrape)

    def whole(time: float) -> raw_counters.CounterTiles:
        return raw_counters.expected(raw_counters.kind_of(counters), slot, length, scrape, time)

    def events(time: float) -> float:
        return share(slices, steps) if whole(time).events > 0 else 0.0

    def bad(time: float) -> float:
        return share(slices, steps) * bad_share(slices, whole(time).events, whole(time).bad)

    return {
        names.SLICE_EVENTS: lambda time: whole(time).events,
        names.SLICE_ERROR: lambda time: whole(time).bad / whole(time).events if whole(time).events > 0 else None,
        names.EVENTS["fast"]: events,
        names.BAD_EVENTS["fast"]: bad,
        names.EVENTS["slow"]: handed_over(events, steps),
        names.BAD_EVENTS["slow"]: handed_over(bad, steps),
    }
