"""The degradation level from raw series: just under and over 1%, held, fallen, idle, gone and back."""

from __future__ import annotations

from slo_compiler.edges import le_text
from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests import model
from slo_compiler.emit.promtool_tests.groups import groups_of, placed
from slo_compiler.emit.promtool_tests.labels import NoExample, near_misses, variants
from slo_compiler.emit.promtool_tests.notation import GAP, Slot, expect, group, input_series, series_name
from slo_compiler.emit.promtool_tests.raw_histogram import SLOTS_PER_SCRAPE, slot_of
from slo_compiler.ir import Degradation, Histogram, Slo, Spec
from slo_compiler.promql import names
from slo_compiler.promql.build import recorded
from slo_compiler.units import decimal_text

# Evaluations, events of a scrape (None: no scrape at all), and how many of them lie beyond the edge.
_COURSE = (
    (4, 1000, 0),
    (4, 1000, 7),
    (4, 1000, 12),
    (4, 1000, 0),
    (2, 1000, 1000),
    (4, 1000, 7),
    (3, 1000, 12),
    (4, 0, 0),
    (3, 1000, 12),
    (4, None, 0),
    (4, 1000, 12),
)


def degradation_levels(spec: Spec) -> list[Document]:
    """What is recorded for each SLO that has a degradation level."""
    found = []
    for slo in spec.slos:
        if slo.degradation is not None and isinstance(slo.measurement, Histogram):
            try:
                found.append(_levels(slo, slo.measurement, slo.degradation))
            except NoExample:
                continue
    return found


def _levels(slo: Slo, histogram: Histogram, degradation: Degradation) -> Document:
    slot, step = slot_of(slo.steps), slo.steps.fast
    evaluations = sum(count for count, _, _ in _COURSE)
    counts: list[Slot] = []
    goods: list[Slot] = []
    total = good = 0.0
    for index in range(int(evaluations * step / float(slot.seconds))):
        events, beyond = _at(index * float(slot.seconds) / step)
        if events is None or index % SLOTS_PER_SCRAPE != 1:
            counts.append(GAP)
            goods.append(GAP)
            continue
        total, good = total + events, good + events - beyond
        counts.append(total)
        goods.append(good)
    name, bound = histogram.names[0], degradation.bound
    le = le_text(decimal_text(bound.edge), [bound.le_pattern])
    labels = variants(histogram.matchers)[0]
    own = placed(labels, slo, groups_of(slo)[0])
    series = [input_series(f"{name}_count", own, counts), input_series(f"{name}_bucket", {**own, "le": le}, goods)]
    for stranger in near_misses(histogram.matchers, labels):
        # Of strangers all is well while it is not here, and they have the more events.
        many: list[Slot] = [slots if isinstance(slots, str) else 9 * slots for slots in counts]
        series += [
            input_series(f"{name}_count", stranger, many),
            input_series(f"{name}_bucket", {**stranger, "le": le}, many),
        ]
    window = step + float(slo.steps.scrape)
    samples = [
        [(index * float(slot.seconds), value) for index, value in enumerate(slots) if not isinstance(value, str)]
        for slots in (counts, goods)
    ]
    checks, before = [], 0
    for number in range(evaluations):
        all_events, good_events = (model.rate(item, number * step, window) for item in samples)
        level = None
        if all_events is not None and good_events is not None:
            level = 0 if good_events >= 0.99 * all_events else 2 if before else 1
        before = level or 0
        shown = [(series_name(names.DEGRADATION, {"slo_id": slo.slo_id}), float(level))] if level is not None else []
        checks.append(expect(number * step, recorded(names.DEGRADATION, slo.slo_id), shown))
    return group(f"raw series give the degradation level of {slo.name}", slot.promql, series, checks)


def _at(evaluation: float) -> tuple[int | None, int]:
    for count, events, beyond in _COURSE:
        if evaluation < count:
            return events, beyond
        evaluation -= count
    return 0, 0
