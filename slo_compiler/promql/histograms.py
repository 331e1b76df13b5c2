"""What a histogram counts in PromQL, by each of its names, newest first: classic series, or native ones.

A classic histogram is a counter of all events and one for each bucket. A native one is a single series:
`histogram_count` gives its events, and `histogram_fraction` the share of them up to an edge, which is exact where the edge
is one of its buckets.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from slo_compiler.ir import Bound, Histogram, Matcher, Selector
from slo_compiler.promql.build import aggregate, either, rate, selector
from slo_compiler.units import decimal_text


def counts(measurement: Histogram, function: str, window: str) -> list[str]:
    """`rate(x_count[45s])`: what a function of counters makes of all events.

    Args:
        window: of a range, with whatever stands behind it.
    """
    if measurement.native is None:
        return [f"{function}({selector(item)}[{window}])" for item in counts_of(measurement)]
    return [f"histogram_count({_ranged(item, function, window)})" for item in series_of(measurement)]


def goods(measurement: Histogram, bound: Bound, function: str, window: str) -> list[str]:
    """What a function of counters makes of the events at or under an edge.

    A native histogram without an event has no share of them, and no series here: of nothing none is good.
    """
    if measurement.native is None:
        return [f"{function}({bucket}[{window}])" for bucket in _buckets(measurement, bound)]
    edge = decimal_text(bound.edge)
    found = []
    for item in series_of(measurement):
        ranged = _ranged(item, function, window)
        found.append(f"histogram_fraction(-Inf, {edge}, {ranged}) * (histogram_count({ranged}) > 0)")
    return found


def judged(measurement: Histogram, function: str, window: str, *, now: bool = False) -> list[str]:
    """What a function of counters makes of all events, of those series that also show the measured edge.

    Args:
        now: asks for the edge at this moment, rather than for what the function makes of it.
    """
    if measurement.native is not None:
        found = counts(measurement, function, window)
        if not now:
            return found
        return [f"{count} and {selector(item)}" for count, item in zip(found, series_of(measurement), strict=True)]
    edges = buckets_of(measurement) if now else goods(measurement, measurement.measured, function, window)
    pairs = zip(counts(measurement, function, window), edges, strict=True)
    return [f"{count} and ignoring (le) {edge}" for count, edge in pairs]


def exposed(measurement: Histogram, function: str, window: str) -> list[str]:
    """All events, whether they can be judged or not: of replicas without the bucket, or with classic series alone."""
    found = counts(measurement, function, window)
    if measurement.native is None:
        return found
    return [*found, *(f"{function}({selector(item)}[{window}])" for item in counts_of(measurement))]


def standing(measurement: Histogram) -> list[str]:
    """How many events were counted in all, at this moment."""
    if measurement.native is None:
        return [selector(item) for item in counts_of(measurement)]
    return [f"histogram_count({selector(item)})" for item in series_of(measurement)]


def series_of(measurement: Histogram) -> tuple[Selector, ...]:
    """The series that are there in any case, of every name: the counts, or the native histograms themselves."""
    if measurement.native is None:
        return counts_of(measurement)
    return base_series(measurement)


def base_series(measurement: Histogram) -> tuple[Selector, ...]:
    """Every base name with its matchers: of classic histograms no series has it alone."""
    return tuple(Selector(name, measurement.matchers) for name in measurement.names)


def quantile(share: Decimal, series: Sequence[Selector], by: Sequence[str] = (), *, native: bool, window: str) -> str:
    """What so much of all events stays under, of histograms by their base names, in their own unit."""
    suffix = "" if native else "_bucket"
    rates = [rate(selector(Selector(f"{item.name}{suffix}", item.matchers)), window) for item in series]
    joined = aggregate("sum", either(rates), by if native else ("le", *by))
    return f"histogram_quantile({decimal_text(share)}, {joined})"


def counts_of(measurement: Histogram) -> tuple[Selector, ...]:
    """The `_count` series of every name, which only classic histograms have."""
    return tuple(Selector(f"{name}_count", measurement.matchers) for name in measurement.names)


def buckets_of(measurement: Histogram) -> Sequence[str]:
    """The measured bucket of every name, which only classic histograms have."""
    return _buckets(measurement, measurement.measured)


def _ranged(item: Selector, function: str, window: str) -> str:
    return f"{function}({selector(item)}[{window}])"


def _buckets(measurement: Histogram, bound: Bound) -> list[str]:
    edge = Matcher("le", "=~", bound.le_pattern)
    return [selector(Selector(f"{name}_bucket", measurement.matchers), edge) for name in measurement.names]
