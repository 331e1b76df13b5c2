"""Counters that contradict each other: just under the tolerance, just over it, under it again, and exactly at it."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from functools import lru_cache, partial
from typing import NamedTuple

from slo_compiler.edges import le_text
from slo_compiler.emit import alerts
from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests import model
from slo_compiler.emit.promtool_tests.alert_states import AlertCourse, course, of_group, state_checks, text_checks
from slo_compiler.emit.promtool_tests.batches import slo_batches
from slo_compiler.emit.promtool_tests.groups import free_name, groups_of, placed
from slo_compiler.emit.promtool_tests.labels import NoExample, matching, near_misses, variants
from slo_compiler.emit.promtool_tests.notation import Labels, at, group, ramp, raw_input, series_name
from slo_compiler.ir import Counters, Histogram, Matcher, Selector, Slo, Spec
from slo_compiler.promql.histograms import counts_of
from slo_compiler.units import Duration, decimal_text

# (value at the first slot, increase per slot, slots after the first), one after the other.
_Ramps = tuple[tuple[float, float, int], ...]

# A turn shows 150 s later, when it fills half of the range; in slots, so that no evaluation comes right then.
_MINUTES, _TURN, _BACK = 31, 46, 226


class _Drawing(NamedTuple):
    """Counters that agree, contradict each other and agree again: in slots of so many seconds, all and a part of them."""

    slot: Decimal
    total: _Ramps
    part: _Ramps


@lru_cache(maxsize=16)
def _drawing(step: int) -> _Drawing:
    """The drawing whose samples meet the edges of a 5m range at no evaluation that matters, a step in seconds apart."""
    slot = Decimal(7) if step % 15 == 0 else Decimal("7.001")
    # In five minutes these are 2000 events, and 2020.5 and 2021.5 of a part that may hold 1.01 x 2000 + 1.
    per_slot = 2000 * float(slot) / 300
    under, over = per_slot * 2020.5 / 2000, per_slot * 2021.5 / 2000
    last = int(_MINUTES * 60 // slot)
    at_turn = 500 + under * _TURN
    at_back = at_turn + over * (_BACK - _TURN)
    part = ((500, under, _TURN), (at_turn + over, over, _BACK - _TURN - 1), (at_back + under, under, last - _BACK - 1))
    return _Drawing(slot, ((1000, per_slot, last),), part)


# Exactly one event more than none in five minutes: 4 samples 75 s apart, stretched from 225 s to 300 s where none of them
# lies at an edge.
_EXACT_SLOT, _EXACT_SLOTS = 75, 10
_EXACT_TOTAL: _Ramps = ((1000, 0, _EXACT_SLOTS),)
_EXACT_PART: _Ramps = ((500, 0.25, _EXACT_SLOTS),)
# Two replicas share the events unevenly, and the part unlike the total.
_TOTAL_SHARES, _PART_SHARES = (0.625, 0.375), (0.5, 0.5)


def contradictions(spec: Spec) -> list[Document]:
    """SLOImpossibleData of every SLO that has it and whose selectors can contradict each other at all."""
    found = []
    for slos in slo_batches(slo for slo in spec.slos if alerts.can_contradict(slo)):
        drawable = [slo for slo in slos if _is_drawable(slo)]
        if drawable:
            found += [_over_and_back(spec, drawable), _exactly(spec, drawable)]
    return found


def _is_drawable(slo: Slo) -> bool:
    try:
        _series(slo, groups_of(slo)[0], _EXACT_TOTAL, _EXACT_PART)
    except NoExample:
        return False
    return True


def _over_and_back(spec: Spec, slos: list[Slo]) -> Document:
    step = spec.steps.fast
    length = _MINUTES * 60 // step
    checks: list[Document] = []
    courses: list[AlertCourse] = []
    for slo in slos:
        rule = of_group(alerts.impossible_data(spec, slo), groups_of(slo)[0])
        own = course(rule, *_activity(length, step), step)
        looks = sorted(own.changes() | {4, length - 1})
        checks += state_checks(
            [own], looks, step, slo.slo_id, [spec.own_label("sli"), *slo.groups.labels], only=own.name
        )
        courses.append(own)
    fires = max(look for look, state in enumerate(courses[0].states) if state == "firing")
    texts = [text_checks(courses, courses[0].name, fires - 2, step)]
    title = f"contradictions of {_names(slos)}"
    drawing = _drawing(step)
    series = {item["series"]: item for item in _bystanders(spec, slos, drawing.total)}
    series.update((item["series"], item) for item in _all_series(slos, drawing.total, drawing.part))
    return group(title, Duration(drawing.slot).promql, list(series.values()), checks, texts)


def _bystanders(spec: Spec, slos: list[Slo], ramps: _Ramps) -> list[Document]:
    """Events for SLOs of other batches that read some of the same series, so many that theirs contradict nothing.

    A spec's own objectives read what those of its variants read, and more.
    """
    found = []
    for other in spec.slos:
        if other in slos or not alerts.can_contradict(other):
            continue
        total = _total_of(other)
        for own in (_total_of(slo) for slo in slos):
            if total is None or own is None or total.name != own.name or total.matchers == own.matchers:
                continue
            with contextlib.suppress(NoExample):  # whoever reads only what the batch reads stands in no way
                found_labels = matching(total.matchers, own.matchers)
                for group_labels in groups_of(other):
                    labels = {**placed(found_labels, other, group_labels), free_name("replica", other): "bystander"}
                    found.append(raw_input(series_name(total.name, labels), _text(ramps, 100)))
    return found


def _total_of(slo: Slo) -> Selector | None:
    if isinstance(slo.measurement, Histogram):
        return counts_of(slo.measurement)[0]
    return slo.measurement.total if isinstance(slo.measurement, Counters) else None


def _exactly(spec: Spec, slos: list[Slo]) -> Document:
    step = spec.steps.fast
    checks: list[Document] = []
    looks = [_clear_of_samples(begin, step) for begin in (330, 390)]
    length = max(looks) // step + 1
    for slo in slos:
        silent = course(alerts.impossible_data(spec, slo), (False,) * length, (0.0,) * length, step)
        by = [spec.own_label("sli"), *slo.groups.labels]
        checks += state_checks([silent], [look // step for look in looks], step, slo.slo_id, by, only=silent.name)
    return group(
        f"no contradiction of {_names(slos)}", at(_EXACT_SLOT), _all_series(slos, _EXACT_TOTAL, _EXACT_PART), checks
    )


def _clear_of_samples(begin: int, step: int) -> int:
    """The first evaluation at or after a second at whose range's edges no sample lies."""
    look = -(-begin // step) * step
    return look if look % _EXACT_SLOT else look + step


def _names(slos: list[Slo]) -> str:
    return ", ".join(slo.name for slo in slos)


def _samples(slot_seconds: Decimal, ramps: _Ramps) -> list[model.Sample]:
    values = [start + rise * slot for start, rise, last in ramps for slot in range(last + 1)]
    return [(slot * float(slot_seconds), value) for slot, value in enumerate(values)]


@lru_cache(maxsize=8)
def _activity(length: int, step: int) -> tuple[tuple[bool, ...], tuple[float, ...]]:
    """Whether the part is over the tolerance at each evaluation, and what it then is."""
    drawing = _drawing(step)
    totals, parts = _samples(drawing.slot, drawing.total), _samples(drawing.slot, drawing.part)
    active, value = [], []
    for index in range(length):
        part, total = (model.increase(samples, index * step, 300) for samples in (parts, totals))
        active.append(part is not None and total is not None and part > 1.01 * total + 1)
        value.append(part or 0.0)
    return tuple(active), tuple(value)


@lru_cache(maxsize=64)
def _text(ramps: _Ramps, factor: float) -> str:
    return " ".join(ramp(round(start * factor, 6), round(rise * factor, 6), last) for start, rise, last in ramps)


def _all_series(slos: list[Slo], total: _Ramps, part: _Ramps) -> list[Document]:
    found: dict[str, Document] = {}
    for slo in slos:
        first, *others = groups_of(slo)
        for item in _series(slo, first, total, part):
            found.setdefault(item["series"], item)
        for other in others:
            # Twice the events and half of the part: both groups together would never contradict themselves.
            for item in _series(slo, other, _times(total, 2), _times(part, 0.5)):
                found.setdefault(item["series"], item)
    return list(found.values())


def _times(ramps: _Ramps, factor: float) -> _Ramps:
    return tuple((start * factor, rise * factor, last) for start, rise, last in ramps)


def _series(slo: Slo, group_labels: Labels, total: _Ramps, part: _Ramps) -> list[Document]:
    measurement = slo.counted
    replicas = partial(_replicas, slo, group_labels)
    if isinstance(measurement, Histogram):
        edge = decimal_text(measurement.measured.edge)
        count = counts_of(measurement)[0]
        bucket = Selector(f"{measurement.names[0]}_bucket", measurement.matchers)
        found = replicas(count, {}, total, _TOTAL_SHARES)
        found += replicas(bucket, {"le": le_text(edge, [measurement.measured.le_pattern])}, part, _PART_SHARES)
        # A rule that forgot the edge would read this bucket too.
        return found + replicas(bucket, {"le": "+Inf"}, total, _TOTAL_SHARES)
    if isinstance(measurement, Counters):
        shared = measurement.part.name == measurement.total.name
        found = replicas(measurement.total, {}, total, _TOTAL_SHARES, measurement.part.matchers if shared else ())
        without = measurement.total.matchers if shared else ()
        return found + replicas(measurement.part, {}, part, _PART_SHARES, without)
    return []


def _replicas(
    slo: Slo,
    group_labels: Labels,
    selector: Selector,
    more: dict[str, str],
    ramps: _Ramps,
    shares: tuple[float, ...],
    without: tuple[Matcher, ...] = (),
) -> list[Document]:
    """The series of two replicas, and strangers that would change the sum.

    Raises:
        NoExample: no series satisfies the selector without satisfying `without`.
    """
    alternatives = [matching(selector.matchers, without)] if without else variants(selector.matchers)
    found = []
    for index, share in enumerate(shares):
        own = placed(alternatives[-1 - index % len(alternatives)], slo, group_labels)
        labels = {**own, **more, free_name("replica", slo): f"r{index}"}
        found.append(raw_input(series_name(selector.name, labels), _text(ramps, share)))
    if not without:
        misses = near_misses(selector.matchers, placed(alternatives[-1], slo, group_labels))
        found += [raw_input(series_name(selector.name, {**miss, **more}), _text(ramps, 5)) for miss in misses]
    return found
