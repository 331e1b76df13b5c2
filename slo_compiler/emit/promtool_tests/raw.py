"""Raw series to tiles: what a fleet exposes, and what every rule that reads it must record."""

from __future__ import annotations

import math
from collections.abc import Callable

from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests import raw_counters, raw_histogram
from slo_compiler.emit.promtool_tests.burn import labels
from slo_compiler.emit.promtool_tests.labels import NoExample
from slo_compiler.emit.promtool_tests.notation import expect_scaled, group
from slo_compiler.emit.promtool_tests.raw_histogram import DRAWN_SCRAPE, SLOTS_PER_SCRAPE
from slo_compiler.ir import Counters, Histogram, Level, Slo, Spec
from slo_compiler.promql import names
from slo_compiler.units import Duration, decimal_text

# Record name -> its value at a time; None where there must be none.
_Expected = dict[str, Callable[[float], float | None]]


def raw_series(spec: Spec) -> Document | None:
    """The fleet of each measurement, and the tiles at every look; None where no SLO reads raw series."""
    slot = Duration(spec.steps.scrape * 1000 // SLOTS_PER_SCRAPE / 1000)
    seconds = float(slot.seconds)
    series: dict[str, Document] = {}
    expected: list[tuple[Slo, _Expected]] = []
    families: dict[tuple[object, ...], list[Slo]] = {}
    for slo in spec.slos:
        if isinstance(slo.measurement, Histogram):
            families.setdefault((slo.measurement.names, slo.measurement.matchers), []).append(slo)
        elif isinstance(slo.measurement, Counters):
            try:
                found = raw_counters.series(slo.measurement, seconds)
            except NoExample:
                continue  # its tiles are proven from recorded series alone
            if any(item["series"] in series for item in found if not item["series"].startswith("up{")):
                continue  # another objective of this spec already draws these counters
            for item in found:
                series.setdefault(item["series"], item)
            expected.append((slo, _counters(slo, slo.measurement, spec, seconds)))
    for members in families.values():
        histograms = [slo.measurement for slo in members if isinstance(slo.measurement, Histogram)]
        edges = raw_histogram.edge_texts(histograms)
        for item in raw_histogram.series(histograms[0], edges, seconds):
            series.setdefault(item["series"], item)
        for slo, histogram in zip(members, histograms, strict=True):
            expected.append((slo, _histogram(slo, histogram, edges, spec, seconds)))
    if not expected:
        return None
    expected.sort(key=lambda item: spec.slos.index(item[0]))
    return group("raw series give tiles", slot.promql, list(series.values()), _checks(spec, expected))


def _checks(spec: Spec, expected: list[tuple[Slo, _Expected]]) -> list[Document]:
    records = sorted({record for _, values in expected for record in values})
    drawn = raw_histogram.LOOKS if all(isinstance(s.measurement, Histogram) for s, _ in expected) else raw_counters.LOOKS
    checks = []
    for look in sorted({_look(spec, at) for at in (*drawn, *raw_histogram.LOOKS)}):
        for record in records:
            own = [(slo, values[record]) for slo, values in expected if record in values]
            samples = [(labels(slo.slo_id), value) for slo, at in own if (value := at(look)) is not None]
            checks.append(expect_scaled(look, record, samples))
    return checks


def _look(spec: Spec, drawn: int) -> int:
    """A time of the drawing, stretched with the scrape interval, at the next evaluation."""
    step = spec.steps.fast
    return math.ceil(drawn * float(spec.steps.scrape) / DRAWN_SCRAPE / step) * step


def _histogram(slo: Slo, histogram: Histogram, edges: list[str], spec: Spec, slot: float) -> _Expected:
    measured = edges.index(decimal_text(histogram.measured.edge))
    other = edges.index(decimal_text(histogram.other.edge)) if histogram.other is not None else None
    shape = (len(histogram.names), len(edges), slot, measured, other)

    def tiles(level: Level, time: float) -> raw_histogram.Tiles:
        return raw_histogram.expected(*shape, level, spec.steps, time)

    found: _Expected = {names.COVERED: lambda time: _scaled(tiles(Level.FAST, time).covered)}
    for level in Level:
        found[names.EVENTS[level.value]] = lambda time, level=level: tiles(level, time).events  # type: ignore[misc]
        found[names.BAD_EVENTS[level.value]] = lambda time, level=level: tiles(level, time).bad  # type: ignore[misc]
    if histogram.other is not None:
        found[names.OTHER_BOUND[histogram.other_is]] = lambda time: tiles(Level.SLOW, time).other
    elif histogram.other_is_all:
        found[names.OTHER_BOUND[histogram.other_is]] = lambda time: tiles(Level.SLOW, time).events
    return found


def _scaled(value: float | None) -> float | None:
    return value


def _counters(slo: Slo, counters: Counters, spec: Spec, slot: float) -> _Expected:
    shared = raw_counters.part_in_total(counters)
    found: _Expected = {}
    for level in Level:

        def tiles(time: float, level: Level = level) -> raw_counters.CounterTiles:
            return raw_counters.expected(shared, slot, counters.part_is, level, spec.steps, time)

        found[names.EVENTS[level.value]] = lambda time, tiles=tiles: tiles(time).events  # type: ignore[misc]
        found[names.BAD_EVENTS[level.value]] = lambda time, tiles=tiles: tiles(time).bad  # type: ignore[misc]
    return found
