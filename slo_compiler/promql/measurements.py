"""What good, bad and total events are in PromQL, for each kind of measurement.

A tile is the events of one step: `rate(x[step + scrape]) * step` sees every increment once (a window that is wider
by anything else counts too many or too few).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from slo_compiler.ir import Bound, Counted, Counters, Histogram, Level, Matcher, Queries, Selector, Steps
from slo_compiler.promql import histograms, names
from slo_compiler.promql.build import aggregate, either, on, rate, recorded, selector
from slo_compiler.units import Duration, decimal_text

WINDOW_PLACEHOLDER = "{{.window}}"
# Set on births for the length of an expression, and on nothing that is recorded.
_BORN_LABEL = "__born__"


def events(measurement: Counted, steps: Steps, level: Level, by: Sequence[str] = ()) -> str:
    """All events of a tile that can be judged; one series per group where there are groups."""
    return events_over(measurement, steps.of(level), steps.scrape, by)


def events_over(measurement: Counted, step: int, scrape: Decimal, by: Sequence[str] = (), less: str = "") -> str:
    """All events of the last `step` seconds that can be judged.

    Args:
        less: of a histogram, what leaves out some replicas, `unless on (job, instance) ...`.
    """
    window = _range(step, scrape)
    if isinstance(measurement, Histogram) and less:
        kept, judged = _judged(measurement, window, less), _judged(measurement, window)
        return f"sum({kept}) * {step}\nor on () 0 * sum({judged})"
    if isinstance(measurement, Histogram):
        return f"{aggregate('sum', _judged(measurement, window), by)} * {step}"
    if isinstance(measurement, Counters):
        total = selector(measurement.total)
        if by:
            return _counted_by_group(total, step, window, by)
        return f"sum({rate(total, window)}) * {step}\n+ ({_born(total, step)} or vector(0))"
    return _query(measurement.total, measurement.total_yields, step, scrape, by)


def bad_events(measurement: Counted, steps: Steps, level: Level, slo_id: str, by: Sequence[str] = ()) -> str:
    """The bad events of a tile: never above all events, and below zero only where the good ones are counted later."""
    total = recorded(names.EVENTS[level.value], slo_id)
    return bad_events_over(measurement, steps.of(level), steps.scrape, total, by)


def bad_events_over(measurement: Counted, step: int, scrape: Decimal, total: str, by: Sequence[str] = ()) -> str:
    """The bad events of the last `step` seconds, where `total` is the series of all of them."""
    window = _range(step, scrape)
    if isinstance(measurement, Histogram):
        return f"clamp_min({total} - {on(by)} {_good(measurement, measurement.measured, step, window, total, by)}, 0)"
    later = isinstance(measurement, Counters) and measurement.part_later
    if by:
        return _bad_by_group(measurement, step, scrape, total, by, later=later)
    if isinstance(measurement, Counters):
        part = selector(measurement.part)
        counted = (
            f"(sum({rate(part, window)}) * {step} or on () 0 * {total})\n"
            f"+ on () ({_born(part, step)} or on () 0 * {total})"
        )
    else:
        counted = f"{_query(measurement.part, measurement.part_yields, step, scrape, by)} or on () 0 * {total}"
    if measurement.part_is == "bad":
        clamped = f"clamp_max({counted}, scalar({total}))"
        if isinstance(measurement, Counters) and is_narrower(measurement.part, measurement.total):
            return clamped
        # Bad events without any events would be clamped to NaN, which would poison every window.
        return f"{clamped}\nand on () {total}"
    missing = f"{total} - on () ({counted})"
    return missing if later else f"clamp_min({missing}, 0)"


def other_bound(measurement: Histogram, steps: Steps, slo_id: str, by: Sequence[str] = ()) -> str:
    """The bad events of a slow tile by the edge on the other side of the promised threshold."""
    total = recorded(names.EVENTS["slow"], slo_id)
    if measurement.other is None:
        return total
    good = _good(measurement, measurement.other, steps.slow, _range(steps.slow, steps.scrape), total, by)
    return f"clamp_min({total} - {on(by)} {good}, 0)"


def beyond(measurement: Histogram, bound: Bound | None, step: int, scrape: Decimal, total: str, less: str = "") -> str:
    """The events of the last `step` seconds beyond an edge, all of them without one; none where `total` is 0.

    Args:
        total: the series of all events.
        less: what leaves out some replicas; where it leaves out all, nothing is bad.
    """
    if bound is None:
        return total
    good = f"sum({_buckets(measurement, bound, _range(step, scrape), less)}) * {step}"
    return f"clamp_min({total} - on () ({good} or on () 0 * {total}), 0)"


def covered(measurement: Histogram, steps: Steps, by: Sequence[str] = ()) -> str:
    """The share of events from pods that expose the bucket that is read."""
    window = _range(steps.fast, steps.scrape)
    counts = aggregate("sum", either(histograms.exposed(measurement, "rate", window)), by)
    # Where no pod has the bucket, nothing is judged and 0 of the events are covered.
    nothing = f"or {on(by)} 0 * {counts}" if by else "or vector(0)"
    return f"({aggregate('sum', _judged(measurement, window), by)} {nothing})\n/ ({counts} > 0)"


def impossible(measurement: Histogram | Counters, by: Sequence[str] = ()) -> str:
    """More good (or bad) events than there are events, by 1% and one event in five minutes."""
    if isinstance(measurement, Histogram):
        part = histograms.goods(measurement, measurement.measured, "increase", "5m")
        total = histograms.counts(measurement, "increase", "5m")
    else:
        part = [f"increase({selector(measurement.part)}[5m])"]
        total = [f"increase({selector(measurement.total)}[5m])"]
    return f"{aggregate('sum', either(part), by)}\n> 1.01 * {aggregate('sum', either(total), by)} + 1"


def is_narrower(part: Selector, total: Selector) -> bool:
    """Whether every series of `part` is one of `total`, by the selectors alone."""
    return part.name == total.name and all(_implied(matcher, part.matchers) for matcher in total.matchers)


def _implied(wanted: Matcher, given: Sequence[Matcher]) -> bool:
    """Whether what satisfies all of `given` satisfies `wanted`: it is one of them, or follows from one by its value."""
    for matcher in given:
        if matcher == wanted:
            return True
        if matcher.label != wanted.label:
            continue
        if wanted.op == "!=" and matcher.op == "!~" and re.fullmatch(matcher.value, wanted.value):
            return True
        if wanted.op == "!=" and matcher.op == "=" and matcher.value != wanted.value:
            return True
        if wanted.op == "=~" and matcher.op == "=" and re.fullmatch(wanted.value, matcher.value):
            return True
    return False


def _judged(measurement: Histogram, window: str, less: str = "") -> str:
    """Rates of the counts of those series that also expose the measured bucket."""
    return either([_less(count, less) for count in histograms.judged(measurement, "rate", window)])


def _good(measurement: Histogram, bound: Bound, step: int, window: str, total: str, by: Sequence[str]) -> str:
    """The events of the last `step` seconds at or under an edge; 0 where there was none at all."""
    counted = f"{aggregate('sum', _buckets(measurement, bound, window), by)} * {step}"
    return counted if measurement.native is None else f"({counted} or {on(by)} 0 * {total})"


def _buckets(measurement: Histogram, bound: Bound, window: str, less: str = "") -> str:
    return either([_less(good, less) for good in histograms.goods(measurement, bound, "rate", window)])


def _less(rates: str, less: str) -> str:
    return f"{rates} {less}" if less else rates


def _counted_by_group(series: str, step: int, window: str, by: Sequence[str]) -> str:
    """The events of a counter per group, births among them.

    A group of which nothing but a birth is known has no rate yet, so that the two cannot be added with `+`: the label
    makes series of their own of the births, and one sum takes both.
    """
    births = f'label_replace({_births(series, step)}, "{_BORN_LABEL}", "born", "", "")'
    return aggregate("sum", f"{rate(series, window)} * {step}\nor {births}", by)


def _bad_by_group(
    measurement: Counters | Queries, step: int, scrape: Decimal, total: str, by: Sequence[str], *, later: bool
) -> str:
    """Bad events of every group that has events: none where it has no part yet, and no more than events."""
    if isinstance(measurement, Counters):
        part = selector(measurement.part)
        counted = _counted_by_group(part, step, _range(step, scrape), by)
    else:
        counted = _query(measurement.part, measurement.part_yields, step, scrape, by)
    counted = f"({counted}\nor {on(by)} 0 * {total})"
    if measurement.part_is == "good":
        missing = f"{total} - {on(by)} {counted}"
        return missing if later else f"clamp_min({missing}, 0)"
    # What `clamp_max` does with a scalar: `scalar` takes one series, and here is one per group.
    return f"{counted} < {on(by)} {total}\nor {on(by)} {total}"


def _born(series: str, step: int) -> str:
    """What counters held when they were first seen, in targets that were already up: `rate` cannot see it.

    A counter that appears because its target came back, or is new, is not counted: its value is no event of this step.
    """
    return f"sum({_births(series, step)})"


def _births(series: str, step: int) -> str:
    window = Duration.of(step).promql
    return (
        f"(min_over_time({series}[{window}]) unless {series} offset {window})"
        f" and on (job, instance) (up offset {window} == 1)"
    )


def _range(step: int, scrape: Decimal) -> str:
    return Duration(step + scrape).promql


def _query(template: str, yields: str, step: int, scrape: Decimal, by: Sequence[str]) -> str:
    """A user's query as events of the last `step` seconds."""
    return f"{per_second(template, yields, Duration(step + scrape), by)} * {step}"


def per_second(template: str, yields: str, window: Duration, by: Sequence[str]) -> str:
    """A user's query over a window as events per second."""
    text = aggregate("sum", template.replace(WINDOW_PLACEHOLDER, window.promql), by)
    return text if yields == "rate" else f"{text} / {decimal_text(window.seconds)}"
