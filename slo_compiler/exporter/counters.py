"""What one process has counted since it began, and the page that shows it, by Prometheus's client library."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric

from slo_compiler.documents.engine import MetricType
from slo_compiler.exporter.layout import MOMENTS, Family, Labels, Layout
from slo_compiler.exporter.request import QUANTITIES, STATES, Request

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_TOTAL = "_total"


@dataclass(slots=True)
class Series:
    """A series of a family: of histograms the events by bucket, +Inf last; of others the sum alone."""

    buckets: list[int]
    total: float = 0.0
    events: int = 0


@dataclass(slots=True)
class Counted:
    """A family, and its series by their labels."""

    family: Family
    series: dict[Labels, Series] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for labels in self.family.from_start:
            self._at(labels)

    def count(self, labels: Labels, request: Request) -> None:
        """Takes up what just happened to a request."""
        series = self._at(labels)
        value = QUANTITIES[self.family.shows](request) * self.family.per_second
        times = request.new if self.family.shows == "gap" else 1
        series.total += value * times
        series.events += times
        if self.family.kind is MetricType.HISTOGRAM:
            series.buckets[bisect_left(self.family.bounds, value)] += times

    def _at(self, labels: Labels) -> Series:
        found = self.series.get(labels)
        if found is None:
            found = self.series[labels] = Series([0] * (len(self.family.bounds) + 1))
        return found


class Counters:
    """All that one process has on its page."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._counted = [Counted(family) for family in layout.families]
        self._reached = {
            moment: [
                (counted, counted.family.reached_by[moment])
                for counted in self._counted
                if moment in counted.family.reached_by
            ]
            for moment in MOMENTS
        }
        self._bare = {
            counted.family.name
            for counted in self._counted
            if counted.family.kind is MetricType.COUNTER and not counted.family.name.endswith(_TOTAL)
        }
        self._states: Mapping[str, float] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def count(self, moment: str, request: Request) -> None:
        """Counts one moment of a request in whatever it reaches."""
        for counted, labels in self._reached[moment]:
            counted.count(labels, request)

    def page(self, states: Mapping[str, float]) -> str:
        """The page in text format 0.0.4.

        Args:
            states: what gauges show now, by `STATES`.
        """
        self._states = states
        text = generate_latest(self._registry).decode("utf-8")
        # The client would write `_total` behind a counter that has none, so that such a one passes it as a gauge.
        return re.sub(
            r"^# TYPE (\S+) gauge$",
            lambda line: f"# TYPE {line[1]} counter" if line[1] in self._bare else line[0],
            text,
            flags=re.MULTILINE,
        )

    def collect(self) -> Iterator[Metric]:
        """What the client library asks its collectors for."""
        for counted in self._counted:
            yield self._metric(counted)

    def _metric(self, counted: Counted) -> Metric:
        family = counted.family
        kind = MetricType.GAUGE if family.name in self._bare else family.kind
        name = family.name.removesuffix(_TOTAL) if kind is MetricType.COUNTER else family.name
        metric = Metric(name, family.about, kind.value)
        for labels, series in counted.series.items():
            own = dict(labels)
            if family.shows in STATES:
                metric.add_sample(family.name, own, self._states[family.shows])
            elif kind in (MetricType.HISTOGRAM, MetricType.SUMMARY):
                seen = 0
                if kind is MetricType.HISTOGRAM:
                    for le, events in zip((*family.le, "+Inf"), series.buckets, strict=True):
                        seen += events
                        metric.add_sample(f"{name}_bucket", {**own, "le": le}, seen)
                metric.add_sample(f"{name}_count", own, series.events)
                metric.add_sample(f"{name}_sum", own, series.total)
            else:
                metric.add_sample(family.name, own, series.total)
        return metric
