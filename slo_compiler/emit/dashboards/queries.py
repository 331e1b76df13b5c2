"""The PromQL of panels: recorded series by the names of the rules, and the engine's own by what the spec reads.

Where an SLO has groups, a panel that shows one number shows the group that is worst.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from slo_compiler.emit.dashboards.text import literal
from slo_compiler.ir import Histogram, Level, Matcher, Selector, Slo, Spec, Window
from slo_compiler.promql import names
from slo_compiler.promql.build import aggregate, any_of, either, matchers, recorded, selector, string
from slo_compiler.units import Duration, decimal_text

RATE = "$__rate_interval"
_HOUR, _SIX_HOURS = Decimal(3600), Decimal(6 * 3600)


def ids(slo_ids: Sequence[str]) -> Matcher:
    """The matcher of these SLOs."""
    if len(slo_ids) == 1:
        return Matcher("slo_id", "=", slo_ids[0])
    return Matcher("slo_id", "=~", any_of(slo_ids))


def of_all(slos: Iterable[Slo], name: str) -> str:
    """A recorded series of several SLOs."""
    return literal(selector(Selector(name, (ids([slo.slo_id for slo in slos]),))))


def alerts(spec: Spec, *more: Matcher) -> str:
    """`ALERTS` of all SLOs of a spec, and of its engine."""
    found = ids([*(slo.slo_id for slo in spec.slos), spec.engine_id])
    return literal(selector(Selector("ALERTS", (found,)), *more))


def raw(item: Selector) -> str:
    """A series as the spec reads it."""
    return literal(selector(item))


def worst(slo: Slo, name: str, *, high: bool) -> str:
    """A recorded series as one number: of several groups the highest, or the lowest."""
    series = literal(recorded(name, slo.slo_id))
    return f"{'max' if high else 'min'} by (slo_id) ({series})"


def first_window(slo: Slo) -> Window:
    """The shortest window of burn rates."""
    return _ascending(slo)[0]


def hour_window(slo: Slo) -> Window:
    """The window of which one speaks: an hour, or the next longer one."""
    return _from(slo, _HOUR)


def long_window(slo: Slo) -> Window:
    """Six hours, or the next longer window."""
    return _from(slo, _SIX_HOURS)


def _from(slo: Slo, seconds: Decimal) -> Window:
    ascending = _ascending(slo)
    return next((window for window in ascending if window.length.seconds >= seconds), ascending[-1])


def _ascending(slo: Slo) -> list[Window]:
    """The windows that are recorded; where a policy leaves an SLI none, an hour of tiles."""
    if slo.windows:
        return sorted(slo.windows, key=lambda window: window.length.seconds)
    step = slo.steps.slow
    short = Duration(_HOUR - Decimal(step) / 2)
    return [Window("1h", Level.SLOW, int(_HOUR) // step, short, Duration(_HOUR))]


def burn(slo: Slo, window: Window) -> str:
    """The burn rate over a window."""
    if window in slo.windows:
        return worst(slo, names.burn_rate(window.name), high=True)
    bad, total = (
        f"sum by (slo_id) (sum_over_time({literal(recorded(tiles['slow'], slo.slo_id, window.range.promql))}))"
        for tiles in (names.BAD_EVENTS, names.EVENTS)
    )
    return f"clamp_min({bad}, 0) / ({total} * {decimal_text(slo.budget)} > 0)"


def bad_share(slo: Slo) -> str:
    """The share of bad events over the shortest window."""
    return f"{burn(slo, first_window(slo))} * {decimal_text(slo.budget)}"


def good_share(slo: Slo) -> str:
    """The share of good events over the shortest window: the SLI itself."""
    return f"1 - {bad_share(slo)}"


def good_share_by_other_bound(slo: Slo) -> str:
    """The same by the edge on the other side of the promised threshold, over half an hour of slow tiles.

    Raises:
        ValueError: the promise is an edge.
    """
    if not isinstance(slo.measurement, Histogram):
        raise ValueError(f"{slo.slo_id} has one bound")
    bad, total = (
        f"sum by (slo_id) (sum_over_time({literal(recorded(name, slo.slo_id, '30m'))}))"
        for name in (names.OTHER_BOUND[slo.measurement.other_is], names.EVENTS["slow"])
    )
    return f"1 - {bad} / ({total} > 0)"


def bad_events_left(slo: Slo) -> str:
    """How many more events of a full period may be bad, at its mean traffic so far."""
    remaining = worst(slo, names.PERIOD_BUDGET_REMAINING, high=False)
    total = f"sum by (slo_id) ({literal(recorded(names.PERIOD_EVENTS, slo.slo_id))})"
    coverage = worst(slo, names.PERIOD_COVERAGE, high=True)
    return f"{remaining} * {decimal_text(slo.budget)} * {total} / ({coverage} > 0)"


def exhausted_in(slo: Slo) -> str:
    """Seconds until the budget is spent at the present burn rate; 0 where it is; nothing where it lasts."""
    remaining = worst(slo, names.PERIOD_BUDGET_REMAINING, high=False)
    lasting = f"({remaining} > 0) * {decimal_text(slo.period.length.seconds)} / ({burn(slo, hour_window(slo))} > 1)"
    return f"{lasting} or (({remaining} <= bool 0) > 0) - 1"


def even_spending() -> str:
    """A straight line from 1 at the left edge of a panel to 0 at its right one."""
    return "(last_over_time(vector(time())[1m:1m] @ end()) - time()) / $__range_s"


def events_per_second(slo: Slo, tiles: dict[str, str]) -> str:
    """Events, or bad events, of the last fast step by the second; of tokens, as the requests that they make up."""
    divisor = slo.steps.fast * slo.events_per_request
    return f"clamp_min(sum by (slo_id) ({literal(recorded(tiles['fast'], slo.slo_id))}), 0) / {decimal_text(divisor)}"


def spent_in_view(slo: Slo) -> str:
    """The share of the period's budget that was spent within the time that is shown."""
    bad = f"sum by (slo_id) (sum_over_time({literal(recorded(names.BAD_EVENTS['slow'], slo.slo_id))}[$__range]))"
    total = f"sum by (slo_id) ({literal(recorded(names.PERIOD_EVENTS, slo.slo_id))})"
    coverage = worst(slo, names.PERIOD_COVERAGE, high=True)
    return f"clamp_min({bad}, 0) * {coverage} / ({total} * {decimal_text(slo.budget)} > 0)"


