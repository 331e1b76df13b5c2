"""What good and bad time slices are in PromQL.

A fast tile judges the slice that ends at it, and a slice of n steps is judged by n tiles, each an nth of an event.
"""

from __future__ import annotations

from decimal import Decimal

from slo_compiler.ir import Level, Slices, Steps, Throughput, Value
from slo_compiler.promql import names
from slo_compiler.promql.build import either, rate, recorded, selector
from slo_compiler.promql.measurements import WINDOW_PLACEHOLDER, bad_events_over, events_over
from slo_compiler.units import Duration, decimal_text

# A ratio that is its target but for the noise of floating point is at its target.
_TOLERANCE = Decimal("1e-9")
_FAILS = {"<=": ">", ">=": "<", "<": ">=", ">": "<="}
# Of several series, the one that fails first decides.
_WORST = {"<=": "max", "<": "max", ">=": "min", ">": "min"}

Records = list[tuple[str, str]]
"""Names of recorded series and their expressions, in the order of evaluation."""


def fast_tiles(
    slices: Slices,
    steps: Steps,
    slo_id: str,
    all_events: str = names.EVENTS["fast"],
    bad_events: str = names.BAD_EVENTS["fast"],
) -> Records:
    """What the slice is judged by, and its share of a good or bad slice under the names that are given."""
    length = slices.window.whole_seconds
    tiles = length // steps.fast
    if isinstance(slices.inner, Value | Throughput):
        value = recorded(names.SLICE_VALUE, slo_id)
        return [
            (names.SLICE_VALUE, _value(slices.inner, slices.window, steps)),
            # Also where the value is infinite: nothing but its presence makes it an event.
            (all_events, f"({value} >= bool -Inf) / {tiles}"),
            (bad_events, _value_fails(slices.inner, slices.window, tiles, slo_id, recorded(all_events, slo_id))),
        ]
    events, error = recorded(names.SLICE_EVENTS, slo_id), recorded(names.SLICE_ERROR, slo_id)
    if slices.target is not None:
        error = f"({error} > bool {decimal_text((1 - slices.target) * (1 + _TOLERANCE))})"
    bad = bad_events_over(slices.inner, length, steps.scrape, events)
    return [
        (names.SLICE_EVENTS, events_over(slices.inner, length, steps.scrape)),
        (names.SLICE_ERROR, f"({bad})\n/ on () ({events} > 0)"),
        (all_events, f"({events} > bool 0) / {tiles}"),
        (bad_events, f"{error} / {tiles}\nor 0 * {recorded(all_events, slo_id)}"),
    ]


def slow_tiles(steps: Steps, slo_id: str) -> Records:
    """Slow tiles as sums of fast ones, for events that raw series cannot give over a longer step."""
    bad = handed_over(names.BAD_EVENTS["fast"], steps, slo_id)
    return [
        (names.EVENTS["slow"], handed_over(names.EVENTS["fast"], steps, slo_id)),
        (names.BAD_EVENTS["slow"], f"{bad}\nand {recorded(names.EVENTS['slow'], slo_id)}"),
    ]


def handed_over(name: str, steps: Steps, slo_id: str) -> str:
    """The sum of the fast tiles of a slow step.

    The two groups are evaluated at phases of their own. A range a thousandth of a second short of the step holds each
    tile once whatever they are (half a fast step short it would lose one in eight at half of the phases); a fast step
    ago, the newest of them is there even where the fast group is late.
    """
    window = Duration(steps.of(Level.SLOW) - Decimal("0.001")).promql
    return f"sum_over_time({recorded(name, slo_id, window)} offset {Duration.of(steps.fast).promql})"


def _value(inner: Value | Throughput, window: Duration, steps: Steps) -> str:
    if isinstance(inner, Throughput):
        rates = [rate(selector(item), Duration(window.seconds + steps.scrape).promql) for item in inner.tokens]
        return f"sum({either(rates)})"
    query = inner.query.replace(WINDOW_PLACEHOLDER, window.promql)
    # NaN, such as a quantile of no events, holds against no bound and is no event.
    return f"{_WORST[inner.op]}(({query}) >= -Inf)"


def _value_fails(inner: Value | Throughput, window: Duration, tiles: int, slo_id: str, events: str) -> str:
    value = recorded(names.SLICE_VALUE, slo_id)
    if isinstance(inner, Value):
        return f"({value} {_FAILS[inner.op]} bool {decimal_text(inner.bound)}) / {tiles}"
    waiting = either([f"min_over_time({selector(item)}[{window.promql}])" for item in inner.waiting])
    return f"(({value} < bool {decimal_text(inner.rate)}) and on () sum({waiting}) > 0) / {tiles}\nor 0 * {events}"
