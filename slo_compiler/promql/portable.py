"""A measurement as the queries of an OpenSLO ratioMetric, with the placeholder for their window."""

from __future__ import annotations

from typing import NamedTuple

from slo_compiler.ir import Bound, Counters, Histogram, Matcher, Queries, Selector
from slo_compiler.promql.build import either, rate, selector
from slo_compiler.promql.measurements import WINDOW_PLACEHOLDER, counts_of


class RatioQueries(NamedTuple):
    """Both sides of a ratio. `part_is` is `good` or `bad`; all three are text as OpenSLO documents hold it."""

    part_is: str
    part: str
    total: str


def ratio_queries(measurement: object) -> RatioQueries | None:
    """The ratio of events that a measurement counts; None where it is no ratio of events.

    Error counters stand as bare selectors, so that whoever compiles them can see how they are born; a histogram's good
    events are those at or under the measured edge, of the replicas that expose it.
    """
    if isinstance(measurement, Counters):
        return RatioQueries(measurement.part_is, selector(measurement.part), selector(measurement.total))
    if isinstance(measurement, Queries):
        return RatioQueries(measurement.part_is, measurement.part, measurement.total)
    if isinstance(measurement, Histogram):
        buckets = [rate(text, WINDOW_PLACEHOLDER) for text in _buckets(measurement, measurement.measured)]
        counts = [rate(selector(item), WINDOW_PLACEHOLDER) for item in counts_of(measurement)]
        judged = [f"{count} and ignoring (le) {bucket}" for count, bucket in zip(counts, buckets, strict=True)]
        return RatioQueries("good", f"sum({either(buckets)})", f"sum({either(judged)})")
    return None


def _buckets(measurement: Histogram, bound: Bound) -> list[str]:
    edge = Matcher("le", "=~", bound.le_pattern)
    return [selector(Selector(f"{name}_bucket", measurement.matchers), edge) for name in measurement.names]
