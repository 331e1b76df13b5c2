"""The degradation level from raw series: just under and over its share and its guard, held, fallen, idle, gone and back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from slo_compiler.edges import le_text
from slo_compiler.emit.base import Document
from slo_compiler.emit.promtool_tests import model
from slo_compiler.emit.promtool_tests.groups import free_name, groups_of, placed
from slo_compiler.emit.promtool_tests.labels import NoExample, near_misses, variants
from slo_compiler.emit.promtool_tests.notation import GAP, Slot, expect, group, input_series, series_name
from slo_compiler.emit.promtool_tests.raw_histogram import SLOTS_PER_SCRAPE, slot_of
from slo_compiler.ir import Degradation, Histogram, Slo, Spec
from slo_compiler.promql import names
from slo_compiler.promql.build import recorded
from slo_compiler.units import decimal_text


class _Stretch(NamedTuple):
    """So many evaluations with so many events each, `beyond` of them over the edge; None where nothing is scraped."""

    evaluations: float
    events: float | None
    beyond: float


class _Replica(NamedTuple):
    """A part of all events: under the newest or the oldest name, not scraped from one evaluation to another."""

    share: float
    oldest: bool = False
    misses: tuple[tuple[float, float], ...] = ()


# The second misses a scrape while a little less than the share is late, and some while a little more is.
_REPLICAS = (_Replica(0.75), _Replica(0.25, oldest=True, misses=((4.5, 5), (9.5, 11.5))))


def degradation_levels(spec: Spec) -> Iterator[Document]:
    """What is recorded for each SLO that has a degradation level and whose selectors match something."""
    for slo in spec.slos:
        if slo.degradation is not None and isinstance(slo.measurement, Histogram):
            try:
                yield _levels(slo, slo.measurement, slo.degradation)
            except NoExample:
                continue


def _course(budget: float, guard: int) -> list[_Stretch]:
    """What happens, in an order in which no evaluation sees a mean that is the share or the guard itself."""
    many = 20.0 * round(max(guard, 1) / budget)
    under, over = 0.995 * budget * many, min(1.005 * budget, (1 + budget) / 2) * many
    # Over the share, so that the guard alone decides: a few slow requests of a few.
    spared, counted = max(guard - 0.6, 0), guard + 0.5
    few = max(counted, 0.9 * spared / budget)
    # Over the share by the mean of both halves of an evaluation, far under it by the last half or with what was before.
    uneven = min(2 * 1.005 * budget, 0.99) * many
    return [
        _Stretch(3, many, 0),
        _Stretch(3, many, under),
        _Stretch(2, many, 0),
        _Stretch(4, many, over),
        _Stretch(2, many, 0),
        _Stretch(1, many, many),
        _Stretch(1, many, 0),
        _Stretch(1, many, many),
        _Stretch(2, 6 * many, 0),
        _Stretch(0.5, many, uneven),
        _Stretch(0.5, 3 * many, uneven),
        _Stretch(2, few, 0),
        _Stretch(3, few, spared),
        _Stretch(3, few, counted),
        _Stretch(3, 0, 0),
        _Stretch(3, many, over),
        _Stretch(4, None, 0),
        _Stretch(3, many, over),
    ]


class _Drawing:
    """The counters of one SLO's replicas, slot by slot, and the levels that they must give."""

    def __init__(self, slo: Slo, degradation: Degradation) -> None:
        self.slot, self.step, self.slo = slot_of(slo.steps), slo.steps.fast, slo
        self.course = _course(float(slo.budget), degradation.guard)
        self.evaluations = int(sum(stretch.evaluations for stretch in self.course))
        self.counters = [self._counters(replica) for replica in _REPLICAS]

    def _counters(self, replica: _Replica) -> tuple[list[Slot], list[Slot]]:
        """All events and the good ones."""
        seconds = float(self.slot.seconds)
        per_scrape = SLOTS_PER_SCRAPE * seconds / self.step * replica.share
        # As high as a counter is that has run for long: none begins near zero, which rates would look back to.
        total = good = 1000 * max(stretch.events or 0 for stretch in self.course)
        counts: list[Slot] = []
        goods: list[Slot] = []
        for index in range(int(self.evaluations * self.step / seconds)):
            evaluation = index * seconds / self.step
            stretch = self._at(evaluation)
            missed = any(begin <= evaluation < end for begin, end in replica.misses)
            if stretch.events is None or missed or index % SLOTS_PER_SCRAPE != 1:
                counts.append(GAP)
                goods.append(GAP)
                continue
            total += stretch.events * per_scrape
            good += (stretch.events - stretch.beyond) * per_scrape
            counts.append(round(total, 6))
            goods.append(round(good, 6))
        return counts, goods

    def _at(self, evaluation: float) -> _Stretch:
        ends = itertools.accumulate(stretch.evaluations for stretch in self.course)
        return next(stretch for stretch, end in zip(self.course, ends, strict=True) if evaluation < end)

    def levels(self, guard: int) -> Iterator[tuple[int, int | None]]:
        """The oracle: the level at each evaluation, None where nothing is known."""
        window, before = self.step + float(self.slo.steps.scrape), 0
        samples = [tuple(map(self._samples, pair)) for pair in self.counters]
        for number in range(self.evaluations):
            time = number * self.step
            rates = [(model.rate(counts, time, window), model.rate(goods, time, window)) for counts, goods in samples]
            known = [(total, good) for total, good in rates if total is not None and good is not None]
            level = None
            if known:
                total, good = (sum(part) * self.step for part in zip(*known, strict=True))
                late = total - good > max(float(self.slo.budget) * total, guard)
                level = (2 if before else 1) if late else 0
            before = level or 0
            yield time, level

    def _samples(self, slots: Sequence[Slot]) -> list[model.Sample]:
        seconds = float(self.slot.seconds)
        return [(index * seconds, value) for index, value in enumerate(slots) if not isinstance(value, str)]