def alert_level(spec: Spec, by: str) -> str:
    """3 where a page fires, 2 where another alert does, 1 where one is pending."""
    page = Matcher("severity", "=", spec.severities.of("page"))
    firing, pending = Matcher("alertstate", "=", "firing"), Matcher("alertstate", "=", "pending")
    return (
        f"max by ({by}) ({alerts(spec, firing, page)}) * 3"
        f" or max by ({by}) ({alerts(spec, firing)}) * 2"
        f" or max by ({by}) ({alerts(spec, pending)})"
    )


def quantile(measurement: Histogram, q: Decimal, scale: Decimal) -> str:
    """A quantile in seconds.

    Args:
        scale: seconds in a unit of the histogram's.
    """
    found = f"histogram_quantile({decimal_text(q)}, {_histogram(measurement, 'rate')})"
    return found if scale == 1 else f"{found} * {decimal_text(scale)}"


def buckets(measurement: Histogram) -> str:
    """How many observations came into each bucket, and those under it."""
    return _histogram(measurement, "increase")


def _histogram(measurement: Histogram, function: str) -> str:
    """What a function of counters makes of all replicas' buckets together; of native histograms, that is one itself."""
    suffix, by = ("", ()) if measurement.native is not None else ("_bucket", ("le",))
    series = (raw(Selector(f"{name}{suffix}", measurement.matchers)) for name in measurement.names)
    return aggregate("sum", either([f"{function}({text}[{RATE}])" for text in series]), by)


def rate_of(counters: Sequence[Selector]) -> str:
    """Increments by the second of a counter under all of its names."""
    return f"sum({either([f'rate({raw(item)}[{RATE}])' for item in counters])})"


def gauge_of(operator: str, gauges: Sequence[Selector], by: Sequence[str] = ()) -> str:
    """A gauge under all of its names, of all replicas or of each."""
    return aggregate(operator, either([raw(item) for item in gauges]), by)


def targets(items: Sequence[Matcher], name: str) -> str:
    """A series that Prometheus or every process has, of the targets that a spec reads."""
    return literal(f"{name}{matchers(items)}")


def panel_numbers(numbers: Sequence[tuple[Slo, int]]) -> str:
    """The number of the panel that shows each SLO, as series that join with its own."""
    named = [(literal(string(slo.slo_id.replace("$", "$$"))), at) for slo, at in numbers]
    return either([f'label_replace(vector({at}), "slo_id", {slo_id}, "", "")' for slo_id, at in named])


def all_requests(slos: Sequence[Slo]) -> str:
    """Requests by the second, by the objective that sees the most."""
    return f"max({either([events_per_second(slo, names.EVENTS) for slo in slos])})"


def goodput(slos: Sequence[Slo]) -> tuple[str, str]:
    """Requests that keep every promise, at most and at least: the Fréchet bounds of several shares."""
    good = either([good_share(slo) for slo in slos])
    bad = either([bad_share(slo) for slo in slos])
    total = all_requests(slos)
    return f"{total} * min({good})", f"{total} * clamp_min(1 - sum({bad}), 0)"
