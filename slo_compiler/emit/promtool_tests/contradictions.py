"""Counters that contradict each other: just under the tolerance, then just over it."""

from __future__ import annotations

from slo_compiler.emit import alerts
from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests import model
from slo_compiler.emit.promtool_tests.alert_states import AlertCourse, course, state_checks, text_checks
from slo_compiler.emit.promtool_tests.labels import near_misses, variants
from slo_compiler.emit.promtool_tests.notation import at, group, input_series
from slo_compiler.ir import Counters, Histogram, Selector, Slo, Spec
from slo_compiler.promql.measurements import counts_of
from slo_compiler.units import decimal_text

# Samples 7 s apart meet the edges of a 5m range at no evaluation that matters.
_SLOT = 7
_MINUTES = 32
_TURN = 10
# Per slot; in five minutes these are 2000 events, 2020.5 and 2021.5 of a part that may hold 1.01 x 2000 + 1.
_PER_SLOT = 2000 * _SLOT / 300
_UNDER, _OVER = _PER_SLOT * 2020.5 / 2000, _PER_SLOT * 2021.5 / 2000


def contradictions(spec: Spec) -> Document | None:
    """SLOImpossibleData of every SLO that has it; None where none has."""
    step = spec.steps.fast
    length = _MINUTES * 60 // step
    series: dict[str, Document] = {}
    checks: list[Document] = []
    courses: list[AlertCourse] = []
    for slo in spec.slos:
        if not alerts.can_contradict(slo):
            continue
        for item in _series(slo):
            series.setdefault(item["series"], item)
        own = _course(spec, slo, length, step)
        looks = sorted(own.changes() | {4, length - 1})
        checks += state_checks([own], looks, step, slo.slo_id, ["sli"])
        courses.append(own)
    if not courses:
        return None
    texts = [text_checks(courses, courses[0].name, length - 1, step)]
    return group("counters that contradict each other", at(_SLOT), list(series.values()), checks, texts)


def _totals() -> list[float]:
    slots = _MINUTES * 60 // _SLOT + 1
    return [round(1000 + _PER_SLOT * slot, 6) for slot in range(slots)]


def _parts() -> list[float]:
    slots = _MINUTES * 60 // _SLOT + 1
    turn = _TURN * 60 // _SLOT
    return [round(500 + _UNDER * min(slot, turn) + _OVER * max(0, slot - turn), 6) for slot in range(slots)]


def _course(spec: Spec, slo: Slo, length: int, step: int) -> AlertCourse:
    totals = [(index * float(_SLOT), value) for index, value in enumerate(_totals())]
    parts = [(index * float(_SLOT), value) for index, value in enumerate(_parts())]
    active, value = [], []
    for index in range(length):
        part, total = (model.increase(samples, index * step, 300) for samples in (parts, totals))
        active.append(part is not None and total is not None and part > 1.01 * total + 1)
        value.append(part or 0.0)
    return course(alerts.impossible_data(spec, slo), active, value, step)


def _series(slo: Slo) -> list[Document]:
    measurement = slo.measurement
    if isinstance(measurement, Histogram):
        edges = {"le": _spelt(decimal_text(measurement.measured.edge))}
        count = counts_of(measurement)[0]
        bucket = Selector(f"{measurement.names[0]}_bucket", measurement.matchers)
        return [*_both(count, {}, _totals()), *_both(bucket, edges, _parts())]
    if isinstance(measurement, Counters):
        return [*_both(measurement.total, {}, _totals()), *_both(measurement.part, {}, _parts())]
    return []


def _both(selector: Selector, more: dict[str, str], slots: list[float]) -> list[Document]:
    """The series, and strangers that would change the sum."""
    labels = variants(selector.matchers)[-1]
    found = [input_series(selector.name, {**labels, **more}, slots)]
    for miss in near_misses(selector.matchers, labels):
        found.append(input_series(selector.name, {**miss, **more}, [value * 5 for value in slots]))
    return found


def _spelt(edge: str) -> str:
    return edge if "." in edge else f"{edge}.0"
