"""Counters that contradict each other: just under the tolerance, then just over it."""

from __future__ import annotations

from slo_compiler.emit import alerts
from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests import model
from slo_compiler.emit.promtool_tests.alert_states import AlertCourse, course, state_checks, text_checks
from slo_compiler.emit.promtool_tests.batches import slo_batches
from slo_compiler.emit.promtool_tests.labels import near_misses, variants
from slo_compiler.emit.promtool_tests.notation import at, group, ramp, raw_input, series_name
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


def contradictions(spec: Spec) -> list[Document]:
    """SLOImpossibleData of every SLO that has it."""
    return [_batch(spec, slos) for slos in slo_batches(slo for slo in spec.slos if alerts.can_contradict(slo))]


def _batch(spec: Spec, slos: list[Slo]) -> Document:
    step = spec.steps.fast
    length = _MINUTES * 60 // step
    series: dict[str, Document] = {}
    checks: list[Document] = []
    courses: list[AlertCourse] = []
    for slo in slos:
        series |= {item["series"]: item for item in _series(slo)}
        own = _course(spec, slo, length, step)
        looks = sorted(own.changes() | {4, length - 1})
        checks += state_checks([own], looks, step, slo.slo_id, ["sli"], only=own.name)
        courses.append(own)
    texts = [text_checks(courses, courses[0].name, length - 1, step)]
    title = f"contradictions of {', '.join(slo.name for slo in slos)}"
    return group(title, at(_SLOT), list(series.values()), checks, texts)


# (value at the first slot, increase per slot, slots after the first), one after the other.
_Ramps = tuple[tuple[float, float, int], ...]
_LAST, _TURN_SLOT = _MINUTES * 60 // _SLOT, _TURN * 60 // _SLOT
_TOTAL: _Ramps = ((1000, round(_PER_SLOT, 6), _LAST),)
_AT_TURN = round(500 + _UNDER * _TURN_SLOT, 6)
_PART: _Ramps = (
    (500, round(_UNDER, 6), _TURN_SLOT),
    (round(_AT_TURN + _OVER, 6), round(_OVER, 6), _LAST - _TURN_SLOT - 1),
)


def _samples(ramps: _Ramps) -> list[model.Sample]:
    values = [start + rise * slot for start, rise, last in ramps for slot in range(last + 1)]
    return [(slot * float(_SLOT), value) for slot, value in enumerate(values)]


def _text(ramps: _Ramps, factor: int = 1) -> str:
    return " ".join(ramp(start * factor, rise * factor, last) for start, rise, last in ramps)


def _course(spec: Spec, slo: Slo, length: int, step: int) -> AlertCourse:
    totals, parts = _samples(_TOTAL), _samples(_PART)
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
        return [*_both(count, {}, _TOTAL), *_both(bucket, edges, _PART)]
    if isinstance(measurement, Counters):
        return [*_both(measurement.total, {}, _TOTAL), *_both(measurement.part, {}, _PART)]
    return []


def _both(selector: Selector, more: dict[str, str], ramps: _Ramps) -> list[Document]:
    """The series, and strangers that would change the sum."""
    labels = variants(selector.matchers)[-1]
    found = [raw_input(series_name(selector.name, {**labels, **more}), _text(ramps))]
    misses = near_misses(selector.matchers, labels)
    return found + [raw_input(series_name(selector.name, {**miss, **more}), _text(ramps, 5)) for miss in misses]


def _spelt(edge: str) -> str:
    return edge if "." in edge else f"{edge}.0"