def _levels(slo: Slo, histogram: Histogram, degradation: Degradation) -> Document:
    drawing = _Drawing(slo, degradation)
    bound, labels, groups = degradation.bound, variants(histogram.matchers), groups_of(slo)
    edge = {"le": le_text(decimal_text(bound.edge), [bound.le_pattern])}
    rank = free_name("rank", slo)
    series = []
    for number, (replica, (counts, goods)) in enumerate(zip(_REPLICAS, drawing.counters, strict=True)):
        name = histogram.names[-1 if replica.oldest else 0]
        own = placed(labels[number % len(labels)], slo, groups[number % len(groups)])
        own = {**own, rank: str(number)}
        series += [input_series(f"{name}_count", own, counts), input_series(f"{name}_bucket", {**own, **edge}, goods)]
    many: list[Slot] = [slots if isinstance(slots, str) else 9 * slots for slots in drawing.counters[0][0]]
    # A replica without the edge would seem to be late in all; of strangers all is well, whatever happens here.
    blind = {**placed(labels[0], slo, groups[0]), rank: "blind"}
    strangers = [{**miss, rank: "stranger"} for miss in near_misses(histogram.matchers, labels[0])]
    for name in dict.fromkeys((histogram.names[0], histogram.names[-1])):
        for own, le in ((blind, {"le": "+Inf"}), *((stranger, edge) for stranger in strangers)):
            series += [input_series(f"{name}_count", own, many), input_series(f"{name}_bucket", {**own, **le}, many)]
    other = series_name(names.DEGRADATION, {"slo_id": f"{slo.slo_id}-other"})
    series.append({"series": other, "values": f"2x{len(many) - 1}"})
    shown = series_name(names.DEGRADATION, {"slo_id": slo.slo_id})
    checks = [
        expect(time, recorded(names.DEGRADATION, slo.slo_id), [(shown, float(level))] if level is not None else [])
        for time, level in drawing.levels(degradation.guard)
    ]
    return group(f"raw series give the degradation level of {slo.name}", drawing.slot.promql, series, checks)
