"""A measurement as the queries of an OpenSLO indicator, with the placeholder for their window."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from slo_compiler.ir import Counters, Histogram, Queries, Slices, Throughput
from slo_compiler.promql.build import either, rate, selector
from slo_compiler.promql.histograms import goods, judged
from slo_compiler.promql.measurements import WINDOW_PLACEHOLDER
from slo_compiler.units import Duration, decimal_text


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
        good = either(goods(measurement, measurement.measured, "rate", WINDOW_PLACEHOLDER))
        return RatioQueries("good", f"sum({good})", f"sum({either(judged(measurement, 'rate', WINDOW_PLACEHOLDER))})")
    return None


class SliceQuery(NamedTuple):
    """A value that every slice of time is judged by: good where it is at or over the bound."""

    query: str
    bound: Decimal
    window: Duration


def slice_query(measurement: object) -> SliceQuery | None:
    """The value that a throughput's slices are judged by; None for any other measurement.

    Where nothing waits, the value is at least the promised rate: an idle engine owes no tokens.
    """
    if not isinstance(measurement, Slices) or not isinstance(measurement.inner, Throughput):
        return None
    inner = measurement.inner
    tokens = either([rate(selector(item), WINDOW_PLACEHOLDER) for item in inner.tokens])
    waiting = either([f"min_over_time({selector(item)}[{WINDOW_PLACEHOLDER}])" for item in inner.waiting])
    idle = f"{decimal_text(inner.rate)} * (sum({waiting}) == bool 0)"
    return SliceQuery(f"clamp_min(sum({tokens}), scalar({idle}))", inner.rate, measurement.window)
